"""What a renamed tenant takes with it: everything the journal knows is written again under the new name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any

from reconciler.core.errors import ReconcilerError, StalePlanError
from reconciler.core.journal import Kind, Lease
from reconciler.core.open import Open
from reconciler.core.progress import Progress
from reconciler.core.serial import action_to_dict
from reconciler.engine.aside import aside
from reconciler.engine.scribe import Entry, Scribe


async def inherit(scribe: Scribe) -> None:
    """Write down under the present name what was known under the old one, once and all of it.

    The old name's lease is held meanwhile: whoever still applies under it is the same tenant (LeaseHeldError).
    """
    old = scribe.progress.inherited
    if not old:
        return
    journal = scribe.journal
    lease = await aside(journal, partial(journal.acquire, old, holder=scribe.who.holder, about="rename"))
    try:
        await _move(scribe, old)
    finally:
        await _release(scribe, lease)


async def _release(scribe: Scribe, lease: Lease) -> None:
    # Not given back, it ends by itself.
    with suppress(ReconcilerError):
        await aside(scribe.journal, partial(scribe.journal.release, lease))


async def _move(scribe: Scribe, old: str) -> None:
    progress = scribe.progress
    events = await aside(scribe.journal, partial(scribe.journal.events, [old, scribe.tenant]))
    if events and events[-1].seq != progress.last_seq:
        raise StalePlanError(
            f"{scribe.tenant}, before that {old}: another run changed it since this was read",
            hint="run it again",
            code="stale",
        )
    entries = [_kept(progress, old), *_ours(progress), *_open(progress), *_stuck(progress)]
    progress.inherited = ""
    await scribe.put_all(*entries)


def adopted(address: str, **data: Any) -> Entry:
    """A service is a group's, or a seat is ours."""
    return Kind.ADOPTED, None, {"address": address, **data}


def _kept(progress: Progress, old: str) -> Entry:
    """How many plans there were, what became so at the tenant itself, and what was delivered or ended."""
    kept = {
        "name": old,
        "begun": progress.begun,
        "customer": progress.customer,
        "created": sorted(progress.created.items()),
        "cancelled": sorted(progress.cancelled),
        "endings": {group: list(known) for group, known in progress.endings.items()},
        "orders": sorted(progress.orders),
        "settings": {address: dict(after) for address, after in progress.settings.items()},
        "delivered": {
            group: [one.at.isoformat(), one.service, one.seats, *one.names]
            for group, one in progress.delivered.items()
        },
    }
    return adopted("", kept=kept)


def _ours(progress: Progress) -> Iterator[Entry]:
    for group, (ref, product, scope) in progress.services.items():
        yield adopted(f"group/{group}", group=group, ref=ref, product=product, scope=scope)
    for (group, login), written in progress.owned.items():
        yield adopted(f"seat/{group}/{written}", group=group, login=login, written=written)


def _open(progress: Progress) -> Iterator[Entry]:
    for one in progress.open.values():
        yield Kind.INTENDED, one.action, _intended(one)
        if one.stage == "in-doubt":
            yield Kind.IN_DOUBT, one.action, {"why": one.why}
        if one.stage == "accepted":
            yield Kind.ACCEPTED, one.action, _accepted(one)


def _intended(one: Open) -> dict[str, Any]:
    steps = [
        {"name": step.name, "began_at": step.began_at.isoformat(), "ref": step.ref, "data": dict(step.data)}
        for step in one.steps
    ]
    return {"action": action_to_dict(one.action), "attempt": one.attempt, "steps": steps}


def _accepted(one: Open) -> dict[str, Any]:
    return {
        "ticket": one.ticket or "",
        "waiting_on": one.waiting_on,
        "status": one.status,
        "instructions": one.instructions,
        "resolved": one.told,
        "due_by": one.due_by.isoformat() if one.due_by else None,
    }


def _stuck(progress: Progress) -> Iterator[Entry]:
    for one in progress.stuck.values():
        yield Kind.INTENDED, one.action, {"action": action_to_dict(one.action), "attempt": 1}
        yield (
            Kind.FAILED,
            one.action,
            {"final": True, "blocks": True, "code": "inherited", "message": one.why},
        )
