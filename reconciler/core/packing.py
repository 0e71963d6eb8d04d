"""What waits in few bytes until somebody looks at it."""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from msgspec import msgpack

T = TypeVar("T")

EFFORT = 1
"""Of nine: such values repeat themselves, and more effort gains next to nothing."""


class Packing(Generic[T]):
    """Packs values of one type, and gives them back."""

    def __init__(self, kind: type[T]) -> None:
        self._reader = msgpack.Decoder(kind)

    def pack(self, value: Any) -> bytes:
        """Give a value, or one that reads like it, in few bytes."""
        return zlib.compress(msgpack.encode(value), EFFORT)

    def unpack(self, packed: bytes) -> T:
        """Give what was packed, as this type."""
        return self._reader.decode(zlib.decompress(packed))


class Remade(Sequence[T]):
    """A sequence that keeps no items: they are made anew for whoever looks at them."""

    __slots__ = ()

    @abstractmethod
    def made(self) -> Sequence[T]:
        """Make all items."""

    @overload
    def __getitem__(self, at: int) -> T: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[T]: ...
    def __getitem__(self, at: int | slice) -> T | Sequence[T]:
        return self.made()[at]

    def __iter__(self) -> Iterator[T]:
        return iter(self.made())
