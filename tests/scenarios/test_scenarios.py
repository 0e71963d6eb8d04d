"""Every scenario goes as its page says; `UPDATE_GOLDEN=1` rewrites the pages, to be reviewed as a diff."""

import os
from pathlib import Path

import pytest

from tests.scenarios.scenario import blocks, perform, same

PAGES = sorted(Path(__file__).parent.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_it_goes_as_the_page_says(page: Path, tmp_path: Path) -> None:
    expected = page.read_text(encoding="utf-8")

    performed = perform(expected, tmp_path)

    if not same(performed, expected) and os.environ.get("UPDATE_GOLDEN"):
        page.write_text(performed, encoding="utf-8")
        expected = performed
    assert performed.split("\n") == expected.split("\n") or same(performed, expected), performed


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_a_title_files_and_commands(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    kinds = {block.kind for _, block in blocks(text)}
    assert text.startswith("# ")
    assert kinds >= {"yaml", "console"}


def test_what_a_command_says_otherwise_is_noticed(tmp_path: Path) -> None:
    page = "# A page\n\n```console\n$ reconciler --version  # exit 3\nreconciler 0.0.0\n```\n"

    assert not same(perform(page, tmp_path), page)
