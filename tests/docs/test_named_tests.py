"""The pages that say which test holds or tries something name tests that are there."""

import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[2]
PITFALL = re.compile(r"^\| (\d+) \| .* \| .* \| (.*) \|$", re.MULTILINE)
OPERATION = re.compile(r"^\| (?!operation \|)(.+?) \| (.+) \| (.+) \|$", re.MULTILINE)
TRIED_BY = re.compile(r"\[`([\w-]+)`\]\(\.\./([^)]+)\)")
TEST = re.compile(r"^(?: {4})?(?:async )?def (test_\w+)", re.MULTILINE)


def there() -> dict[str, set[str]]:
    """The files of each test by its name; a story is one by the name of its page."""
    found = defaultdict(set)
    for file in (ROOT / "tests").rglob("test_*.py"):
        for name in TEST.findall(file.read_text(encoding="utf-8")):
            found[name].add(str(file.relative_to(ROOT)))
    for page in (ROOT / "tests/scenarios").glob("*.md"):
        found[page.stem].add(str(page.relative_to(ROOT)))
    return found


def test_each_pitfall_is_held_by_tests_that_are_there() -> None:
    rows = PITFALL.findall((ROOT / "docs/ci-pitfalls.md").read_text(encoding="utf-8"))
    known = there()

    named = {number: re.findall(r"`(test_\w+)`", tests) for number, tests in rows}

    assert list(named) == [str(number) for number in range(1, 26)]
    assert all(named.values())
    assert [name for tests in named.values() for name in tests if name not in known] == []


def test_each_operation_of_the_guides_is_tried_by_tests_that_are_in_the_files_it_links() -> None:
    rows = OPERATION.findall((ROOT / "docs/seeds.md").read_text(encoding="utf-8"))
    known = there()

    named = {operation: TRIED_BY.findall(tests) for operation, _, tests in rows}

    assert len(named) == len(rows) > 60
    assert [tests for *_, tests in rows if tests != "-" and TRIED_BY.sub("", tests).strip(", ")] == []
    assert [each for tests in named.values() for each in tests if each[1] not in known[each[0]]] == []


def test_what_no_test_tries_is_of_a_person_alone() -> None:
    """Then it names no key of a manifest and no command, for those can be tried."""
    rows = OPERATION.findall((ROOT / "docs/seeds.md").read_text(encoding="utf-8"))
    untried = {operation: how for operation, how, tests in rows if tests == "-"}

    assert untried
    assert [one for one, how in untried.items() if re.search(r"`[a-z_]+:|`reconciler", how)] == []
