"""The JSON Schemas of the files a user writes: the tenant and the workspace."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from reconciler.core.manifest import TENANT
from reconciler.core.workspace import WORKSPACE

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def tenant_schema() -> Schema:
    """The schema of one tenant's file."""
    return _schema(TENANT, "A tenant of reconciler")


def workspace_schema() -> Schema:
    """The schema of reconciler.yaml."""
    return _schema(WORKSPACE, "A workspace of reconciler")


def _schema(adapter: TypeAdapter[Any], title: str) -> Schema:
    made = _clean(adapter.json_schema())
    return {"$schema": _DIALECT, **made, "title": title}


def _clean(value: Any, *, named: bool = False) -> Any:
    """Leave out what says nothing to an editor: titles made from names, and defaults that mean "absent"."""
    match value:
        case dict() if named:
            return {key: _clean(each) for key, each in value.items()}
        case dict():
            noise = {"title"} | ({"default"} if value.get("default", 0) is None else set())
            if str(value.get("default")).startswith(
                "PT"
            ):  # an ISO 8601 duration; here they are written as 30s
                value = value | {"default": value["default"].removeprefix("PT").lower()}
            return {
                key: _clean(each, named=key in {"properties", "$defs"})
                for key, each in value.items()
                if key not in noise
            }
        case list():
            return [_clean(each) for each in value]
    return value
