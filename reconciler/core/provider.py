"""What a provider must be: reading, executing, asking and finding, and a table of what it can do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, runtime_checkable

from msgspec import Struct, field

from reconciler.core.action import Action, Verb
from reconciler.core.manifest import Tenant
from reconciler.core.model import Holding, Json, Organisation, Quote, Snapshot

WaitingOn = Literal["provider", "person"]


class Support(Struct, frozen=True, kw_only=True):
    """How one verb is done by one provider, and why not when it is not."""

    how: Literal["api", "by-hand", "not-at-all"]
    note: str = ""
    repeatable: bool = False
    link: str = ""


class Windows(Struct, frozen=True, kw_only=True):
    """How long what has ended lives on, in days; None where the provider tells nothing.

    grace: it can still be used. kept: its data are kept, counted from the end as well.
    """

    grace: int | None = None
    kept: int | None = None


class Capabilities(Struct, frozen=True, kw_only=True):
    """What a provider can do, as data: it decides Blocked, makes the matrix in the docs and picks the tests.

    pool: seats are bought ahead of people; False where every person is one seat.
    people: it knows who sits where.
    slots: every seat has a key of its own; False where seats are a number and only who sits is listed.
    renewal: whether it renews by itself can be read and changed.
    directory: it keeps people whether or not they sit, so they are created before they get a licence.
    shrink, cancel: when fewer seats and a cancelled group take effect; `window`: at once while the holding
        says so, else at its renewal.
    renames: the display name of a service can be written.
    by_word: nothing can be read there, so what a person confirmed counts.
    settings: which keys of a tenant it acts on (customer, domains, ...), and how.
    windows: days of its life cycle.
    products: the names a manifest may use; None when the provider's own list decides.
    max_seats: the most seats one holding of a product may have.
    promise_seconds: how long an order may take before it is overdue.
    """

    provider: str
    verbs: Mapping[Verb, Support]
    pool: bool
    people: bool
    shrink: Literal["now", "at-expiration", "window"]
    cancel: Literal["now", "at-expiration", "window"]
    slots: bool = True
    directory: bool = False
    renewal: bool = True
    renames: bool = False
    by_word: bool = False
    products: frozenset[str] | None = None
    max_seats: Mapping[str, int] = field(default_factory=dict)
    promise_seconds: int = 4 * 3600
    settings: Mapping[str, Support] = field(default_factory=dict)
    windows: Windows = field(default_factory=Windows)


class Step(Struct, frozen=True, kw_only=True):
    """One effective write that is about to be sent; it is on disk before the next thing is asked for.

    name: e.g. cart, checkout, pay, seat/REF, user.
    exclusive: only one such step at a time an account (a checkout whose order number is not known yet).
    quote: the price right before a purchase; the engine compares it with the plan's.
    data: what `find` will need to recognise the effect (lists, refs; no secret).
    """

    name: str
    exclusive: bool = False
    quote: Quote | None = None
    data: Json = field(default_factory=dict)


class Stepped(Struct, frozen=True, kw_only=True):
    """The step of that name was answered; `ref` is the provider's key of what it made."""

    name: str
    ref: str
    data: Json = field(default_factory=dict)


class Done(Struct, frozen=True, kw_only=True):
    """It is so, read from the provider. `data` holds what is to be remembered (service, scope, seats)."""

    ref: str
    data: Json = field(default_factory=dict)


class Accepted(Struct, frozen=True, kw_only=True):
    """Taken, not yet done: ask again with `ticket` after some seconds.

    waiting_on: who has to move next; `status` is the provider's word; `instructions` what a person does.
    """

    ticket: str
    ask_again_after: float
    waiting_on: WaitingOn = "provider"
    status: str = ""
    instructions: str = ""
    data: Json = field(default_factory=dict)


class Absent(Struct, frozen=True, kw_only=True):
    """Proved not to have happened; trying again is safe."""

    why: str


class Unknown(Struct, frozen=True, kw_only=True):
    """Looking did not tell. `look_again_at` is set while waiting may still tell; None: a person must look."""

    why: str
    look_again_at: datetime | None = None


class StepRecord(Struct, frozen=True, kw_only=True):
    """A step as the journal remembers it; `ref` is None while nobody knows its answer."""

    name: str
    began_at: datetime
    ref: str | None = None
    data: Json = field(default_factory=dict)


class Attempt(Struct, frozen=True, kw_only=True):
    """What an execution may know of earlier ones: the steps so far and how many answers there were."""

    number: int
    steps: tuple[StepRecord, ...] = ()


Outcome = Done | Accepted
Told = Step | Stepped | Done | Accepted


class Provider(Protocol):
    """One tenant's part of an account."""

    async def read(self, refs: frozenset[str]) -> tuple[Holding, ...]:
        """Read these holdings in full, uncached: people, tasks, dates. A partial answer raises."""
        ...

    async def organisation(self) -> Organisation | None:
        """Read what the tenant has besides its groups, uncached; None where there is no such thing."""
        ...

    async def reread(self, action: Action) -> Json | None:
        """Read the action's object right before the write, in the shape of `action.before`."""
        ...

    def execute(self, action: Action, attempt: Attempt) -> AsyncGenerator[Told, None]:
        """Carry it out: a Step before each effective write, Stepped after it, at last Done or Accepted."""
        ...

    async def poll(self, action: Action, ticket: str, steps: tuple[StepRecord, ...]) -> Outcome:
        """Ask how far it is; raises Rejected when it ended badly."""
        ...

    async def find(
        self, action: Action, steps: tuple[StepRecord, ...], since: datetime
    ) -> Done | Accepted | Absent | Unknown:
        """Look whether an execution begun at `since`, whose answer nobody has, took effect."""
        ...


class Account(Protocol):
    """One set of credentials at one API, for one kind of provider."""

    name: str
    capabilities: Capabilities
    sandbox: bool

    async def snapshot(
        self,
        scopes: frozenset[str],
        *,
        settled: frozenset[str] = frozenset(),
        told: tuple[Holding, ...] = (),
    ) -> Snapshot:
        """Read the account-wide lists, once a run; `scopes` are the services of the selected tenants.

        settled: orders that the journal saw delivered; they are not asked about again.
        told: what people confirmed to have bought where nothing can be read (`by_word`).
        """
        ...

    async def quote(
        self, product: str, quantity: int, *, scope: str | None, term: str = "", billing: str = ""
    ) -> Quote:
        """Price `quantity` seats of `product` for a month without buying anything.

        term, billing: how they would bind, where the provider sells that; empty for its usual one.
        """
        ...

    def product_id(self, scope: str | None, product: str) -> str | None:
        """The key under which a manifest's product is sold in that service; None when it is not. After snapshot."""
        ...

    async def now(self) -> datetime:
        """The provider's clock."""
        ...

    def tenant(self, tenant: Tenant) -> Provider:
        """One tenant's part."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class Served(NamedTuple):
    """One whom an account serves: the service or customer, what people call it, its first domain where told."""

    ref: str
    name: str = ""
    domain: str = ""


@runtime_checkable
class Census(Protocol):
    """An account whose snapshot tells only of the scopes it is asked for, and that can name them all."""

    async def served(self) -> tuple[Served, ...]:
        """Name everybody whom the account serves."""
        ...
