"""A GitLab runner in small: reads `.gitlab-ci.yml`, and executes every line of `script:` as it stands."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.runner import INSTALLED, check_out, clean_environment, lend

OWN = {"stages", "workflow"}
WELL = {"success", "warning"}
RUNS: Mapping[str, Callable[[set[str | None]], bool]] = {
    "on_success": lambda ended: ended <= WELL,
    "manual": lambda ended: ended <= WELL,
    "on_failure": lambda ended: "failed" in ended,
    "always": lambda _: True,
}
"""Which jobs run after others ended so. One that may fail and did ends with a warning, and counts as well; what needs
an optional job that nobody started is skipped (https://gitlab.com/gitlab-org/gitlab/-/issues/344916, 2026-11-21)."""


@dataclass
class Pipeline:
    """How the jobs ended, and what they said."""

    results: dict[str, str] = field(default_factory=dict)
    output: str = ""


@dataclass
class Gitlab:
    """origin: the repository. folder: where jobs work and artifacts lie. sandbox: the provider's file."""

    origin: Path
    folder: Path
    sandbox: Path
    env: Mapping[str, str]

    def run(
        self, event: Mapping[str, str], *, head: str = "main", started: frozenset[str] = frozenset()
    ) -> Pipeline:
        """One pipeline; `started` are the jobs that a person starts by hand."""
        file = self.origin / ".gitlab-ci.yml"
        every = yaml.safe_load(file.read_text(encoding="utf-8"))
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir()
        made = Pipeline()
        known = {**self.env, **event}
        assert any(matches(rule["if"], known) for rule in every["workflow"]["rules"]), "no pipeline for this"
        jobs = {name: job for name, job in every.items() if name not in OWN and not name.startswith(".")}
        for name, job in sorted(jobs.items(), key=lambda one: every["stages"].index(one[1]["stage"])):
            rule = next((rule for rule in job["rules"] if matches(rule["if"], known)), None)
            if rule is not None:
                made.results[name] = self._maybe(name, job, rule, every, known, head, made, started)
        return made

    def _maybe(
        self,
        name: str,
        job: dict[str, Any],
        rule: dict[str, Any],
        every: dict[str, Any],
        known: dict[str, str],
        head: str,
        made: Pipeline,
        started: frozenset[str],
    ) -> str:
        when = rule.get("when", "on_success")
        before = job.get("needs", list(made.results))
        ended = {made.results.get(one) for one in before}
        if when == "manual" and name not in started:
            return "manual"
        if not RUNS[when](ended):
            return "skipped"
        good = self._job(name, job, before, every, known, head, made)
        return "success" if good else "warning" if rule.get("allow_failure") else "failed"

    def _job(
        self,
        name: str,
        job: dict[str, Any],
        before: list[str],
        every: dict[str, Any],
        known: dict[str, str],
        head: str,
        made: Pipeline,
    ) -> bool:
        place = self.folder / name
        place.mkdir()
        parent = every[job["extends"]]
        variables = {**parent["variables"], **job.get("variables", {})}
        env = {**dict(_expanded(variables, known)), **known}  # the project's own variables weigh more
        if env.get("GIT_STRATEGY") != "none":
            check_out(self.origin, place, f"origin/{head}")
            lend(self.sandbox, place)
        for one in before:
            stored = self.folder / f"{one}-artifacts"
            if stored.exists():
                shutil.copytree(stored, place, dirs_exist_ok=True)
            env |= dict(_dotenv(self.folder / f"{one}-dotenv"))
        prepare = [line for line in parent["before_script"] if line not in INSTALLED]
        good = self._shell([*prepare, *job["script"]], place, env, made)
        INSTALLED.update(prepare if good else ())
        if job.get("after_script"):
            self._shell(job["after_script"], place, env, made)
        self._keep(name, job.get("artifacts", {}), place)
        return good

    def _shell(self, lines: list[str], place: Path, env: Mapping[str, str], made: Pipeline) -> bool:
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", "\n".join(lines)],
            cwd=place,
            env={**clean_environment(), **env},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        made.output += f"$ {chr(10).join(lines)}\n{done.stdout}{done.stderr}[{done.returncode}]\n"
        return done.returncode == 0

    def _keep(self, name: str, artifacts: dict[str, Any], place: Path) -> None:
        stored = self.folder / f"{name}-artifacts"
        stored.mkdir()
        for path in artifacts.get("paths", []):
            if (place / path).exists():
                shutil.copy(place / path, stored)
        for kind, path in artifacts.get("reports", {}).items():
            if (place / path).exists():
                shutil.copy(place / path, self.folder / f"{name}-{kind}")


def matches(condition: str, known: Mapping[str, str]) -> bool:
    """Judge a rule: equalities joined by `&&`."""
    return all(_holds(part.strip(), known) for part in condition.split("&&"))


def _holds(part: str, known: Mapping[str, str]) -> bool:
    found = re.fullmatch(r'\$(\w+) (==|!=) (?:"(.*)"|\$(\w+))', part)
    assert found, f"{part} is not played here"
    left, right = known.get(found[1], ""), known.get(found[4], "") if found[4] else found[3]
    return (left == right) == (found[2] == "==")


def _expanded(variables: Mapping[str, str], known: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for name, value in variables.items():
        yield name, re.sub(r"\$(\w+)", lambda found: known.get(found[1], ""), value)


def _dotenv(file: Path) -> Iterator[tuple[str, str]]:
    if file.exists():
        assert file.stat().st_size < 5_000  # which is all that GitLab takes
        for line in file.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            assert re.fullmatch(r"\w+", name)
            yield name, value
