"""Which service is which group: its pin, else the journal's, else the only one in the tenant's own service.

What is none of these is to be ordered, unless the account holds something of the product that nobody claims:
nobody buys a second time what only was not pinned (contract, section 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from reconciler.core.claims import (
    NUMBERED,
    Claims,
    Lists,
    ProductOf,
    being_bought,
    claim_of,
    claims,
    open_at,
    pin,
    product_in,
    remembered,
    stuck_at,
)
from reconciler.core.manifest import Group, Tenant
from reconciler.core.model import Holding
from reconciler.core.progress import Progress

__all__ = ["Claims", "Identity", "Lists", "ProductOf", "claims", "identify", "identify_all"]

Verdict = Literal["is", "order", "blocked", "gone"]
IN_PLACE = "cannot be changed in place: add a group, move the people, then cancel this one"


class Identity(Struct, frozen=True, kw_only=True):
    """What a group is: a holding, something to order (into `scope`, or anew), or why neither is sure."""

    verdict: Verdict
    holding: Holding | None = None
    scope: str | None = None
    reason: str = ""
    code: str = ""
    learnt: bool = False


class _Case(Struct, frozen=True, kw_only=True):
    """One group whose identity is asked for."""

    tenant: Tenant
    group: Group
    product: str
    lists: Lists
    progress: Progress
    claimed: Claims

    def foreign(self, ref: str, product: str) -> tuple[str, str] | None:
        """Who else claims a holding."""
        claim = claim_of(self.tenant, ref, product)
        return self.claimed.others(claim, self.tenant.tenant, self.group.name)

    @property
    def ours(self) -> list[Holding]:
        """What lives in the tenant's own service."""
        return self.lists.by_scope.get(self.tenant.service or "", [])


def identify_all(
    tenant: Tenant, *, lists: Lists, progress: Progress, claimed: Claims, product_of: ProductOf
) -> dict[str, Identity]:
    """Say what each group of a tenant is; one holding is never two groups."""
    found = {
        group.name: identify(
            tenant, group, lists=lists, progress=progress, claimed=claimed, product_of=product_of
        )
        for group in tenant.license_groups
    }
    sharing: dict[tuple[str, str], list[str]] = {}
    for name, one in found.items():
        if one.holding is not None:
            sharing.setdefault((one.holding.ref, one.holding.product), []).append(name)
    for (ref, _), names in sharing.items():
        if len(names) > 1:
            blocked = _blocked("RC4107", f"{ref} could be {' or '.join(sorted(names))}: {_pin_it(tenant)}")
            found |= dict.fromkeys(names, blocked)
    return found | _into_one(tenant, found, progress, product_of)


def _into_one(
    tenant: Tenant, found: Mapping[str, Identity], progress: Progress, product_of: ProductOf
) -> dict[str, Identity]:
    """Block the groups that would be ordered into one service, which holds a product only once."""
    if tenant.provider in NUMBERED:
        return {}
    places: dict[tuple[str, str], list[str]] = {}
    for group in tenant.license_groups:
        one = found[group.name]
        if one.verdict == "order" and one.scope is not None and not being_bought(progress, group):
            product = product_of(group.product) or group.product
            places.setdefault((one.scope, product), []).append(group.name)
    blocked: dict[str, Identity] = {}
    for (scope, product), names in places.items():
        if len(names) > 1:
            said = f"{' and '.join(sorted(names))} would both be {product} in {scope}, which holds it once"
            one = _blocked(
                "RC4107", f"{said}: write `service: {scope}` in one and `service: new` in the other"
            )
            blocked |= dict.fromkeys(names, one)
    return blocked


def identify(
    tenant: Tenant,
    group: Group,
    *,
    lists: Lists,
    progress: Progress,
    claimed: Claims,
    product_of: ProductOf,
) -> Identity:
    """Say what a group is."""
    product = product_in(tenant, group, lists, product_of)
    if product is None:
        return _blocked("RC4108", _not_sold(tenant, group, lists))
    case = _Case(tenant=tenant, group=group, product=product, lists=lists, progress=progress, claimed=claimed)
    ref = pin(tenant, group) or remembered(progress, group)
    if ref is not None:
        return _known(case, ref)
    if tenant.service is not None and group.service != "new" and not being_bought(progress, group):
        inside = _inside(case)
        if inside is not None:
            return inside
    return _to_order(case)


def _blocked(code: str, reason: str) -> Identity:
    return Identity(verdict="blocked", code=code, reason=reason)


def _not_sold(tenant: Tenant, group: Group, lists: Lists) -> str:
    said = f"{tenant.provider} does not sell {group.product!r} to this tenant"
    if tenant.provider in NUMBERED and tenant.service not in lists.by_scope:
        said += f", or {tenant.service} is not in account {tenant.account}"
    return said


def _known(case: _Case, ref: str) -> Identity:
    known = _memory(case)
    if known and known[0] == ref and known[1] not in {"", case.product, case.group.product}:
        return _blocked("RC4101", f"the product was {known[1]} and {IN_PLACE}")
    owner = case.foreign(ref, case.product)
    if owner is not None:
        whose = f"group {owner[1]} of tenant {owner[0]}"
        if pin(case.tenant, case.group) is not None:
            return _blocked("RC4107", f"{ref} is {whose}: correct the pin of one")
        said = f"{ref}, which the journal remembers as this group, is {whose}"
        return _blocked("RC4107", f"{said}: pin what this group is, or give it a name that no group had")
    same = case.lists.by_ref.get(ref, [])
    if case.tenant.provider in NUMBERED:
        same = [one for one in same if one.scope == case.tenant.service]
    holding = next((one for one in same if one.product == case.product), None)
    if holding is not None:
        direct = case.progress.services.get(case.group.name)
        return Identity(verdict="is", holding=holding, learnt=direct is None or direct[0] != ref)
    return _vanished(case, ref, same)


def _memory(case: _Case) -> tuple[str, str, str] | None:
    """What the journal knows of the group, under its name or the one before."""
    services = case.progress.services
    return services.get(case.group.name) or services.get(case.group.previously or "")


def _vanished(case: _Case, ref: str, same: list[Holding]) -> Identity:
    """A pinned or remembered holding that is not there, or is there with another product."""
    if case.group.state == "cancelled":
        return Identity(verdict="gone")
    if same and case.tenant.provider in NUMBERED:
        what = same[0].name or same[0].product
        said = f"subscription {ref} is {what}, not {case.group.product}: a product {IN_PLACE}"
        return _blocked("RC4101", said)
    known = _memory(case)
    delivered = known is not None and known[0] == ref
    ended = case.group.name in case.progress.cancelled
    if same and case.tenant.provider == "ovh-prepaid" and (ended or not delivered):
        return Identity(verdict="order", scope=ref)
    if ended and pin(case.tenant, case.group) is None:
        own = case.tenant.service
        return Identity(verdict="order", scope=own if case.ours else None)
    gone = f"{case.group.product} in {ref}" if same else ref
    return _blocked(
        "RC4102",
        f"{gone} is not in account {case.tenant.account} any more (or not yet): "
        "correct the pin, or write `service: new` on a group of another name to buy one",
    )


def _inside(case: _Case) -> Identity | None:
    """Look for the one holding of the product in the tenant's own service that nobody else claims."""
    free = [
        one for one in case.ours if one.product == case.product and case.foreign(one.ref, one.product) is None
    ]
    if len(free) > 1:
        names = " and ".join(one.ref for one in free)
        said = f"{names} could each be group {case.group.name}: {_pin_it(case.tenant)}"
        return _blocked("RC4103", said)
    return Identity(verdict="is", holding=free[0], learnt=True) if free else None


def _pin_it(tenant: Tenant) -> str:
    key = "subscription" if tenant.provider in NUMBERED else "service"
    return f"write `{key}:` in the group to say which"


def _to_order(case: _Case) -> Identity:
    tenant, product = case.tenant, case.product
    if case.group.state == "cancelled":
        return Identity(verdict="gone")
    scope = tenant.service
    if scope is not None and not case.ours and tenant.provider not in NUMBERED:
        said = f"service {scope} of this tenant is not in account {tenant.account}"
        return _blocked("RC4102", said)
    if open_at(case.progress, case.group) is not None or stuck_at(case.progress, case.group):
        # What is new in the account may be its own order's, which is open or has failed: nothing is planned.
        return Identity(verdict="order", scope=scope)
    loose = sorted({one.ref for one in case.lists.by_product.get(product, []) if _is_loose(case, one)})
    if loose:
        return _blocked("RC4104", _unclaimed(case.group, loose))
    numbers = [one.ref for one in case.lists.incoming.get(product, []) if _nobodys(case, one.ref, one.into)]
    if numbers:
        return _blocked(
            "RC4105",
            f"order {', '.join(sorted(numbers))} of {case.group.product} is on its way and nobody claims it: "
            "wait until it is delivered, then pin its service",
        )
    if scope is not None and (case.group.service == "new" or case.foreign(scope, product)):
        # Its place in the tenant's own service is another group's, so it becomes a service of its own.
        return Identity(verdict="order", scope=scope if tenant.provider in NUMBERED else None)
    return Identity(verdict="order", scope=scope)


def _is_loose(case: _Case, one: Holding) -> bool:
    if one.ref in case.group.beside or one.seats == 0:
        return False
    if case.tenant.provider in NUMBERED and one.scope != case.tenant.service:
        return False
    if one.seats is None and one.ref in case.claimed.refs:
        return False  # a claimed service whose products have not been told apart
    return claim_of(case.tenant, one.ref, one.product) not in case.claimed.services


def _nobodys(case: _Case, order: str, into: str | None) -> bool:
    if order in case.claimed.orders:
        return False
    if case.tenant.provider in NUMBERED and into is not None and into != case.tenant.service:
        return False  # another customer's
    return into is None or claim_of(case.tenant, into, case.product) not in case.claimed.services


def _unclaimed(group: Group, refs: list[str]) -> str:
    names = ", ".join(refs)
    if group.service == "new":
        return (
            f"the account also holds {names} of {group.product}, which no group claims: "
            "add it to `beside:` if this group is really another one"
        )
    return (
        f"the account holds {names} of {group.product}, which no group claims: pin it with "
        f"`service: {refs[0]}`, or write `service: new` with `beside:` to buy another one"
    )
