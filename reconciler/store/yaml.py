"""YAML 1.2 as people write it, over libyaml's parser: exact places, no surprises, hostile files refused.

One pass makes plain values (dict, list, str, int, float, bool, None) out of libyaml's nodes. Places are not
kept for each value: the nodes know them while the file is read, and `Places` composes the file again
from the same bytes when somebody asks later. Loading a file without a fault pays next to nothing for them.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from sys import intern
from types import MappingProxyType
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined] # the stubs leave it out
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.core.diagnostic import Path, Position

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 50
MAX_ALIASED = 10_000
MAX_DIGITS = 64
OFTEN = 16
"""Texts of at most this length (names, countries, groups) stand in memory once, however many people share them."""
_NO_ITEMS: Mapping[str, array[int]] = MappingProxyType({})

_INT = re.compile(r"[-+]?[0-9]+\Z|0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NUMBER_START = frozenset("0123456789+-.")
_CONSTANTS: dict[str, Any] = (
    dict.fromkeys(("", "~", "null", "Null", "NULL"))
    | dict.fromkeys(("true", "True", "TRUE"), True)
    | dict.fromkeys(("false", "False", "FALSE"), False)
    | dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf"))
    | dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf"))
    | dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan"))
)
_CONTROL = bytes(set(range(32)) - {9, 10, 13}) + b"\x7f"
# NEL, LS and PS end a line for libyaml (YAML 1.1) and do not in YAML 1.2.
_INVISIBLE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]")


class Unreadable(Exception):  # noqa: N818 - it says what the file is
    """A file that cannot be taken for YAML at all, from the place where that became clear."""

    def __init__(self, code: str, message: str, *, hint: str = "", line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.line = line
        self.column = column


class Document:
    """One file as plain values, what is wrong with its keys, and where everything stands."""

    __slots__ = ("faults", "root", "value")

    def __init__(self, root: Node) -> None:
        self.root = root
        self.faults: list[Unreadable] = []
        self.value: Any = self._build(root)

    def _build(self, node: Node) -> Any:
        if type(node) is ScalarNode:
            return node.value if node.style else self._plain(node)
        if type(node) is not MappingNode:
            return [self._build(child) for child in node.value]
        found: dict[str, Any] = {}
        for key, child in node.value:
            name = key.value
            if type(key) is not ScalarNode:
                self._fault("RC1013", key, "a key must be plain text", hint="put it on one line, in quotes")
                continue
            if name in found:
                self._fault(
                    "RC1008", key, f"the key `{name[:60]}` stands here twice", hint="keep one of them"
                )
                continue
            if type(child) is ScalarNode:
                found[name] = child.value if child.style else self._plain(child)
            else:
                found[name] = self._build(child)
        return found

    def _plain(self, node: ScalarNode) -> Any:
        text: str = node.value
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if text[0] in _NUMBER_START:
            if _INT.match(text):
                return self._whole(node)
            if _FLOAT.match(text):
                return float(text)
        return intern(text) if len(text) <= OFTEN else text

    def _whole(self, node: ScalarNode) -> Any:
        text: str = node.value
        if len(text) > MAX_DIGITS:
            self._fault(
                "RC1014", node, "a number of this length is refused", hint="put it in quotes if it is text"
            )
            return 0
        return int(text, 0) if text[:2] in {"0o", "0x"} else int(text)

    def _fault(self, code: str, node: Node, message: str, *, hint: str) -> None:
        mark = node.start_mark
        self.faults.append(Unreadable(code, message, hint=hint, line=mark.line + 1, column=mark.column + 1))

    def where(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Tell line and column of a value or its key; what is absent stands where its parent does."""
        return _locate(self.root, path, at_key=at_key)

    def items(self) -> dict[str, array[int]]:
        """Line and column of what each list of the file holds, one after the other."""
        found: dict[str, array[int]] = {}
        for key, value in self.root.value:
            if type(value) is SequenceNode and type(key) is ScalarNode and key.value not in found:
                marks = [child.start_mark for child in value.value]
                found[key.value] = array("I", [part + 1 for at in marks for part in (at.line, at.column)])
        return found


class Places:
    """Where the values of one file stand, worked out from its bytes when first asked.

    items: what the file's own lists hold, known from reading it: plans with changes ask for little else.
    """

    __slots__ = ("_data", "_file", "_items", "_root")

    def __init__(self, data: bytes, *, file: str, items: Mapping[str, array[int]] = _NO_ITEMS) -> None:
        self._data = data
        self._file = file
        self._items = items
        self._root: Node | None = None

    def __call__(self, *path: str | int) -> Position:
        """Tell where a value stands."""
        return Position(self._file, *self.locate(path))

    def locate(self, path: Path, *, at_key: bool = False) -> tuple[int, int]:
        """Tell line and column of a value, or of its key."""
        match path:
            case (str(name), int(at)) if not at_key and name in self._items:
                known = self._items[name]
                if 2 * at < len(known):
                    return known[2 * at], known[2 * at + 1]
        if self._root is None:
            self._root = _root(self._data)
        return _locate(self._root, path, at_key=at_key)


def read(data: bytes) -> Document:
    """Read one YAML document; raises `Unreadable` for what is none."""
    return Document(_root(data))


def _root(data: bytes) -> Node:
    data = _checked(data)
    if b"!" in data:
        _refuse_tags(data)
    root = _compose(data)
    if root is None:
        raise Unreadable("RC1006", "the file is empty", hint="write the tenant or delete the file")
    if b"*" in data:
        _weigh(root, {})
    if type(root) is not MappingNode:
        raise _at(
            "RC1012", root.start_mark, "the file must be a mapping of keys", hint="begin with `version: 1`"
        )
    return root


class _Parser(CParser):
    """libyaml's parser without tags, bounded in depth before it recurses."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        # The nodes whose children are being composed, the innermost last. The parser tells of every node as it
        # goes in, with its parent, and as it comes out: a dictionary's own methods hear that at half the price.
        self.inside: dict[Any, Any] = {}
        self.descend_resolver = self.inside.setdefault
        self.ascend_resolver = self.inside.popitem

    def resolve(self, kind: Any, _value: Any, _implicit: Any) -> str:
        # Asked about every node before its children; a scalar goes no deeper.
        if kind is not ScalarNode and len(self.inside) > MAX_DEPTH:
            mark = next(reversed(self.inside)).start_mark
            raise _at("RC1009", mark, f"nested deeper than {MAX_DEPTH} levels", hint="no manifest needs that")
        return "?"


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


def _compose(data: bytes) -> Node | None:
    parser = _Parser(data)
    try:
        root: Node | None = parser.get_single_node()
    except yaml.composer.ComposerError as error:
        raise _composing(error) from None
    except yaml.YAMLError as error:
        raise _syntax(error, data) from None
    finally:
        parser.dispose()
    return root


def _composing(error: yaml.composer.ComposerError) -> Unreadable:
    said = f"{error.context} {error.problem}"
    if "single document" in said:
        return _at("RC1007", error.problem_mark, "a second document begins here", hint="one file, one tenant")
    if "duplicate anchor" in said:
        return _at(
            "RC1005", error.problem_mark, "an anchor with this name stands above", hint="rename one of them"
        )
    return _at(
        "RC1005",
        error.problem_mark,
        f"not valid YAML: {error.problem}",
        hint="name an anchor that stands above",
    )


def _syntax(error: yaml.YAMLError, data: bytes) -> Unreadable:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    if mark is None:
        return Unreadable("RC1005", f"not valid YAML: {problem}", hint="check the quotes and the indentation")
    lines = data.splitlines()
    line = lines[mark.line] if mark.line < len(lines) else b""
    hint = "check the quotes and the indentation here and on the line above"
    if line[mark.column : mark.column + 1] == b"\t" or line.lstrip(b" ").startswith(b"\t"):
        hint = "indent with spaces: YAML does not allow tabs"
    return _at("RC1005", mark, f"not valid YAML: {problem}", hint=hint)


def _at(code: str, mark: Any, message: str, *, hint: str) -> Unreadable:
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    return Unreadable(code, message, hint=hint, line=line, column=column)


def _refuse_tags(data: bytes) -> None:
    parser = _Parser(data)
    try:
        while (token := parser.get_token()) is not None:
            if isinstance(token, yaml.TagToken):
                raise _at(
                    "RC1011",
                    token.start_mark,
                    "a tag (`!`) is not read here",
                    hint="delete it, or use quotes",
                )
    except yaml.YAMLError as error:
        raise _syntax(error, data) from None
    finally:
        parser.dispose()


def _weigh(root: Node, seen: dict[int, tuple[int, int]]) -> None:
    """Refuse aliases that stand for too much, for too deep a value, or for themselves."""
    size, _ = _weight(root, seen)
    if size - len(seen) > MAX_ALIASED:
        raise _at(
            "RC1010",
            root.start_mark,
            f"its aliases stand for more than {MAX_ALIASED:,} values",
            hint=_ALIASES,
        )


_ALIASES = "write the values out"


def _weight(node: Node, seen: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Count the values below a node with every alias written out, and how deep they nest."""
    known = seen.get(id(node))
    if known == (0, 0):
        raise _at("RC1010", node.start_mark, "an alias stands for a value that it is part of", hint=_ALIASES)
    if known:
        return known
    seen[id(node)] = (0, 0)
    size, depth = 1, 0
    for child in _children(node):
        more, deeper = _weight(child, seen)
        size, depth = size + more, max(depth, deeper + 1)
    if depth > MAX_DEPTH:
        raise _at("RC1009", node.start_mark, f"nested deeper than {MAX_DEPTH} levels", hint=_ALIASES)
    seen[id(node)] = (size, depth)
    return size, depth


def _children(node: Node) -> list[Node]:
    if type(node) is ScalarNode:
        return []
    if type(node) is MappingNode:
        return [part for pair in node.value for part in pair]
    return list(node.value)


def _child(node: Node, step: str | int) -> tuple[Node | None, Node] | None:
    if type(node) is MappingNode:
        for key, value in node.value:
            if type(key) is ScalarNode and key.value == step:
                return key, value
        return None
    if type(node) is not ScalarNode and isinstance(step, int) and step < len(node.value):
        return None, node.value[step]
    return None


def _locate(root: Node, path: Path, *, at_key: bool) -> tuple[int, int]:
    node, mark = root, root.start_mark
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        key, node = found
        mark = (key if at_key and key is not None else node).start_mark
    return mark.line + 1, mark.column + 1
