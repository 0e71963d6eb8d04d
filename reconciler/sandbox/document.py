"""How a world document is read: its words are known ones, its times are times."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from reconciler.sandbox.clock import parse


def only(given: Mapping[str, Any], keys: set[str], what: str) -> None:
    """Refuse a part of a document that has a word nobody knows."""
    unknown = sorted(set(given) - keys)
    if unknown:
        raise ValueError(f"{what} has no {', '.join(unknown)}; it has: {', '.join(sorted(keys))}")


def time(value: object) -> float | None:
    """Give the moment that a document names, if it names one."""
    match value:
        case None:
            return None
        case datetime():
            return parse(value.isoformat())
        case date():
            return parse(value.isoformat())
    return parse(str(value))


def in_full(login: str, domain: str) -> str:
    """Give a login in full: one without a domain belongs to the one that keeps the person."""
    return login if "@" in login else f"{login}@{domain}"
