"""What the doctor looks at on the platform: whether settings that no file can hold are as the workflows need them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from reconciler.cli.github_api import GitHub
from reconciler.cli.gitlab_api import GitLab
from reconciler.cli.platform import Api
from reconciler.core.errors import Missing, ReconcilerError
from reconciler.core.rights import Checked

PLAN, AUTO, REVIEWED = "licences-plan", "licences-auto", "licences-reviewed"
LATE = timedelta(hours=2)  # licences-resume is due twice an hour, and GitHub may be late
OWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")


def examine_ci(kind: str, root: Path) -> list[Checked]:
    """Look at a repository's settings, with the token that `comment` takes; changes nothing."""
    try:
        found = list(_github() if kind == "github" else _gitlab())
    except ReconcilerError as error:
        found = [Checked("fail", error.message, error.hint or "the token needs to read the settings")]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        found = [
            Checked("fail", f"an answer that makes no sense ({type(error).__name__})", "look at its address")
        ]
    name = "GitHub" if kind == "github" else "GitLab"
    return [one._replace(what=f"{name}: {one.what}") for one in (*found, *_owners(root))]


def _github() -> Iterator[Checked]:
    platform = GitHub.of(os.environ, sleep=lambda _: None)
    api, repository = platform.api, f"/repos/{platform.repository}"
    for name in (PLAN, AUTO, REVIEWED):
        try:
            said = api.get(f"{repository}/environments/{name}")
        except Missing:
            yield Checked("fail", f"environment {name} is not there", "make it; see docs/ci.md")
            continue
        yield from _environment(name, said)
    yield _scheduled(api, repository)


def _environment(name: str, said: dict[str, Any]) -> Iterator[Checked]:
    """GitHub makes an environment that a workflow names and that is not there, without any rule."""
    if name == PLAN:
        yield Checked("ok", f"environment {name} is there")
        return
    if said.get("deployment_branch_policy") is None:
        yield Checked("fail", f"any branch reaches environment {name}", "let only `main` deploy to it")
    else:
        yield Checked("ok", f"environment {name} is for chosen branches")
    if name == REVIEWED:
        rules = [one for one in said["protection_rules"] if one["type"] == "required_reviewers"]
        if not any(one.get("reviewers") for one in rules):
            yield Checked("fail", f"nobody has to approve for {name}", "name the reviewers who may spend")
        elif not all(one.get("prevent_self_review") for one in rules):
            yield Checked("warn", f"who starts a run may approve it at {name}", "prevent self-review")
        else:
            yield Checked("ok", f"somebody else has to approve for {name}")


def _scheduled(api: Api, repository: str) -> Checked:
    """Schedules are best effort, and stop where nobody commits; nothing else would tell."""
    path = f"{repository}/actions/workflows/licences-resume.yml/runs?event=schedule&per_page=1"
    try:
        runs = api.get(path)["workflow_runs"]
    except Missing:
        return Checked("fail", "licences-resume.yml is not there", "`reconciler init --ci github` writes it")
    if not runs:
        return Checked("warn", "licences-resume has not run by its schedule yet", "look again in an hour")
    last = datetime.fromisoformat(runs[0]["created_at"])
    said = f"licences-resume ran by its schedule at {last:%Y-%m-%d %H:%M} UTC"
    late = datetime.now(UTC) - last > LATE
    return Checked("warn", f"{said}, and not since", "start it by hand") if late else Checked("ok", said)


def _gitlab() -> Iterator[Checked]:
    platform = GitLab.of(os.environ, sleep=lambda _: None)
    api, project = platform.api, f"/projects/{platform.project}"
    kept = {one["name"]: one for one in api.pages(f"{project}/protected_environments")}
    for name in (AUTO, REVIEWED):
        if name in kept:
            yield Checked("ok", f"environment {name} is protected")
        else:
            yield Checked("fail", f"environment {name} is not protected", "let only maintainers deploy to it")
    rules = kept.get(REVIEWED, {}).get("approval_rules") or ()
    if REVIEWED in kept and not any(one.get("required_approvals") for one in rules):
        yield Checked("warn", f"nobody has to approve for {REVIEWED}", "add an approval rule")
    schedules = [one for one in api.pages(f"{project}/pipeline_schedules") if one["active"]]
    yield from _schedules(api, f"{project}/pipeline_schedules", schedules)


def _schedules(api: Api, path: str, schedules: list[dict[str, Any]]) -> Iterator[Checked]:
    said = [api.get(f"{path}/{quote(str(one['id']))}") for one in schedules]
    values = {each["value"] for one in said for each in one["variables"] if each["key"] == "LICENCES"}
    for wanted in ("resume", "drift"):
        if wanted in values:
            yield Checked("ok", f"a pipeline schedule has LICENCES={wanted}")
        else:
            yield Checked("fail", f"no pipeline schedule has LICENCES={wanted}", "make it; see docs/ci.md")


def _owners(root: Path) -> Iterator[Checked]:
    """Whether somebody is asked before the workflows or the policy change."""
    top = next((one for one in (root, *root.parents) if (one / ".git").exists()), root)
    file = next((top / name for name in OWNERS if (top / name).is_file()), None)
    if file is None:
        yield Checked("warn", "no CODEOWNERS", "let it cover the workflows and reconciler.yaml")
        return
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    patterns = [line.split()[0] for line in lines if re.match(r"[^#\s\[^]", line) and len(line.split()) > 1]
    workspace = (root / "reconciler.yaml").relative_to(top).as_posix()
    for what in (".github/workflows/licences-apply.yml", ".gitlab-ci.yml", workspace):
        if (top / what).exists() and not any(_covers(pattern, what) for pattern in patterns):
            yield Checked("warn", f"CODEOWNERS does not cover {what}", "add it with those who may spend")


def _covers(pattern: str, path: str) -> bool:
    """Whether a pattern of CODEOWNERS is about a file, for the usual forms."""
    anchored = "/" in pattern.rstrip("/")
    parts = [re.escape(part).replace(r"\*", "[^/]*") for part in pattern.strip("/").split("**")]
    body = ".*".join(parts)
    return bool(re.fullmatch(f"{'' if anchored else '(?:.*/)?'}{body}(?:/.*)?", path))
