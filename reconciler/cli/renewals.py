"""The command that tells when what is paid for renews or ends."""

from __future__ import annotations

import sys
from typing import Any

import click

from reconciler.cli.options import PATHS, common, formats, option, selection


@click.command()
@PATHS
@selection
@option("--within", default="60d", show_default=True, metavar="DURATION", help="How far to look ahead.")
@option("--at", metavar="DATE", help="Count the days from that date.")
@formats("text", "json", "html")
@common
def renewals(**values: Any) -> None:
    """Tell what renews or ends when, how many seats of it are idle, and the last day to act.

    Writes nothing at any provider. Exits 0, or 1 when a tenant could not be read.
    """
    from reconciler.cli.job import job
    from reconciler.cli.output import options, put
    from reconciler.cli.wiring import duration
    from reconciler.core.renewals import within
    from reconciler.engine.setup import load, plan_run
    from reconciler.render import RENEWALS

    days = duration(values["within"]).days
    with job(values, writes=False) as one:
        one.made.calendar = True
        one.listener.phase(f"reading {len(one.made.selection.chosen)} tenants")
        run = one.run(lambda: plan_run(one.made, load(one.made)))
    due = within((each for plan in run.plans for each in plan.dues), days)
    ordered = tuple(sorted(due, key=lambda each: (each.on, each.tenant, each.address)))
    made = options(no_color=values["no_color"], selection=one.chosen.text)
    put(RENEWALS[values["form"]](run, ordered, days, made))
    sys.exit(1 if any(plan.error for plan in run.plans) else 0)
