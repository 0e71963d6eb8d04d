"""How one licence group stands: what it is, what is on its way, and how many seats it can give."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

from msgspec import Struct

from reconciler.core.action import Verb
from reconciler.core.claims import names_of, open_at, stuck_at
from reconciler.core.identity import Identity
from reconciler.core.manifest import Group, Tenant
from reconciler.core.model import Address, Holding, Incoming, Place, Renewal, group_address
from reconciler.core.open import Delivery, Open, Stuck
from reconciler.core.progress import Progress
from reconciler.core.provider import Capabilities
from reconciler.core.world import ActualState, World

T = TypeVar("T")

SETTLE = timedelta(minutes=15)
"""For how long after a delivery a list that shows fewer seats than were delivered is not believed."""


class Standing(Struct, frozen=True, kw_only=True):
    """One licence group under planning.

    holding: read in full, when the group exists. open: the open action on the group itself.
    coming: orders at the provider that will join it. open_people: logins with an open action of their own.
    touched: seats that open actions are about. reserved: free seats that open activations will fill.
    elsewhere: people of a pay-as-you-go service that hold another product there.
    late: what was delivered a moment ago and cannot be read yet. ended: an earlier apply cancelled it.
    domain: what is appended to logins; tenant: the name of the tenant.
    """

    group: Group
    identity: Identity
    capabilities: Capabilities
    product: str
    domain: str
    tenant: str = ""
    holding: Holding | None = None
    open: Open | None = None
    stuck: Stuck | None = None
    coming: tuple[Incoming, ...] = ()
    open_people: frozenset[str] = frozenset()
    touched: frozenset[str] = frozenset()
    reserved: int = 0
    elsewhere: frozenset[str] = frozenset()
    late: Delivery | None = None
    ended: bool = False

    @property
    def address(self) -> Address:
        """Where the group stands."""
        return group_address(self.group.name)

    @property
    def ref(self) -> str:
        """The service or subscription that it is; empty while it is none."""
        return self.holding.ref if self.holding else ""

    @property
    def places(self) -> tuple[Place, ...]:
        """Every seat that is read, the ending ones included."""
        return tuple(self.holding.places) if self.holding else ()

    @property
    def pending(self) -> bool:
        """Whether a number of seats is on its way, so that none is planned."""
        if self.open is not None or self.coming or self.stuck is not None or self.late is not None:
            return True
        return self.holding is not None and self.holding.task is not None

    @property
    def active(self) -> bool:
        """Whether people can be placed in it, now or once it is delivered."""
        return self.holding is not None or self.identity.verdict == "order"

    @property
    def cancelled(self) -> bool:
        """Whether the manifest asks for its end."""
        return self.group.state == "cancelled"

    @property
    def stays_until_end(self) -> bool:
        """Whether its people may stay while it comes to its end."""
        return self.cancelled and self.capabilities.pool and not self.ends_now

    @property
    def ends_now(self) -> bool:
        """Whether it is to end at once."""
        return self.group.cancel == "now"

    @property
    def counts_ending(self) -> bool:
        """Whether ending seats count until their end (renewal: off)."""
        return self.group.renewal == "off"

    @property
    def slotted(self) -> bool:
        """Whether its places are its seats, one by one; else seats are a number and places are who sits."""
        return self.capabilities.people and self.capabilities.slots

    @property
    def counted(self) -> int:
        """Seats that stand for `seats` of the manifest."""
        if self.holding is None:
            return 0
        if not self.slotted:
            return self.holding.seats or 0
        return len(self.live if not self.counts_ending else self.places)

    @property
    def live(self) -> tuple[Place, ...]:
        """Seats whose end was not asked for."""
        return tuple(place for place in self.places if place.ends_on is None)

    @property
    def ending(self) -> tuple[Place, ...]:
        """Seats whose end was asked for: those that people sit on, then the last to end first."""
        some = [place for place in self.places if place.ends_on is not None]
        some.sort(key=lambda place: (place.login is not None, place.ends_on, place.ref), reverse=True)
        return tuple(some)

    @property
    def kept(self) -> tuple[Place, ...]:
        """Ending seats that are wanted back, which comes before buying."""
        return () if self.counts_ending else self.ending[: self.growth]

    @property
    def gain(self) -> int:
        """How many people the growth has room for: a kept seat may be taken or not ready."""
        return self.growth - sum(place.login is not None or not place.ready for place in self.kept)

    @property
    def idle(self) -> list[str]:
        """Seats that read as free and that no open action is about; the last are the first to be ended."""
        usable = self.places if self.counts_ending else self.live
        return sorted(
            place.ref
            for place in usable
            if place.login is None and place.ready and place.ref not in self.touched
        )

    @property
    def free(self) -> int | None:
        """Seats that read as free now; None where every person is one seat and no ceiling is written."""
        if not self.capabilities.pool:
            limit = self.limit
            return None if limit is None else max(0, limit - len(self.places) - self.reserved)
        if not self.slotted:
            return max(0, self.counted - len(self.places) - self.reserved)
        usable = self.places if self.counts_ending else self.live
        return sum(place.login is None and place.ready for place in usable) - self.reserved

    @property
    def growth(self) -> int:
        """Seats that the plan will add; nothing replaces those that end because of `renewal: off`."""
        if not self.capabilities.pool or self.pending or self.cancelled or self.group.seats is None:
            return 0
        if self.counts_ending and self.ending:
            return 0
        return max(0, self.group.seats - self.counted)

    @property
    def limit(self) -> int | None:
        """How many people are wanted at most: `seats`, and what one service of the product can hold."""
        limits = [self.group.seats, None if self.capabilities.pool else self._largest]
        return min((one for one in limits if one is not None), default=None)

    @property
    def _largest(self) -> int | None:
        return self.capabilities.max_seats.get(self.product)

    @property
    def ceiling(self) -> int | None:
        """How many people may sit there now; None where nothing limits them."""
        if self.limit is not None and self.pending and self.capabilities.pool:
            return max(self.limit, self.counted)
        return self.limit

    @property
    def can_seat(self) -> bool:
        """Whether the provider seats people at all."""
        support = self.capabilities.verbs.get(Verb.ACTIVATE)
        return self.capabilities.people and support is not None and support.how != "not-at-all"

    @property
    def renewal(self) -> Renewal | None:
        """The renewal that is wanted: as written, or on again once the manifest no longer cancels it."""
        if self.group.renewal is None and self.ended and not self.cancelled:
            return "auto"
        return self.group.renewal


def standing_of(
    tenant: Tenant, group: Group, *, world: World, actual: ActualState, progress: Progress, now: datetime
) -> Standing:
    """Gather what is known of one group; a holding that the full reading leaves out cannot be planned for."""
    capabilities, holdings = world.capabilities, actual.holdings
    holding, identity = _in_full(tenant, group, actual.identities[group.name], holdings)
    product = world.product_of(tenant)(group.product) or group.product
    names = names_of(group)
    opened = [one for one in progress.open.values() if not one.groups.isdisjoint(names)]
    into = holding.ref if holding else identity.scope if identity.verdict == "order" else None
    return Standing(
        group=group,
        identity=identity,
        capabilities=capabilities,
        product=holding.product if holding else product,
        domain=tenant.domain or (holding.domain if holding else "") or actual.organisation.domain,
        tenant=tenant.tenant,
        holding=holding,
        open=open_at(progress, group),
        stuck=_stuck(progress, group, holding),
        coming=_coming(group, holding, into, _unclaimed(world, product)),
        open_people=frozenset(login for one in opened for login in one.logins),
        touched=frozenset(ref for one in opened for ref in one.action.detail.get("targets", ())),
        reserved=_reserved(opened, holding),
        elsewhere=_elsewhere(holding, holdings) if not capabilities.pool else frozenset(),
        ended=group.name in progress.cancelled,
        late=_late(
            _first(progress.delivered.get(name) for name in names),
            holding,
            now,
            slotted=capabilities.people and capabilities.slots,
        ),
    )


def _unclaimed(world: World, product: str) -> tuple[Incoming, ...]:
    """Orders of a product that may be any group's: one that the journal claims joins its own group."""
    return tuple(
        one
        for one in world.lists.incoming.get(product, ())
        if not (one.anywhere and one.ref in world.claims.orders)
    )


def _coming(
    group: Group, holding: Holding | None, into: str | None, found: tuple[Incoming, ...]
) -> tuple[Incoming, ...]:
    """Orders that will join a group, or may: one that nothing tells the service of holds up only a new number."""
    sure = tuple(one for one in found if into is not None and one.into == into)
    if holding is None or group.state == "cancelled" or group.seats in {None, holding.seats}:
        return sure
    return sure or tuple(one for one in found if one.anywhere)


def _stuck(progress: Progress, group: Group, holding: Holding | None) -> Stuck | None:
    """The failed purchase that blocks a group; one by hand no more, once its service is found."""
    return _first(one for one in stuck_at(progress, group) if holding is None or one.action.how != "by-hand")


def _reserved(opened: Iterable[Open], holding: Holding | None) -> int:
    """How many free seats open activations will fill: who sits there already takes none."""
    present = {place.login for place in holding.places} if holding else set()
    return sum(
        one.action.verb is Verb.ACTIVATE and one.action.detail.get("login") not in present for one in opened
    )


def _first(some: Iterable[T | None]) -> T | None:
    return next((one for one in some if one is not None), None)


def _in_full(
    tenant: Tenant, group: Group, identity: Identity, holdings: Iterable[Holding]
) -> tuple[Holding | None, Identity]:
    """A group's holding as it was read; one that cannot be planned for blocks the group instead."""
    outline = identity.holding
    if outline is None:
        return None, identity
    known = (outline.ref, outline.product, outline.scope)
    holding = next((one for one in holdings if (one.ref, one.product, one.scope) == known), None)
    if holding is None:
        said = f"{outline.ref} is listed and cannot be read as {tenant.provider}: correct the pin"
        return None, Identity(verdict="blocked", code="RC4102", reason=said)
    if said := _which_domain(tenant, group, holding):
        return None, Identity(verdict="blocked", code="RC4109", reason=said)
    return holding, identity


def _which_domain(tenant: Tenant, group: Group, holding: Holding) -> str:
    """Why nothing is planned of a group whose people could be in any of several domains; empty when it is sure."""
    if tenant.domain or not holding.domains:
        return ""
    members = [one for one in tenant.users or () if group.name in one.licenses]
    short = [name for one in members for name in (one.login, one.previously) if name and "@" not in name]
    if not short:
        return ""
    domains = ", ".join(holding.domains)
    return f"{holding.ref} has the domains {domains}, and {', '.join(sorted(short))} could be in any: write `domain:`"


def _elsewhere(holding: Holding | None, holdings: Iterable[Holding]) -> frozenset[str]:
    if holding is None:
        return frozenset()
    beside = [one for one in holdings if one.ref == holding.ref and one.product != holding.product]
    return frozenset(place.login for one in beside for place in one.places if place.login)


def _late(
    delivery: Delivery | None, holding: Holding | None, now: datetime, *, slotted: bool
) -> Delivery | None:
    if delivery is None or holding is None or holding.ref != delivery.service:
        return None
    seats = (len(holding.places) if slotted else 0) or holding.seats or 0
    return delivery if seats < delivery.seats and now - delivery.at < SETTLE else None
