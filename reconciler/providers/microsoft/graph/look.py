"""What one reading of a directory shows: people, who has which product, domains and delegated rights."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct, field

from reconciler.core.model import Address, Entry, Json, Place, setting_address
from reconciler.providers.microsoft.graph.wire import Domain, Relationship, Sku, User

DELEGATION = setting_address("delegation")


def domain_address(name: str) -> Address:
    """Where a domain of the tenant stands."""
    return setting_address("domain", name.lower())


class Look(Struct, frozen=True, kw_only=True):
    """A directory as it was read, whole or not at all.

    users, binned: who is there, and who was deleted less than thirty days ago. skus: what can be assigned.
    groups: names of the groups that give licences, by id; one that could not be read is missing.
    domains, relationship, access: only where the manifest speaks of them. domain: what new people get by default.
    access: which delegated roles the partner's security groups have, at their addresses.
    closed: why nothing of the directory can be read until the customer has accepted the partner.
    """

    users: tuple[User, ...] = ()
    binned: tuple[User, ...] = ()
    skus: tuple[Sku, ...] = ()
    groups: Mapping[str, str] = field(default_factory=dict)
    domains: tuple[Domain, ...] = ()
    relationship: Relationship | None = None
    access: Mapping[Address, Json] = field(default_factory=dict)
    tenant_id: str = ""
    domain: str = ""
    notices: tuple[str, ...] = ()
    closed: str = ""

    def entries(self) -> tuple[Entry, ...] | None:
        """Everybody the directory knows, its bin included; a login that is there again hides the one in the bin.

        None while the directory is closed to us: nobody knows who is in it.
        """
        if self.closed:
            return None
        there = tuple(_entry(one) for one in self.users)
        logins = {one.login for one in there}
        gone = (_entry(one, deleted=True) for one in self.binned)
        return (*there, *(one for one in gone if one.login not in logins))

    def places(self, sku: str) -> tuple[Place, ...]:
        """Who has a product, and through which group when it was not given directly."""
        return tuple(self._place(one, sku) for one in self.users if one.has(sku))

    def settings(self) -> dict[Address, Json]:
        """What is so of the tenant itself."""
        shown: dict[Address, Json] = {
            domain_address(one.id): {"verified": bool(one.is_verified)} for one in self.domains
        }
        if self.relationship is not None:
            shown[DELEGATION] = standing(self.relationship, self.tenant_id)
        return {**shown, **self.access}

    def _place(self, user: User, sku: str) -> Place:
        states = user.states(sku)
        via = user.via(sku)
        return Place(
            ref=user.id,
            login=user.login,
            first_name=user.given_name,
            last_name=user.surname,
            country=user.country,
            ready=not states or any(one.state.lower() in USABLE for one in states),
            via=self.groups.get(via, via),
        )


def standing(found: Relationship, tenant_id: str) -> Json:
    """How a relationship stands, in the terms of a plan: until the day it ends it is as wanted."""
    status = "active" if found.alive else found.status
    if not found.is_with(tenant_id):
        status = f"with directory {found.customer.tenant_id}"
    return {"name": found.display_name, "status": status}


USABLE = frozenset({"active", "activewitherror", ""})
"""States of a licence with which its holder can work; what is wrong otherwise is told by the directory's portal."""


def _entry(user: User, *, deleted: bool = False) -> Entry:
    return Entry(
        ref=user.id,
        login=user.login,
        first_name=user.given_name,
        last_name=user.surname,
        country=user.country,
        deleted=deleted,
    )
