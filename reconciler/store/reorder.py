"""Puts the keys of a YAML file into the contract's order, as whole lines, so that each comment goes with its key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.store.yaml import read

Shapes = Mapping[tuple[str, ...], tuple[str, ...]]
Kinds = tuple[str, ...]


def reorder(text: str, shapes: Shapes) -> str:
    """Sort the keys of every block mapping whose order is known; the rest stays as it is."""
    lines = text.splitlines(keepends=True)
    for node, kinds in _mappings(read(text.encode()).root, ()):
        order = shapes.get(kinds)
        if order is not None and not node.flow_style:
            _sort(lines, node, order)
    return "".join(lines)


def _mappings(node: Node, kinds: Kinds) -> Iterator[tuple[MappingNode, Kinds]]:
    """List the mappings of a file, each with the kinds of keys that lead to it.

    Inner ones come first: sorting one moves lines inside of it only, so the outer ones' places stay true.
    """
    match node:
        case SequenceNode():
            for child in node.value:
                yield from _mappings(child, kinds)
        case MappingNode():
            for key, child in node.value:
                if isinstance(key, ScalarNode):
                    yield from _mappings(child, (*kinds, _kind(kinds, key.value, child)))
            yield node, kinds


def _kind(kinds: Kinds, key: str, child: Node) -> str:
    """Name what a key leads to: below `accounts` that is told by the account's `api`, not by its name."""
    if kinds != ("accounts",) or not isinstance(child, MappingNode):
        return key
    apis = [value.value for name, value in child.value if name.value == "api"]
    return str(apis[0]) if apis else key


def _sort(lines: list[str], node: MappingNode, order: tuple[str, ...]) -> None:
    keys = [key for key, _ in node.value]
    rank = {name: place for place, name in enumerate(order)}
    wanted = sorted(range(len(keys)), key=lambda i: (rank.get(keys[i].value, len(order)), i))
    if wanted == sorted(wanted):
        return
    starts = [key.start_mark.line for key in keys]
    column = keys[0].start_mark.column
    lead = lines[starts[0]][:column]
    apart = all(a < b for a, b in pairwise(starts)) and all(key.start_mark.column == column for key in keys)
    if not apart or lead.strip(" -"):
        return  # several keys on a line, or an anchor before the first
    lines[starts[0]] = " " * column + lines[starts[0]][column:]
    cuts = [
        starts[0],
        *(_above(lines, start, column) for start in starts[1:]),
        _end(lines, starts[-1], column),
    ]
    blocks = [lines[a:b] for a, b in pairwise(cuts)]
    body = [line for i in wanted for line in blocks[i]]
    while not body[0].strip():
        body.append(body.pop(0))
    first = next(i for i, line in enumerate(body) if line.strip() and not line.lstrip().startswith("#"))
    # The dash of an item stands on its first line of content; comments may stand above it.
    body[first] = lead + body[first][column:]
    lines[cuts[0] : cuts[-1]] = body


def _above(lines: list[str], start: int, column: int) -> int:
    """Go up over the comments in a key's column, and over the blank lines among and above them."""
    while not lines[start - 1].strip() or (
        _indent(lines[start - 1]) == column and lines[start - 1].lstrip().startswith("#")
    ):
        start -= 1
    return start


def _end(lines: list[str], start: int, column: int) -> int:
    """Find where the last key's lines end: before anything that is not deeper than the key, comments too."""
    at = start + 1
    last = at
    while at < len(lines):
        if lines[at].strip():
            deeper = _indent(lines[at]) > column
            dash = _indent(lines[at]) == column and lines[at].lstrip().startswith("- ")
            if not deeper and not dash:
                break
            last = at + 1
        at += 1
    return last


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
