"""Which service is which group: its pin, else the journal's, else the only one in the tenant's own service.

What is none of these is to be ordered, unless the account holds something of the product that nobody claims:
nobody buys a second time what only was not pinned (contract, section 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from reconciler.core.manifest import Group, Tenant
from reconciler.core.model import Holding, Snapshot
from reconciler.core.progress import Progress

Verdict = Literal["is", "order", "blocked", "gone"]
Claim = tuple[str, str]
"""A service or subscription, and the product in it."""

ProductOf = Callable[[str], str | None]
"""The product's key at the provider, from its name in the manifest; None when it is not sold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a group is: a holding, something to order (into `scope`, or anew), or why neither is sure."""

    verdict: Verdict
    holding: Holding | None = None
    scope: str | None = None
    reason: str = ""
    code: str = ""
    learnt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """What the whole workspace claims of one account: services by product, and orders by number."""

    services: Mapping[Claim, tuple[str, str]] = field(default_factory=dict)
    orders: frozenset[str] = frozenset()

    def others(self, claim: Claim, tenant: str, group: str) -> tuple[str, str] | None:
        """Who else claims it."""
        owner = self.services.get(claim)
        return owner if owner and owner != (tenant, group) else None


def claims(
    tenants: Iterable[Tenant], progress: Mapping[str, Progress], product_of: Callable[[Tenant], ProductOf]
) -> Claims:
    """Gather every pin, everything the journal remembers, and each tenant's own service."""
    services: dict[Claim, tuple[str, str]] = {}
    orders: set[str] = set()
    for tenant in tenants:
        remembered = progress.get(tenant.tenant, Progress())
        orders |= remembered.orders
        for group in tenant.license_groups:
            product = product_of(tenant)(group.product) or group.product
            ref = pin(tenant, group) or _remembered(remembered, group)
            if ref is not None:
                services.setdefault((ref, product), (tenant.tenant, group.name))
            elif tenant.service and group.service is None and tenant.provider != "ovh-csp2":
                services.setdefault((tenant.service, product), (tenant.tenant, group.name))
    return Claims(services=services, orders=frozenset(orders))


def pin(tenant: Tenant, group: Group) -> str | None:
    """The service or subscription that the manifest says the group is."""
    if tenant.provider in {"ovh-csp2", "partner-center"}:
        return group.subscription
    return group.service if group.service != "new" else None


def _remembered(progress: Progress, group: Group) -> str | None:
    known = progress.services.get(group.name)
    if known is None and group.previously and group.previously in progress.services:
        known = progress.services[group.previously]
    return known[0] if known else None


def identify(
    tenant: Tenant,
    group: Group,
    *,
    snapshot: Snapshot,
    progress: Progress,
    claimed: Claims,
    product_of: ProductOf,
) -> Identity:
    """Say what a group is."""
    product = product_of(group.product)
    if product is None:
        return Identity(
            verdict="blocked", reason=f"{tenant.provider} does not sell {group.product!r} to this tenant"
        )
    ref = pin(tenant, group) or _remembered(progress, group)
    if ref is not None:
        return _known(tenant, group, ref, product, snapshot, progress)
    if tenant.service is not None and group.service != "new":
        inside = _inside(tenant, group, product, snapshot, claimed)
        if inside is not None:
            return inside
    return _to_order(tenant, group, product, snapshot, claimed)


def _known(
    tenant: Tenant, group: Group, ref: str, product: str, snapshot: Snapshot, progress: Progress
) -> Identity:
    remembered = progress.services.get(group.name)
    if remembered and remembered[0] == ref and remembered[1] not in {"", product, group.product}:
        return Identity(
            verdict="blocked",
            reason=f"the product was {remembered[1]} and cannot be changed in place: "
            "add a group, move the people, then cancel this one",
            code="RC4101",
        )
    same = snapshot.of(ref)
    holding = next((one for one in same if one.product == product), None)
    learnt = remembered is None or remembered[0] != ref
    if holding is not None:
        return Identity(verdict="is", holding=holding, learnt=learnt)
    return _known_without_product(tenant, group, ref, same, snapshot, progress)


def _known_without_product(
    tenant: Tenant,
    group: Group,
    ref: str,
    same: list[Holding],
    snapshot: Snapshot,
    progress: Progress,
) -> Identity:
    if group.state == "cancelled":
        return Identity(verdict="gone")
    if same and tenant.provider == "ovh-csp2":
        return Identity(
            verdict="blocked",
            reason=f"subscription {ref} is {same[0].name or same[0].product}, not {group.product}: "
            "a product cannot be changed in place; add a group, move the people, then cancel this one",
            code="RC4101",
        )
    if same and tenant.provider == "ovh-prepaid":
        return Identity(verdict="order", scope=ref)
    if group.name in progress.cancelled and pin(tenant, group) is None:
        return Identity(verdict="order", scope=_own(tenant, snapshot))
    return Identity(
        verdict="blocked",
        reason=f"{ref} is not in account {tenant.account} any more (or not yet): "
        "correct the pin, or write `service: new` on a group of another name to buy one",
        code="RC4102",
    )


def _own(tenant: Tenant, snapshot: Snapshot) -> str | None:
    return tenant.service if snapshot.inside(tenant.service) else None


def _inside(
    tenant: Tenant, group: Group, product: str, snapshot: Snapshot, claimed: Claims
) -> Identity | None:
    own = snapshot.inside(tenant.service)
    free = [
        one
        for one in own
        if one.product == product and claimed.others((one.ref, product), tenant.tenant, group.name) is None
    ]
    if len(free) > 1:
        names = " and ".join(one.ref for one in free)
        key = "subscription" if tenant.provider in {"ovh-csp2", "partner-center"} else "service"
        return Identity(
            verdict="blocked",
            reason=f"{names} could each be this group: write `{key}:` in group {group.name} to say which",
            code="RC4103",
        )
    if free:
        return Identity(verdict="is", holding=free[0], learnt=True)
    return None


def _to_order(tenant: Tenant, group: Group, product: str, snapshot: Snapshot, claimed: Claims) -> Identity:
    if group.state == "cancelled":
        return Identity(verdict="gone")
    scope = tenant.service
    if scope is not None and not snapshot.inside(scope) and _lists(tenant):
        return Identity(
            verdict="blocked",
            reason=f"service {scope} of this tenant is not in account {tenant.account}",
            code="RC4102",
        )
    loose = [
        one.ref
        for one in snapshot.holdings
        if one.product == product
        and (one.ref, product) not in claimed.services
        and one.ref not in group.beside
        and one.seats != 0
        and (tenant.provider != "ovh-csp2" or one.scope == scope)
    ]
    if loose:
        return Identity(verdict="blocked", reason=_unclaimed(group, loose), code="RC4104")
    orders = [
        one.ref
        for one in snapshot.incoming
        if one.product == product
        and one.ref not in claimed.orders
        and (one.into is None or (one.into, product) not in claimed.services)
    ]
    if orders:
        return Identity(
            verdict="blocked",
            reason=f"order {', '.join(orders)} of {group.product} is on its way and nobody claims it: "
            "wait until it is delivered, then pin its service",
            code="RC4105",
        )
    return Identity(verdict="order", scope=scope)


def _lists(tenant: Tenant) -> bool:
    return tenant.provider in {"ovh-payg", "ovh-prepaid"}


def _unclaimed(group: Group, refs: list[str]) -> str:
    names = ", ".join(sorted(refs))
    if group.service == "new":
        return (
            f"the account also holds {names} of {group.product}, which no group claims: "
            "add it to `beside:` if this group is really another one"
        )
    return (
        f"the account holds {names} of {group.product}, which no group claims: pin it with "
        f"`service: {min(refs)}`, or write `service: new` with `beside:` to buy another one"
    )
