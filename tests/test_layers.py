"""The shape of the package: imports run downwards, the core is pure, files stay small."""

import ast
import graphlib
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "reconciler"
FILES = sorted(PACKAGE.rglob("*.py"))

# What each part may import of ours, besides itself. The edges do not know each other; the door knows all.
BELOW = {
    "": {"", "cli"},  # reconciler/__init__.py and __main__.py
    "cli": {"", "engine", "providers", "store", "render", "sandbox", "core"},
    "engine": {"core"},
    "providers": {"core"},
    "store": {"core"},
    "render": {"core"},
    "sandbox": {"core"},
    "core": set[str](),
}

CORE_LIBRARIES = {"pydantic", "pydantic_core", "msgspec", "deepdiff"}

# Standard modules that touch nothing outside the process: what is missing here does I/O, reads a clock
# or draws lots.
PURE = {
    "__future__", "abc", "array", "bisect", "calendar", "collections", "contextlib", "copy", "dataclasses",
    "datetime", "decimal", "difflib", "enum", "fractions", "functools", "graphlib", "hashlib", "heapq",
    "ipaddress", "itertools", "json", "keyword", "math", "numbers", "operator", "pathlib", "re",
    "string", "textwrap", "types", "typing", "unicodedata", "urllib", "uuid", "zlib", "zoneinfo",
}  # fmt: skip

VAGUE = {"utils", "util", "helpers", "helper", "base", "common", "manager", "managers", "misc"}
LONGEST = 400


def imports(file: Path) -> set[str]:
    """Every module that a file imports, at the top or late, by its full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), filename=str(file))):
        match node:
            case ast.Import(names=names):
                found.update(alias.name for alias in names)
            case ast.ImportFrom(level=0, module=str(module), names=names):
                found.add(module)
                found.update(f"{module}.{alias.name}" for alias in names if _path(f"{module}.{alias.name}"))
            case ast.ImportFrom():
                pytest.fail(f"{file}:{node.lineno}: imports are absolute here")
    return found


def _path(module: str) -> Path | None:
    """The file of one of our modules."""
    start = PACKAGE.parent / module.replace(".", "/")
    for candidate in (start.with_suffix(".py"), start / "__init__.py"):
        if module.partition(".")[0] == PACKAGE.name and candidate.is_file():
            return candidate
    return None


def _part(file: Path) -> str:
    parts = file.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def _ours(file: Path) -> set[Path]:
    return {path for module in imports(file) if (path := _path(module)) and path != file}


def _name(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_imports_run_downwards(file: Path) -> None:
    part = _part(file)

    strangers = {_name(other) for other in _ours(file) if _part(other) not in {part, "", *BELOW[part]}}

    assert not strangers, f"{part or 'the top'} may not import {sorted(strangers)}"


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_only_the_version_is_taken_from_the_top(file: Path) -> None:
    tops = {_name(other) for other in _ours(file) if not _part(other)}

    assert tops <= {"__init__.py"} or not _part(file)


def test_no_cycles() -> None:
    """A package's `__init__.py` gathers from its files, so importing a file through it is no cycle."""
    graph = {
        _name(file): {_name(other) for other in _ours(file) if other.name != "__init__.py"} for file in FILES
    }

    tuple(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("file", [file for file in FILES if _part(file) == "core"], ids=_name)
def test_the_core_is_pure(file: Path) -> None:
    allowed = CORE_LIBRARIES | PURE | {PACKAGE.name}

    impure = {module for module in imports(file) if not {module, module.split(".")[0]} & allowed}

    assert not impure, f"the core does no I/O and reads no clock, so it may not import {sorted(impure)}"


@pytest.mark.parametrize("file", FILES, ids=_name)
def test_files_are_short_and_say_what_they_are(file: Path) -> None:
    text = file.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= LONGEST
    assert ast.get_docstring(ast.parse(text)), "a file opens with one sentence that says what it is about"
    assert not VAGUE & {file.stem, *file.relative_to(PACKAGE).parts}


def test_every_part_is_in_the_picture() -> None:
    assert {_part(file) for file in FILES} == set(BELOW)
