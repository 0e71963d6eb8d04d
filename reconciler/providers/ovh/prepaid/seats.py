"""An account's seats by name, and at hand by service: a plan asks for each tenant's own among everybody's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping

from reconciler.core.packing import Packing
from reconciler.providers.ovh.capabilities import PRODUCTS
from reconciler.providers.ovh.wire import Seat

AT_HAND = 30_000
"""How many seats stay unpacked: most accounts have fewer, and pay nothing."""

WORKED_ON = 5_000
"""How many stay unpacked once there were more: those of a portion of tenants, which are planned side by side."""

_SEATS = Packing(dict[str, Seat])


def group_of(seat: str) -> str:
    """The service in front of a seat's number; only for a seat that cannot say itself where it belongs."""
    return seat.rpartition("-")[0] or seat


def service_of(name: str, seat: Seat) -> str:
    """The service a seat belongs to: as it says itself, else as its name does."""
    return seat.tenant_service_name or group_of(name)


def product_of(seat: Seat) -> str:
    """The product of a seat, as a manifest names it."""
    licence = seat.licences[0] if seat.licences else ""
    return PRODUCTS.get(licence, licence)


def unpacked(packed: Iterable[bytes]) -> dict[str, Seat]:
    """Give what `Seats.packed` gave, as seats by name."""
    seats: dict[str, Seat] = {}
    for part in packed:
        seats |= _SEATS.unpack(part)
    return seats


class Seats(MutableMapping[str, Seat]):
    """Every seat as last read, by name.

    A hundred thousand of them stand in one list; looking through it for each tenant would take the square
    of that, so what belongs together is kept together. Beyond `at_hand` seats, services wait in few bytes until
    somebody asks for one of them. untold: the seats that do not tell their licence.
    """

    def __init__(self, *, at_hand: int | None = None) -> None:
        self._at_hand = AT_HAND if at_hand is None else at_hand
        self.untold: set[str] = set()
        self._strays: dict[str, str] = {}  # the services of seats whose names do not tell them
        self._numbers: dict[str, dict[str, int]] = {}  # of each service, how many seats of each product
        self._open: dict[str, dict[str, Seat]] = {}
        self._opened = 0
        self._packed: dict[str, list[bytes]] = {}  # what is not open, in parts as it was read
        self._same: dict[str, bytes] = {}  # of open services, packed: as long as nothing changed there

    def expect(self, number: int) -> None:
        """Be told how many are coming: of more than stay at hand, fewer are open from the first on."""
        if number > self._at_hand:
            self._at_hand = min(self._at_hand, WORKED_ON)

    def add(self, name: str, seat: Seat) -> None:
        """Keep a seat whose name is new: where it belongs is not opened for it."""
        service = service_of(name, seat)
        if service != group_of(name):
            self._strays[name] = service
        product = product_of(seat)
        if not product:
            self.untold.add(name)
        numbers = self._numbers.setdefault(service, {})
        numbers[product] = numbers.get(product, 0) + 1
        self._same.pop(service, None)
        self._open.setdefault(service, {})[name] = seat
        self._opened += 1
        self._make_room(but=service)

    def clear(self) -> None:
        """Forget every seat."""
        for known in (self.untold, self._strays, self._numbers, self._open, self._packed, self._same):
            known.clear()
        self._opened = 0

    def home(self, name: str) -> str:
        """The service a seat belongs to, or would by its name if it is not here; nothing is unpacked for it."""
        return self._strays.get(name) or group_of(name)

    def of(self, service: str) -> list[str]:
        """The names of a service's seats, in order."""
        return sorted(self.group(service))

    def group(self, service: str) -> Mapping[str, Seat]:
        """A service's seats by name, in no order; to be looked at before anything else is asked for."""
        parts = self._packed.pop(service, None)
        if parts is None:
            return self._open.get(service, {})
        seats = self._open.setdefault(service, {})
        whole = parts[0] if len(parts) == 1 and not seats else None
        self._opened -= len(seats)
        seats |= unpacked(parts)
        self._opened += len(seats)
        self._same[service] = whole or _SEATS.pack(seats)
        self._make_room(but=service)
        return seats

    def packed(self, service: str) -> tuple[bytes, ...]:
        """A service's seats as they are now, in parts of few bytes; none where so few are there that all stay open."""
        parts = self._packed.get(service, ())
        if parts and service not in self._open:
            return tuple(parts)
        self.group(service)
        same = self._same.get(service)
        return () if same is None else (same,)

    def numbers(self, service: str) -> Mapping[str, int]:
        """How many seats of each product a service has; nothing is unpacked for it."""
        return self._numbers.get(service, {})

    def services(self) -> set[str]:
        """Every service that has a seat."""
        return set(self._numbers)

    @property
    def strange(self) -> set[str]:
        """The services of seats whose names do not tell them."""
        return set(self._strays.values())

    def shows(self, name: str) -> bool:
        """Whether this is a seat that can be read, or a service with one."""
        return name in self._numbers or name in self

    def __getitem__(self, name: str) -> Seat:
        return self.group(self.home(name))[name]

    def __setitem__(self, name: str, seat: Seat) -> None:
        if name in self:
            del self[name]
        self.group(service_of(name, seat))
        self.add(name, seat)

    def __delitem__(self, name: str) -> None:
        service = self.home(name)
        seats = self.group(service)
        if name not in seats:
            raise KeyError(name)
        product = product_of(self._open[service].pop(name))
        self._opened -= 1
        self._same.pop(service, None)
        self._strays.pop(name, None)
        self.untold.discard(name)
        numbers = self._numbers[service]
        numbers[product] -= 1
        if not numbers[product]:
            del numbers[product]
        if not numbers:
            del self._numbers[service], self._open[service]

    def __iter__(self) -> Iterator[str]:
        for service in tuple(self._numbers):
            yield from tuple(self.group(service))

    def __len__(self) -> int:
        return sum(sum(some.values()) for some in self._numbers.values())

    def _make_room(self, *, but: str) -> None:
        """Pack services where too many are open; what was opened first goes first."""
        if self._opened <= self._at_hand:
            return
        self.expect(self._opened)
        while self._opened > self._at_hand:
            service = next((one for one in self._open if one != but), None)
            if service is None:
                return
            seats = self._open.pop(service)
            self._opened -= len(seats)
            self._packed.setdefault(service, []).append(self._same.pop(service, b"") or _SEATS.pack(seats))
