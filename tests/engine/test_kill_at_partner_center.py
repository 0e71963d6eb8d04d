"""Real processes at Partner Center, really killed, with a journal in PostgreSQL: one intention is one order."""

from __future__ import annotations

import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.microsoft import MICROSOFT
from tests.engine.stories import Story
from tests.engine.town import Town

CHOSEN = {
    "partner-new": "partner-customer-created",
    "partner-more-for-a-joiner": "partner-quantity-changed",
}
"""The stories that are told, and the effect at which their process is killed, which has to wait for more."""

HELD = {
    "partner-order-and-people": ("POST", "*/checkout"),
    "partner-cancel-now": ("PATCH", "*/subscriptions/{}"),
}
"""Writes whose answer the server holds: method and path, as `sandbox fault` takes them."""

STORIES = {story.name: story for story in MICROSOFT}

pytestmark = pytest.mark.unmeasured


@pytest.fixture
def town(tmp_path: Path, postgres_url: str) -> Iterator[Callable[[Story], Town]]:
    root = tmp_path / "town"
    yield lambda story: Town(root, story, journal=postgres_url)
    shutil.rmtree(root, ignore_errors=True)


@pytest.mark.parametrize("name", CHOSEN)
def test_a_process_killed_when_the_effect_shows_is_gone_on_with(
    town: Callable[[Story], Town], name: str
) -> None:
    one = town(STORIES[name])
    one.begin()
    process, _ = one.start("apply", "--yes", "--quiet")
    one.wait_for(lambda world: any(entry["what"] == CHOSEN[name] for entry in world.ledger()), process)

    process.kill()
    killed = process.wait()

    assert killed == -signal.SIGKILL
    one.goes_on()


@pytest.mark.parametrize("name", HELD)
def test_a_process_killed_while_a_server_holds_its_answer_is_gone_on_with(
    town: Callable[[Story], Town], name: str
) -> None:
    method, path = HELD[name]
    one = town(STORIES[name])
    one.begin()
    with one.served():
        killed = one.killed_while_held(method, path)

        assert killed == -signal.SIGKILL
        one.goes_on()
