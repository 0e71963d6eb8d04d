"""Writes what happens to one tenant: into the journal first, then into our own picture, then to whoever listens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from msgspec import Struct

from reconciler.core.action import Action
from reconciler.core.errors import LeaseLostError
from reconciler.core.journal import Event, Journal, Kind, Lease
from reconciler.core.progress import Progress
from reconciler.core.replay import APPLY
from reconciler.engine.aside import aside

Tell = Callable[[Event], None]
Entry = tuple[Kind, Action | None, Mapping[str, Any]]


class Who(Struct, frozen=True, kw_only=True):
    """On whose behalf a run acts: the CI actor or user, the CI run, the revision of the manifests."""

    by: str = ""
    run: str = ""
    commit: str = ""
    holder: str = ""


class Scribe(Struct, kw_only=True):
    """One tenant's writer; with a lease, an event is only written while the lease is ours."""

    journal: Journal
    tenant: str
    progress: Progress
    who: Who
    now: Callable[[], datetime]
    tell: Tell
    plan: str = ""
    lease: Lease | None = None
    lost: bool = False

    def write(self, kind: Kind, action: Action | None = None, /, **data: Any) -> Event:
        """Write one event; it is durable when this returns. LeaseLostError when the lease is not ours."""
        return self.write_all((kind, action, data))[0]

    def write_all(self, *entries: Entry) -> tuple[Event, ...]:
        """Write some events, all or none of them; everything else stands still meanwhile."""
        return self._wrote(self._append(self._events(entries)))

    async def put(self, kind: Kind, action: Action | None = None, /, **data: Any) -> Event:
        """Write one event, together with what others put at that moment; durable when this returns."""
        return (await self.put_all((kind, action, data)))[0]

    async def put_all(self, *entries: Entry) -> tuple[Event, ...]:
        """Write some events, all or none of them, together with what others put at that moment."""
        return self._wrote(await aside(self.journal, partial(self._append, self._events(entries))))

    def _wrote(self, written: tuple[Event, ...]) -> tuple[Event, ...]:
        for event in written:
            if event.kind in APPLY:
                APPLY[event.kind](self.progress, event)
            self.progress.last_seq = max(self.progress.last_seq, event.seq)
            self.tell(event)
        return written

    def _events(self, entries: Sequence[Entry]) -> list[Event]:
        if self.lost:
            raise LeaseLostError(
                f"{self.tenant}: the lease is not ours any more", hint="another run goes on with this tenant"
            )
        return [self._event(*entry) for entry in entries]

    def _event(self, kind: Kind, action: Action | None, data: Mapping[str, Any]) -> Event:
        values = dict(data)
        address = action.address if action else str(values.pop("address", ""))
        return Event(
            kind=kind,
            tenant=self.tenant,
            at=self.now(),
            action=action.id if action else "",
            address=address,
            plan=self.plan,
            data=values,
            by=self.who.by,
            run=self.who.run,
            commit=self.who.commit,
        )

    def _append(self, events: Sequence[Event]) -> tuple[Event, ...]:
        try:
            return self.journal.append(*events, lease=self.lease)
        except LeaseLostError:
            self.lost = True
            raise
