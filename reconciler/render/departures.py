"""What ends on a date: the seats of one group that end together are one line with a count."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import NamedTuple

from reconciler.core.plan import Leaving
from reconciler.render import words

FEW = 5  # people named; more are counted


class Departure(NamedTuple):
    """Where, what ends when, and with whom or under which number."""

    address: str
    said: str
    why: str


def departures(leaving: Iterable[Leaving]) -> Iterator[Departure]:
    """One line for what ends alone, one for the seats of a group that end on the same day."""
    together: dict[tuple[str, date | None], list[Leaving]] = {}
    for item in leaving:
        group = item.address.partition("/")[2].partition("/")[0]
        together.setdefault((group, item.on), []).append(item)
    for (group, on), items in together.items():
        refs = {item.ref for item in items}
        when = f" on {on.isoformat()}" if on else ""
        some = items[0].seats if len(items) == 1 else None
        over = all(item.ended for item in items)
        one, many = ("ended", "ended") if over else ("ends", "end")
        if some is not None:
            said = f"{words.count(some, 'seat')} {one if some == 1 else many}{when}"
            yield Departure(items[0].address, said, f"ref {items[0].ref}")
        elif len(refs) == 1:
            yield Departure(items[0].address, f"{one}{when}", f"ref {items[0].ref}")
        else:
            yield Departure(f"group/{group}", f"{words.count(len(refs), 'seat')} {many}{when}", _with(items))


def _with(items: Iterable[Leaving]) -> str:
    people = [item.address.split("/", 2)[-1] for item in items if item.address.startswith("seat/")]
    if not people:
        return ""
    more = f" and {len(people) - FEW} more" if len(people) > FEW else ""
    return f"with {', '.join(people[:FEW])}{more}"
