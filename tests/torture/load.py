"""Load: thousands of tenants in one apply, twice: the bigger crowd may take more of nothing than its size explains."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.torture.crowd import Figures
from tests.torture.part import Lots, Violation

ROOT = Path(__file__).parents[2]
SIZES = ((1800.0, (1000, 5000)), (480.0, (200, 1000)), (0.0, (50, 200)))
"""How many tenants for how many seconds of the whole run at least."""
SLOWER = 1.6
"""How much longer a tenant of the bigger crowd may take; quadratic would be 4 or 5."""
FATTER = 1.3
"""How much more memory a tenant of the bigger crowd may take."""
GROWTH = 40.0
"""Kilobytes a tenant that memory may grow from a quarter of the apply to its end: the report keeps what was done."""


class Load:
    """One apply for a crowd, and one for a bigger crowd."""

    name = "load"
    share = 1.0
    slots = 1

    def cases(self, lots: Lots, *, seconds: float) -> Iterator[str]:
        """One comparison, as big as the time allows."""
        few, many = next(sizes for least, sizes in SIZES if seconds >= least)
        yield f"{few} {many} {lots.randrange(10**6)}"

    def attempt(self, case: str, folder: Path) -> Counter[str]:
        """Apply for both crowds, each in a process of its own, and compare what they took."""
        few, many, seed = map(int, case.split())
        small, big = _applied(folder / "small", few, seed), _applied(folder / "big", many, seed)
        for one in (small, big):
            _left_nothing(one)
        _grew_with_its_size(small, big)
        return Counter(
            {
                "tenants applied": few + many,
                "actions accounted for": small.actions + big.actions,
                "faults under load": small.faults + big.faults,
            }
        )


def _applied(folder: Path, tenants: int, seed: int) -> Figures:
    command = [sys.executable, "-m", "tests.torture.crowd", str(folder), str(tenants), str(seed)]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        raise Violation(f"{tenants} tenants: {ended.stderr[-4000:]}")
    print(ended.stdout, end="", flush=True)
    return Figures(**json.loads(ended.stdout.splitlines()[-1]))


def _left_nothing(one: Figures) -> None:
    if one.files_left or one.tasks_left:
        raise Violation(f"{one.tenants} tenants left {one.files_left} open files and {one.tasks_left} tasks")
    if one.growth > GROWTH:
        raise Violation(f"{one.tenants} tenants: {one.growth:.1f} kB a tenant in the course of the apply")


def _grew_with_its_size(small: Figures, big: Figures) -> None:
    seconds = [one.seconds / one.tenants for one in (small, big)]
    memory = [(one.after - one.before) / one.tenants for one in (small, big)]
    if seconds[1] > SLOWER * seconds[0]:
        raise Violation(
            f"{seconds[0]:.3f} s a tenant of {small.tenants}, {seconds[1]:.3f} s of {big.tenants}"
        )
    if memory[1] > FATTER * memory[0]:
        raise Violation(
            f"{memory[0]:.3f} MB a tenant of {small.tenants}, {memory[1]:.3f} MB of {big.tenants}"
        )
