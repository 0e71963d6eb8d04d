"""What could not be read, is left out of a list or is under way elsewhere: whose plan it holds up.

Nothing is bought in its stead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol, runtime_checkable

from reconciler.core.claims import NUMBERED, being_bought, claim_of, pin, remembered
from reconciler.core.identity import Identity
from reconciler.core.manifest import Group, Tenant
from reconciler.core.progress import Progress
from reconciler.core.world import World


@runtime_checkable
class Vouching(Protocol):
    """An account that can look for a single seat which its list does not name."""

    async def still_there(self, names: Iterable[str]) -> tuple[str, ...]:
        """Which of these seats there are, whatever the list says. Raises what reading raises."""
        ...


def vanished(tenant: Tenant, found: Mapping[str, Identity], progress: Progress) -> tuple[str, ...]:
    """Seats that were delivered to a group and that its list names no more, where others would be bought for them."""
    lost: set[str] = set()
    for group in tenant.license_groups:
        holding, delivery = found[group.name].holding, progress.delivered.get(group.name)
        if holding is None or delivery is None or holding.ref != delivery.service:
            continue
        if len(holding.places) < (group.seats or 0):
            lost |= {*delivery.full_names} - {place.ref for place in holding.places}
    return tuple(sorted(lost))


def elsewhere(tenant: Tenant, progress: Progress) -> str:
    """Say why a tenant that another seller still does something for cannot go on with the one its file names now."""
    for one in progress.open.values():
        before = str(one.action.detail.get("provider") or tenant.provider)
        if before == tenant.provider or one.action.how == "by-hand" or one.stage == "in-doubt":
            continue  # what only a person settles asks no seller
        number = f" (ref {one.ref})" if one.ref else ""
        account = one.action.detail.get("account") or tenant.account
        return (
            f"{one.action.verb} {one.action.address}{number} was begun with `provider: {before}` and "
            f"`account: {account}` and is not done, and {tenant.provider} cannot tell what becomes of it: "
            "write them again, `reconciler resume` until it is done, then change them"
        )
    return ""


def unread(tenant: Tenant, found: Mapping[str, Identity], world: World, progress: Progress) -> str:
    """Say why nothing of a tenant can be planned: a service of its own could not be read, or one that may be.

    A group that nothing pins is ordered once no service of its product is unclaimed; one that could not be read
    tells no product, so it may be just that group.
    """
    failed = world.snapshot.failed
    for scope in sorted(_near(tenant, found, progress) & failed.keys()):
        return failed[scope]
    if tenant.provider in NUMBERED:
        return ""  # an order goes into the tenant's own service, and others are other customers'
    for group in tenant.license_groups:
        if found[group.name].verdict == "order" and not being_bought(progress, group):
            for scope in _loose(tenant, group, world):
                return f"{scope} may be group/{group.name}, and it could not be read: {failed[scope]}"
    return ""


def _near(tenant: Tenant, found: Mapping[str, Identity], progress: Progress) -> set[str]:
    """The services that a tenant's groups are, or go into, as far as anything says so."""
    named = {
        ref for group in tenant.license_groups for ref in (pin(tenant, group), remembered(progress, group))
    }
    inside = {one.holding.scope if one.holding else one.scope for one in found.values()}
    return {scope for scope in (tenant.service, *named, *inside) if scope is not None}


def _loose(tenant: Tenant, group: Group, world: World) -> Iterator[str]:
    """The services that could not be read and of which nobody claims the group's product."""
    product = world.product_of(tenant)(group.product) or group.product
    for scope in sorted(world.snapshot.failed):
        claimed = claim_of(tenant, scope, product) in world.claims.services
        if not claimed and scope not in group.beside:
            yield scope
