"""The table of codes and the code that uses them say the same."""

import re
from pathlib import Path

from reconciler.core.codes import CODES

PACKAGE = Path(__file__).parents[2] / "reconciler"
OFFLINE = re.compile(r'"(RC[123]\d{3})"')


def test_every_offline_code_is_in_the_table_and_used() -> None:
    used = {
        code
        for file in PACKAGE.rglob("*.py")
        if file.name != "codes.py"
        for code in OFFLINE.findall(file.read_text(encoding="utf-8"))
    }

    assert used == CODES.keys()


def test_every_code_says_why_and_what_to_do() -> None:
    assert all(all(code) for code in CODES.values())
