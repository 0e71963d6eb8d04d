"""Seats that are used and idle, drawn and said: the groups with most idle seats first."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.core.plan import Run, Usage
from reconciler.render import words
from reconciler.render.html_page import Anchors, Cell, Part, Section, Table, shown

WHOLE = 100.0


def seats(run: Run, at: Anchors) -> Section:
    """Every group that exists, with its seats, the people on them and what nobody uses."""
    found = [(plan.tenant, one) for plan in run.plans for one in plan.usage]
    found.sort(key=lambda pair: (-(pair[1].idle or 0), pair[0], pair[1].address))
    rows, after = shown([_row(tenant, one, at) for tenant, one in found], "group")
    columns = ("tenant", "group", "product", "used and idle")
    table = Table(caption="Seats by group, most idle first", columns=columns, rows=rows, after=after)
    return Section(
        id="seats",
        title="Seats",
        intro=(_sum(one for _, one in found), KEY) if found else (),
        tables=(table,) if found else (),
    )


KEY = "As it is now. In the bars a full stretch is used, a dashed one is idle, an outline is not known."


def _row(tenant: str, one: Usage, at: Anchors) -> tuple[Cell, ...]:
    return (
        Cell(code=tenant, href=at.href(tenant)),
        Cell(code=one.address),
        Cell(code=one.product),
        Cell(text=said(one), bar=bar(one.used, one.idle)),
    )


def said(one: Usage) -> str:
    """The bar in words."""
    if one.seats is None:
        return f"{words.count(one.used or 0, 'person')}, paid as they come".replace("persons", "people")
    if one.used is None or one.idle is None:
        return f"{words.count(one.seats, 'seat')}, nobody knows who sits"
    over = one.used - one.seats
    more = f", {over} more than there are" if over > 0 else ""
    return f"{one.used} used, {one.idle} idle of {one.seats}{more}"


def bar(used: int | None, idle: int | None, style: str = "used") -> tuple[Part, ...]:
    """Used and idle as parts of one line; what is not known is an outline."""
    if used is None and idle is None:
        return (Part(style="unknown", start=0.5, width=WHOLE - 1),)
    taken, spare = used or 0, idle or 0
    whole = taken + spare
    if not whole:
        return ()
    cut = round(taken * WHOLE / whole, 1)
    parts = (
        Part(style=style, start=0, width=cut),
        Part(style="idle", start=cut + 1, width=round(max(1.0, WHOLE - cut - 2), 1)),
    )
    return tuple(part for part, number in zip(parts, (taken, spare), strict=True) if number)


def _sum(some: Iterable[Usage]) -> str:
    listed = list(some)
    pools = [one for one in listed if one.seats is not None]
    people = sum(one.used or 0 for one in listed if one.seats is None)
    blind = sum(one.seats or 0 for one in pools if one.used is None)
    numbers = (
        (sum(one.seats or 0 for one in pools), "paid for"),
        (sum(one.used or 0 for one in pools), "used"),
        (sum(one.idle or 0 for one in pools), "idle"),
        (blind, "of which nobody knows who sits"),
    )
    said = ", ".join(f"{number} {word}" for number, word in numbers if number)
    parts = [f"Seats: {said}" if said else "", f"People paid as they come: {people}" if people else ""]
    return f"{words.count(len(listed), 'group')}. {'. '.join(part for part in parts if part)}.".replace(
        ". .", "."
    )
