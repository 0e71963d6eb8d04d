"""Decisions out of bytes, and valid documents made strange by them; the same bytes give the same document."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

DEEP = 4000


def _nested() -> Any:
    value: Any = "x"
    for _ in range(60):
        value = [value]
    return value


STRANGE: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    2**31,
    2**63,
    -(2**70),
    10**30,
    10**400,
    1.5,
    -0.0,
    1e308,
    float("inf"),
    float("-inf"),
    float("nan"),
    "",
    " ",
    "0",
    "-1",
    "1e999999999",
    "1e-999999999",
    "NaN",
    "Infinity",
    "9" * 5000,
    "٣",
    "²",
    "\x00",
    "\ud800",
    "a\ud800b",
    "\u202egnp.exe",
    "\x1b[31m",
    "line\nbreak\r\n",
    "'\"`$(x)<script>&amp;{{7*7}}",
    "a/b/../c%2F",
    "x" * 70000,
    "ok",
    "done",
    "error",
    "open",
    "configureme",
    "2026-02-30",
    "0001-01-01",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "2026-13-01T25:61:61Z",
    "P99999999Y",
    "seat/office/ada",
    "group/",
    "/",
    "user/@",
    [],
    [None],
    [[]],
    {},
    {"": None},
    {"message": 1},
    {"class": "Client::Forbidden::Busy", "message": "busy"},
    [1, "1", True],
    _nested(),
)
"""What a field may hold that nobody meant."""


class Chooser:
    """Reads numbers out of bytes; zeros once they are used up."""

    def __init__(self, data: bytes) -> None:
        self._data = iter(data)
        self.left = len(data)

    def byte(self) -> int:
        """The next byte."""
        self.left = max(0, self.left - 1)
        return next(self._data, 0)

    def number(self, below: int) -> int:
        """A number from 0 up to `below`."""
        if below <= 1:
            return 0
        value = self.byte()
        return (value if below <= 256 else value << 8 | self.byte()) % below

    def one(self, values: Any) -> Any:
        """One of some values."""
        return values[self.number(len(values))]

    def rest(self) -> bytes:
        """Everything that was not read yet."""
        self.left = 0
        return bytes(self._data)


Setter = Callable[[Any], None]


def changed(document: Any, chooser: Chooser, *, times: int = 3) -> Any:
    """A copy of a document in which a few values are other, missing, repeated or of another place."""
    document = copy.deepcopy(document)
    for _ in range(1 + chooser.number(times)):
        places = list(_places(document))
        if not places:
            return copy.deepcopy(chooser.one(STRANGE))
        holder, key = chooser.one(places)
        match chooser.number(8):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(0, copy.deepcopy(holder[key]))
            case 1:
                holder[f"{key}x"] = holder[key]
            case 2:
                other, place = chooser.one(places)
                _put(holder, key, other, place)
            case _:
                holder[key] = copy.deepcopy(chooser.one(STRANGE))
    return document


def _put(holder: Any, key: Any, other: Any, place: Any) -> None:
    try:
        holder[key] = copy.deepcopy(other[place])
    except (KeyError, IndexError):  # one of the two went away with an earlier change
        return


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict):
        for key in list(value):
            yield value, key
            yield from _places(value[key])
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from _places(value[index])


def spelled(document: Any, chooser: Chooser) -> bytes:
    """A document as JSON, sometimes cut off, nested without an end, or no JSON at all."""
    text = json.dumps(document, ensure_ascii=bool(chooser.number(2)))
    data = text.encode("utf-8", errors="surrogatepass")
    match chooser.number(24):
        case 1:
            return data[: chooser.number(max(1, len(data)))]
        case 2:
            return b"[" * DEEP + b"]" * DEEP
        case 3:
            return b'{"a":' * DEEP + b"1" + b"}" * DEEP
        case 4:
            return b"\xef\xbb\xbf" + data
        case 5:
            return b"1" * 5000
        case 6:
            return data.replace(b"e", b"\xff", 1)
        case 7:
            return chooser.rest()
        case 8:
            return data + data
    return data
