"""Options and arguments that several commands take; every option has its environment variable."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(dir_okay=False, path_type=Path)
EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


def option(name: str, *more: str, **attributes: Any) -> Callable[[F], F]:
    """An option that `RECONCILER_NAME` sets as well; the command line weighs more."""
    variable = name.removeprefix("--").replace("-", "_").upper()
    return click.option(name, *more, envvar=f"RECONCILER_{variable}", **attributes)


class Format(click.Option):
    """The option --format; a variable that is meant for other commands is passed over with a note."""

    def value_from_envvar(self, ctx: click.Context) -> Any:
        """The variable's value, unless this command does not print in that format."""
        value = super().value_from_envvar(ctx)
        choices = self.type.choices if isinstance(self.type, click.Choice) else ()
        if value not in EVERY_FORMAT or value in choices:
            return value
        from reconciler.cli.output import note

        said = f"{ctx.info_name} does not print {value} ({self.envvar}): it prints text"
        note(said, as_json=wants_json(ctx.find_root().obj))
        return None


EVERY_FORMAT = frozenset({"text", "markdown", "json", "html"})
"""What some command prints; the variable is set once for all of them."""


def formats(*names: str) -> Callable[[F], F]:
    """The --format option with these choices, text first."""
    return option(
        "--format",
        "form",
        cls=Format,
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="How to print.",
    )


def _names_apart(ctx: click.Context, _: click.Parameter, value: tuple[Path, ...]) -> tuple[Path, ...]:
    """After `--tenant acme`, further names are tenants too: whatever reads as a name and is there as no file."""
    if ctx.get_parameter_source("tenants") is not ParameterSource.COMMANDLINE:
        return value
    names = [path for path in value if NAME.fullmatch(str(path)) and not path.exists()]
    ctx.params["tenants"] = (*ctx.params["tenants"], *map(str, names))
    return tuple(path for path in value if path not in names)


NAME = re.compile("[a-z0-9-]+")
"""What a tenant may be called."""

PATHS = click.argument(
    "paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...", callback=_names_apart
)
"""Files or folders; with none, `tenants/` beside the workspace file."""

JOURNAL = option("--journal", metavar="URL", help="Another journal than the workspace's.")
NO_COLOR = option("--no-color", is_flag=True, help="No colour, whatever the terminal says.")
DETAILED = option("--detailed-exitcode", is_flag=True, help="Let the exit code tell more.")
ALLOW = option("--allow", multiple=True, metavar="RULE=N", help="Lift one guard once; may be repeated.")


def _remembered(ctx: click.Context, _: click.Parameter, value: bool) -> bool:  # noqa: FBT001 - click's signature
    """Tell it to whoever prints the error when the command has ended."""
    if isinstance(wishes := ctx.find_root().obj, dict):
        wishes["log_json"] = value
    return value


def wants_json(wishes: object) -> bool:
    """Whether errors are lines of JSON: as the option said, else as it is written, if reading it came to nothing."""
    if isinstance(wishes, dict) and "log_json" in wishes:
        return bool(wishes["log_json"])
    words = sys.argv[1:]
    if "--log-json" in words[: words.index("--") if "--" in words else None]:
        return True
    try:
        return bool(click.BOOL(os.environ.get("RECONCILER_LOG_JSON") or "no"))
    except click.BadParameter:
        return False


_COMMON = (
    option(
        "--workspace", type=FILE, help="The workspace file; else reconciler.yaml here or above the paths."
    ),
    option("--verbose", "-v", is_flag=True, help="Say more."),
    option("--quiet", "-q", is_flag=True, help="Say only what matters."),
    option("--log-json", is_flag=True, callback=_remembered, help="Logs on standard error as JSON lines."),
)

_SELECTION = (
    option(
        "--tenant",
        "tenants",
        multiple=True,
        metavar="NAME...",
        is_eager=True,  # known before the paths, which may be further names
        help="Only these tenants; may be repeated.",
    ),
    option(
        "--changed-since",
        metavar="REF",
        help="Only tenants whose files, or whose workspace file, differ from that git revision, and owed ones.",
    ),
    JOURNAL,
    option(
        "--concurrency",
        type=click.IntRange(1, 256),
        default=16,
        show_default=True,
        metavar="N",
        help="Tenants at the same time.",
    ),
    NO_COLOR,
)

_DOING = (
    option(
        "--wait",
        default="10m",
        show_default=True,
        metavar="DURATION",
        help="How long to wait for what is pending; 0: not at all.",
    ),
    option("--report", type=FILE, help="Save the report as JSON."),
    ALLOW,
)


def common(function: F) -> F:
    """Add --workspace, --verbose, --quiet and --log-json to a command."""
    return _all(_COMMON, function)


def selection(function: F) -> F:
    """Add the options that choose tenants, and how they are looked at."""
    return _all(_SELECTION, function)


def doing(function: F) -> F:
    """Add the options of commands that act."""
    return _all(_DOING, function)


def _all(options: tuple[Callable[[F], F], ...], function: F) -> F:
    for one in reversed(options):
        function = one(function)
    return function
