"""The seats that plans found as written: a line for everybody, kept in few bytes until an apply writes them down."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.core.packing import Packing, Remade

Seat = tuple[str, str, str]
"""A group, a login in full, and the login as written."""

_SEATS = Packing(tuple[Seat, ...])


class Found(Remade[Seat]):
    """The seats of one plan, packed: counted, and told to whoever goes through them."""

    __slots__ = ("_number", "_packed")

    def __init__(self, seats: Sequence[Seat]) -> None:
        self._number = len(seats)
        self._packed = _SEATS.pack(seats)

    def __len__(self) -> int:
        return self._number

    def made(self) -> Sequence[Seat]:
        """Unpack them."""
        return _SEATS.unpack(self._packed)
