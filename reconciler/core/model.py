"""The nouns: licence groups, people and seats as wanted, and what a provider holds as read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from msgspec import Struct, field

Address = str
Json = Mapping[str, Any]


def group_address(name: str) -> Address:
    """Where a licence group stands in its tenant."""
    return f"group/{name}"


def user_address(login: str) -> Address:
    """Where a person stands in a tenant; `login` as written in the manifest."""
    return f"user/{login}"


def setting_address(*words: str) -> Address:
    """Where something of the tenant itself stands, as in `tenant/domain/acme.example`."""
    return "/".join(("tenant", *words))


def seat_address(group: str, login: str) -> Address:
    """Where one person's place in one group stands."""
    return f"seat/{group}/{login}"


class User(NamedTuple):
    """A person: `login` in full and lower case, names, and an ISO 3166-1 alpha-2 country in lower case."""

    login: str
    first_name: str
    last_name: str
    country: str | None = None


class Place(NamedTuple):
    """One seat as a provider shows it: free when `login` is None.

    `ready` is false while the provider works on it; `ends_on` is set once its end was asked for.
    `via` names the directory group that gives the licence; such a seat is nobody's to take away here.
    """

    ref: str
    login: str | None = None
    first_name: str = ""
    last_name: str = ""
    country: str | None = None
    ready: bool = True
    task: str | None = None
    ends_on: date | None = None
    renews_on: date | None = None
    via: str = ""

    @property
    def user(self) -> User:
        """The person on it."""
        return User(self.login or "", self.first_name, self.last_name, self.country)


class Entry(NamedTuple):
    """A person as a directory keeps them, whether or not they have a licence; `deleted`: in its bin."""

    ref: str
    login: str
    first_name: str = ""
    last_name: str = ""
    country: str | None = None
    deleted: bool = False

    @property
    def user(self) -> User:
        """The person."""
        return User(self.login, self.first_name, self.last_name, self.country)


Renewal = Literal["auto", "off"]


class Tranche(NamedTuple):
    """Seats that may still be given back, and until when."""

    seats: int
    until: datetime


class Holding(Struct, frozen=True, kw_only=True):
    """One product in one service or subscription, as a provider shows it: what a licence group may be.

    ref: the provider's key of it (OVHcloud: the service; ovh-csp2: the subscription id).
    scope: the tenant's own service it lives in (the same as `ref` where a group is a service).
    seats: paid for now, ending ones included; None where it has not been read.
    places: who sits where, only for a provider that knows the people.
    task: the open quantity task; while there is one no number is planned.
    domain: appended to logins written without @.
    domains: those of which each could be meant so, where the provider does not tell; `domain` is empty then.
    status: the provider's own word.
    sku: how a directory calls the product, when the seller tells it.
    refundable: the seats that may be given back at once; None: any number at any time.
    cancel_until: until when it may be ended at once, where the provider has a window for that.
    scheduled: what changes by itself at the renewal, in the shape of an action's `after`.
    frozen: why nothing of it can be changed now (it renews, it is suspended); empty: it can be.
    addons: the holdings that hang on it, and end with it.
    fixed: why its seats cannot be changed now, while other things can (it is a trial); empty: they can be.
    """

    ref: str
    product: str
    scope: str
    seats: int | None = None
    places: Sequence[Place] = ()
    task: str | None = None
    renewal: Renewal | None = None
    renews_on: date | None = None
    ends_on: date | None = None
    domain: str = ""
    domains: tuple[str, ...] = ()
    name: str = ""
    status: str = "ok"
    notices: tuple[str, ...] = ()
    sku: str = ""
    term: str = ""
    billing: str = ""
    refundable: tuple[Tranche, ...] | None = None
    cancel_until: datetime | None = None
    scheduled: Json | None = None
    frozen: str = ""
    fixed: str = ""
    addons: tuple[str, ...] = ()


class Organisation(Struct, frozen=True, kw_only=True):
    """What a tenant has besides its groups, as the provider and the directory show it.

    ref: the customer's id at the seller; None while there is no customer.
    domain: what the directory appends to logins, when it tells that.
    entries: everybody the directory knows, its bin included; None where no directory keeps people.
    settings: what is so at an address of the tenant, as in `tenant/domain/acme.example`: {"verified": true};
        what is not there is not so, or cannot be read.
    closed: why nothing can be read or done in the directory yet: the customer has not let the partner in.
    unready: why nothing may be ordered (a customer who was not approved).
    awaits: what has to pass by itself before anything may be ordered (a review that runs).
    """

    ref: str | None = None
    domain: str = ""
    entries: tuple[Entry, ...] | None = None
    settings: Mapping[Address, Json] = field(default_factory=dict)
    unready: str = ""
    awaits: str = ""
    closed: str = ""
    notices: tuple[str, ...] = ()

    @property
    def logins(self) -> set[str] | None:
        """Who is in the directory and not in its bin; None where no directory keeps people."""
        return None if self.entries is None else {one.login for one in self.entries if not one.deleted}


class Incoming(Struct, frozen=True, kw_only=True):
    """An order the provider has taken and not delivered: seats on their way.

    into: the service they will join; None for a new one. anywhere: or for any, as nothing tells it.
    waiting_on: `provider` while it is checked and delivered, `person` while it is unpaid or wants papers.
    """

    ref: str
    product: str
    quantity: int
    into: str | None = None
    anywhere: bool = False
    waiting_on: Literal["provider", "person"] = "provider"
    status: str = ""
    since: datetime | None = None


class Snapshot(Struct, frozen=True, kw_only=True):
    """An account's lists, read once a run: every holding in outline, and the orders on their way.

    failed: scopes (services) whose own list could not be read, with the reason; nothing is planned for them.
    """

    holdings: tuple[Holding, ...] = ()
    incoming: tuple[Incoming, ...] = ()
    failed: Mapping[str, str] = field(default_factory=dict)


class Money(NamedTuple):
    """An amount in major units of one currency."""

    amount: Decimal
    currency: str


class Contract(Struct, frozen=True, kw_only=True):
    """A contract that an order accepts."""

    name: str
    url: str


class Price(Struct, frozen=True, kw_only=True):
    """What an action changes on the bill: `monthly` recurring (negative when it falls), `one_off` at once.

    Amounts are without tax, in major units; `source` is cart, catalog, price-route or workspace.
    """

    monthly: Decimal
    one_off: Decimal
    currency: str
    source: str


class Quote(Struct, frozen=True, kw_only=True):
    """A price with the contracts that buying at it accepts; price None when the provider tells none."""

    price: Price | None = None
    contracts: tuple[Contract, ...] = ()


class Source(Struct, frozen=True, kw_only=True):
    """The place in a file that asks for something."""

    file: str
    line: int
    column: int
