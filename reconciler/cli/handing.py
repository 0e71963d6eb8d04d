"""Hands a saved plan or report to the CI: files of the runner, files that were asked for, lines in the log."""

from __future__ import annotations

import os
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import click

from reconciler.cli import github
from reconciler.cli.outputs import Outputs, code_quality, outputs, remarks, summary, widget
from reconciler.core.errors import UsageError, WorkspaceError
from reconciler.store.documents import write_private

LARGE = {"digests", "approved"}
"""Left out of a dotenv report: GitLab takes 5 kB (https://docs.gitlab.com/ci/yaml/artifacts_reports/, 2026-11-21)."""


def hand(kind: str, values: dict[str, Any]) -> None:
    """Write everything that was asked for and that the runner names a file for; print the values."""
    file: Path = values[kind]
    made = outputs(kind, file, free_rise=_amount(values["auto_below"]))
    found = remarks(kind, file)
    _append("GITHUB_STEP_SUMMARY", summary(kind, file))
    _append("GITHUB_OUTPUT", _lines(made))
    _save(values["approved_into"], made.get("approved", "") + "\n")
    _save(values["dotenv"], _dotenv(made))
    _save(values["widget"], widget(made))
    _save(values["code_quality"], code_quality(found, str(values["workspace"] or "reconciler.yaml")))
    if not values["quiet"]:
        click.echo(_lines(made), nl=False)
    for line in github.github_annotations(found) if github.wanted() else ():
        click.echo(line)


def _amount(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise UsageError(f"--auto-below {text}: not an amount", hint="write 50 or 49.90") from error
    if not found.is_finite() or found < 0:
        raise UsageError(f"--auto-below {text}: not an amount", hint="write 50 or 49.90")
    return found


def _lines(made: Outputs) -> str:
    """NAME=VALUE, one a line, as a runner's file takes them: no value has a line break."""
    return "".join(f"{name}={value}\n" for name, value in made.items())


def _dotenv(made: Outputs) -> str:
    return "".join(
        f"LICENCES_{name.upper()}={value}\n" for name, value in made.items() if name not in LARGE and value
    )


def _append(variable: str, text: str) -> None:
    """Add to a file of the runner; where there is none, nobody wants it."""
    name = os.environ.get(variable)
    if not name:
        return
    try:
        with Path(name).open("a", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise WorkspaceError(f"{variable}: {name} cannot be written ({error.strerror})") from error


def _save(path: Path | None, text: str) -> None:
    if path is not None:
        write_private(path, text)
