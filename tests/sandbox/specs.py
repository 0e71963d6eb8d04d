"""A checker of answers against the provider's published specs."""

import json
import os
import re
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "specs" / "ovh"

FILES = (
    "license-office",
    "license-officePrepaid",
    "saas-csp2",
    "services",
    "order.excerpt",
    "me.excerpt",
    "auth",
    "price.excerpt",
    "msServices",
)

PATTERNS = {
    "phoneNumber": re.compile(r"[+\d. ]+"),
    "uuid": re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    "duration": re.compile(r"P(\d+[YMWD])+"),
}

Operation = tuple[str, str]


def needed() -> None:
    """Skip where the specs are not at hand, but never in CI."""
    wanted = os.environ.get("CI") and os.environ.get("RECONCILER_SPECS") != "absent"
    if not FOLDER.is_dir() and not wanted:
        pytest.skip("the published specs are not beside the project")


@cache
def operations() -> dict[Operation, tuple[str, dict[str, Any]]]:
    """Give every published operation with the file it stands in."""
    found = {}
    for name in FILES:
        for api in _file(name)["apis"]:
            for operation in api["operations"]:
                found[operation["httpMethod"], api["path"]] = (name, operation)
    return found


def problems(method: str, path: str, body: object) -> list[str]:
    """Name everything about an answer's body that the spec of its route does not allow."""
    name, operation = operations()[method, path]
    return list(_wrong(_file(name)["models"], operation["responseType"], body, f"{method} {path}"))


@cache
def _file(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def _wrong(models: dict[str, Any], kind: str, value: object, where: str) -> list[str]:
    if kind.endswith("[]"):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [
            line
            for place, one in enumerate(value)
            for line in _wrong(models, kind[:-2], one, f"{where}[{place}]")
        ]
    if kind.startswith("map["):
        return [] if isinstance(value, dict) else [f"{where}: {value!r} is no map"]
    base, _, argument = kind.partition("<")
    model = models.get(kind) or models.get(base) or models.get(f"{base}<T>")
    if model is None:
        return [] if _plain(kind, value) else [f"{where}: {value!r} is no {kind}"]
    if "enum" in model:
        return [] if value in model["enum"] else [f"{where}: {value!r} is none of {kind}"]
    return _object(models, model, value, where, argument.rstrip(">"))


def _object(
    models: dict[str, Any], model: dict[str, Any], value: object, where: str, argument: str
) -> list[str]:
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no object"]
    properties = model["properties"]
    found = [f"{where}: {name} is unknown" for name in value if name not in properties]
    for name, field in properties.items():
        if name not in value:
            found.append(f"{where}: {name} is missing")
        elif value[name] is None:
            found.extend([] if field.get("canBeNull") else [f"{where}: {name} is null"])
        else:
            kind = (field.get("fullType") or field["type"]).split(":")[-1]
            found.extend(_wrong(models, argument if kind == "T" else kind, value[name], f"{where}.{name}"))
    return found


def _plain(kind: str, value: object) -> bool:
    match kind, value:
        case "void", None:
            return True
        case "string" | "text" | "password", str():
            return True
        case (("phoneNumber" | "uuid" | "duration"), str()):
            return PATTERNS[kind].fullmatch(value) is not None
        case "boolean", bool():
            return True
        case (("long" | "double"), bool()):
            return False
        case ("long", int()) | ("double", int() | float()):
            return True
        case "date", str():
            return date.fromisoformat(value).isoformat() == value
        case "datetime", str():
            return datetime.fromisoformat(value).tzinfo is not None
    return False


def body_fields(method: str, path: str) -> dict[str, bool]:
    """Give the fields that a route's body may have, and whether each is required."""
    name, operation = operations()[method, path]
    models = _file(name)["models"]
    found = {}
    for parameter in operation["parameters"]:
        if parameter["paramType"] != "body":
            continue
        if parameter.get("name"):
            found[parameter["name"]] = bool(parameter["required"])
            continue
        properties = models[parameter["dataType"]]["properties"]
        found.update({key: bool(field.get("required")) for key, field in properties.items()})
    return found
