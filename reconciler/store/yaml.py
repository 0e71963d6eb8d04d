"""YAML 1.2 as people write it: exact places, no surprises, hostile files refused.

A file of the plain form is read a line at a time, any other through libyaml; both give the same. Places are not
kept for each value: the file is composed again from the same bytes when somebody asks. Loading a file without
a fault pays next to nothing for them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from types import MappingProxyType, ModuleType
from typing import Any

from reconciler.core.diagnostic import Path, Position
from reconciler.store.plain import read_plain
from reconciler.store.scalars import MAX_BYTES, Unreadable

__all__ = ["MAX_BYTES", "Document", "Places", "Unreadable", "read"]

_NO_ITEMS: Mapping[str, array[int]] = MappingProxyType({})
_CONTROL = bytes(set(range(32)) - {9, 10, 13}) + b"\x7f"
# NEL, LS and PS end a line for libyaml (YAML 1.1) and do not in YAML 1.2.
_INVISIBLE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")


class Document:
    """One file as plain values, what is wrong with its keys, and where everything stands.

    items: line and column of what each list of the file itself holds, one after the other.
    """

    __slots__ = ("_data", "_root", "faults", "items", "value")

    def __init__(self, data: bytes) -> None:
        self._data = _checked(data)
        self._root: Any = None
        self.value: Any
        self.faults: list[Unreadable] = []
        self.items: Mapping[str, array[int]]
        plain = read_plain(self._data.decode())
        if plain is not None:
            self.value, self.items = plain
        else:
            self._root = _composed(self._data)
            self.value, self.faults, self.items = _nodes().built(self._root)

    def where(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Tell line and column of a value or its key; what is absent stands where its parent does."""
        return _place_in(self.root, path, at_key=at_key)

    @property
    def root(self) -> Any:
        """The file as libyaml's nodes, each of which knows its place."""
        if self._root is None:
            self._root = _composed(self._data)
        return self._root


class Places:
    """Where the values of one file stand, worked out from its bytes when first asked.

    items: what the file's own lists hold, known from reading it: plans with changes ask for little else.
    """

    __slots__ = ("_data", "_file", "_items", "_root")

    def __init__(self, data: bytes, *, file: str, items: Mapping[str, array[int]] = _NO_ITEMS) -> None:
        self._data = data
        self._file = file
        self._items = items
        self._root: Any = None

    def __call__(self, *path: str | int) -> Position:
        """Tell where a value stands."""
        return Position(self._file, *self.locate(path))

    def locate(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Tell line and column of a value, or of its key."""
        if len(path) == 2 and not at_key:  # a person, or a group: all that a plan with changes asks for
            name, at = path
            known = self._items.get(name, ()) if type(name) is str else ()
            if type(at) is int and 0 <= 2 * at < len(known):
                return known[2 * at], known[2 * at + 1]
        if self._root is None:
            self._root = _composed(_checked(self._data))
        return _place_in(self._root, path, at_key=at_key)


def read(data: bytes) -> Document:
    """Read one YAML document; raises `Unreadable` for what is none."""
    return Document(data)


def _composed(data: bytes) -> Any:
    return _nodes().root_of(data)


def _place_in(root: Any, path: Path, *, at_key: bool) -> tuple[int, int]:
    found: tuple[int, int] = _nodes().locate(root, path, at_key=at_key)
    return found


def _nodes() -> ModuleType:
    # PyYAML costs a start more than reading a plain workspace does, and most runs never need it.
    from reconciler.store import nodes

    return nodes


def _checked(data: bytes) -> bytes:
    if len(data) > MAX_BYTES:
        raise Unreadable(
            "RC1002", f"larger than {MAX_BYTES // 1024 // 1024} MiB", hint="split it into tenants"
        )
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(data, error.start)
        raise Unreadable("RC1003", "not UTF-8", hint="save it as UTF-8", line=line, column=column) from None
    if len(data.translate(None, _CONTROL)) != len(data) or b"\xc2" in data or b"\xe2\x80" in data:
        bad = _INVISIBLE.search(data)
        if bad:
            line, column = _place(data, bad.start())
            name = f"U+{ord(bad[0].decode()):04X}"
            raise Unreadable(
                "RC1004", f"an invisible character ({name})", hint="delete it", line=line, column=column
            )
    return data


def _place(data: bytes, offset: int) -> tuple[int, int]:
    before = data[:offset]
    start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
    lines = before.replace(b"\r\n", b"\n").replace(b"\r", b"\n").count(b"\n")
    return lines + 1, len(before[start:].decode("utf-8", "replace")) + 1
