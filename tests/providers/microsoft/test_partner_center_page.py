"""The page about Partner Center says what the table says."""

from __future__ import annotations

from reconciler.core.action import Verb
from reconciler.providers.microsoft.capabilities import PARTNER_CENTER
from tests.providers.test_page import PAGE, cell


def test_the_matrix_on_the_page_is_the_one_in_the_table() -> None:
    rows = [f"| `{verb}` | {cell(PARTNER_CENTER.verbs[verb])} |" for verb in Verb]
    matrix = "\n".join(["| | |", "|---|---|", *rows])

    page = (PAGE.parent / "partner-center.md").read_text(encoding="utf-8")
    assert matrix in page, f"the page should hold:\n{matrix}"
