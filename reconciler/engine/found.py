"""The seats that plans found as written: a line for everybody, kept in few bytes until an apply writes them down."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from typing import overload

import msgspec

Seat = tuple[str, str, str]
"""A group, a login in full, and the login as written."""

_READER: msgspec.msgpack.Decoder[tuple[Seat, ...]] = msgspec.msgpack.Decoder(tuple[Seat, ...])


class Found(Sequence[Seat]):
    """The seats of one plan, packed: counted, and told to whoever goes through them."""

    __slots__ = ("_number", "_packed")

    def __init__(self, seats: Sequence[Seat]) -> None:
        self._number = len(seats)
        self._packed = zlib.compress(msgspec.msgpack.encode(seats), 1)

    def __len__(self) -> int:
        return self._number

    @overload
    def __getitem__(self, at: int) -> Seat: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Seat]: ...
    def __getitem__(self, at: int | slice) -> Seat | Sequence[Seat]:
        return _READER.decode(zlib.decompress(self._packed))[at]

    def __iter__(self) -> Iterator[Seat]:
        return iter(self[:])
