"""The page on reliability counts what the tests really do."""

import re
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from types import ModuleType

from tests.engine import faults, test_kill, test_kill_at_partner_center

PAGE = (Path(__file__).parents[2] / "docs/reliability.md").read_text(encoding="utf-8")


def number(pattern: str) -> int:
    """The one number that stands there on the page, where `N` is."""
    (found,) = re.findall(pattern.replace("N", r"(\d[\d,]*)"), PAGE)
    return int(found.replace(",", ""))


def tried(test: Callable[..., None]) -> int:
    """How often a test runs."""
    marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
    return prod(len(mark.args[1]) for mark in marks)


def kills(module: ModuleType, *words: str) -> int:
    """How many processes the tests of a module kill."""
    return sum(_kills(module, words))


def _kills(module: ModuleType, words: tuple[str, ...]) -> Iterator[int]:
    for name, test in vars(module).items():
        if name.startswith("test_a_process_killed") and all(word in name for word in words):
            yield tried(test)


def test_the_kills_of_each_run_are_as_many_as_are_told() -> None:
    at_ovh, at_partner_center = kills(test_kill), kills(test_kill_at_partner_center)

    assert number(r"N real processes killed with `SIGKILL`") == at_ovh + at_partner_center
    assert number(r"N at OVHcloud's families with a journal in SQLite") == at_ovh > 20
    assert number(r"N at Partner\s+Center with one in PostgreSQL") == at_partner_center > 3
    assert number(r"The N at Partner Center that each `scripts/test` makes") == at_partner_center
    held = kills(test_kill, "server") + kills(test_kill_at_partner_center, "server")
    assert number(r"N of them while `sandbox serve` holds") == held > 4


def test_the_faults_of_each_run_are_as_many_as_are_told() -> None:
    every = {*faults.ON_WRITES, *faults.ON_READS, *faults.ON_TASKS, *faults.ON_CHECKOUT}

    assert number(r"each of N faults at each \*kind\*") == len(every)


def test_the_kills_of_the_long_suite_add_up() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| real kills |"))
    families = {
        name: int(count) for count, name in re.findall(r"(\d+) ((?:[a-z]+\.?|Partner)[^,;]*)[,;]", row)
    }
    at_ovh = ("pay-as-you-go", "prepaid", "reseller")

    assert sum(families[name] for name in at_ovh) == number(r"OVHcloud's families \(N\)")
    others = sum(
        count
        for name, count in families.items()
        if name not in {*at_ovh, "over HTTP", "with a journal on PostgreSQL"}
    )
    assert others == number(r"Partner Center and directories \(N\)")
    assert number(r"real kills \| N:") == others + number(r"OVHcloud's families \(N\)")
