"""What can be told of a tenant even while parts of its file are wrong, so that one fault hides no other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from msgspec import Struct

from reconciler.core.manifest import login_key


class SketchPerson(NamedTuple):
    """A person as far as it can be read; `place` is where it stands in the file's list."""

    place: int
    login: str
    country: str
    licenses: list[Any]
    previously: str


class SketchGroup(Struct, frozen=True):
    """A license group as far as it can be read; what is wrong or absent is empty."""

    index: int
    name: str
    product: str
    seats: int | None
    has_seats: bool
    service: str
    subscription: str
    beside: bool
    cancelled: bool
    reason: bool
    cancel: bool
    previously: str


class Sketch(Struct, frozen=True):
    """A tenant as far as it can be read."""

    raw: dict[str, Any]
    tenant: str
    previously: str
    provider: str
    account: str
    service: str
    domain: str
    directory: dict[str, Any] | None
    groups: tuple[SketchGroup, ...]
    has_users: bool
    users: Iterable[SketchPerson]


def sketch(raw: dict[str, Any]) -> Sketch:
    """Read what can be read of a tenant's plain values."""
    directory = raw.get("directory")
    return Sketch(
        raw=raw,
        tenant=_text(raw, "tenant"),
        previously=_text(raw, "previously"),
        provider=_text(raw, "provider"),
        account=_text(raw, "account"),
        service=_text(raw, "service").lower(),
        domain=_text(raw, "domain").lower(),
        directory=directory if isinstance(directory, dict) else None,
        groups=tuple(_group(index, each) for index, each in items(raw, "license_groups")),
        has_users=isinstance(raw.get("users"), list),
        users=[_person(index, each) for index, each in items(raw, "users")],
    )


def items(raw: dict[str, Any], key: str) -> list[tuple[int, dict[str, Any]]]:
    """List the mappings below a key, each with its place in the list."""
    found = raw.get(key)
    if not isinstance(found, list):
        return []
    return [(index, each) for index, each in enumerate(found) if isinstance(each, dict)]


def _text(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) else ""


def _ident(raw: dict[str, Any], key: str) -> str:
    value = raw.get(key)
    return str(value) if type(value) is int else _text(raw, key)


def _group(index: int, raw: dict[str, Any]) -> SketchGroup:
    seats = raw.get("seats")
    return SketchGroup(
        index=index,
        name=_text(raw, "name"),
        product=_text(raw, "product"),
        seats=seats if type(seats) is int and seats >= 1 else None,
        has_seats="seats" in raw,
        service=_text(raw, "service").lower(),
        subscription=_ident(raw, "subscription").lower(),
        beside="beside" in raw,
        cancelled=raw.get("state") == "cancelled",
        reason="reason" in raw,
        cancel="cancel" in raw,
        previously=_text(raw, "previously"),
    )


def _person(index: int, raw: dict[str, Any]) -> SketchPerson:
    get = raw.get
    login, country, licenses, previously = get("login"), get("country"), get("licenses"), get("previously")
    return SketchPerson(
        index,
        login_key(login) if type(login) is str else "",
        login_key(country) if type(country) is str else "",
        licenses if type(licenses) is list else [],
        login_key(previously) if type(previously) is str else "",
    )
