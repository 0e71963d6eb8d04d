"""An account's seats by name, and at hand by service: a plan asks for each tenant's own among everybody's."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from reconciler.providers.ovh.wire import Seat


def service_of(name: str, seat: Seat) -> str:
    """The service a seat belongs to: as it says itself, else as its name does."""
    return seat.tenant_service_name or name.rpartition("-")[0] or name


class Seats(MutableMapping[str, Seat]):
    """Every seat as last read, by name.

    A hundred thousand of them stand in one list; looking through it for each tenant would take the square
    of that, so what belongs together is kept together.
    """

    def __init__(self) -> None:
        self._all: dict[str, Seat] = {}
        self._names: dict[str, set[str]] = {}

    def of(self, service: str) -> list[str]:
        """The names of a service's seats, in order."""
        return sorted(self._names.get(service, ()))

    def services(self) -> set[str]:
        """Every service that has a seat."""
        return {service for service, names in self._names.items() if names}

    def __getitem__(self, name: str) -> Seat:
        return self._all[name]

    def __setitem__(self, name: str, seat: Seat) -> None:
        if name in self._all:
            del self[name]
        self._all[name] = seat
        self._names.setdefault(service_of(name, seat), set()).add(name)

    def __delitem__(self, name: str) -> None:
        self._names[service_of(name, self._all.pop(name))].discard(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)
