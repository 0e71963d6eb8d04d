"""Services that are listed and could not be read: whose plan they hold up, for nothing is bought in their stead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from reconciler.core.claims import NUMBERED, being_bought, claim_of, pin, remembered
from reconciler.core.identity import Identity
from reconciler.core.manifest import Group, Tenant
from reconciler.core.planner import World
from reconciler.core.progress import Progress


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
