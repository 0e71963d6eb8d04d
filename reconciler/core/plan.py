"""The plan: what would be done to each tenant, in order, under one digest, and what is not done and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from typing import Literal

from msgspec import Struct

from reconciler.core.action import Action, Verb, digest
from reconciler.core.model import Address, Json, Money, Source

FORMAT_VERSION = "1.0"


class Status(StrEnum):
    """How a tenant stands, worst first."""

    ERROR = "error"
    IN_DOUBT = "in_doubt"
    BLOCKED = "blocked"
    PENDING = "pending"
    CHANGES = "changes"
    IN_SYNC = "in_sync"


class Waiting(Struct, frozen=True, kw_only=True):
    """Something that is on its way (pending) or cannot be done (blocked), with the reason.

    state: `pending`, `by-hand` or `in-doubt` for what is open; empty otherwise. ours: the journal knows it, so that
    `resume` goes on with it.
    """

    address: Address
    verb: Verb | None
    reason: str
    ref: str | None = None
    since: datetime | None = None
    due_by: datetime | None = None
    state: str = ""
    source: Source | None = None
    ours: bool = False


class Unmanaged(Struct, frozen=True, kw_only=True):
    """What stands at the provider and in no manifest: shown, counted, never touched.

    product: of a group, since one service may hold two; not told in files.
    """

    address: Address
    ref: str
    monthly: Money | None = None
    product: str = ""


class Leaving(Struct, frozen=True, kw_only=True):
    """What ends on a date because it was asked to.

    seats: how many, where the rest goes on. ended: the day is over, and what is left of it can be used for a while.
    """

    address: Address
    ref: str
    on: date | None
    seats: int | None = None
    ended: bool = False


class Finding(Struct, frozen=True, kw_only=True):
    """A rule's word about a plan."""

    code: str
    severity: Literal["info", "warning", "error"]
    address: Address
    message: str
    source: Source | None = None


class Due(Struct, frozen=True, kw_only=True):
    """Seats of one group that renew or end on one day (UTC).

    days: how many were left by the provider's clock; negative once it is over.
    idle: seats nobody sits on; None where nobody knows who sits. last_day: the last on which something can
    be changed. grace_until: how long they can still be used after an end; kept_until: how long their data stay.
    scheduled: seats the group has after the renewal, when another number was asked for.
    """

    tenant: str
    address: Address
    ref: str
    product: str
    what: Literal["renews", "ends", "ended"]
    on: date
    days: int
    seats: int | None
    idle: int | None
    grace_until: date | None = None
    kept_until: date | None = None
    scheduled: int | None = None

    @property
    def last_day(self) -> date:
        """The last day on which its seats and its renewal can be changed."""
        return self.on - timedelta(days=1)


Cause = Literal["git", "provider", "both", "unknown"]
"""Who made a difference: a change of the manifest, somebody at the provider, both, or nobody can tell."""


class Drift(Struct, frozen=True, kw_only=True):
    """One difference and who made it; `last` is what an apply left there, at `since`.

    verb: what would be done about it; None for what nobody wrote and the last apply did not see.
    """

    address: Address
    verb: Verb | None
    cause: Cause
    before: Json | None = None
    after: Json | None = None
    last: Json | None = None
    since: datetime | None = None


class Usage(Struct, frozen=True, kw_only=True):
    """How many seats of one group are paid for and used, ending ones included.

    seats: None where every person is one seat. used, idle: None where nobody knows who sits.
    """

    address: Address
    product: str
    seats: int | None
    used: int | None
    idle: int | None


class Plan(Struct, frozen=True, kw_only=True):
    """The ordered actions of one tenant.

    refs: the provider's ids of the tenant's groups, which the digest covers.
    begun: how many plans with actions were begun for the tenant before.
    error: why nothing was planned, when reading failed.
    found: seats found as written, which an apply records as ours: (group, login in full, as written).
    identified: groups whose service was found, which an apply records: (group, ref, product, scope).
    seated: how many people sit in each group, which guards compare with how many leave.
    usage: how many seats are used and idle, where the dues were asked for.
    dues: when its seats renew or end, where that was asked for. drift: who made the differences, likewise.
    """

    tenant: str
    provider: str
    account: str
    name: str = ""
    refs: tuple[tuple[str, str], ...] = ()
    begun: int = 0
    actions: tuple[Action, ...] = ()
    pending: tuple[Waiting, ...] = ()
    blocked: tuple[Waiting, ...] = ()
    unmanaged: tuple[Unmanaged, ...] = ()
    leaving: tuple[Leaving, ...] = ()
    findings: tuple[Finding, ...] = ()
    error: str | None = None
    hold: str | None = None
    sandbox: bool = False
    in_doubt: bool = False
    found: Sequence[tuple[str, str, str]] = ()
    identified: tuple[tuple[str, str, str, str], ...] = ()
    seated: tuple[tuple[str, int], ...] = ()
    usage: tuple[Usage, ...] = ()
    dues: tuple[Due, ...] = ()
    drift: tuple[Drift, ...] = ()

    @property
    def digest(self) -> str:
        """The digest that a review approves: tenant, provider ids, actions, and how many plans came before."""
        return digest(
            [
                self.tenant,
                self.provider,
                self.refs,
                self.begun,
                [[a.verb, a.address, a.how, a.before, a.after, a.scheduled_for] for a in self.actions],
            ]
        )

    @property
    def status(self) -> Status:
        """The worst that holds."""
        if self.error is not None:
            return Status.ERROR
        if self.in_doubt:
            return Status.IN_DOUBT
        if self.blocked:
            return Status.BLOCKED
        if self.pending:
            return Status.PENDING
        return Status.CHANGES if self.actions else Status.IN_SYNC


class Cost(Struct, frozen=True, kw_only=True):
    """What a run changes on the monthly bill, in one currency; `unknown` actions have no known price.

    currency: None where no price at all is known, so that nobody can say in what it will be.
    """

    currency: str | None
    monthly_change: Decimal
    unknown: int


class Exceeded(Struct, frozen=True, kw_only=True):
    """A guard that stops the run: its name, what the run comes to, the limit and how to lift it once."""

    rule: str
    number: str
    limit: str
    message: str
    hint: str


class Run(Struct, frozen=True, kw_only=True, dict=True):
    """All plans of one command, in the order of their names.

    skipped: tenants that were not looked at. notes: what a reader should know first (no journal, a sandbox,
    a changed policy).
    """

    plans: tuple[Plan, ...]
    created_at: datetime
    tool_version: str
    exceeded: tuple[Exceeded, ...] = ()
    skipped: int = 0
    notes: tuple[str, ...] = ()

    @cached_property
    def digest(self) -> str:
        """The hash of the sorted digests of the tenants with actions: a narrower selection does not alter it."""
        return digest(sorted(plan.digest for plan in self.plans if plan.actions))

    @property
    def summary(self) -> dict[str, int]:
        """Each action once by verb, and how many are scheduled, by hand, pending and blocked."""
        actions = [action for plan in self.plans for action in plan.actions]
        by_verb = Counter(action.verb for action in actions)
        return {
            **{verb.value: by_verb[verb] for verb in Verb},
            "scheduled": sum(action.scheduled_for is not None for action in actions),
            "by_hand": sum(action.how == "by-hand" for action in actions),
            "pending": sum(len(plan.pending) for plan in self.plans),
            "blocked": sum(len(plan.blocked) for plan in self.plans),
        }

    @property
    def tenants(self) -> dict[str, int]:
        """How many tenants stand how."""
        by_status = Counter(plan.status for plan in self.plans)
        return {status.value: by_status[status] for status in reversed(Status)}

    @property
    def cost(self) -> tuple[Cost, ...]:
        """The change of the monthly bill, per currency."""
        return cost(action for plan in self.plans for action in plan.actions)


PAID = frozenset({Verb.ORDER, Verb.RESIZE, Verb.CANCEL})
PAID_AS_YOU_GO = frozenset({Verb.ACTIVATE, Verb.DEACTIVATE})
"""Where people are the seats, they are what is paid, and the group itself costs nothing."""


def _has_price(action: Action) -> bool:
    return action.verb in (PAID_AS_YOU_GO if action.detail.get("provider") == "ovh-payg" else PAID)


def cost(actions: Iterable[Action]) -> tuple[Cost, ...]:
    """Add up what actions change on the monthly bill; an unknown price is counted, never guessed."""
    known: dict[str, Decimal] = {}
    unknown = 0
    for action in actions:
        if action.price is None:
            unknown += _has_price(action)
            continue
        price = action.price
        known[price.currency] = known.get(price.currency, Decimal(0)) + price.monthly
    if not known and unknown:
        return (Cost(currency=None, monthly_change=Decimal(0), unknown=unknown),)
    return tuple(
        Cost(currency=currency, monthly_change=amount, unknown=unknown)
        for currency, amount in sorted(known.items())
    )
