"""The workflows of a workspace: written once, with what is left to do by hand on the platform."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from reconciler.cli import ci
from reconciler.store.files import WORKSPACE_NAME, show
from reconciler.store.revisions import has_origin
from reconciler.store.written import exists

PLATFORM: dict[ci.Kind, str] = {"github": "GitHub", "gitlab": "GitLab"}
TODO: dict[ci.Kind, tuple[str, ...]] = {
    "github": (
        "environment licences-plan: keys that only read ({names})",
        "environments licences-auto and licences-reviewed: keys that may buy, main alone; the second with reviewers",
        "main: require the check `licences`, and reviews; CODEOWNERS for .github/ and reconciler.yaml",
    ),
    "gitlab": (
        "masked variables in the environment licences-plan: keys that only read ({names})",
        "in licences-auto and licences-reviewed, both protected: keys that may buy; the second with approvals",
        "in licences-comment: GITLAB_TOKEN, a project access token with the scope api",
        "pipeline schedules on main: 7,37 * * * * with LICENCES=resume, 23 4 * * * with LICENCES=drift",
        "main: protected, and merged only when pipelines succeed; job tokens may push",
    ),
}
"""What no file can say, in the order in which it is done; {names} are the variables that the workspace refers to."""


def no_workflows_yet(kind: ci.Kind, root: Path) -> None:
    """Say which workflows are there already, before anything is written."""
    there = [shown(root / name) for name in ci.TEMPLATES[kind] if (root / name).exists()]
    if there:
        raise exists(there)


def write_workflows(kind: ci.Kind, root: Path) -> None:
    """Write them, and say what they are."""
    for path in ci.write_ci(kind, root):
        click.echo(f"{shown(path)}: written")


def say_next(kind: ci.Kind, root: Path) -> None:
    """What is left for a person; what would surprise one comes first."""
    click.echo()
    for note in _notes(root):
        click.echo(f"note: {note}", err=True)
    click.echo(f"Next, on {PLATFORM[kind]} (docs/ci.md says how):")
    for number, text in enumerate((*TODO[kind], "commit, push, and open a pull request"), 1):
        click.echo(f"  {number}. {text.format(names=', '.join(ci.references(root)))}")


def _notes(root: Path) -> Iterator[str]:
    said = ci.workspace(root)
    journal = str(said.get("journal") or "")
    if (root / WORKSPACE_NAME).exists() and (not journal or journal.startswith("sqlite:")):
        when = "" if has_origin(root) else " (once here is a git repository with a remote `origin`)"
        yield (
            f"the workflows keep the journal on a branch: write `journal: {ci.BRANCH}` in {WORKSPACE_NAME}{when}, "
            "or people see another one than CI"
        )
    for name in ci.sandboxes(said):
        yield (
            f"account {name} is a sandbox, whose file ends with each job: in CI it shows plans, "
            "and nothing that is delivered later"
        )


def shown(path: Path) -> str:
    """A path as a person would type it here."""
    return show(path, cwd=Path.cwd())
