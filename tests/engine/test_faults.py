"""Every fault at every call: never twice, never lost, and what is not so is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engine.faults import came_true, cells, play
from tests.engine.harness import Bench
from tests.engine.stories import STORIES, Story, begin
from tests.measured import measured_at

MEASURED = {"prepaid-activate", "prepaid-cancel", "prepaid-new"}
EVERY = bool(os.environ.get("RECONCILER_TORTURE"))
"""The long suite hits every call; the short one each kind of call once."""


@pytest.mark.parametrize("story", measured_at(MEASURED, STORIES), ids=lambda one: one.name)
def test_a_fault_neither_doubles_nor_loses_anything(tmp_path: Path, story: Story) -> None:
    wrong: list[str] = []
    for number, cell in enumerate(cells(_bench(tmp_path / "clean", story), every=EVERY)):
        one = _bench(tmp_path / str(number), story)
        try:
            came_true(one, story, play(one, story, cell))
        except Exception as error:  # noqa: BLE001 - one list of everything that is wrong
            wrong.append(f"{cell.id}: {type(error).__name__} {str(error)[:600]}")
        finally:
            one.world.close()

    assert not wrong, f"{len(wrong)} wrong:\n" + "\n".join(wrong)


def _bench(folder: Path, story: Story) -> Bench:
    folder.mkdir()
    return begin(lambda world, **files: Bench.make(folder, world, **files), story)
