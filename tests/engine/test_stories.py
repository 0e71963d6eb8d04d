"""Every story told without a fault: it is done once, and then there is nothing to do."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Make
from tests.engine.harness import planned
from tests.engine.stories import STORIES, Story, begin


@pytest.mark.parametrize("story", STORIES, ids=lambda one: one.name)
def test_an_apply_does_what_the_file_says_once(bench: Make, story: Story) -> None:
    one = begin(bench, story)

    report = one.apply()

    assert report.exit_code == 0, report
    assert story.check(one) == story.end
    assert {what: one.count(what) for what in story.effects} == story.effects
    assert not planned(one.plan()).actions
    assert one.apply().exit_code == 0
    assert {what: one.count(what) for what in story.effects} == story.effects
