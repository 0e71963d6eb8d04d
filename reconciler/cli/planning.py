"""Shows what an apply would do, and what was saved of it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from reconciler.cli.job import Job, job
from reconciler.cli.output import options, put
from reconciler.cli.wiring import typed
from reconciler.core.drift import with_drift
from reconciler.core.plan import Run, Status
from reconciler.core.progress import Progress
from reconciler.core.report import worst
from reconciler.engine.setup import load, plan_run


def show_plan(values: dict[str, Any], *, drift: bool = False) -> None:
    """Plan what is selected, save it where asked, print it, and end with its exit code.

    drift: say of each difference who made it.
    """
    with job(values, writes=False) as one:
        one.made.calendar = values["form"] == "html"
        one.listener.phase(f"reading {len(one.made.selection.chosen)} tenants")
        progress = load(one.made)
        planned = one.run(lambda: plan_run(one.made, progress))
        if drift:
            planned = _told_apart(planned, one, progress)
    _save(planned, values)
    _print(planned, values, one)
    sys.exit(plan_exit(planned, detailed=values["detailed_exitcode"]))


def _told_apart(planned: Run, one: Job, progress: Mapping[str, Progress]) -> Run:
    tenants = one.made.selection.by_name
    plans = tuple(
        with_drift(plan, tenants[plan.tenant].tenant, progress.get(plan.tenant, Progress()))
        for plan in planned.plans
    )
    return replace(planned, plans=plans)


def _save(planned: Run, values: dict[str, Any]) -> None:
    targets = [path for path in (values["out"], values["json_into"]) if path is not None]
    if not targets:
        return
    from reconciler.render import PLAN
    from reconciler.store.documents import write_private

    for path in targets:
        write_private(path, PLAN["json"](planned, options()))


def _print(planned: Run, values: dict[str, Any], one: Job) -> None:
    from reconciler.render import PLAN

    made = options(
        no_color=values["no_color"],
        selection=one.chosen.text,
        plan_file=str(values["out"] or ""),
        allow=tuple(values["allow"]) if typed("allow") else (),
    )
    put(PLAN[values["form"]](planned, made))


def plan_exit(planned: Run, *, detailed: bool) -> int:
    """0, 3 or 5; with `detailed` 8, 4 and 2 as well. A tenant on hold leaves it as it is."""
    looked_at = [one for one in planned.plans if one.hold is None]
    codes: set[int] = set()
    if planned.exceeded:
        codes.add(5)
    if any(one.status is Status.ERROR for one in looked_at):
        codes.add(3)
    if detailed:
        if any(one.in_doubt for one in looked_at):
            codes.add(8)
        if any(one.pending for one in looked_at):
            codes.add(4)
        if any(one.actions or one.blocked for one in looked_at):
            codes.add(2)
    return worst(codes)


def show_file(file: Path, form: str, *, no_color: bool) -> None:
    """Print what was saved."""
    from reconciler.core.serial import run_from_dict
    from reconciler.core.serial_report import report_from_dict
    from reconciler.render import PLAN, REPORT
    from reconciler.store.documents import read_document

    document = read_document(file, "plan", "report")
    made = options(no_color=no_color, plan_file=str(file))
    if document["kind"] == "plan":
        put(PLAN[form](run_from_dict(document, only_shown=True), made))
    else:
        put(REPORT[form](report_from_dict(document), made))
