"""The nouns: licence groups, people and seats as wanted, and what a provider holds as read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

Address = str
Json = Mapping[str, Any]


def group_address(name: str) -> Address:
    """Where a licence group stands in its tenant."""
    return f"group/{name}"


def user_address(login: str) -> Address:
    """Where a person stands in a tenant; `login` as written in the manifest."""
    return f"user/{login}"


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

    @property
    def user(self) -> User:
        """The person on it."""
        return User(self.login or "", self.first_name, self.last_name, self.country)


Renewal = Literal["auto", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One product in one service or subscription, as a provider shows it: what a licence group may be.

    ref: the provider's key of it (OVHcloud: the service; ovh-csp2: the subscription id).
    scope: the tenant's own service it lives in (the same as `ref` where a group is a service).
    seats: paid for now, ending ones included; None where it has not been read.
    places: who sits where, only for a provider that knows the people.
    task: the open quantity task; while there is one no number is planned.
    domain: appended to logins written without @.
    status: the provider's own word.
    """

    ref: str
    product: str
    scope: str
    seats: int | None = None
    places: tuple[Place, ...] = ()
    task: str | None = None
    renewal: Renewal | None = None
    renews_on: date | None = None
    ends_on: date | None = None
    domain: str = ""
    name: str = ""
    status: str = "ok"
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """An order the provider has taken and not delivered: seats on their way.

    into: the service they will join; None for a new one.
    waiting_on: `provider` while it is checked and delivered, `person` while it is unpaid or wants papers.
    """

    ref: str
    product: str
    quantity: int
    into: str | None = None
    waiting_on: Literal["provider", "person"] = "provider"
    status: str = ""
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """A contract that an order accepts."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What an action changes on the bill: `monthly` recurring (negative when it falls), `one_off` at once.

    Amounts are without tax, in major units; `source` is cart, catalog, price-route or workspace.
    """

    monthly: Decimal
    one_off: Decimal
    currency: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A price with the contracts that buying at it accepts; price None when the provider tells none."""

    price: Price | None = None
    contracts: tuple[Contract, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The place in a file that asks for something."""

    file: str
    line: int
    column: int
