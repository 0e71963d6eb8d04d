"""The page about the directory says what its tables say."""

from __future__ import annotations

from reconciler.core.action import Verb
from reconciler.providers.manual import HOME_PL
from reconciler.providers.microsoft.graph.capabilities import PEOPLE, SETTINGS
from tests.providers.test_page import PAGE, cell


def test_the_matrices_on_the_page_are_those_in_the_tables() -> None:
    people = [f"| `{verb}` | {cell(PEOPLE[verb])} |" for verb in Verb if verb in PEOPLE]
    settings = [f"| `{key}:` | {cell(support)} |" for key, support in SETTINGS.items()]
    by_hand = [f"| `{verb}` | {cell(HOME_PL.verbs[verb])} |" for verb in Verb]
    head = ["| | |", "|---|---|"]

    page = (PAGE.parent / "directory.md").read_text(encoding="utf-8")
    for rows in ([*head, *people, *settings], [*head, *by_hand]):
        matrix = "\n".join(rows)
        assert matrix in page, f"the page should hold:\n{matrix}"
