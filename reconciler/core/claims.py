"""Who claims what: every pin and everything remembered in a workspace, and an account's lists by what is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec import Struct, field

from reconciler.core.action import Verb
from reconciler.core.manifest import Group, Tenant
from reconciler.core.model import Holding, Incoming, Snapshot, group_address
from reconciler.core.open import Open, Stuck
from reconciler.core.progress import Progress

NUMBERED = frozenset({"ovh-csp2", "partner-center"})
"""Providers whose groups are subscriptions: their numbers are the tenant's own, so a claim names the tenant too."""

Claim = tuple[str, str, str]
"""The tenant's own service where numbers are its own, the service or subscription, and the product in it."""

Owner = tuple[str, str]
"""A tenant and a group."""

UNSURE = ""
"""The group that claims what could be any of several of its tenant."""

ProductOf = Callable[[str], str | None]
"""The product's key at the provider, from its name in the manifest; None when it is not sold."""


class Claims(Struct, frozen=True, kw_only=True):
    """What the whole workspace claims of one account: services by product, and orders by number."""

    services: Mapping[Claim, Owner] = field(default_factory=dict)
    orders: frozenset[str] = frozenset()
    refs: frozenset[str] = frozenset()

    def others(self, claim: Claim, tenant: str, group: str) -> Owner | None:
        """Who else claims it."""
        owner = self.services.get(claim)
        return owner if owner and owner not in {(tenant, group), (tenant, UNSURE)} else None


class Lists(Struct, frozen=True, kw_only=True):
    """An account's lists, looked up by what identity asks of them."""

    by_ref: Mapping[str, list[Holding]] = field(default_factory=dict)
    by_scope: Mapping[str, list[Holding]] = field(default_factory=dict)
    by_product: Mapping[str, list[Holding]] = field(default_factory=dict)
    incoming: Mapping[str, list[Incoming]] = field(default_factory=dict)


def lists_of(snapshot: Snapshot) -> Lists:
    """Index a snapshot once, for all the tenants of the account."""
    by_ref = _by(snapshot.holdings, lambda one: one.ref)
    # Where a group is a service, one index is both.
    services = all(one.scope == one.ref for one in snapshot.holdings)
    by_scope = by_ref if services else _by(snapshot.holdings, lambda one: one.scope)
    by_product = _by(snapshot.holdings, lambda one: one.product)
    incoming: dict[str, list[Incoming]] = {}
    for order in snapshot.incoming:
        incoming.setdefault(order.product, []).append(order)
    return Lists(by_ref=by_ref, by_scope=by_scope, by_product=by_product, incoming=incoming)


def _by(holdings: Iterable[Holding], key: Callable[[Holding], str]) -> dict[str, list[Holding]]:
    found: dict[str, list[Holding]] = {}
    for one in holdings:
        found.setdefault(key(one), []).append(one)
    return found


def claim_of(tenant: Tenant, ref: str, product: str) -> Claim:
    """The claim that a holding is, for a tenant."""
    return (str(tenant.service) if tenant.provider in NUMBERED else "", ref, product)


def claims(
    tenants: Iterable[Tenant], progress: Mapping[str, Progress], product_of: Callable[[Tenant], ProductOf]
) -> Claims:
    """Gather what is claimed: a pin before a memory, a memory before a tenant's own service.

    tenants: in the order of their names, of which the first to claim something has it.
    """
    pinned: dict[Claim, Owner] = {}
    known: dict[Claim, Owner] = {}
    own: dict[Claim, list[tuple[Owner, bool]]] = {}
    orders: set[str] = set()
    for tenant in tenants:
        memory = progress.get(tenant.tenant, Progress())
        orders |= memory.orders - _orphans(tenant, memory)
        name_of = product_of(tenant)
        for group in sorted(tenant.license_groups, key=lambda one: one.name):
            product = name_of(group.product) or group.product
            owner = (tenant.tenant, group.name)
            if (ref := pin(tenant, group)) is not None:
                pinned.setdefault(claim_of(tenant, ref, product), owner)
            elif (ref := remembered(memory, group)) is not None:
                known.setdefault(claim_of(tenant, ref, product), owner)
            elif tenant.service and group.service is None and tenant.provider not in NUMBERED:
                claim = claim_of(tenant, tenant.service, product)
                own.setdefault(claim, []).append((owner, being_bought(memory, group)))
    services = {claim: _owner(some) for claim, some in own.items()} | known | pinned
    return Claims(services=services, orders=frozenset(orders), refs=frozenset(ref for _, ref, _ in services))


def _owner(some: list[tuple[Owner, bool]]) -> Owner:
    """Whose a tenant's own service is: of the group that is being bought, else of the only one that could be it."""
    tenant = some[0][0][0]
    groups = [owner for owner, _ in some if owner[0] == tenant]
    bought = [owner for owner, buying in some if buying and owner[0] == tenant]
    if bought:
        return bought[0]
    return groups[0] if len(groups) == 1 else (tenant, UNSURE)


def _orphans(tenant: Tenant, memory: Progress) -> set[str]:
    """Open orders of groups that no file writes any more: what they bring is nobody's until it is pinned."""
    written = {name for group in tenant.license_groups for name in names_of(group)}
    left = [one for one in memory.open.values() if one.action.group and one.action.group not in written]
    return {ref for one in left for ref in (one.ticket, *(step.ref for step in one.steps)) if ref}


def names_of(group: Group) -> tuple[str, ...]:
    """Under which names the journal may know a group: its own, and the one before."""
    return (group.name, group.previously) if group.previously else (group.name,)


def open_at(progress: Progress, group: Group) -> Open | None:
    """The open action on a group, also one that was begun under the name before; a display name is none."""
    found = (one for name in names_of(group) for one in progress.at(group_address(name)))
    return next((one for one in found if not one.action.renames), None)


def stuck_at(progress: Progress, group: Group) -> list[Stuck]:
    """The failed purchases that block a group, also under the name before."""
    found = (progress.stuck.get(group_address(name)) for name in names_of(group))
    return [one for one in found if one is not None]


def being_bought(progress: Progress, group: Group) -> bool:
    """Whether its own order is open or has failed: what is new in the service may be that, or somebody else's."""
    opened = open_at(progress, group)
    actions = [opened.action] if opened else []
    actions += [one.action for one in stuck_at(progress, group)]
    return any(one.verb is Verb.ORDER and one.how != "by-hand" for one in actions)


def pin(tenant: Tenant, group: Group) -> str | None:
    """The service or subscription that the manifest says the group is."""
    if tenant.provider in NUMBERED:
        return group.subscription
    return group.service if group.service != "new" else None


def remembered(progress: Progress, group: Group) -> str | None:
    """The service that the journal says the group is, under its name or, while that is unknown, the one before."""
    known = progress.services.get(group.name)
    if known is None and group.previously:
        known = progress.services.get(group.previously)
    return known[0] if known else None


def product_in(tenant: Tenant, group: Group, lists: Lists, product_of: ProductOf) -> str | None:
    """The product's key; a subscription keeps one that is not sold any more."""
    product = product_of(group.product)
    if product is not None or tenant.provider not in NUMBERED:
        return product
    wanted = group.product.casefold()
    for one in lists.by_scope.get(tenant.service or "", []):
        if wanted in {one.product.casefold(), one.name.casefold()}:
            return one.product
    return None
