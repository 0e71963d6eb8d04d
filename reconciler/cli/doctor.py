"""The command that checks what a run needs, one line each with a remedy."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from reconciler.cli.options import JOURNAL, NO_COLOR, common, formats, option

LEVELS = ("ok", "warn", "fail")


@click.command()
@formats("text", "json")
@NO_COLOR
@JOURNAL
@option(
    "--plan-only", is_flag=True, help="These are the credentials of the job that plans: fail if they may buy."
)
@option(
    "--ci",
    type=click.Choice(["github", "gitlab"]),
    help="Look at the repository's settings there as well, with the token that `comment` takes.",
)
@common
def doctor(form: str, **values: Any) -> None:
    """Check versions, files, credentials and their rights, reachability, clocks, journal and leases.

    Changes nothing anywhere. Exits 0, or 1 when something keeps a run from being made.
    """
    from reconciler.cli.doctor_checks import examine

    found = examine(values)
    failed = [one for one in found if one.level == "fail"]
    if form == "json":
        checks = [one._asdict() for one in found]
        click.echo(json.dumps({"kind": "doctor", "well": not failed, "checks": checks}, indent=2))
    else:
        shown = [one for one in found if one.level != "ok"] if values["quiet"] else found
        for one in shown:
            remedy = f"  ->  {one.remedy}" if one.remedy else ""
            click.echo(f"{one.level:<4}  {one.what}{remedy}")
        counts = ", ".join(f"{sum(one.level == level for one in found)} {level}" for level in LEVELS)
        click.echo(counts)
    sys.exit(1 if failed else 0)
