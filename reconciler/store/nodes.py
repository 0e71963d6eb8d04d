"""libyaml's side of reading: nodes that know their places, plain values made of them, and what is wrong with a file.

Whatever is not of the plain form is read here, and so is every file of which somebody asks where a value stands.
"""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined] # the stubs leave it out
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.core.diagnostic import Path
from reconciler.store.scalars import MAX_ALIASED, MAX_DEPTH, Unreadable, meant


class Built(NamedTuple):
    """A file as plain values, what is wrong with its keys, and line and column of what its own lists hold."""

    value: Any
    faults: list[Unreadable]
    items: dict[str, array[int]]


def built(root: Node) -> Built:
    """Make plain values of a file's nodes."""
    builder = _Builder()
    return Built(builder.value_of(root), builder.faults, _items(root))


class _Builder:
    """Makes plain values of nodes, and keeps what is wrong with their keys."""

    __slots__ = ("faults",)

    def __init__(self) -> None:
        self.faults: list[Unreadable] = []

    def value_of(self, node: Node) -> Any:
        """Give a node's plain value."""
        if type(node) is ScalarNode:
            return node.value if node.style else self._plain(node)
        if type(node) is not MappingNode:
            return [self.value_of(child) for child in node.value]
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
                found[name] = self.value_of(child)
        return found

    def _plain(self, node: ScalarNode) -> Any:
        try:
            return meant(node.value)
        except OverflowError as error:
            self._fault("RC1014", node, str(error), hint="put it in quotes if it is text")
            return 0

    def _fault(self, code: str, node: Node, message: str, *, hint: str) -> None:
        mark = node.start_mark
        self.faults.append(Unreadable(code, message, hint=hint, line=mark.line + 1, column=mark.column + 1))


def _items(root: Node) -> dict[str, array[int]]:
    found: dict[str, array[int]] = {}
    for key, value in root.value:
        if type(value) is SequenceNode and type(key) is ScalarNode and key.value not in found:
            marks = [child.start_mark for child in value.value]
            found[key.value] = array("I", [part + 1 for at in marks for part in (at.line, at.column)])
    return found


def root_of(data: bytes) -> Node:
    """Compose one document from bytes that were looked through before; raises `Unreadable` for what is none."""
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


def locate(root: Node, path: Path, *, at_key: bool) -> tuple[int, int]:
    """Tell line and column of a value or its key; what is absent stands where its parent does."""
    node, mark = root, root.start_mark
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        key, node = found
        mark = (key if at_key and key is not None else node).start_mark
    return mark.line + 1, mark.column + 1
