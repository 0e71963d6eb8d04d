"""What the body of a request may hold, checked field by field like the published specs say."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from reconciler.sandbox.call import bad
from reconciler.sandbox.countries import COUNTRIES

_FIELD = re.compile(r"(?P<name>\w+)(?P<required>!)?(?P<nullable>\?)?(?::(?P<kind>.+))?")
_LONG = range(-(2**63), 2**63)


class Field(Struct, frozen=True):
    """One field: of which kind, and whether it must be there or may be null."""

    kind: str
    required: bool
    nullable: bool


class Shape(Struct, frozen=True):
    """The fields of a body, and what they are called."""

    fields: Mapping[str, Field]

    @classmethod
    def of(cls, text: str) -> "Shape":
        """Read `domain! login! licence:licence note?`: `!` is required, `?` may be null, strings need no kind."""
        fields = {}
        for word in text.split():
            match = _FIELD.fullmatch(word)
            assert match is not None, word  # noqa: S101 - a shape is written in this package
            fields[match["name"]] = Field(
                match["kind"] or "string", bool(match["required"]), bool(match["nullable"])
            )
        return cls(fields)

    def check(self, body: object) -> dict[str, Any]:
        """Give the body if it fits; else refuse with the first thing that is wrong."""
        given = {} if body is None else body
        if not isinstance(given, dict):
            raise _wrong("the body is not an object")
        for name in given:
            if name not in self.fields:
                raise _wrong(f"Additional properties are not allowed ('{name}' was unexpected)")
        for name, field in self.fields.items():
            if name not in given:
                if field.required:
                    raise _wrong(f"'{name}' is a required property")
                continue
            if given[name] is None and field.nullable:
                continue
            if not _fits(field.kind, given[name]):
                raise _wrong(f"'{name}' is not a {field.kind}")
        return given


def _wrong(what: str) -> Exception:
    return bad(f"The input provided isn't valid: {what}")


def _fits(kind: str, value: object) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "long":
            return isinstance(value, int) and not isinstance(value, bool) and value in _LONG
        case "string":
            return isinstance(value, str)
        case "country":
            return isinstance(value, str) and value in COUNTRIES
        case "COUNTRY":
            return isinstance(value, str) and value.isupper() and value.lower() in COUNTRIES
        case "datetime":
            return isinstance(value, str) and _is_time(value)
        case "duration":
            return isinstance(value, str) and re.fullmatch(r"P(\d+[YMWD])+|PT(\d+[HMS])+", value) is not None
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
    return isinstance(value, str) and value in kind.split("|")


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
