"""Partner Center and directories through the whole engine: told without a fault, with each fault, and crashed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from tests.engine.conftest import Make
from tests.engine.faults import Cell, came_true, cells, pattern, play
from tests.engine.harness import Bench, Ends
from tests.engine.microsoft import MICROSOFT
from tests.engine.stories import Story, begin
from tests.measured import measured_at

EVERY = bool(os.environ.get("RECONCILER_TORTURE"))
"""The long suite hits every call; the short one each kind of call once."""
MEASURED = {"partner-new", "partner-new-and-people", "partner-order-and-people"}
SIDES = [
    pytest.param(story, odd, marks=() if story.name in MEASURED else pytest.mark.unmeasured)
    for number, story in enumerate(MICROSOFT)
    for odd in ((True, False) if EVERY else (number % 2 == 0,))
]
"""Around which events of which story a process ends; in the short suite of each story's every second one."""
MOST = 60


@pytest.mark.parametrize("story", MICROSOFT, ids=lambda one: one.name)
def test_an_apply_does_what_the_file_says_once(bench: Make, story: Story) -> None:
    one = begin(bench, story)

    told = play(one, story)

    came_true(one, story, told)
    assert {what: one.count(what) for what in story.effects} == story.effects
    assert one.apply().exit_code == 0
    assert {what: one.count(what) for what in story.effects} == story.effects


@pytest.mark.parametrize("story", measured_at({"partner-new"}, MICROSOFT), ids=lambda one: one.name)
def test_a_fault_neither_doubles_nor_loses_anything(tmp_path: Path, story: Story) -> None:
    wrong: list[str] = []
    for number, cell in enumerate(_chosen(story)):
        one = _bench(tmp_path / str(number), story)
        try:
            came_true(one, story, play(one, story, cell))
        except Exception as error:  # noqa: BLE001 - one list of everything that is wrong
            wrong.append(f"{cell.id}: {type(error).__name__} {str(error)[:600]}")
        finally:
            one.world.close()

    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong)


@pytest.mark.parametrize(("story", "odd"), SIDES, ids=lambda one: getattr(one, "name", one))
def test_what_a_crash_leaves_is_gone_on_with(tmp_path: Path, story: Story, *, odd: bool) -> None:
    """The process ends before odd or after even events; in the long suite before and after each."""
    for event, after in _ends(odd=odd):
        one = _bench(tmp_path / f"{event}-{after}", story)
        crashed = one.crash(Ends(event=event, after=after))
        one.time.at += timedelta(minutes=1).total_seconds()

        # Whoever comes next may resume first, or apply at once.
        codes = [one.resume().exit_code] if event % 4 < 2 else []
        told = play(one, story)

        assert 8 not in [*codes, *told.codes], (event, codes, told)
        came_true(one, story, told)
        assert {what: one.count(what) for what in story.effects} == story.effects
        assert not one.progress().open
        one.world.close()
        if not crashed:
            return
    pytest.fail("there was always one event more")


def _ends(*, odd: bool) -> Iterator[tuple[int, bool]]:
    """Events around which a process ends: odd ones before, even ones after they are on disk; or all of them."""
    for event in range(1, MOST):
        if EVERY or event % 2 == odd:
            yield event, not odd


def _chosen(story: Story) -> Iterator[Cell]:
    """All cells of a story, or those of calls that no earlier story makes and a fifth of the other writes."""
    earlier = MICROSOFT[: MICROSOFT.index(story)]
    known = set() if EVERY else {call for one in earlier for call in _calls(one.name)}
    with TemporaryDirectory(prefix="cells-") as folder:
        one = _bench(Path(folder) / "clean", story)
        found = list(cells(one, every=EVERY))
        one.world.close()
    for number, cell in enumerate(found):
        if (cell.method, cell.path) not in known or (cell.method != "GET" and number % 5 == len(earlier) % 5):
            yield cell


@cache
def _calls(name: str) -> frozenset[tuple[str, str]]:
    """The kinds of calls that an apply of a story makes."""
    story = next(one for one in MICROSOFT if one.name == name)
    with TemporaryDirectory(prefix="calls-") as folder:
        one = _bench(Path(folder) / "clean", story)
        process = one.process()
        process.run(lambda setup: apply(setup, Consent()))
        one.world.close()
    return frozenset((method, pattern(path)) for method, path in process.wire.sent)


def _bench(folder: Path, story: Story) -> Bench:
    folder.mkdir()
    return begin(lambda world, **files: Bench.make(folder, world, **files), story)
