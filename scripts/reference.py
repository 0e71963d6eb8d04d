#!/usr/bin/env python3
"""Writes the reference of manifests and workspaces out of their JSON Schemas; --check says whether it stands there."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from reconciler.core.schema import tenant_schema, workspace_schema

FOLDER = Path(__file__).parents[1] / "docs/reference"

Schema = Mapping[str, Any]

PAGES = {
    "tenant": ("A manifest, key by key", "A file below `tenants/`", tenant_schema),
    "workspace": ("The workspace, key by key", "The file `reconciler.yaml`", workspace_schema),
}

WORDS = {
    "string": "text",
    "integer": "whole number",
    "boolean": "true or false",
    "array": "list",
    "object": "mapping",
}


def main(arguments: list[str]) -> int:
    """Write both pages, or compare them."""
    stale = []
    for name in PAGES:
        path, text = FOLDER / f"{name}.md", page(name)
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if arguments != ["--check"]:
            path.write_text(text, encoding="utf-8")
    if arguments == ["--check"] and stale:
        print(f"{', '.join(one.name for one in stale)}: run scripts/reference.py", file=sys.stderr)
        return 1
    return 0


def page(name: str) -> str:
    """One page: the file's own keys first, then those of its parts."""
    title, what, schema_of = PAGES[name]
    schema = schema_of()
    lines = [
        f"# {title}",
        "",
        f"{what}. Written by `scripts/reference.py` out of the schema that editors use",
        "",
    ]
    lines[2] += f" (`reconciler schema {name}`); *required* keys are marked."
    lines += _table(schema, schema["$defs"])
    for part, given in _in_order(schema):
        lines += ["", f"## {part}", "", str(given["description"]), "", *_table(given, schema["$defs"])]
    return "\n".join(lines) + "\n"


def _in_order(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """Give the parts as they are met, going through the file from its top."""
    parts, seen, queue = schema["$defs"], set(), [schema]
    while queue:
        for name in _refs(queue.pop(0)["properties"]):
            if name not in seen:
                seen.add(name)
                queue.append(parts[name])
                yield name, parts[name]


def _refs(value: object) -> Iterator[str]:
    match value:
        case {"$ref": str(ref)}:
            yield ref.rpartition("/")[2]
        case dict():
            for one in value.values():
                yield from _refs(one)
        case list():
            for one in value:
                yield from _refs(one)


def _table(part: Schema, parts: Schema) -> list[str]:
    required = set(part.get("required", ()))
    rows = [
        f"| `{key}` | {_kind(value)} | {_default(value)} | {_said(value, parts, required=key in required)} |"
        for key, value in part["properties"].items()
    ]
    return ["| key | is | unwritten | means |", "|---|---|---|---|", *rows]


def _said(value: Schema, parts: Schema, *, required: bool) -> str:
    said = value.get("description") or parts[next(_refs(value))]["description"]
    text = str(said).replace("|", "\\|")
    return f"*Required.* {text}" if required else text


def _kind(value: Schema) -> str:
    match value:
        case {"$ref": str(ref)}:
            name = ref.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"const": only}:
            return f"`{only}`"
        case {"enum": list(words)}:
            return ", ".join(f"`{word}`" for word in words)
        case {"anyOf": list(ways)} | {"oneOf": list(ways)}:
            return " or ".join(dict.fromkeys(_kind(one) for one in ways))
        case {"type": "array", "items": dict(items)}:
            return f"list of {_kind(items)}"
        case {"patternProperties": dict(values)}:
            return f"by name: {_kind(next(iter(values.values())))}"
        case {"minimum": least, "type": "integer"}:
            return f"whole number from {least}"
    return WORDS[value["type"]]


def _default(value: Schema) -> str:
    default = value.get("default")
    return "" if default in (None, [], {}) else f"`{json.dumps(default).strip(chr(34))}`"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
