"""What pydantic found wrong, said in words for the person who wrote the file."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from reconciler.core.diagnostic import Path, Problem
from reconciler.core.fields import SAID

SECRET = frozenset({"credentials", "key", "product_keys"})
"""Below these keys no value is ever repeated in a message."""

Shapes = Mapping[tuple[str, ...], tuple[str, ...]]
"""From where a mapping stands, list items left out, to the keys it may have."""


def problems(error: ValidationError, *, raw: Any, shapes: Shapes) -> Iterable[Problem]:
    """Turn each of pydantic's findings into a problem at a path of the raw document."""
    for found in error.errors(include_url=False):
        path, kinds = _path(found["loc"], raw)
        yield _problem(found, path, shape=shapes.get(kinds[:-1], ()))


def _path(loc: tuple[int | str, ...], raw: Any) -> tuple[Path, tuple[str, ...]]:
    """Leave out what only pydantic knows (tags of unions) and what varies (indices, names of accounts)."""
    path: list[str | int] = []
    kinds: list[str] = []
    value = raw
    for step in loc:
        match value, step:
            case dict(), str() if step in value:
                value = value[step]
                path.append(step)
                if path[:-1] != ["accounts"]:
                    kinds.append(step)
            case list(), int() if step < len(value):
                value = value[step]
                path.append(step)
            case _, "[key]":
                pass
            case dict(), str() if step == loc[-1]:
                path.append(step)
                kinds.append(step)
            case dict(), "ovh" | "microsoft" | "manual":
                kinds.append(step)
    return tuple(path), tuple(kinds)


def _problem(found: ErrorDetails, path: Path, *, shape: tuple[str, ...]) -> Problem:
    name = str(path[-1]) if path else ""
    given = found["input"]
    match found["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return _unknown(path, shape)
        case "missing":
            return Problem("RC1102", path[:-1], f"`{name}` is missing", hint=f"write `{name}:` here")
        case "union_tag_not_found":
            return Problem("RC1102", path, "`api` is missing", hint="write ovh, microsoft or manual")
        case "union_tag_invalid":
            allowed = ("ovh", "microsoft", "manual")
            return _choice((*path, "api"), str(found["ctx"]["tag"]), allowed)
    subject = _subject(path)
    if given is None:
        hint = "write a value or delete the key"
        if name == "users":
            hint = "write [] for nobody, or delete the key to leave people alone"
        return Problem("RC1105", path, f"{subject} has no value", hint=hint)
    return _value(found, path, subject=subject)


def _unknown(path: Path, shape: tuple[str, ...]) -> Problem:
    name = str(path[-1])
    close = difflib.get_close_matches(name, shape, n=1, cutoff=0.6)
    hint = f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(shape)}"
    return Problem("RC1101", path, f"unknown key `{name[:60]}`", hint=hint, at_key=True)


def _value(found: ErrorDetails, path: Path, *, subject: str) -> Problem:
    given, context = found["input"], found.get("ctx", {})
    secret = bool(SECRET & set(path))
    match found["type"]:
        case "reconciler" | "version":
            return Problem("RC1104", path, f"{subject} {found['msg']}")
        case "literal_secret":
            return Problem("RC1106", path, f"{subject} {found['msg']}")
        case "literal_error":
            allowed = tuple(part.strip("' ") for part in context["expected"].replace(" or ", ",").split(","))
            return _choice(path, given, allowed)
        case "string_pattern_mismatch":
            said = SAID[context["pattern"]]
            return Problem("RC1104", path, f"{subject} must be {said}{_not(given, secret=secret)}")
        case "string_too_long":
            return Problem("RC1104", path, f"{subject} is longer than {context['max_length']} characters")
        case "greater_than_equal":
            return Problem("RC1104", path, f"{subject} must be at least {context['ge']}{_not(given)}")
        case "less_than_equal":
            return Problem("RC1104", path, f"{subject} must be at most {context['le']}{_not(given)}")
        case kind:
            return _type(kind, path, given, subject=subject, secret=secret)


def _type(kind: str, path: Path, given: Any, *, subject: str, secret: bool) -> Problem:
    wanted, hint = "a value of another kind", ""
    match kind.removesuffix("_type").removesuffix("_parsing"):
        case "int":
            wanted = "a whole number"
            if isinstance(given, str) and given.isdigit():
                hint = f"write {given} without quotes"
        case "bool":
            wanted = "true or false"
            if isinstance(given, str) and given in {"true", "false"}:
                hint = "write it without quotes"
        case "string":
            wanted, hint = "text", "" if isinstance(given, (dict, list)) else "put it in quotes"
        case "tuple":
            wanted, hint = "a list", "" if isinstance(given, dict) else "write it in [ ]"
        case "model" | "dataclass" | "dict" | "mapping" | "model_attributes":
            wanted = "a mapping of keys"
    return Problem("RC1103", path, f"{subject} must be {wanted}{_not(given, secret=secret)}", hint=hint)


def _choice(path: Path, given: Any, allowed: tuple[str, ...]) -> Problem:
    close = difflib.get_close_matches(str(given), allowed, n=1, cutoff=0.6)
    said = allowed[0] if len(allowed) == 1 else f"{', '.join(allowed[:-1])} or {allowed[-1]}"
    hint = f"did you mean `{close[0]}`?" if close else ""
    return Problem("RC1104", path, f"{_subject(path)} must be {said}{_not(given)}", hint=hint)


def _subject(path: Path) -> str:
    match path:
        case (*_, str(name), int(index)):
            return f"item {index + 1} of `{name}`"
        case (*_, str(name)):
            return f"`{name}`"
    return "the file"


def _not(given: Any, *, secret: bool = False) -> str:
    """Repeat what was written, unless it may be a secret or is too long to help."""
    match given:
        case bool():
            return f", not {str(given).lower()}"
        case dict():
            return ", not a mapping"
        case list():
            return ", not a list"
        case _ if secret:
            return ""
        case int() | float():
            return f", not the number {given}"
        case str() if given == "":
            return ", not empty"
        case str() if given.isprintable() and len(given) <= 40:
            return f', not the text "{given}"'
    return ""
