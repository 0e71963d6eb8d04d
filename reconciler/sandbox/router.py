"""Which handler answers which route; a tree by path segment, so a look costs the same with any number of routes."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol, TypeVar

from msgspec import Struct, field

from reconciler.sandbox.call import Handler
from reconciler.sandbox.shape import Shape

Kind = TypeVar("Kind", bound=Handler)


class Register(Protocol):
    """A decorator that leaves the function as it is."""

    def __call__(self, handler: Kind, /) -> Kind:
        """Take the function in."""


class Route(NamedTuple):
    """One operation of the API."""

    method: str
    path: str
    handler: Handler
    shape: Shape | None
    open: bool


class Found(NamedTuple):
    """A route, and what the path says for its variables."""

    route: Route
    path: Mapping[str, str]


class _Node(Struct):
    words: dict[str, "_Node"] = field(default_factory=dict)
    variable: "_Node | None" = None
    name: str = ""
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """The routes of one API."""

    def __init__(self) -> None:
        self._root = _Node()
        self.routes: list[Route] = []

    def add(
        self, method: str, path: str, *, shape: Shape | None = None, anonymous: bool = False
    ) -> "Register":
        """Let a function answer a route; `shape` says what its body may hold."""

        def register(handler: Kind, /) -> Kind:
            route = Route(method, path, handler, shape, anonymous)
            self.routes.append(route)
            node = self._root
            for part in path.strip("/").split("/"):
                node = _step(node, part)
            node.routes[method] = route
            return handler

        return register

    def find(self, method: str, parts: tuple[str, ...]) -> Found | None:
        """Give the route of a path, plain words before variables."""
        for node, names in _walk(self._root, parts, ()):
            route = node.routes.get(method)
            if route is not None:
                return Found(route, dict(names))
        return None

    def knows(self, parts: tuple[str, ...]) -> bool:
        """Say whether any method answers a path."""
        return any(node.routes for node, _ in _walk(self._root, parts, ()))


def _step(node: _Node, part: str) -> _Node:
    if not part.startswith("{"):
        return node.words.setdefault(part, _Node())
    if node.variable is None:
        node.variable = _Node()
    return node.variable


def _walk(
    node: _Node, parts: tuple[str, ...], values: tuple[str, ...]
) -> Iterator[tuple[_Node, list[tuple[str, str]]]]:
    if not parts:
        yield node, _named(node, values)
        return
    word = node.words.get(parts[0])
    if word is not None:
        yield from _walk(word, parts[1:], values)
    if node.variable is not None and parts[0]:
        yield from _walk(node.variable, parts[1:], (*values, parts[0]))


def _named(node: _Node, values: tuple[str, ...]) -> list[tuple[str, str]]:
    # Two routes may name one variable differently, so the names come from the route that was found.
    for route in node.routes.values():
        names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
        return list(zip(names, values, strict=True))
    return []
