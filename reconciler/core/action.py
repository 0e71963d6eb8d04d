"""What to do: one verb on one address, with an id that is its idempotency key."""

from __future__ import annotations

import hashlib
from datetime import date
from enum import StrEnum
from typing import Any, Literal

from msgspec import Struct, field
from msgspec.json import Encoder

from reconciler.core.model import Address, Contract, Json, Price, Source, setting_address

How = Literal["api", "by-hand"]


class Verb(StrEnum):
    """What can be done to an address; the words of the plan file."""

    ORDER = "order"
    RESIZE = "resize"
    ACTIVATE = "activate"
    UPDATE = "update"
    DEACTIVATE = "deactivate"
    CREATE_USER = "create-user"
    DELETE_USER = "delete-user"
    SCHEDULE = "schedule"
    CANCEL = "cancel"


class Change(Struct, frozen=True):
    """One address that differs: what is there and what is wanted, as far as that is compared; None for nothing."""

    address: Address
    before: Json | None
    after: Json | None


class Action(Struct, frozen=True, kw_only=True):
    """One verb on one address.

    before, after: what is compared and digested; `before` is read again right before the write.
    needs: ids of actions that must be finished first.
    repeatable: sending it twice does no harm.
    detail: what the provider needs to carry it out, besides (all JSON):
        account, provider, service (the holding's ref), scope, product (as in the manifest),
        quantity (seats to buy), targets (refs of the seats concerned),
        login (in full), first_name, last_name, country, previously (a login to rename from),
        expect (seats the group has when it is delivered), renewal, name (the service's display name).
    """

    id: str
    verb: Verb
    address: Address
    summary: str
    before: Json | None = None
    after: Json | None = None
    needs: tuple[str, ...] = ()
    how: How = "api"
    repeatable: bool = False
    reason: str = ""
    source: Source | None = None
    price: Price | None = None
    contracts: tuple[Contract, ...] = ()
    scheduled_for: date | None = None
    reversible_until: date | None = None
    instructions: str | None = None
    detail: Json = field(default_factory=dict)

    @property
    def group(self) -> str | None:
        """The licence group it concerns, when it concerns one."""
        kind, _, rest = self.address.partition("/")
        return rest.partition("/")[0] if kind in {"group", "seat"} else None

    @property
    def of_tenant(self) -> bool:
        """Whether it is about the tenant itself: its account at the seller, its agreement, its domains."""
        return self.address.startswith(setting_address(""))

    @property
    def renames(self) -> bool:
        """Whether it writes the display name of a group's service, which no number and no date depends on."""
        return self.verb is Verb.UPDATE and "name" in self.detail and self.address.startswith("group/")


_CANONICAL = Encoder(order="sorted", enc_hook=str)


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value that digests are made of: keys sorted, no spaces, UTF-8."""
    return _CANONICAL.encode(value)


def digest(value: Any) -> str:
    """The digest of a JSON value: `sha256:` and 64 hexadecimal digits."""
    return f"sha256:{_hex(value)}"


def _hex(value: Any) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def action_id(tenant: str, verb: Verb, change: Change, *, begun: int) -> str:
    """An action's id: computed, never drawn, so that the same plan has the same ids wherever it is made.

    `begun` is how many plans with actions were begun for the tenant before.
    """
    return _hex([tenant, change.address, verb, change.before, change.after, begun])[:20]
