"""How results leave the process: rendered for the stream they go to, saved owner-only where a file is asked for."""

from __future__ import annotations

import json
import os
import shutil
import sys
from datetime import UTC, datetime

import click
from msgspec.structs import replace

from reconciler.core.errors import ManifestError, ReconcilerError
from reconciler.render.options import Options, options_for


def options(
    *, no_color: bool = False, selection: str = "", plan_file: str = "", allow: tuple[str, ...] = ()
) -> Options:
    """What fits standard output."""
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if terminal or os.environ.get("COLUMNS") else None
    made = options_for(
        os.environ, encoding=sys.stdout.encoding, terminal=terminal, width=width, no_color=no_color
    )
    return replace(made, selection=selection, plan_file=plan_file, allow=allow)


def errors() -> Options:
    """What fits standard error."""
    terminal = sys.stderr.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if terminal or os.environ.get("COLUMNS") else None
    return options_for(os.environ, encoding=sys.stderr.encoding, terminal=terminal, width=width)


def put(text: str) -> None:
    """Print a rendered result."""
    click.echo(text, nl=not text.endswith("\n"), color=True)


def can_ask() -> bool:
    """Whether a person sits at a terminal that may be asked."""
    return sys.stdin.isatty() and not os.environ.get("CI")


def complain(error: ReconcilerError, *, as_json: bool = False) -> None:
    """Say what went wrong and what to do next, on standard error; to GitHub Actions in its words too.

    as_json: as a line of the log that `--log-json` asks for.
    """
    from reconciler.cli import github
    from reconciler.render import ERROR

    if as_json:
        _line("error", error.message, hint=error.hint, code=error.code)
        return
    click.echo(ERROR(error, errors()), err=True, nl=False, color=True)
    if github.wanted() and not isinstance(error, ManifestError):  # those are shown beside their lines
        click.echo(github.github_error(error), err=True)


def note(text: str, *, as_json: bool = False) -> None:
    """Say what one should know, beside what is printed."""
    if as_json:
        _line("note", text)
    else:
        click.echo(f"Note: {text}", err=True)


def remark(text: str, *, as_json: bool) -> None:
    """Say what happens to the run itself, as that it is stopped."""
    if as_json:
        _line("note", text)
    else:
        click.echo(text, err=True)


def _line(kind: str, message: str, **more: str) -> None:
    at = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    click.echo(json.dumps({"at": at, "kind": kind, "message": message, **more}), err=True)
