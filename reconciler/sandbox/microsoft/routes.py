"""The tables of routes of Partner Center and Graph; the other files of this folder fill them."""

from reconciler.sandbox.router import Register, Router

PARTNER = Router()
GRAPH = Router()

NEEDS_USER: set[tuple[str, str]] = set()
"""Routes of Partner Center that refuse a token without a person behind it."""


def partner(method: str, path: str, *, user: bool = False) -> Register:
    """Answer a path of Partner Center; with `user` only for an application that acts for a person."""
    if user:
        NEEDS_USER.add((method, path))
    return PARTNER.add(method, path)


def graph(method: str, path: str) -> Register:
    """Answer a path of Graph; `name()` stands for a function, whose argument is the next segment."""
    return GRAPH.add(method, path)
