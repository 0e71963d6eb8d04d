"""Somebody else at work in the same account: named changes, made at once."""

import inspect
import shlex
from collections.abc import Callable

from reconciler.sandbox.call import ApiError
from reconciler.sandbox.store import Tx

Change = Callable[..., None]

CHANGES: dict[str, Change] = {}
"""Every change by its name; the faces fill it."""


def change(tx: Tx, text: str) -> None:
    """Make a change given as `NAME ARGUMENT...`, for example `user-removed acme.o365.ovh.com ada@acme.example`."""
    check(text)
    name, *arguments = shlex.split(text)
    try:
        CHANGES[name](tx, *arguments)
    except ApiError as error:
        raise ValueError(f"{text}: {error}") from error
    tx.record("interference", change=text)


def check(text: str) -> None:
    """Refuse what is no change, before it is needed."""
    name, *arguments = shlex.split(text) or [""]
    known = CHANGES.get(name)
    if known is None:
        raise ValueError(f"{name!r} is no change; there are: {', '.join(CHANGES)}")
    try:
        inspect.signature(known).bind(None, *arguments)
    except TypeError:
        raise ValueError(f"{name} was given the wrong number of words: {text!r}") from None
