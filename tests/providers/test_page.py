"""The page about OVHcloud says what the tables say."""

from __future__ import annotations

from pathlib import Path

from reconciler.core.action import Verb
from reconciler.core.provider import Support
from reconciler.providers.ovh.capabilities import FAMILIES

PAGE = Path(__file__).parents[2] / "docs/providers/ovh.md"


def cell(support: Support) -> str:
    how = {"api": "yes", "by-hand": "by hand", "not-at-all": "no"}[support.how]
    return f"{how}: {support.note}" if support.note else how


def matrix() -> str:
    rows = [
        f"| `{verb}` | " + " | ".join(cell(one.verbs[verb]) for one in FAMILIES.values()) + " |"
        for verb in Verb
    ]
    head = "| | " + " | ".join(f"`{name}`" for name in FAMILIES) + " |"
    return "\n".join([head, "|---|---|---|---|", *rows])


def test_the_matrix_on_the_page_is_the_one_in_the_tables() -> None:
    assert matrix() in PAGE.read_text(encoding="utf-8"), f"the page should hold:\n{matrix()}"
