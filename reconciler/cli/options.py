"""Options that every command takes; each has its environment variable."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--workspace",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="RECONCILER_WORKSPACE",
        help="The workspace file; else reconciler.yaml here or above the paths given.",
    ),
    click.option("--verbose", "-v", is_flag=True, envvar="RECONCILER_VERBOSE", help="Say more."),
    click.option("--quiet", "-q", is_flag=True, envvar="RECONCILER_QUIET", help="Say only what matters."),
    click.option(
        "--log-json", is_flag=True, envvar="RECONCILER_LOG_JSON", help="Logs on standard error as JSON lines."
    ),
)


def common(function: F) -> F:
    """Add --workspace, --verbose, --quiet and --log-json to a command."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


PATHS = click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
"""Files or folders; with none, `tenants/` beside the workspace file."""
