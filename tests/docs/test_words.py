"""What the pages name is there: every command, and every key of a manifest or a workspace in the list of operations."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from reconciler.cli.main import cli
from reconciler.core.schema import tenant_schema, workspace_schema

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
COMMAND = re.compile(r"`reconciler ([a-z]+)")
KEY = re.compile(r"`([a-z_]+):[ `]")


def keys(schema: dict[str, Any]) -> Iterator[str]:
    for part in (schema, *schema["$defs"].values()):
        yield from part["properties"]


def test_every_command_that_a_page_names_is_there() -> None:
    named = {
        (page.name, word) for page in PAGES for word in COMMAND.findall(page.read_text(encoding="utf-8"))
    }

    there = cli.list_commands(click.Context(cli))
    assert len({word for _, word in named}) > 10
    assert sorted((page, word) for page, word in named if word not in there) == []


def test_every_key_in_the_list_of_operations_is_one() -> None:
    known = {*keys(tenant_schema()), *keys(workspace_schema())}
    named = set(KEY.findall((ROOT / "docs/seeds.md").read_text(encoding="utf-8")))

    assert len(named) > 10
    assert sorted(named - known) == []
