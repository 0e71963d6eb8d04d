"""The kinds of value a user writes, and how each is read from plain YAML values."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError

# No longer than a name or a path may be: one that aliases repeat is a text of its own in whatever is packed.
REFERENCE = re.compile(r"env://[A-Za-z_][A-Za-z0-9_]{0,254}|file:///[^\x00-\x1f]{1,4095}")
DURATION = re.compile(r"(?:[0-9]+(?:ms|[smhd]))+")
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
RATE = re.compile(r"([1-9][0-9]{0,6})/(s|min|h)")
SLUG = r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$"
TEXT = r"^[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?$"
HOST = r"^[A-Za-z0-9][A-Za-z0-9-]{0,62}(?:\.[A-Za-z0-9-]{1,63})*$"
LOCAL = r"[A-Za-z0-9_'!#^~-]+(?:\.[A-Za-z0-9_'!#^~-]+)*"
LOGIN = rf"^{LOCAL}(?:@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)?$"
SERVICE = r"^[A-Za-z0-9][A-Za-z0-9._:-]*$"
IDENT = r"^[^\s\x00-\x1f\x7f]+$"
TERM = r"^P[1-9][0-9]?[MY]$"
CURRENCY = r"^[A-Z]{3}$"
SUBSIDIARY = r"^[A-Z]{2}$"
GUID = r"^[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"
AMOUNT = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,4})?")

SAID = {
    SLUG: "a name of a-z, 0-9 and dashes (no dash at its ends), at most 63 characters",
    TEXT: "one line of text without blanks at its ends",
    HOST: "a domain name, as in acme.example",
    LOGIN: "a login: letters, digits and . _ - ' ! # ^ ~, with or without @domain",
    SERVICE: "a service name: letters, digits, dots, dashes, colons and underscores",
    IDENT: "an id without blanks",
    TERM: "a term such as P1M, P1Y or P3Y",
    CURRENCY: "a currency in capitals, as in EUR",
    SUBSIDIARY: "a subsidiary of two capitals, as in FR",
    GUID: "an object id, as in 8f5c0000-0000-4000-8000-00000000ac3e",
}
"""What each pattern asks for, in words."""

T = TypeVar("T")


class Part(BaseModel):
    """A mapping of a file: frozen, and closed against unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)  # built as parts of a whole file


class _Unwritten:
    """Makes `T | None` mean "may be left out": a key that is written must have a value."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        inner: CoreSchema = schema["schema"] if schema["type"] == "nullable" else schema
        return inner


Optional = Annotated[T | None, _Unwritten()]
"""A key that may be absent (None in Python) but not empty."""

Slug = Annotated[str, StringConstraints(pattern=SLUG)]
"""A name in addresses: a-z, 0-9 and dashes inside, at most 63 characters."""

Text = Annotated[str, StringConstraints(pattern=TEXT, max_length=256)]
"""One line of text without blanks at its ends."""

Host = Annotated[str, StringConstraints(pattern=HOST, max_length=253)]
"""A domain name."""

Login = Annotated[str, StringConstraints(pattern=LOGIN, max_length=113)]
"""What a person signs in with; the part after `@` may be left to the tenant's `domain`."""

Service = Annotated[str, StringConstraints(pattern=SERVICE, max_length=253)]
"""A provider's own name or id of a service."""

Guid = Annotated[str, StringConstraints(pattern=GUID)]
"""The id of an object in a directory of Microsoft's, in any case."""

Term = Annotated[str, StringConstraints(pattern=TERM)]
"""How long a purchase binds: `P1M`, `P1Y`, `P3Y`."""

Currency = Annotated[str, StringConstraints(pattern=CURRENCY)]
"""ISO 4217, in capitals."""

Country = Annotated[str, StringConstraints(to_lower=True, max_length=64)]
"""ISO 3166-1 alpha-2; upper and lower case are the same."""

Whole = Annotated[int, Field(strict=True, ge=0)]
"""A whole number from zero."""


def _version(value: Any) -> Any:
    if type(value) is int and value == 1:
        return value
    raise PydanticCustomError("version", "must be 1, the only version of this format so far")


Version = Annotated[Literal[1], BeforeValidator(_version)]
"""The version of a file format."""

Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
"""A whole number from one."""

Flag = Annotated[bool, Field(strict=True)]
"""true or false."""


def _wrong(kind: str) -> PydanticCustomError:
    return PydanticCustomError("reconciler", kind)


def _ident(value: Any) -> Any:
    if type(value) is int:
        return str(value)
    return value


Ident = Annotated[
    str,
    BeforeValidator(_ident),
    StringConstraints(pattern=IDENT, max_length=128),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": IDENT, "maxLength": 128}, {"type": "integer"}]}),
]
"""A provider's id, which may be written as a number."""

Product = Annotated[
    str,
    BeforeValidator(_ident),
    StringConstraints(pattern=TEXT, max_length=256),
    WithJsonSchema({"anyOf": [{"type": "string", "pattern": TEXT, "maxLength": 256}, {"type": "integer"}]}),
]
"""What is bought: a name, or a provider's number for it."""


def seconds(text: str) -> float | None:
    """Read `30s`, `10m`, `4h`, `2d` or a row of them; None when it is not a duration."""
    if not DURATION.fullmatch(text):
        return None
    return sum(int(n) * UNITS[unit] for n, unit in re.findall(r"([0-9]{1,9})(ms|[smhd])", text))


def _duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, str) and (found := seconds(value)) is not None and found <= 366 * 86400:
        return timedelta(seconds=found)
    raise _wrong("must be a duration such as 30s, 10m, 4h or 2d")


def _shown(value: timedelta) -> str:
    return f"{int(value.total_seconds() * 1000)}ms"


Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(_shown),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{DURATION.pattern}$", "examples": ["30s", "10m", "4h", "2d"]}
    ),
]
"""A length of time."""


def _some(value: timedelta) -> timedelta:
    if value:
        return value
    raise _wrong("must be longer than nothing, such as 30s")


Span = Annotated[Duration, AfterValidator(_some)]
"""A length of time that is not nothing: a limit of nothing is none to whoever keeps it."""


class Rate(NamedTuple):
    """A number of requests in a number of seconds."""

    requests: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def _rate(value: Any) -> Rate:
    if isinstance(value, Rate):
        return value
    if isinstance(value, str) and (match := RATE.fullmatch(value)):
        return Rate(int(match[1]), {"s": 1.0, "min": 60.0, "h": 3600.0}[match[2]])
    raise _wrong("must be a number of requests in a time, such as 60/min, 5/s or 1000/h")


RateField = Annotated[
    Rate,
    BeforeValidator(_rate),
    WithJsonSchema({"type": "string", "pattern": f"^{RATE.pattern}$", "examples": ["60/min", "5/s"]}),
]
"""Requests in a time, as in `60/min`."""


def _amount(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if type(value) is int and 0 <= value < 10**12:
        return Decimal(value)
    if isinstance(value, str) and AMOUNT.fullmatch(value):
        return Decimal(value)
    if isinstance(value, float):
        raise _wrong('must be an amount in quotes, such as "10.50", so that no cent is rounded away')
    raise _wrong('must be an amount such as "10.50"')


Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": f"^{AMOUNT.pattern}$"}, {"type": "integer", "minimum": 0}]}
    ),
]
"""An amount of money, in quotes."""


def _reference(value: Any) -> str:
    if isinstance(value, str) and REFERENCE.fullmatch(value):
        return value
    raise PydanticCustomError(
        "literal_secret", "must be a reference (env://NAME or file:///path), never the value itself"
    )


Reference = Annotated[
    str,
    BeforeValidator(_reference),
    WithJsonSchema(
        {"type": "string", "pattern": f"^(?:{REFERENCE.pattern})$".replace("\\x00-\\x1f", "\\u0000-\\u001f")}
    ),
]
"""Where a credential is kept: `env://NAME` or `file:///path`."""
