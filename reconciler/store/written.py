"""Writes new files: plain values as YAML in canonical form, and a file only where there was none."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from reconciler.core.errors import WorkspaceError
from reconciler.core.shapes import TENANT_KEYS
from reconciler.store.edit import canonical

SCHEMAS = "schemas"
"""The folder beside the workspace file in which `init` puts the schemas, for editors."""

_PLAIN = re.compile(r"[^\W\d_](?:[\w .@/+-]|:(?! )|[()](?=.))*", re.ASCII)
_LETTERS = re.compile(r"[^\W\d_][\w .-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What some reader of YAML takes for something other than text."""


def schema_line(kind: str, *, file: Path, root: Path) -> str:
    """The first line of a file, by which editors complete and check it; empty where no schema is kept."""
    schema = root / SCHEMAS / f"{kind}.schema.json"
    if not schema.is_file():
        return ""
    way = os.path.relpath(schema, file.parent).replace(os.sep, "/")
    return f"# yaml-language-server: $schema={way}\n"


def manifest(raw: Mapping[str, Any], *, head: str = "", remarks: Mapping[str, str] | None = None) -> bytes:
    """Write a tenant's file below `head`. `remarks`: what stands behind a group's product, by the group's name."""
    ordered = {key: raw[key] for key in TENANT_KEYS[()] if key in raw}
    text = head + "".join(f"{line}\n" for line in _mapping(ordered, "", remarks or {}))
    # The lines above are in canonical form already, but for how odd signs are escaped; asking takes a
    # millisecond for each person.
    return canonical(text.encode(), TENANT_KEYS) if _is_odd(text) else text.encode()


def _is_odd(text: str) -> bool:
    return "\\" in text or any(len(line.encode("utf-16-le")) != 2 * len(line) for line in text.splitlines())


def _mapping(raw: Mapping[str, Any], indent: str, remarks: Mapping[str, str]) -> Iterator[str]:
    for key, value in raw.items():
        match value:
            case dict():
                yield f"{indent}{key}:"
                yield from _mapping(value, f"{indent}  ", remarks)
            case list() if value and isinstance(value[0], dict):
                yield f"{indent}{key}:"
                for one in value:
                    yield from _item(one, f"{indent}    ", remarks)
            case list() | tuple():
                yield f"{indent}{key}: [{', '.join(scalar(one) for one in value)}]"
            case _:
                said = remarks.get(str(raw.get("name"))) if key == "product" else None
                yield f"{indent}{key}: {scalar(value)}" + (f"  # {said}" if said else "")


def _item(one: Mapping[str, Any], indent: str, remarks: Mapping[str, str]) -> Iterator[str]:
    lines = list(_mapping(one, indent, remarks))
    yield f"{indent[:-2]}- {lines[0][len(indent) :]}"
    yield from lines[1:]


def scalar(value: object) -> str:
    """Spell a value; text that any reader could take for something else stands in quotes."""
    if not isinstance(value, str):
        return json.dumps(value)
    known = value.casefold() in _WORDS or value != value.strip() or not value.isprintable()
    if not known and (_PLAIN.fullmatch(value) or _LETTERS.fullmatch(value)) and value[-1] != ":":
        return value
    return quoted(value)


def quoted(value: str) -> str:
    """Spell text in double quotes, what cannot be seen escaped."""
    return "".join(
        sign if sign.isprintable() else _escaped(sign) for sign in json.dumps(value, ensure_ascii=False)
    )


def _escaped(sign: str) -> str:
    return f"\\u{ord(sign):04x}" if ord(sign) < 0x10000 else f"\\U{ord(sign):08x}"


def create(files: Sequence[tuple[Path, bytes]]) -> None:
    """Write files that must not be there yet; one that is, is named and left alone, and nothing is written.

    Where one cannot be written, those that were are taken away again: the same can be asked for again.
    """
    there = [str(path) for path, _ in files if path.exists() or path.is_symlink()]
    if there:
        raise exists(there)
    made: list[Path] = []
    for path, content in files:
        try:
            _create(path, content, made)
        except OSError as error:
            for one in made:
                one.unlink(missing_ok=True)
            if isinstance(error, FileExistsError):
                raise exists([str(path)]) from error
            raise WorkspaceError(
                f"{path}: cannot be written ({error.strerror})",
                hint="name a folder that you may write to, where there is room; nothing was written",
            ) from error


def _create(path: Path, content: bytes, made: list[Path]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    made.append(path)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)


def exists(names: Sequence[str]) -> WorkspaceError:
    """Say that files are there, and are not overwritten."""
    return WorkspaceError(
        f"{', '.join(names)}: exists, and nothing is ever overwritten",
        code="exists",
        hint="nothing was written",
    )
