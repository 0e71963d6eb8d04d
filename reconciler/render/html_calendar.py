"""When what is paid for renews or ends, on a time line: months as bars, days as points, each in words as well."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from reconciler.core.plan import Due, Run
from reconciler.core.renewals import within
from reconciler.render import renewals, words
from reconciler.render.html_page import (
    MOST,
    Anchors,
    Cell,
    Chip,
    Command,
    Ending,
    Moment,
    Part,
    Section,
    Table,
    Tile,
    page,
)
from reconciler.render.html_seats import WHOLE
from reconciler.render.options import Options

WHAT = {
    "renews": Chip("↻", "renews", "info"),
    "ends": Chip("■", "ends", "warn"),
    "ended": Chip("x", "ended", "bad"),
}
SOON = Chip("!", "this week", "warn")


def calendar(run: Run, at: Anchors, *, days: int) -> Section:
    """What comes within so many days as points, everything else as months."""
    every = sorted(_all(run), key=_order)
    near = within(every, days)
    coming = [one for one in every if one.days >= 0]
    far = len(coming) - sum(one.days >= 0 for one in near)
    intro = [f"{_dates(len(near))} within {days} days{_spare(near)}."] if every else []
    if far:
        intro.append(f"{_dates(far)} further away, in the months alone.")
    return Section(
        id="renewals",
        title="Renewals and ends",
        intro=tuple(intro),
        tables=(_months(coming),) if coming else (),
        moments=tuple(_moment(one, at) for one in near[:MOST]),
        after=f"{_dates(len(near) - MOST)} more." if len(near) > MOST else "",
    )


def _all(run: Run) -> list[Due]:
    return [one for plan in run.plans for one in plan.dues]


def _order(one: Due) -> tuple[object, str, str]:
    return (one.on, one.tenant, one.address)


def _dates(number: int) -> str:
    return words.count(number, "date")


def _spare(some: Iterable[Due]) -> str:
    idle = sum(one.idle or 0 for one in some if one.what == "renews")
    return f"; {words.count(idle, 'idle seat')} would be paid again" if idle else ""


def _months(some: Sequence[Due]) -> Table:
    """One line a month: how many seats renew and end, drawn against the fullest month."""
    months = [(month, list(dues)) for month, dues in groupby(some, key=lambda one: f"{one.on:%Y-%m}")]
    most = max(sum(_weight(one) for one in dues) for _, dues in months)
    rows = tuple((Cell(text=month), Cell(text=_said(dues), bar=_bar(dues, most))) for month, dues in months)
    return Table(
        caption="By month: full renews, dashed renews and is idle, thin ends",
        columns=("month", "seats"),
        rows=rows,
    )


def _weight(one: Due) -> int:
    """Its seats; a service without a number counts as one."""
    return one.seats if one.seats is not None else 1


def _bar(dues: Sequence[Due], most: int) -> tuple[Part, ...]:
    renewing = [one for one in dues if one.what == "renews"]
    idle = sum(one.idle or 0 for one in renewing)
    numbers = {
        "used": sum(map(_weight, renewing)) - idle,
        "idle": idle,
        "ends": sum(_weight(one) for one in dues if one.what != "renews"),
    }
    parts, start = [], 0.0
    for style, number in numbers.items():
        width = round(number * WHOLE / max(1, most), 1)
        if number > 0:
            parts.append(Part(style=style, start=round(start, 1), width=max(0.5, width - 0.5)))
        start += width
    return tuple(parts)


def _said(dues: Sequence[Due]) -> str:
    renewing = [one for one in dues if one.what == "renews"]
    ending = [one for one in dues if one.what != "renews"]
    idle = sum(one.idle or 0 for one in renewing)
    parts = [f"{_extent(some)} {verb}" for some, verb in ((renewing, "to renew"), (ending, "to end")) if some]
    return ", ".join([*parts, f"{idle} of them idle"] if idle else parts)


def _extent(some: Sequence[Due]) -> str:
    """Seats, and services that renew as a whole."""
    seats = sum(one.seats or 0 for one in some)
    whole = sum(one.seats is None for one in some)
    counted = ((seats, "seat"), (whole, "whole service"))
    return " and ".join(words.count(number, thing) for number, thing in counted if number) or "0 seats"


def _moment(one: Due, at: Anchors) -> Moment:
    soon = one.what != "ended" and one.days <= renewals.SOON
    return Moment(
        on=one.on.isoformat(),
        left=renewals.left(one.days),
        chip=Chip("!", f"{one.what} this week", "warn") if soon else WHAT[one.what],
        what=renewals.seats(one),
        tenant=one.tenant,
        address=one.address,
        href=at.href(one.tenant),
        more=tuple(_more(one)),
    )


def _more(one: Due) -> list[str]:
    said = [f"Last day to change it: {one.last_day}"] if one.days > 0 else []
    kept = renewals.kept(one)
    return [*said, kept] if kept else said


def page_of(run: Run, due: tuple[Due, ...], days: int, options: Options) -> str:
    """The page of `renewals`: what comes within so many days, and whom nobody could ask."""
    errors = [
        f"{plan.tenant} could not be read: {plan.error}" for plan in run.plans if plan.error is not None
    ]
    if run.skipped:
        errors.append(f"{words.count(run.skipped, 'tenant')} not selected: nothing is said of them here.")
    again = f"reconciler renewals --within {days}d {options.selection}".rstrip()
    return page(
        title="Licence renewals",
        verdict=renewals.verdict(due, days),
        said=(words.moment(run.created_at),),
        sandboxes=(plan.tenant for plan in run.plans if plan.sandbox),
        notes=run.notes,
        tiles=_tiles(due),
        first=(calendar(run, Anchors(()), days=days),),
        blocks=(),
        last=(Section(id="unseen", title="What was not looked at", intro=tuple(errors)),),
        ending=Ending(
            commands=(Command(when="To see it again", code=again),),
            facts=(),
            made=f"reconciler {run.tool_version}, {words.moment(run.created_at)}",
        ),
    )


def _tiles(due: Sequence[Due]) -> list[Tile]:
    week = sum(0 <= one.days <= renewals.SOON for one in due)
    counted = ((week, SOON), *((sum(one.what == what for one in due), WHAT[what]) for what in WHAT))
    return [Tile(number=str(number), chip=chip, href="#renewals") for number, chip in counted if number]
