"""A service's seats as the planner sees them: one holding a product, and what a person should know of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from reconciler.core.model import Holding, Place
from reconciler.core.packing import Remade
from reconciler.providers.ovh.prepaid.seats import product_of, unpacked
from reconciler.providers.ovh.wire import Seat, Service


class Outline(Remade[Place]):
    """The places of a holding as they were listed: counted, and made anew for whoever looks at them."""

    __slots__ = ("_missing", "_number", "_packed", "_product")

    def __init__(
        self, product: str, number: int, packed: tuple[bytes, ...], missing: Mapping[str, str]
    ) -> None:
        self._number = number
        self._product = product
        self._packed = packed
        self._missing = missing

    def __len__(self) -> int:
        return self._number

    def made(self) -> Sequence[Place]:
        """Make the places of the service anew, and take this product's."""
        return places(unpacked(self._packed), self._missing, {})[self._product]


def numbers(told: Mapping[str, int], missing: Mapping[str, str], untold: AbstractSet[str]) -> dict[str, int]:
    """Count the seats of a service by product, as `places` would show them.

    told: how many tell which product. untold: the seats that tell none, of all services.
    """
    found = Counter(told)
    found.update(missing.values())
    found[""] -= len(missing.keys() & untold)
    return {product: number for product, number in found.items() if number}


def places(
    seats: Mapping[str, Seat], missing: Mapping[str, str], records: Mapping[str, Service]
) -> dict[str, list[Place]]:
    """Show the seats of a service by product.

    missing: the products of those that do not tell theirs, and of those that are listed and cannot be read.
    """
    found: dict[str, list[Place]] = {}
    for name, seat in sorted(seats.items(), key=lambda pair: pair[0]):
        product = product_of(seat) or missing.get(name, "")
        found.setdefault(product, []).append(place(name, seat, records.get(name)))
    for name, product in missing.items():
        if name not in seats:
            found.setdefault(product, []).append(Place(ref=name, ready=False))
    return found


def place(name: str, seat: Seat, record: Service | None) -> Place:
    """Show one seat; one that does not tell its licence is as good as being worked on."""
    busy = seat.task_pending_id
    return Place(
        ref=name,
        login=seat.login,
        first_name="" if seat.free else seat.first_name,
        last_name="" if seat.free else seat.last_name,
        country=seat.usage_location.lower() or None,
        ready=seat.settled and bool(seat.licences),
        task=str(busy) if busy else None,
        ends_on=record.expiration if record and record.ending else None,
        renews_on=record.expiration if record else None,
    )


def holding(
    service: str,
    product: str,
    places: Sequence[Place],
    records: Mapping[str, Service] | None,
    lapsed: Sequence[str],
) -> Holding:
    """Show the seats of one product; dates only with `records`. lapsed: seats that expired and are still listed."""
    bare = Holding(
        ref=service,
        product=product,
        scope=service,
        seats=len(places),
        places=places,
        domain=service,
        notices=tuple(_lapsed(lapsed)),
        fixed=_fixed(lapsed),
    )
    if not records:
        return bare
    ends = [one.ends_on for one in places]
    renews = [one.renews_on for one in places if one.renews_on and not one.ends_on]
    over = all(ends)
    return replace(
        bare,
        renewal="off" if over else "auto",
        renews_on=min(renews, default=None),
        ends_on=max((day for day in ends if day), default=None) if over else None,
        notices=(*_paid_by_hand(places, records), *bare.notices),
    )


def _paid_by_hand(places: Sequence[Place], records: Mapping[str, Service]) -> Iterator[str]:
    found = [one for place in places if (one := records.get(place.ref)) and one.by_hand]
    if found:
        day = min((one.expiration for one in found if one.expiration), default=None)
        count = f"{len(found)} of {len(places)} seats"
        yield f"automatic renewal of {count} is off at OVHcloud: somebody has to pay before {day}"


def _lapsed(lapsed: Sequence[str]) -> Iterator[str]:
    if lapsed:
        yield f"{', '.join(lapsed)} expired, and is not counted"


def _fixed(lapsed: Sequence[str]) -> str:
    """Why no seats are bought: some have expired, and paying would bring them back beside those."""
    if not lapsed:
        return ""
    names = ", ".join(lapsed)
    return (
        f"{names} expired: pay the renewal in the OVHcloud Control Panel, or wait until it is listed no more"
    )
