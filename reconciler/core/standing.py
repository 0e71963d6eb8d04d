"""How one licence group stands: what it is, what is on its way, and how many seats it can give."""

from __future__ import annotations

from dataclasses import dataclass

from reconciler.core.identity import Identity
from reconciler.core.manifest import Group
from reconciler.core.model import Address, Holding, Incoming, Place, group_address
from reconciler.core.progress import Open, Stuck
from reconciler.core.provider import Capabilities


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One licence group under planning.

    holding: read in full, when the group exists. open: the open action on the group itself.
    coming: orders at the provider that will join it. open_people: logins with an open action of their own.
    """

    group: Group
    identity: Identity
    capabilities: Capabilities
    product: str
    domain: str
    holding: Holding | None = None
    open: Open | None = None
    stuck: Stuck | None = None
    coming: tuple[Incoming, ...] = ()
    open_people: frozenset[str] = frozenset()
    reserved: int = 0

    @property
    def address(self) -> Address:
        """Where the group stands."""
        return group_address(self.group.name)

    @property
    def places(self) -> tuple[Place, ...]:
        """Every seat that is read, the ending ones included."""
        return self.holding.places if self.holding else ()

    @property
    def pending(self) -> bool:
        """Whether a number of seats is on its way, so that none is planned."""
        if self.open is not None or self.coming or self.stuck is not None:
            return True
        return self.holding is not None and self.holding.task is not None

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
    def counted(self) -> int:
        """Seats that stand for `seats` of the manifest."""
        if self.holding is None:
            return 0
        if not self.capabilities.people:
            return self.holding.seats or 0
        return len(self.live if not self.counts_ending else self.places)

    @property
    def live(self) -> tuple[Place, ...]:
        """Seats whose end was not asked for."""
        return tuple(place for place in self.places if place.ends_on is None)

    @property
    def ending(self) -> tuple[Place, ...]:
        """Seats whose end was asked for, the last to end first."""
        some = [place for place in self.places if place.ends_on is not None]
        return tuple(
            sorted(some, key=lambda place: (place.ends_on or place.renews_on, place.ref), reverse=True)
        )

    @property
    def free(self) -> int | None:
        """Seats that read as free now; None where every person is one seat and no ceiling is written."""
        if not self.capabilities.pool:
            seats = self.group.seats
            return None if seats is None else max(0, seats - len(self.places) - self.reserved)
        usable = self.places if self.counts_ending else self.live
        return sum(place.login is None and place.ready for place in usable) - self.reserved

    @property
    def growth(self) -> int:
        """Seats that the plan will add."""
        if not self.capabilities.pool or self.pending or self.cancelled or self.group.seats is None:
            return 0
        return max(0, self.group.seats - self.counted)

    def room(self, seated: int) -> int | None:
        """How many more may sit beside `seated` people; None where there is no ceiling."""
        if self.group.seats is None:
            return None
        ceiling = self.group.seats
        if self.pending and self.capabilities.pool:
            ceiling = max(ceiling, self.counted)
        return ceiling - seated - self.reserved
