"""A service's people as the planner sees them: one holding a product, and which domain their logins are in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from reconciler.core.model import Holding, Place
from reconciler.providers.ovh.capabilities import LICENCES, PRODUCTS
from reconciler.providers.ovh.lists import Listing
from reconciler.providers.ovh.wire import Member, Service, Tenant


def holdings(
    tenant: Tenant,
    found: Listing[Member],
    record: Service | None,
    *,
    service: str,
    domains: Sequence[str],
    notices: Iterable[str],
) -> Iterator[Holding]:
    """Show a service as the holdings of its products, each with its people; `domains`, all that it has.

    Raises what kept somebody from being read.
    """
    members = found.whole()
    domain = _domain(service, domains, [*members, *found.missing])
    lost = _lost(found)
    said = (*notices, *_unpaid(record))
    for product, some in _by_product(members, record).items():
        yield Holding(
            ref=service,
            product=product,
            scope=service,
            seats=len(some),
            places=(*some, *lost),
            renewal=None if record is None else "off" if record.ending else "auto",
            renews_on=record.expiration if record and not record.ending else None,
            ends_on=record.expiration if record and record.ending else None,
            domain=domain,
            domains=() if domain else tuple(domains),
            name=tenant.display_name,
            status=tenant.status,
            notices=said,
        )


def _by_product(members: Mapping[str, Member], record: Service | None) -> dict[str, list[Place]]:
    """Everybody's place under each product they have; the products that are sold stand there without anybody, too."""
    places: dict[str, list[Place]] = {product: [] for product in LICENCES}
    for name, member in members.items():
        for licence in member.licences:
            places.setdefault(PRODUCTS.get(licence, licence), []).append(_place(name, member, record))
    return places


def _lost(found: Listing[Member]) -> tuple[Place, ...]:
    """Who is listed and does not tell a licence, or cannot be read at all, and so may be of either product."""
    untold = {name for name, member in found.objects.items() if not member.licences}
    return tuple(
        Place(ref=name, login=name.lower(), ready=False) for name in sorted({*found.missing, *untold})
    )


def _unpaid(record: Service | None) -> Iterator[str]:
    if record is not None and record.by_hand:
        yield f"automatic renewal is off at OVHcloud: somebody has to pay before {record.expiration}"


def _domain(service: str, names: Sequence[str], logins: Iterable[str]) -> str:
    """Which domain logins without @ are in: its own, the only one, or that of everybody; empty when none is sure.

    The order of the list decides nothing: another one would rename everybody.
    """
    if service in names:
        return service
    used = {login.lower().partition("@")[2] for login in logins}
    sure = names if len(names) == 1 else [name for name in names if used == {name.lower()}]
    return sure[0] if sure else ""


def _place(name: str, member: Member, record: Service | None) -> Place:
    expiration = record.expiration if record else None
    return Place(
        ref=name,
        login=member.login,
        first_name=member.first_name,
        last_name=member.last_name,
        country=member.usage_location.lower() or None,
        ready=member.settled,
        task=str(member.task_pending_id) if member.task_pending_id else None,
        ends_on=expiration if member.delete_at_expiration else None,
        renews_on=None if member.delete_at_expiration else expiration,
    )
