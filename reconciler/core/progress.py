"""Where things stand, by replaying the journal: what is open, what is ours, which service is which group."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from reconciler.core.action import Action, Verb
from reconciler.core.errors import JournalError
from reconciler.core.journal import Event, Kind
from reconciler.core.model import Address, Json, group_address
from reconciler.core.open import Delivery, Open, Spending, Stuck
from reconciler.core.provider import StepRecord
from reconciler.core.serial import action_from_dict

__all__ = ["Delivery", "Open", "Progress", "Spending", "Stuck", "by_tenant", "replay", "replay_all"]


@dataclass(slots=True)
class Progress:
    """Where one tenant stands.

    begun: how many plans with actions were begun. spent: a plan's digest, or its run's, to (when, by whom).
    todo: actions of the last plan not begun yet. failed: ids of those that failed for good.
    arrived: numbers of orders that were seen delivered; nobody needs to ask about them again.
    inherited: the tenant's name before a rename, while all of this is only known under that name.
    took: the name from which it was taken over. twice: the name before, while that is another tenant's memory.
    services: group to (ref, product, scope). owned: (group, login in full) to the login as written.
    created: people this tool put into a directory. settings: what became so at an address of the tenant.
    customer: the customer's id at the seller, once an apply created it.
    last: what an apply left at an address, and when. strangers: what nobody wrote, when it looked.
    ended: the exit code of the last apply. seen: the fingerprint of the manifest that was last applied well.
    delivered: how many seats each group had last. seated: how many people sat where when the plan began.
    """

    begun: int = 0
    spent: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    open: dict[str, Open] = field(default_factory=dict)
    todo: dict[str, Action] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    stuck: dict[Address, Stuck] = field(default_factory=dict)
    services: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    owned: dict[tuple[str, str], str] = field(default_factory=dict)
    created: set[str] = field(default_factory=set)
    settings: dict[Address, Json] = field(default_factory=dict)
    customer: str = ""
    last: dict[Address, tuple[datetime, Json | None]] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()
    spending: dict[str, Spending] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    arrived: set[str] = field(default_factory=set)
    delivered: dict[str, Delivery] = field(default_factory=dict)
    seated: dict[str, int] = field(default_factory=dict)
    plan: str = ""
    owed: str = ""
    ended: int = 0
    seen: str = ""
    last_seq: int = 0
    inherited: str = ""
    took: str = ""
    twice: str = ""

    @property
    def unsettled(self) -> bool:
        """Whether `resume` has anything to do or to ask."""
        return bool(self.todo) or any(one.stage != "in-doubt" for one in self.open.values())

    def at(self, address: Address) -> tuple[Open, ...]:
        """The open actions on an address: a group's renewal and its display name are two."""
        return tuple(one for one in self.open.values() if one.action.address == address)


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
    return {tenant: replay(some) for tenant, some in by_tenant(events).items()}


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
    progress.spent |= dict.fromkeys((event.plan, str(event.data.get("run_digest"))), (event.at, event.by))
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
    _remember(progress, action, event.data)
    _deliver(progress, action, event)
    if action.how == "by-hand" and action.verb is Verb.ORDER:
        _unpinned(progress, action, event)


def _unpinned(progress: Progress, action: Action, event: Event) -> None:
    """Keep a group that a person has bought from being bought again, until it is known which service it is."""
    ovh = str(action.detail.get("provider", "")).startswith("ovh-")
    if ovh and action.group and action.group not in progress.services:
        progress.stuck[action.address] = Stuck(
            action=action,
            since=event.at,
            why=f"ordered by hand, as {event.data.get('confirmed_by') or event.by} confirmed, and nothing says "
            "which service it is: write `service:` in the group",
        )


def _deliver(progress: Progress, action: Action, event: Event) -> None:
    """Remember which service a group is, and how many seats it has."""
    group = action.group
    if group is None or action.verb not in {Verb.ORDER, Verb.RESIZE}:
        return
    # A service that the action went to is what the group is; what a person says then is another number.
    service = action.detail.get("service") or event.data.get("service")
    if not service:
        return
    scope = str(event.data.get("scope") or action.detail.get("scope") or service)
    progress.services[group] = (str(service), str(action.detail.get("product", "")), scope)
    progress.cancelled.discard(group)
    progress.delivered.pop(group, None)
    seats = event.data.get("seats") or (
        (action.after or {}).get("seats") if action.how == "by-hand" else None
    )
    if seats:
        progress.delivered[group] = Delivery.of(event.at, str(service), seats, event.data)


def _remember(progress: Progress, action: Action, data: Json) -> None:
    group = action.group
    login = str(data.get("login") or action.detail.get("login", ""))
    if action.of_tenant:
        progress.settings[action.address] = dict(action.after or {})
        progress.customer = str(data.get("scope") or progress.customer)
        return
    match action.verb:
        case Verb.CREATE_USER:
            progress.created.add(login)
        case Verb.DELETE_USER:
            progress.created.discard(login)
        case Verb.ACTIVATE if group:
            progress.owned[group, login] = action.address.rpartition("/")[2]
        case Verb.DEACTIVATE if group:
            progress.owned.pop((group, login), None)
        case Verb.CANCEL if group:
            progress.cancelled.add(group)
        case Verb.UPDATE if group and action.detail.get("renewal") == "auto":
            progress.cancelled.discard(group)
        case Verb.UPDATE if old := action.detail.get("previously"):
            _rename(progress, action, str(old), login)
        case _:
            pass


def _rename(progress: Progress, action: Action, old: str, login: str) -> None:
    """A person stays ours under the new login, in the groups whose seat was renamed."""
    if old in progress.created:
        progress.created.discard(old)
        progress.created.add(login)
    groups = action.detail.get("groups") or [action.detail.get("group")]
    for owned_group, owned_login in list(progress.owned):
        if owned_login == old and (owned_group in groups or groups == [None]):
            del progress.owned[owned_group, owned_login]
            progress.owned[owned_group, login] = action.address.rpartition("/")[2]


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
        _take_over(progress, kept)
    group = str(data.get("group", ""))
    if login := data.get("login"):
        progress.owned[group, str(login)] = str(data.get("written") or login)
    if ref := data.get("ref"):
        progress.services[group] = (str(ref), str(data.get("product", "")), str(data.get("scope") or ref))
        progress.cancelled.discard(group)
        stuck = progress.stuck.get(group_address(group))
        if stuck is not None and stuck.action.how == "by-hand":
            del progress.stuck[group_address(group)]  # what a person has bought is found


def _take_over(progress: Progress, kept: Json) -> None:
    """Take what was known under the tenant's name before, beside its services, people and open actions."""
    progress.took = str(kept["name"])
    progress.begun = int(kept["begun"])
    progress.customer = str(kept["customer"])
    progress.created |= set(kept["created"])
    progress.cancelled |= set(kept["cancelled"])
    progress.orders |= set(kept["orders"])
    progress.settings |= kept["settings"]
    for group, (at, service, seats) in kept["delivered"].items():
        progress.delivered[group] = Delivery(datetime.fromisoformat(at), str(service), int(seats))


def _released(progress: Progress, event: Event) -> None:
    group = str(event.data.get("group", ""))
    if login := event.data.get("login"):
        progress.owned.pop((group, str(login)), None)
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
