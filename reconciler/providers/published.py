"""Reads a body as a published model, whoever published it."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def parse(kind: type[T], data: Any) -> T:
    """Read a body as a type; ValueError says which field is not as published, and shows no value."""
    try:
        found: T = _adapter(kind).validate_python(data)  # type: ignore[arg-type] # types hash
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise ValueError(f"{where}: {first['msg']}") from None
    return found
