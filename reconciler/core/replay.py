"""Where things stand, by replaying the journal: what each kind of event changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.errors import JournalError
from reconciler.core.journal import Event, Kind
from reconciler.core.model import Json, group_address
from reconciler.core.open import Open, Spending, Stuck
from reconciler.core.progress import Progress
from reconciler.core.provider import StepRecord
from reconciler.core.remembered import remember, take_over
from reconciler.core.serial import action_from_dict


def replay(events: Iterable[Event]) -> Progress:
    """Read one tenant's events in order into where it stands."""
    progress = Progress()
    for event in events:
        progress.last_seq = max(progress.last_seq, event.seq)
        try:
            APPLY.get(event.kind, _ignore)(progress, event)
        except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
            raise _damaged(event) from error
    return progress


def _damaged(event: Event) -> JournalError:
    """What to say of an event that was not left as it was written; what it says is not repeated."""
    where = f"{event.tenant} {event.address}".strip()
    return JournalError(
        f"event {event.seq} of the journal ({event.kind.value}, {where}) is damaged",
        hint="somebody changed the journal by hand: restore it from a backup. Nothing was sent",
    )


def replay_all(events: Iterable[Event]) -> dict[str, Progress]:
    """Read all tenants' events into where each stands."""
    return untaken({tenant: replay(some) for tenant, some in by_tenant(events).items()})


def untaken(progress: dict[str, Progress]) -> dict[str, Progress]:
    """Close under the old name of each renamed tenant what its new name took over: it is open there, or over."""
    heirs = [known for known in progress.values() if known.took in progress]
    taken = [(progress[one.took], {*one.open, *one.finished, *one.failed}) for one in heirs]
    for old, known in taken:
        for action in known.intersection(old.open):
            del old.open[action]
    return progress


def by_tenant(events: Iterable[Event]) -> dict[str, list[Event]]:
    """Each tenant's events, in their order."""
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.tenant, []).append(event)
    return found


def _ignore(_progress: Progress, _event: Event) -> None:
    """Some events are only for people to read."""


def _begun(progress: Progress, event: Event) -> None:
    progress.begun += 1
    progress.plan = event.plan
    progress.spent |= dict.fromkeys(
        (event.plan, str(event.data.get("run_digest", event.plan))), (event.at, event.by)
    )
    actions = [action_from_dict(raw) for raw in event.data.get("actions", ())]
    progress.todo = {action.id: action for action in actions}
    progress.seated = dict(event.data.get("seated", {}))


def _intended(progress: Progress, event: Event) -> None:
    raw = event.data.get("action")
    known = progress.todo.pop(event.action, None)
    action = action_from_dict(raw) if raw else known
    before = progress.open.get(event.action)
    if action is None:
        if before is None:
            return
        action = before.action
    progress.failed.discard(event.action)
    progress.open[event.action] = Open(
        action=action,
        stage="intended",
        since=before.since if before else event.at,
        attempt=int(event.data.get("attempt", 1)),
        steps=before.steps if before else _steps(event.data.get("steps", ())),
        plan=event.plan,
    )
    if action.price is not None:
        progress.spending[action.id] = Spending(event.at, action.price.currency, _immediate(action))


def _immediate(action: Action) -> Decimal:
    if action.price is None or action.scheduled_for is not None:
        return Decimal(0)
    return action.price.monthly


def _steps(raw: Iterable[Json]) -> tuple[StepRecord, ...]:
    return tuple(
        StepRecord(
            name=one["name"],
            began_at=datetime.fromisoformat(one["began_at"]),
            ref=one.get("ref"),
            data=one.get("data", {}),
        )
        for one in raw
    )


def _stepping(progress: Progress, event: Event) -> None:
    one = progress.open.get(event.action)
    if one is None:
        return
    name = str(event.data["step"])
    step = StepRecord(name=name, began_at=event.at, data=event.data.get("data", {}))
    steps = (*(s for s in one.steps if s.name != name), step)
    progress.open[event.action] = replace(one, stage="intended", steps=steps)


def _stepped(progress: Progress, event: Event) -> None:
    one = progress.open.get(event.action)
    if one is None:
        return
    ref = str(event.data["ref"])
    steps = tuple(
        replace(s, ref=ref, data={**s.data, **event.data.get("data", {})})
        if s.name == event.data["step"]
        else s
        for s in one.steps
    )
    if event.data["step"] == "checkout":
        progress.orders.add(ref)
    progress.open[event.action] = replace(one, steps=steps)


def _accepted(progress: Progress, event: Event) -> None:
    one = progress.open.get(event.action)
    if one is None:
        return
    data = event.data
    due = data.get("due_by")
    if one.action.verb in {Verb.ORDER, Verb.RESIZE} and data.get("ticket"):
        progress.orders.add(str(data["ticket"]))
    progress.open[event.action] = replace(
        one,
        stage="accepted",
        ticket=data.get("ticket") or None,
        waiting_on=data.get("waiting_on", "provider"),
        status=data.get("status", ""),
        due_by=datetime.fromisoformat(due) if due else None,
        instructions=data.get("instructions", ""),
        told=bool(data.get("resolved")) or (one.told and one.ticket == data.get("ticket")),
    )


def _finished(progress: Progress, event: Event) -> None:
    one = progress.open.pop(event.action, None)
    action = one.action if one else progress.todo.pop(event.action, None)
    progress.finished.add(event.action)
    if action is None:
        return
    progress.stuck.pop(action.address, None)
    before = progress.last.get(action.address, (event.at, None))[1]
    left = {**(before or {}), **action.after} if action.after is not None else None
    progress.last[action.address] = (event.at, left)
    if one is not None and one.ticket in progress.orders:
        progress.arrived.add(one.ticket)
    remember(progress, action, event)


def _failed(progress: Progress, event: Event) -> None:
    one = progress.open.pop(event.action, None)
    action = one.action if one else progress.todo.get(event.action)
    progress.spending.pop(event.action, None)
    if action is None:
        return
    if event.data.get("blocks"):
        progress.stuck[action.address] = Stuck(
            action=action,
            since=event.at,
            why=str(event.data.get("message", "")),
            ref=one.ref if one else None,
        )
    if event.data.get("resolved"):
        progress.stuck.pop(action.address, None)
    if event.data.get("final", True):
        progress.seen = ""  # the manifest is not as it was found any more, whatever an apply said
        progress.todo.pop(event.action, None)
        progress.failed.add(event.action)
    else:
        progress.todo[event.action] = action


def _in_doubt(progress: Progress, event: Event) -> None:
    one = progress.open.get(event.action)
    if one is not None:
        progress.open[event.action] = replace(one, stage="in-doubt", why=str(event.data.get("why", "")))


def _adopted(progress: Progress, event: Event) -> None:
    data = event.data
    if kept := data.get("kept"):
        take_over(progress, kept)
    group = str(data.get("group", ""))
    if login := data.get("login"):
        progress.owned[group, str(login)] = str(data.get("written") or login)
    if old := data.get("instead_of"):
        _give_up_name(progress, str(old), group)
    if ref := data.get("ref"):
        progress.services[group] = (str(ref), str(data.get("product", "")), str(data.get("scope") or ref))
        progress.cancelled.discard(group)
        stuck = progress.stuck.get(group_address(group))
        if stuck is not None and stuck.action.how == "by-hand":
            del progress.stuck[group_address(group)]  # what a person has bought is found


def _give_up_name(progress: Progress, old: str, group: str) -> None:
    """A renamed group takes along what was known under its old name, which another group may have from now on."""
    progress.services.pop(old, None)
    if (delivery := progress.delivered.pop(old, None)) is not None:
        progress.delivered.setdefault(group, delivery)
    if old in progress.cancelled:
        progress.cancelled.remove(old)
        progress.cancelled.add(group)
    if (ending := progress.endings.pop(old, None)) is not None:
        progress.endings.setdefault(group, ending)
    for owned_group, login in [one for one in progress.owned if one[0] == old]:
        written = progress.owned.pop((owned_group, login))
        progress.owned.setdefault((group, login), written)


def _released(progress: Progress, event: Event) -> None:
    group = str(event.data.get("group", ""))
    if login := event.data.get("login"):
        progress.owned.pop((group, str(login)), None)
        if all(owner != login for _, owner in progress.owned):
            progress.created.pop(str(login), None)  # who is let go altogether is not deleted either
    elif event.data.get("ref"):
        progress.services.pop(group, None)
    if event.data.get("stuck"):
        progress.stuck.pop(event.address, None)


def _closed(progress: Progress, event: Event) -> None:
    progress.ended = int(event.data.get("exit_code", 0))
    if event.data.get("exit_code") in {0, 4}:
        progress.owed = ""
    if event.data.get("final", True):
        progress.todo.clear()


def _seen(progress: Progress, event: Event) -> None:
    progress.seen = str(event.data.get("manifest", ""))
    progress.strangers = frozenset(event.data.get("unmanaged", ()))
    for group, seats in event.data.get("seats", {}).items():
        address = group_address(group)
        before = progress.last.get(address, (event.at, None))[1]
        progress.last[address] = (event.at, {**(before or {}), "seats": seats})


def _owed(progress: Progress, event: Event) -> None:
    progress.owed = str(event.data.get("why", ""))


APPLY: Mapping[Kind, Callable[[Progress, Event], Any]] = {
    Kind.BEGUN: _begun,
    Kind.INTENDED: _intended,
    Kind.STEPPING: _stepping,
    Kind.STEPPED: _stepped,
    Kind.ACCEPTED: _accepted,
    Kind.FINISHED: _finished,
    Kind.FAILED: _failed,
    Kind.IN_DOUBT: _in_doubt,
    Kind.ADOPTED: _adopted,
    Kind.RELEASED: _released,
    Kind.CLOSED: _closed,
    Kind.OWED: _owed,
    Kind.SEEN: _seen,
}
