"""A plan as one self-contained page: no script, nothing fetched, light and dark, readable without a mouse."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.plan import Run, Status
from reconciler.render import words
from reconciler.render.html_calendar import calendar
from reconciler.render.html_drift import drift
from reconciler.render.html_money import money
from reconciler.render.html_page import (
    LIMIT,
    STATUSES,
    Anchors,
    Chip,
    Command,
    Ending,
    Section,
    Tile,
    chip,
    page,
)
from reconciler.render.html_seats import seats
from reconciler.render.html_tenants import block, tenants
from reconciler.render.html_todo import blocked, final, pending, person
from reconciler.render.options import Options

AHEAD = 60
"""Days of the time line of a plan; what is further away stands in its months alone."""


def plan(run: Run, options: Options) -> str:
    """What apply would do, what waits, what is left alone, what it costs, what renews when."""
    shown = [plan for plan in run.plans if words.worth_showing(plan)]
    at = Anchors(plan.tenant for plan in shown)
    return page(
        title="Licence drift" if any(plan.drift for plan in run.plans) else "Licence plan",
        verdict=words.verdict(run),
        said=(words.bill(run.cost), words.moment(run.created_at)),
        sandboxes=(plan.tenant for plan in run.plans if plan.sandbox),
        notes=run.notes,
        tiles=_tiles(run),
        first=(
            person(run, at),
            final(run, at),
            money(run),
            tenants(run, at),
            drift(run, at),
            blocked(run, at),
            pending(run, at),
            seats(run, at),
            calendar(run, at, days=AHEAD),
        ),
        blocks=[block(plan, at) for plan in shown],
        last=(unseen(run),),
        ending=_ending(run, options),
    )


def _tiles(run: Run) -> Iterator[Tile]:
    """What needs somebody first, then what will be done, then what is well."""
    doubts = sum(1 for _ in words.doubts(run))
    standing, summary = run.tenants, run.summary
    actions = sum(len(plan.actions) for plan in run.plans)
    for number, one, href in (
        (doubts, chip(words.IN_DOUBT), "#person"),
        (len(run.exceeded), LIMIT, "#person"),
        (standing[Status.ERROR], Chip("x", "tenants not planned", "bad"), "#unseen"),
        (summary["by_hand"], chip(words.BY_HAND, "steps by hand"), "#person"),
        (summary["blocked"], chip(words.BLOCKED), "#blocked"),
        (summary["pending"] - doubts, chip(words.PENDING), "#pending"),
        (actions, Chip("~", "actions", "info"), "#each"),
        (sum(one.idle or 0 for plan in run.plans for one in plan.usage), IDLE, "#seats"),
        (standing[Status.IN_SYNC], Chip("=", "tenants in sync", "good"), "#tenants"),
    ):
        if number:
            yield Tile(number=str(number), chip=one, href=href)


IDLE = Chip("o", "idle seats", "warn")


def unseen(run: Run) -> Section:
    """What was not looked at, or could not be read, and why."""
    lines = []
    if run.skipped:
        lines.append(f"{words.count(run.skipped, 'tenant')} not selected: nothing is said of them here.")
    lines += [
        f"{plan.tenant} could not be read: {plan.error}" for plan in run.plans if plan.error is not None
    ]
    lines += [
        f"{plan.tenant} is on hold, so an apply leaves it alone: {plan.hold}"
        for plan in run.plans
        if plan.hold is not None
    ]
    if lines and not run.skipped:
        lines.append("Every tenant of the workspace was selected.")
    return Section(id="unseen", title="What was not looked at", intro=tuple(lines))


def _ending(run: Run, options: Options) -> Ending:
    step = words.next_step(run, options)
    commands = (Command(when=step.when, code=step.command),) if step else ()
    return Ending(
        commands=(*commands, Command(when="To see it again", code=words.plan_command(options))),
        facts=(("Digest of this plan, which a review approves", run.digest),),
        made=f"reconciler {run.tool_version}, {words.moment(run.created_at)}. {words_of(run)}",
    )


def words_of(run: Run) -> str:
    """How many tenants stand how."""
    said = [f"{number} {STATUSES[Status(name)].word}" for name, number in run.tenants.items() if number]
    return f"Tenants: {', '.join(said)}." if said else "No tenant was selected."
