"""A checker of answers against the published shapes of Graph and Partner Center."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it has no types
import pytest

from tests.sandbox import specs

FOLDER = specs.FOLDER.parent / "microsoft"


def needed() -> None:
    """Skip where the shapes are not at hand, but never in CI."""
    specs.needed()
    if not FOLDER.is_dir():
        pytest.skip("the published specs are not beside the project")


@cache
def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def graph_problems(method: str, path: str, status: int, body: object) -> list[str]:
    """Name everything about an answer of Graph that its OpenAPI excerpt does not allow."""
    api = document("graph-v1.0-excerpt.openapi")
    responses = api["paths"][path][method.lower()]["responses"]
    known = responses.get(str(status)) or responses[f"{str(status)[0]}XX"]
    while "$ref" in known:
        known = api["components"]["responses"][known["$ref"].rpartition("/")[2]]
    content = known.get("content", {}).get("application/json")
    if content is None:
        return [] if body is None else [f"{method} {path}: a body where there is none"]
    schema = {**_nullable(content["schema"]), "components": _nullable(api["components"])}
    checker = jsonschema.Draft7Validator(schema)
    found = [f"{method} {path}{error.json_path[1:]}: {error.message}" for error in checker.iter_errors(body)]
    return found + _unknown(api, content["schema"], body, f"{method} {path}")


def _nullable(schema: Any) -> Any:
    """Say `nullable` in the words of JSON Schema."""
    match schema:
        case list():
            return [_nullable(one) for one in schema]
        case dict():
            plain = {key: _nullable(one) for key, one in schema.items() if key != "nullable"}
            if schema.get("nullable") is not True or "type" not in plain:
                return plain
            more = {"enum": [*plain["enum"], None]} if "enum" in plain else {}
            return {**plain, "type": [plain["type"], "null"], **more}
    return schema


def _unknown(api: dict[str, Any], schema: dict[str, Any], body: object, where: str) -> list[str]:
    """Name the properties of an object that the metadata does not know."""
    if "$ref" in schema:
        return _unknown(api, api["components"]["schemas"][schema["$ref"].rpartition("/")[2]], body, where)
    kind = str(body.get("@odata.type", "")).removeprefix("#") if isinstance(body, dict) else ""
    schema = api["components"]["schemas"].get(kind, schema)
    if isinstance(body, list):
        return [line for one in body for line in _unknown(api, schema.get("items", {}), one, where)]
    properties = schema.get("properties")
    if not isinstance(body, dict) or not properties:
        return []
    found = [
        f"{where}: {name} is unknown"
        for name in body
        if name not in properties and not name.startswith("@odata.")
    ]
    for name, value in body.items():
        found += _unknown(api, properties.get(name, {}), value, f"{where}.{name}")
    return found


def sample(name: str) -> dict[str, Any]:
    """Give a documented call: `request`, `response`, `status`."""
    return document(name)


def missing(example: object, answer: object, where: str = "") -> list[str]:
    """Name what a documented answer has and ours has not, and what is of another kind; values do not count."""
    match example, answer:
        case dict(), dict():
            return [
                line
                for name, value in example.items()
                for line in (
                    missing(value, answer[name], f"{where}.{name}")
                    if name in answer
                    else [f"{where}.{name} is missing"]
                )
            ]
        case list(), list():
            return missing(example[0], answer[0], f"{where}[0]") if example and answer else []
        case (bool(), bool()) | (str(), str()) | (None, _):
            return []
        case (int() | float(), int() | float()) if not isinstance(example, bool) and not isinstance(
            answer, bool
        ):
            return []
    return [f"{where}: {example!r} became {answer!r}"]


def files() -> list[Path]:
    return sorted(FOLDER.glob("*.json"))
