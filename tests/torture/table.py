"""The fault table whole: each fault by itself at every call of every story, and two faults at two calls."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec.structs import replace

from tests.engine.faults import Cell, Told, came_true, cells, cells_of, play
from tests.engine.harness import SETTINGS, Bench
from tests.engine.stories import Story, begin
from tests.torture.part import EVERY, Lots, Violation, story_of

LATE = ("order", "task", "readable", "subscription", "provisioning")
"""What may be days late; a list of orders that is as late would break the provider's own word."""
TIMINGS = {
    "at-once": (("delay", "0"),),
    "later": (("realistic", "on"),),
    "never": tuple((f"delay_{what}", "259200") for what in LATE),
}
"""When what took effect can be seen: at once, minutes and hours later, or not for three days."""
ROUNDS = {"at-once": 8, "later": 12, "never": 8}
POLL = {"at-once": 1.0, "later": 30.0, "never": 30.0}
SECONDS = 4
"""How many second faults a first one is tried with before another is drawn."""


class Singles:
    """Every fault at every call, one at a time."""

    name = "faults"
    share = 1.0
    slots = 64

    def cases(self, lots: Lots, *, seconds: float) -> Iterator[str]:  # noqa: ARG002 - the table is what it is
        """All cells of all stories."""
        every = [f"{story.name} {cell.id}" for story in EVERY for cell in known_cells(story.name)]
        lots.shuffle(every)
        yield from every

    def attempt(self, case: str, folder: Path) -> Counter[str]:
        """Play one story with one fault."""
        name, _, cell = case.partition(" ")
        story = story_of(name)
        one = bench(folder, story)
        try:
            came_true(one, story, play(one, story, Cell.parse(cell)))
        finally:
            one.world.close()
        return Counter({"faults": 1})


class Pairs:
    """Two faults at two calls: the second one anywhere in what the first one leads to."""

    name = "pairs"
    share = 2.0
    slots = 64

    def cases(self, lots: Lots, *, seconds: float) -> Iterator[str]:  # noqa: ARG002 - as many as are asked for
        """Stories and timings in turn, each time with other faults."""
        while True:
            kinds = [(story.name, timing) for story in EVERY for timing in TIMINGS]
            lots.shuffle(kinds)
            yield from (f"{name} {timing} {lots.randrange(10**9)}" for name, timing in kinds)

    def attempt(self, case: str, folder: Path) -> Counter[str]:
        """Play one pair that is named, or draw some by a number."""
        name, timing, which = case.split(" ", 2)
        story = story_of(name)
        if not which.isdigit():
            first, _, second = which.partition(" + ")
            return _pair(folder, story, timing, Cell.parse(first), Cell.parse(second))
        return drawn(folder, story, timing, random.Random(case))  # noqa: S311 - chaos, not secrecy


def drawn(folder: Path, story: Story, timing: str, lots: Lots, *, seconds: int = SECONDS) -> Counter[str]:
    """Draw a first fault, see what it leads to, and try it with some second ones out of that."""
    first = _first(known_cells(story.name), lots)
    led_to = list(cells_of(_calls_under(folder / "first", story, timing, first), every=True))
    counts: Counter[str] = Counter()
    for number in range(seconds):
        second = _second(led_to, known_cells(story.name), lots)
        counts += _pair(folder / str(number), story, timing, first, second)
    return counts


def bench(folder: Path, story: Story) -> Bench:
    """A story about to be applied, in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    return begin(lambda world, **files: Bench.make(folder, world, **files), story)


@cache
def known_cells(name: str) -> tuple[Cell, ...]:
    """Every fault at every call of a story without faults."""
    with TemporaryDirectory(prefix="torture-") as folder:
        one = bench(Path(folder), story_of(name))
        try:
            return tuple(cells(one, every=True))
        finally:
            one.world.close()


def _first(some: tuple[Cell, ...], lots: Lots) -> Cell:
    """A fault to begin with: mostly at a write, for what is read is only read again."""
    writes = [cell for cell in some if cell.method != "GET"]
    return lots.choice(writes if writes and lots.random() < 0.8 else some)


def _second(some: list[Cell], known: tuple[Cell, ...], lots: Lots) -> Cell:
    """A fault at one of the calls that were made because of the first one, or at any."""
    before = {(cell.method, cell.path, cell.skip) for cell in known}
    because = [cell for cell in some if (cell.method, cell.path, cell.skip) not in before]
    return lots.choice(because if because and lots.random() < 0.6 else some)


def _calls_under(folder: Path, story: Story, timing: str, cell: Cell) -> list[tuple[str, str]]:
    """Every call that is made from the apply on, when there is one fault."""
    one = _begun(folder, story, timing)
    begun = len(one.calls())
    try:
        told = _played(one, story, timing, cell)
        calls = one.calls()[begun:]
        _judged(one, story, timing, told)
    except Exception as error:
        raise Violation(f"{story.name} {timing} {cell.id}: {type(error).__name__} {error}") from error
    finally:
        one.world.close()
    return [(method, path.removeprefix("/1.0")) for method, path in calls]


def _pair(folder: Path, story: Story, timing: str, first: Cell, second: Cell) -> Counter[str]:
    one = _begun(folder, story, timing)
    try:
        told = _played(one, story, timing, first, second)
        struck = sum(fault["fired"] > 0 for fault in one.world.faults())
        _judged(one, story, timing, told)
    except Exception as error:
        said = f"{story.name} {timing} {first.id} + {second.id}"
        raise Violation(f"{said}: {type(error).__name__} {error}") from error
    finally:
        one.world.close()
    return Counter({"pairs": 1, "pairs of which both struck": int(struck == 2)})


def _begun(folder: Path, story: Story, timing: str) -> Bench:
    one = bench(folder, story)
    one.settings = replace(SETTINGS, poll=POLL[timing])
    for key, value in TIMINGS[timing]:
        one.world.set(key, value)
    return one


def _played(one: Bench, story: Story, timing: str, *faulty: Cell) -> Told:
    return play(one, story, *faulty, rounds=ROUNDS[timing])


def _judged(one: Bench, story: Story, timing: str, told: Told) -> None:
    """All came true; where nothing showed until now, it does from now on."""
    if timing == "never" and told.codes[-1] != 0:
        one.world.clear_faults()
        one.world.set("delay", "0")
        one.time.at += 7 * 86400
        after = play(one, story)
        told = Told([*told.codes, *after.codes], [*told.person, *after.person])
    came_true(one, story, told)
