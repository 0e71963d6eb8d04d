"""Files that wait for their tenant's turn, in few bytes: who asks gets what was read once, values and places."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from reconciler.core.diagnostic import Path, Position
from reconciler.core.manifest import TENANT, Key, ManifestFile, Tenant, key_of
from reconciler.core.packing import WINDOW, Alike
from reconciler.core.sketch import SketchPerson, sketch
from reconciler.store.yaml import Places, read

SIZES = struct.Struct("<II")
"""In front of what is packed: how many bytes everything but the people takes, and how many the people."""


class Packer:
    """Packs the files of one workspace: they are much alike, and only what differs from the first is kept of each."""

    def __init__(self) -> None:
        self._alike = Alike()

    def pack(self, data: bytes, *, file: str, raw: dict[str, Any] | None) -> Packed:
        """Keep the bytes of one file. raw: its plain values where it is valid, kept so that nobody reads them again."""
        head, people = _messages(raw)
        front = SIZES.pack(len(head), len(people)) + head + people
        packed = self._alike.pack(front + data, like=front[: WINDOW // 2] + data[: WINDOW // 2])
        return Packed(packed, file=file, alike=self._alike)


class Packed:
    """A file as it was read, compressed: its values in front, its bytes behind; gone through, it gives its people."""

    __slots__ = ("_alike", "_bytes", "_places", "file")

    def __init__(self, packed: bytes, *, file: str, alike: Alike) -> None:
        self._alike = alike
        self._bytes = packed
        self._places: Places | None = None
        self.file = file

    def __iter__(self) -> Iterator[SketchPerson]:
        return iter(sketch(self.values()).users)

    def head(self) -> dict[str, Any]:
        """The plain values without the people; empty where the bytes alone are kept."""
        head, _ = self._front(people=False)
        return _value(head)

    def values(self) -> dict[str, Any]:
        """All plain values."""
        head, people = self._front(people=True)
        if head:
            return _value(head) | _value(people)
        found: dict[str, Any] = read(self._data).value
        return found

    def locate(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Tell line and column of a value, or of its key; who asks for one often asks for more."""
        if self._places is None:
            self._places = self.places()
        return self._places.locate(path, at_key=at_key)

    def places(self) -> Places:
        """Tell where values stand, for as long as somebody holds what this gives."""
        data = self._data
        return Places(data, file=self.file, items=read(data).items)

    def opened(self) -> ManifestFile:
        """The tenant in full; only of a file that was found to be valid."""
        return ManifestFile(TENANT.validate_python(self.values()), file=self.file, where=_Later(self))

    @property
    def _data(self) -> bytes:
        whole = self._alike.unpack(self._bytes)
        return whole[SIZES.size + sum(SIZES.unpack_from(whole)) :]

    def _front(self, *, people: bool) -> tuple[bytes, bytes]:
        """Unpack the head's values, and the people's where they are wanted."""
        take = self._alike.reading(self._bytes)
        head, rest = SIZES.unpack(take(SIZES.size))
        return take(head), take(rest) if people else b""


class _Later:
    """Where the values of a packed file stand, read when first asked: of most files nobody does."""

    __slots__ = ("_packed", "_places")

    def __init__(self, packed: Packed) -> None:
        self._packed = packed
        self._places: Places | None = None

    def __call__(self, *path: str | int) -> Position:
        if self._places is None:
            self._places = self._packed.places()
        return self._places(*path)


class PackedFile(ManifestFile):
    """A manifest whose people are not in memory: its head is made anew each time, all the rest by `opened`."""

    __slots__ = ("_key", "_name", "_packed", "_previously", "_service")

    def __init__(
        self, name: str, key: Key, packed: Packed, *, previously: str | None, service: str | None
    ) -> None:
        self.file = packed.file
        self._name = name
        self._key = key
        self._packed = packed
        self._previously = previously
        self._service = service

    @property
    def tenant(self) -> Tenant:
        """The tenant as written, made anew."""
        return self.opened().tenant

    @property
    def name(self) -> str:
        """The tenant's name."""
        return self._name

    @property
    def previously(self) -> str | None:
        """The tenant's old name."""
        return self._previously

    @property
    def key(self) -> Key:
        """What it is bought with, and where its people are kept."""
        return self._key

    @property
    def service(self) -> str | None:
        """The tenant's own service, where one is known."""
        return self._service

    @property
    def head(self) -> Tenant:
        """The tenant without its people."""
        head = TENANT.validate_python(self._packed.head())
        return head if head.service == self._service else head.model_copy(update={"service": self._service})

    def where(self, *path: str | int) -> Position:
        """Tell where a value stands, from the bytes that were read."""
        return Position(self.file, *self._packed.locate(path))

    def opened(self) -> ManifestFile:
        """The same with everything in memory, for as long as somebody holds it."""
        whole = self._packed.opened()
        return whole if self._service in {None, whole.service} else whole.at(str(self._service))

    def at(self, service: str) -> PackedFile:
        """The same file of a tenant whose own service became known."""
        return PackedFile(self._name, self._key, self._packed, previously=self._previously, service=service)


def packed_file(tenant: Tenant, packed: Packed) -> ManifestFile:
    """Keep a valid tenant packed."""
    if not packed.head():
        return packed.opened()
    key = _shared(*key_of(tenant))
    return PackedFile(tenant.tenant, key, packed, previously=tenant.previously, service=tenant.service)


def _messages(raw: dict[str, Any] | None) -> tuple[bytes, bytes]:
    """Give the values without the people, and the people; nothing where there is something that no message holds."""
    if raw is None:
        return b"", b""
    people = {key: value for key, value in raw.items() if key == "users"}
    head = {key: value for key, value in raw.items() if key != "users"}
    try:
        return msgspec.msgpack.encode(head), msgspec.msgpack.encode(people)
    except OverflowError:  # a number of more than 64 bits, where an id may be one
        return b"", b""


def _value(message: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.msgpack.decode(message) if message else {}
    return found


@cache
def _shared(account: str, provider: str, directory: str) -> Key:
    """The key once, however many tenants have it."""
    return account, provider, directory
