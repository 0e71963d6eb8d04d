"""The commands that need no network: validate, fmt and schema."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from reconciler import __version__
from reconciler.cli import github
from reconciler.cli.options import PATHS, common, option
from reconciler.core.codes import CODES
from reconciler.core.diagnostic import Diagnostic
from reconciler.render.words import count

FAILED = 1

SCHEMAS = {
    "tenant": "reconciler.core.schema:tenant_schema",
    "workspace": "reconciler.core.schema:workspace_schema",
    "plan": "reconciler.core.schema_files:plan_schema",
    "report": "reconciler.core.schema_files:report_schema",
}
"""Where each schema is made; imported only when asked for."""


@click.command()
@PATHS
@common
def validate(
    paths: tuple[Path, ...],
    *,
    workspace: Path | None,
    verbose: bool,
    quiet: bool,
    log_json: bool,  # noqa: ARG001 - every command takes it; this one logs nothing
) -> None:
    """Check every file offline; tells all errors of all files, each with its place and what to do.

    Exits 0 when there is none, else 1. Nothing is sent anywhere.
    """
    from reconciler.store.manifests import load

    allowed = frozenset(os.environ.get("RECONCILER_ENDPOINTS", "").split())
    loaded = load(paths, workspace_file=workspace, cwd=Path.cwd(), allowed_hosts=allowed, version=__version__)
    show(loaded.diagnostics, verbose=verbose)
    if loaded.errors:
        files = len({found.file for found in loaded.errors})
        click.echo(f"{count(len(loaded.errors), 'error')} in {count(files, 'file')}")
        sys.exit(FAILED)
    if not quiet:
        click.echo(f"{count(len(loaded.manifests), 'tenant')}, no errors")


@click.command()
@PATHS
@option("--check", is_flag=True, help="Only list the files that differ.")
@common
def fmt(
    paths: tuple[Path, ...],
    *,
    check: bool,
    workspace: Path | None,
    verbose: bool,
    quiet: bool,
    log_json: bool,  # noqa: ARG001 - every command takes it; this one logs nothing
) -> None:
    """Write files in canonical form: key order and indentation, comments kept.

    With --check nothing is written; exits 1 when a file differs or cannot be read.
    """
    from reconciler.store.edit import format_all

    formatted, faults = format_all(paths, workspace_file=workspace, cwd=Path.cwd(), write=not check)
    show(faults, verbose=verbose)
    differ = [each.file for each in formatted if each.changed]
    for name in differ:
        click.echo(name)
    if not quiet or faults or (check and differ):
        click.echo(
            f"{count(len(differ), 'file')} {'would change' if check else 'changed'}"
            f" of {len(formatted) + len(faults)}"
        )
    if faults or (check and differ):
        sys.exit(FAILED)


@click.command()
@click.argument("name", type=click.Choice(list(SCHEMAS)), required=False)
@common
def schema(
    name: str | None,
    *,
    workspace: Path | None,  # noqa: ARG001 - every command takes these
    verbose: bool,  # noqa: ARG001 - see above
    quiet: bool,  # noqa: ARG001 - see above
    log_json: bool,  # noqa: ARG001 - see above
) -> None:
    """Print the JSON Schema of a file; without a name, of all four by name."""
    made = _schema(name) if name else {each: _schema(each) for each in SCHEMAS}
    click.echo(json.dumps(made, indent=2))


def show(diagnostics: Sequence[Diagnostic], *, verbose: bool = False, err: bool = False) -> None:
    """Print what is wrong in the files, and for GitHub Actions what it shows beside the lines.

    err: to standard error, where the files are not what the command is about.
    """
    for found in diagnostics:
        click.echo(str(found), err=err)
        if verbose and (code := CODES.get(found.code)):
            click.echo(f"    Why: {code.why}\n    Do:  {code.do}", err=err)
    if github.wanted():
        for line in github.github_errors(diagnostics):
            click.echo(line, err=err)


def _schema(name: str) -> Any:
    module, _, function = SCHEMAS[name].partition(":")
    return getattr(import_module(module), function)()
