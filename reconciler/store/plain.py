"""Reads YAML in the plain form that people and `fmt` write, a line at a time, without a parser.

That form: keys and dashes in block style, values on the line of their key, words, numbers, quoted text without
escapes, lists in brackets, short mappings in braces, comments. Nearly every tenant's file is no more than that,
and a parser's objects for each of its words cost several times what reading the lines does. Whatever is not
surely of that form (an anchor, a text of several lines, a fault) is left to libyaml, which alone says what is
wrong with a file: here nothing is ever refused. Both give the same for every file that is read here.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from reconciler.store.scalars import MAX_DEPTH, meant

_KEY = r"(?P<key>[A-Za-z_][A-Za-z0-9_-]{,59}):"
_QUOTED = r"\"(?P<double>[^\"\\]*)\" *|'(?P<single>[^']*)' *"
_LINE = re.compile(
    rf"(?P<pad> *)(?P<dash>- )?(?:{_KEY}(?: +|$))?"
    rf"(?:(?P<word>[^\W_][\w @.+'/&,()~:-]*)|{_QUOTED}"
    r"|\[(?P<words>[\w@.+ ,-]*)\] *|\{(?P<pairs>[^][{}]+)\} *)?"
    r"(?P<comment>#.*)?"
)
_PAIR = re.compile(rf" *{_KEY} +(?:(?P<word>[^\W_][\w @.+'/&()~:-]*)|{_QUOTED})(?:,|$)")


class Plain(NamedTuple):
    """A file's plain value, and line and column of what each list of the file itself holds, one after the other."""

    value: dict[str, Any]
    items: Mapping[str, array[int]]


class _Other(Exception):  # noqa: N818 - it says what the file is
    """The file is not surely of the plain form."""


_Line = tuple[int, bool, str | None, Any, str]
"""One line taken apart: its indentation, whether a dash stands there, the key, the value or `_NOTHING`, and
the key once more where the line is only that key and its value."""

_NOTHING = object()

_SHARED = frozenset({list, dict})
"""What is copied, so that each place has its own: a line's parts are shared by all lines like it."""


def read_plain(text: str) -> Plain | None:
    """Read a file of the plain form; None when it is, or may be, of another."""
    # What Python calls printable is printable in YAML; line feeds aside, all else is for libyaml to judge.
    if not text.replace("\n", "").isprintable():
        return None
    try:
        return _read(text)
    except _Other:
        return None


def _read(text: str) -> Plain:
    tree = _Tree()
    for number, line in enumerate(text.split("\n"), 1):
        parts = _taken_apart(line)
        if parts is None:
            continue
        indent, _, _, value, only = parts
        mapping = tree.mapping
        # Four lines of five are one more pair of the mapping that is open, and need no more than this.
        if only and indent == tree.at and mapping is not None and only not in mapping:
            mapping[only] = value.copy() if type(value) in _SHARED else value
            tree.waiting = None
        else:
            tree.add(number, parts)
    if not tree.root:
        raise _Other
    return Plain(tree.root, {name: array("I", places) for name, places in tree.items.items()})


@lru_cache(maxsize=4096)  # countries, licences and names come again and again, in all files
def _taken_apart(line: str) -> _Line | None:
    """Take a line apart; None when nothing stands on it."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise _Other
    pad, dash, key, word, double, single, words, pairs, comment = found.groups()
    if comment is not None and line[: -len(comment)][-1:].strip():
        raise _Other  # a `#` right behind a word belongs to it
    if words is not None:
        value: Any = _listed(words)
    elif pairs is not None:
        value = _paired(pairs)
    else:
        value = _scalar(word, double, single)
    if key is None and (value is _NOTHING) is not (dash is None):
        raise _Other
    if key is None and dash is None:
        return None
    only = key if key and dash is None and value is not _NOTHING else ""
    return len(pad), dash is not None, key, value, only


def _scalar(word: str | None, double: str | None, single: str | None) -> Any:
    if word is not None:
        return _word(word)
    if double is not None:
        return double
    return _NOTHING if single is None else single


def _listed(words: str) -> list[Any]:
    return [_word(one) for one in words.split(",")] if words.strip() else []


def _paired(pairs: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    at = 0
    while at < len(pairs):
        pair = _PAIR.match(pairs, at)
        if pair is None or pair["key"] in found:
            raise _Other
        found[pair["key"]] = _scalar(pair["word"], pair["double"], pair["single"])
        at = pair.end()
    return found


def _word(text: str) -> Any:
    bare = text.strip(" ")
    if not bare[:1].isalnum() or (":" in bare and (": " in bare or bare[-1] == ":")):
        raise _Other
    try:
        return meant(bare)
    except OverflowError:
        raise _Other from None


class _Tree:
    """What the lines so far amount to: the open mappings and lists, the innermost last, and where they stand."""

    __slots__ = ("_inside", "_levels", "_where", "at", "items", "mapping", "root", "waiting")

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}
        self.items: dict[str, list[int]] = {}
        self._levels: list[tuple[int, Any]] = [(0, self.root)]
        self.at, self._inside = self._levels[-1]
        self.mapping: dict[str, Any] | None = self.root  # what is open, if that is a mapping
        self.waiting: str | None = None  # the key above, if its value may begin on this line
        self._where: list[int] = []

    def add(self, number: int, line: _Line) -> None:
        """Add one line; raises _Other where its indentation fits nothing above."""
        indent, dashed, key, value, _ = line
        if dashed:
            self._item(number, indent)
            if key is not None:
                self._inside.append(self._open(indent + 2, {}))
        elif self.waiting is not None and indent > self.at:
            self._begin(indent, {})
        elif indent != self.at or type(self._inside) is list:
            self._back(indent, dict)
        if type(value) in _SHARED:
            value = value.copy()
        if key is None:
            self._inside.append(value)
        elif key in self._inside:
            raise _Other
        elif value is _NOTHING:
            self._inside[key] = None
            self.waiting = key
        else:
            self._inside[key] = value
            self.waiting = None

    def _item(self, number: int, indent: int) -> None:
        """Come to the list that a dash stands in, which may begin here."""
        if self.waiting is None:
            self._back(indent, list)
        elif indent >= self.at:
            if len(self._levels) == 1:
                self._where = self.items[self.waiting] = []
            self._begin(indent, [])
        else:
            raise _Other
        if len(self._levels) == 2:
            self._where += (number, indent + 3)

    def _begin(self, indent: int, new: Any) -> None:
        """Let the value of the key above begin."""
        self._inside[self.waiting] = new
        self.waiting = None
        self._open(indent, new)

    def _open(self, indent: int, new: Any) -> Any:
        if len(self._levels) > MAX_DEPTH:
            raise _Other
        self._levels.append((indent, new))
        self._come_to(indent, new)
        return new

    def _come_to(self, at: int, inside: Any) -> None:
        self.at, self._inside = at, inside
        self.mapping = inside if type(inside) is dict else None

    def _back(self, indent: int, kind: type) -> None:
        """Leave what is indented more, and come to the mapping or list that goes on at this indentation."""
        levels = self._levels
        while levels[-1][0] > indent or (levels[-1][0] == indent and type(levels[-1][1]) is not kind):
            levels.pop()
            if not levels:
                raise _Other
        self._come_to(*levels[-1])
        if self.at != indent:
            raise _Other
