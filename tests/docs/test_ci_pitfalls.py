"""The page on what goes wrong in CI names tests that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (\d+) \| .* \| .* \| (.*) \|$", re.MULTILINE)


def test_each_of_them_is_held_by_tests_that_are_there() -> None:
    rows = ROW.findall((ROOT / "docs/ci-pitfalls.md").read_text(encoding="utf-8"))
    there = {
        name
        for file in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(encoding="utf-8"), re.MULTILINE)
    }

    named = {number: re.findall(r"`(test_\w+)`", tests) for number, tests in rows}

    assert list(named) == [str(number) for number in range(1, 26)]
    assert all(named.values())
    assert [name for tests in named.values() for name in tests if name not in there] == []
