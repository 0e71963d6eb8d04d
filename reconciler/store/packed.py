"""Files that wait for their tenant's turn, in few bytes: who asks reads them again from what was read once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec

from reconciler.core.diagnostic import Path, Position
from reconciler.core.manifest import TENANT, Key, ManifestFile, Tenant, key_of
from reconciler.core.sketch import SketchPerson, sketch
from reconciler.store.yaml import Places, read

EFFORT = 3
"""Of nine: a manifest repeats its keys, and more effort gains next to nothing."""

WINDOW = 32 * 1024
"""How far back zlib looks for what is alike."""


class Packer:
    """Packs the files of one workspace: they are much alike, and only what differs from the first is kept of each."""

    def __init__(self) -> None:
        self._like = b""

    def pack(self, data: bytes, *, file: str) -> Packed:
        """Keep the bytes of one file."""
        self._like = self._like or data[:WINDOW]
        return Packed(data, file=file, like=self._like)


class Packed:
    """A file's bytes as they were read, compressed; gone through, it gives the people of its sketch."""

    __slots__ = ("_bytes", "_like", "_places", "file")

    def __init__(self, data: bytes, *, file: str, like: bytes) -> None:
        packer = zlib.compressobj(EFFORT, zdict=like)
        self._bytes = packer.compress(data) + packer.flush()
        self._like = like
        self._places: Places | None = None
        self.file = file

    def __iter__(self) -> Iterator[SketchPerson]:
        return iter(sketch(read(self._data).value).users)

    def locate(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Tell line and column of a value, or of its key; who asks for one often asks for more."""
        if self._places is None:
            self._places = Places(self._data, file=self.file)
        return self._places.locate(path, at_key=at_key)

    def opened(self) -> ManifestFile:
        """The tenant in full; only of a file that was found to be valid."""
        data = self._data
        document = read(data)
        where = Places(data, file=self.file, items=document.items)
        return ManifestFile(TENANT.validate_python(document.value), file=self.file, where=where)

    @property
    def _data(self) -> bytes:
        return zlib.decompressobj(zdict=self._like).decompress(self._bytes)


class PackedFile(ManifestFile):
    """A manifest whose people are not in memory: its head is made anew each time, all the rest by `opened`."""

    __slots__ = ("_head", "_key", "_name", "_packed", "_service")

    def __init__(self, name: str, key: Key, head: bytes, packed: Packed, *, service: str | None) -> None:
        self.file = packed.file
        self._name = name
        self._key = key
        self._head = head
        self._packed = packed
        self._service = service

    @property
    def tenant(self) -> Tenant:
        """The tenant as written, read again."""
        return self.opened().tenant

    @property
    def name(self) -> str:
        """The tenant's name."""
        return self._name

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
        head = TENANT.validate_python(msgspec.msgpack.decode(self._head))
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
        return PackedFile(self._name, self._key, self._head, self._packed, service=service)


def packed_file(tenant: Tenant, raw: dict[str, Any], packed: Packed) -> ManifestFile:
    """Keep a valid tenant packed. raw: its plain values, of which all but the people stay at hand."""
    try:
        head = msgspec.msgpack.encode({key: value for key, value in raw.items() if key != "users"})
    except OverflowError:  # a number of more than 64 bits, where an id may be one
        return packed.opened()
    return PackedFile(tenant.tenant, _shared(*key_of(tenant)), head, packed, service=tenant.service)


@cache
def _shared(account: str, provider: str, directory: str) -> Key:
    """The key once, however many tenants have it."""
    return account, provider, directory
