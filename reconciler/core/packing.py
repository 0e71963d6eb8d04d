"""What waits in few bytes until somebody looks at it."""

from __future__ import annotations

import zlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

from msgspec import msgpack

T = TypeVar("T")

EFFORT = 3
"""Of nine: what is packed repeats itself, and more effort gains next to nothing."""

WINDOW = 32 * 1024
"""How far back zlib looks for what is alike, in bytes."""


class Alike:
    """Packs bytes that are much like the first of them: only what differs from those is kept."""

    def __init__(self) -> None:
        self._like = b""
        self._primed: Any = None

    def pack(self, data: bytes, *, like: bytes = b"") -> bytes:
        """Give bytes in few. like: of the first, what the others will be like, where that is not its beginning."""
        if self._primed is None:
            self._like = like or data[:WINDOW]
            self._primed = zlib.compressobj(EFFORT, zdict=self._like)
        packer = self._primed.copy()  # a third faster than one that has to look at the first again
        return bytes(packer.compress(data) + packer.flush())

    def unpack(self, packed: bytes) -> bytes:
        """Give what was packed."""
        return zlib.decompressobj(zdict=self._like).decompress(packed)

    def reading(self, packed: bytes) -> Callable[[int], bytes]:
        """Give what hands out the next so many bytes of what was packed: nobody pays for those behind them."""
        stream = zlib.decompressobj(zdict=self._like)
        left = packed

        def read(size: int) -> bytes:
            nonlocal left
            if not size:  # which zlib would take for "all there is"
                return b""
            found = stream.decompress(left, size)
            left = stream.unconsumed_tail
            return found

        return read


class Packing(Generic[T]):
    """Packs values of one type, and gives them back."""

    def __init__(self, kind: type[T]) -> None:
        self._alike = Alike()
        self._reader = msgpack.Decoder(kind)

    def pack(self, value: Any) -> bytes:
        """Give a value, or one that reads like it, in few bytes."""
        return self._alike.pack(msgpack.encode(value))

    def unpack(self, packed: bytes) -> T:
        """Give what was packed, as this type."""
        return self._reader.decode(self._alike.unpack(packed))


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
