"""Real processes, really killed: another one goes on, and one intention is one order."""

from __future__ import annotations

import json
import random
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.sandbox.world import World
from tests.engine.stories import STORIES, Story
from tests.engine.town import Town

CHOSEN = [story for story in STORIES if story.name in {"payg-join", "prepaid-new", "csp2-order"}]
NEW = next(story for story in CHOSEN if story.name == "prepaid-new")
AT_EFFECT = {
    "payg-join": "user-created",
    "prepaid-new": "order-placed",
    "csp2-order": "subscription-begun",
}

PURCHASE = {
    "payg-join": "/license/office/{}/user",
    "prepaid-new": "/order/cart/{}/checkout",
    "csp2-order": "/saas/csp2/{}/subscription",
}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Callable[[Story], Town]]:
    made: list[Path] = []

    def make(story: Story) -> Town:
        made.append(tmp_path / str(len(made)))
        return Town(made[-1], story)

    yield make
    for root in made:
        shutil.rmtree(root, ignore_errors=True)


def _begun(world: World, story: Story) -> bool:
    if story.name == "csp2-order":
        return any(
            one["method"] == "POST" and one["path"].endswith("/subscription") for one in world.requests()
        )
    return any(entry["what"] == AT_EFFECT[story.name] for entry in world.ledger())


@pytest.mark.unmeasured
@pytest.mark.parametrize("story", CHOSEN, ids=lambda one: one.name)
def test_a_process_killed_when_the_effect_shows_is_gone_on_with(
    town: Callable[[Story], Town], story: Story
) -> None:
    one = town(story)
    process, _ = one.start("apply", "--yes", "--quiet")
    one.wait_for(lambda world: _begun(world, story), process)

    process.kill()
    process.wait()

    one.goes_on()


@pytest.mark.unmeasured
@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("story", CHOSEN, ids=lambda one: one.name)
def test_a_process_killed_at_any_time_is_gone_on_with(
    town: Callable[[Story], Town], story: Story, turn: int
) -> None:
    one = town(story)
    lots = random.Random(f"{story.name} {turn}")  # noqa: S311 - chaos, not secrecy
    process, _ = one.start("apply", "--yes", "--quiet")
    one.wait_for(lambda world: world.requests(), process)

    time.sleep(lots.uniform(0, 1.0))  # a real process lives in real time
    process.kill()
    process.wait()

    one.goes_on()


@pytest.mark.unmeasured
@pytest.mark.parametrize("story", CHOSEN, ids=lambda one: one.name)
def test_a_process_killed_while_a_server_holds_its_answer_is_gone_on_with(
    town: Callable[[Story], Town], story: Story
) -> None:
    one = town(story)
    with one.served():
        killed = one.killed_while_held("POST", PURCHASE[story.name])

        assert killed == -signal.SIGKILL
        one.goes_on()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "ctrl-c"])
def test_a_process_asked_to_stop_says_what_is_open(town: Callable[[Story], Town], sign: int) -> None:
    one = town(NEW)
    with closing(one.world()) as world:
        world.set("delay_order", "3600")
    process, place = one.start("apply", "--yes", "--wait", "1h")
    one.wait_for(lambda world: _begun(world, one.story), process)
    time.sleep(0.2)
    began = time.monotonic()

    process.send_signal(sign)
    ended = one.end(process, place)

    assert time.monotonic() - began < 8
    assert ended.code == 4, ended
    assert "stopping" in ended.err
    assert "pending" in ended.out
    assert "210000001" in ended.out
    with closing(one.world()) as world:
        world.set("delay", "0")
        world.advance(timedelta(hours=2))
    one.goes_on()


def test_a_plan_ends_at_once_and_without_a_trace(town: Callable[[Story], Town]) -> None:
    one = town(CHOSEN[0])
    with closing(one.world()) as world:
        world.fault("throttle", method="GET", path="/license/office", times=100, seconds=30)
    process, place = one.start("plan", "--log-json")
    one.wait_for(lambda world: any(each["status"] == 429 for each in world.requests()), process)

    process.send_signal(signal.SIGINT)

    ended = one.end(process, place)
    assert ended.code == 130
    assert [json.loads(line)["message"] for line in ended.err.splitlines()][-1] == "interrupted"


def test_of_two_processes_at_once_one_buys(town: Callable[[Story], Town]) -> None:
    one = town(NEW)

    processes = [one.start("apply", "--yes", "--quiet") for _ in range(2)]
    codes = [one.end(*each).code for each in processes]

    # The other was refused: it found the lease held, its plan overtaken, or an order that it did not know.
    assert 0 in codes
    assert set(codes) <= {0, 3, 4, 6, 7}
    one.goes_on()
