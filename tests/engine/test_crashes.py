"""A process that ends at any event of its apply: another one goes on, and everything is done once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.faults import Told, person
from tests.engine.harness import Bench, Ends, planned
from tests.engine.stories import STORIES, Story, begin
from tests.measured import measured_at

MEASURED = {"prepaid-new"}
MOST = 60


def told(one: Bench, story: Story) -> None:
    """The story came true, nothing more, and nothing is left open."""
    assert story.check(one) == story.end
    assert {what: one.count(what) for what in story.effects} == story.effects
    plan = planned(one.plan())
    assert not plan.actions
    assert not plan.pending
    assert not one.progress().open


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("story", measured_at(MEASURED, STORIES), ids=lambda one: one.name)
def test_what_a_crash_leaves_is_gone_on_with(tmp_path: Path, story: Story, *, after: bool) -> None:
    for event in range(1, MOST):
        folder = tmp_path / str(event)
        folder.mkdir()
        one = begin(lambda world, here=folder, **files: Bench.make(here, world, **files), story)
        crashed = one.crash(Ends(event=event, after=after))
        one.time.at += timedelta(minutes=1).total_seconds()

        # Whoever comes next may resume first, or apply at once.
        codes = [one.resume().exit_code] if event % 2 else []
        codes.append(one.apply().exit_code)
        if codes[-1] == 8:
            # Nobody can know whether a subscription was bought: a person looks.
            assert story.name == "csp2-order"
            person(one, Told(codes, []))
            codes.append(one.apply().exit_code)

        assert codes[-1] == 0, f"event {event}: {codes}"
        told(one, story)
        one.world.close()
        if not crashed:
            return
    pytest.fail("there was always one event more")
