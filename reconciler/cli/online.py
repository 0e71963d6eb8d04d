"""The commands that look at providers and change them: plan, drift, show, apply, resume; what each takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli.options import (
    ALLOW,
    DETAILED,
    FILE,
    NO_COLOR,
    PATHS,
    F,
    common,
    doing,
    formats,
    option,
    selection,
)

# The bodies are imported when a command runs, so that help needs none of the engine.

FORMATS = formats("text", "markdown", "json", "html")
_SHOWING = (
    PATHS,
    selection,
    option("--out", type=FILE, help="Save the plan as JSON."),
    option("--json-into", type=FILE, help="Save it too, beside what is printed."),
    DETAILED,
    option("--at", metavar="DATE", help="Judge the limits of a month as if it were that date."),
    ALLOW,
    FORMATS,
    common,
)


def _showing(function: F) -> F:
    for one in reversed(_SHOWING):
        function = one(function)
    return function


@click.command()
@_showing
def plan(**values: Any) -> None:
    """Show what apply would do. Writes nothing at any provider.

    Exits 0, 3 when a tenant could not be planned, 5 when a guard would stop the apply; with
    --detailed-exitcode also 2 for changes, 4 for what is pending and 8 for what is in doubt.
    """
    from reconciler.cli.planning import show_plan

    show_plan(values)


@click.command()
@_showing
def drift(**values: Any) -> None:
    """Show what differs from the manifests, and who changed it: git, or somebody at the provider.

    A plan for CI on a schedule, held against what the journal saw last. Exits as plan.
    """
    from reconciler.cli.planning import show_plan

    show_plan(values, drift=True)


@click.command()
@click.argument("file", type=FILE)
@FORMATS
@NO_COLOR
@common
def show(file: Path, form: str, *, no_color: bool, **_: Any) -> None:
    """Print a saved plan or report again, in any format."""
    from reconciler.cli.planning import show_file

    show_file(file, form, no_color=no_color)


@click.command()
@PATHS
@selection
@doing
@option("--plan", "plan_file", type=FILE, help="Do this saved plan, or refuse it as stale.")
@option(
    "--approved", multiple=True, metavar="DIGEST", help="The run's digest, or TENANT=DIGEST; may be repeated."
)
@option("--yes", is_flag=True, help="Do not ask.")
@option("--new-journal", is_flag=True, help="In CI: buy although the journal is new.")
@option("--accept-journal", is_flag=True, help="Go on although the journal is older than what was done.")
@FORMATS
@common
def apply(**values: Any) -> None:
    """Make it so: what is open first, then what the plan says.

    Needs a terminal to ask at, or --yes, --plan FILE or --approved DIGEST.
    """
    from reconciler.cli.applying import do_apply

    do_apply(values)


@click.command()
@PATHS
@selection
@doing
@FORMATS
@common
def resume(**values: Any) -> None:
    """Go on with everything that is open, in every tenant; plans nothing new. Exits as apply."""
    from reconciler.cli.applying import do_resume

    do_resume(values)
