"""Moves a journal from one place to another, whatever keeps the two: marked here, copied there, compared."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Struct

from reconciler.core.errors import JournalError
from reconciler.core.journal import Event, Journal, Kind, Lease
from reconciler.core.replay import replay_all

OURS = ""
"""The tenant of an event that is about the journal itself."""


class Movable(Journal, Protocol):
    """A journal that can be moved; `where` names it without a password."""

    where: str

    def leave(self, mark: Event) -> None:
        """Write that it is kept elsewhere now; JournalError while somebody holds a lease, or when it was left."""
        ...

    def come_back(self, mark: Event) -> None:
        """Write that a journal that was left is kept here again."""
        ...

    def tokens(self) -> Mapping[str, int]:
        """The last token of each lease, by name: the next holder's exceeds it, there too."""
        ...

    def receive(self, events: Sequence[Event], tokens: Mapping[str, int], *, last: int) -> None:
        """Take in another journal's events as they are numbered, all or none; JournalError unless empty.

        last: the highest number that was given there; none up to it is given again.
        """
        ...


class Moved(Struct, frozen=True, kw_only=True):
    """What was copied; `again`: nothing was left to do, an earlier copy had got so far."""

    events: int
    tenants: int
    again: bool


def move(source: Movable, target: Movable, *, at: datetime, by: str) -> Moved:
    """Mark `source` as left, copy all of it into `target`, and compare.

    Whatever ends it in between: the source is left only for this target, and the same again goes on. JournalError
    when something stands in `target`, while a lease is held at `source`, or when the two differ afterwards.
    """
    if source.where == target.where:
        raise JournalError(f"{source.where}: a journal cannot be moved to where it is")
    events = source.events()
    replay_all(events)  # what cannot be read is not moved
    if not source.moved:
        _refuse_unless_empty(target)
        source.leave(marked(target.where, at=at, by=by))
    mark, kept = _left(source, target)
    there = target.events()
    if not there:
        target.receive(kept, source.tokens(), last=mark.seq)
        _compare(kept, target)
    elif tuple(there[: len(kept)]) != kept:
        raise _not_empty(target, there)
    return Moved(events=len(kept), tenants=len({one.tenant for one in kept} - {OURS}), again=bool(there))


def reopen(journal: Movable, *, at: datetime, by: str) -> None:
    """Go on with a journal that was left; JournalError for one that was not."""
    if not journal.moved:
        raise JournalError(
            f"{journal.where}: it was not moved anywhere", hint="there is nothing to do: go on with it"
        )
    journal.come_back(marked("", at=at, by=by))


def marked(to: str, *, at: datetime, by: str) -> Event:
    """The event that says where a journal is kept from now on; with an empty `to`, here again."""
    return Event(kind=Kind.MOVED, tenant=OURS, at=at, by=by, data={"to": to})


def told(where: str, mark: Event | None) -> str:
    """What is said of a journal whose last mark is this one; empty when it is kept here."""
    if mark is None or not mark.data.get("to"):
        return ""
    return f"{where}: this journal was moved to {mark.data['to']} at {mark.at:%Y-%m-%d %H:%M} UTC"


def refuse(moved: str) -> None:
    """Raise JournalError for a journal that was moved."""
    if moved:
        raise JournalError(f"{moved}: nobody goes on with it", hint=HINT, code="journal-moved")


def refuse_held(where: str, held: Sequence[Lease]) -> None:
    """Raise JournalError while somebody applies."""
    if held:
        who = ", ".join(f"{one.name} by {one.holder}" for one in held)
        raise JournalError(
            f"{where}: leases are held ({who}), and a journal is only moved while nobody applies",
            hint="wait for them to end; `reconciler lease list` shows them",
        )


def refuse_written(where: str, last: int) -> None:
    """Raise JournalError for a target in which something was written, `last` being its last event's number."""
    if last:
        raise JournalError(f"{where}: it is not empty: event {last} is in it", hint=_EMPTY)


HINT = (
    "write the new one in `journal:`; if copying was cut off, the same `reconciler journal copy` goes on; if the new"
    " one is lost for good, `reconciler journal reopen` takes this one again"
)
_EMPTY = "a journal is copied into an empty one: name a new file, database, schema or branch"


def _left(source: Movable, target: Movable) -> tuple[Event, tuple[Event, ...]]:
    """The mark that the source was left with, and all that stands before it."""
    events = source.events()
    mark = max((one for one in events if one.kind is Kind.MOVED), key=lambda one: one.seq)
    if mark.data.get("to") != target.where:
        raise JournalError(
            f"{told(source.where, mark)}, not to {target.where}",
            hint="name that one, or, if nothing came of it, `reconciler journal reopen` first",
            code="journal-moved",
        )
    return mark, tuple(itertools.takewhile(lambda one: one.seq < mark.seq, events))


def _refuse_unless_empty(target: Movable) -> None:
    if there := target.events():
        raise _not_empty(target, there)


def _not_empty(target: Movable, there: Sequence[Event]) -> JournalError:
    return JournalError(f"{target.where}: it is not empty: {len(there)} events are in it", hint=_EMPTY)


def _compare(kept: Sequence[Event], target: Movable) -> None:
    """Read the copy and find the same events and, by replay, the same standing."""
    there = target.events()
    if tuple(there) != tuple(kept) or replay_all(there) != replay_all(kept):
        pairs = itertools.zip_longest(kept, there)
        number = next((one or other).seq for one, other in pairs if one != other and (one or other))
        raise JournalError(
            f"{target.where}: the copy is not as the journal: event {number} differs",
            hint="do not use the copy; `reconciler journal reopen` takes the journal again",
        )
