"""Real processes, really killed: another one goes on, and one intention is one order."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.core.progress import replay
from reconciler.sandbox.world import World
from reconciler.store.journal import open_journal
from tests.engine.stories import STORIES, Story

WORKSPACE = """
version: 1
accounts:
  ovh-main: {api: ovh, endpoint: sandbox, settle: 2s}
journal: sqlite:///journal.db
"""
CHOSEN = [story for story in STORIES if story.name in {"payg-join", "prepaid-new", "csp2-order"}]
AT_EFFECT = {
    "payg-join": "user-created",
    "prepaid-new": "order-placed",
    "csp2-order": "subscription-begun",
}
PATIENCE = 60.0


ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "CI"} | {"NO_COLOR": "1"}
"""Not in CI, where a journal that is a new file may not buy."""


class Town:
    """A workspace in a folder of its own, with the embedded sandbox beside it."""

    def __init__(self, root: Path, story: Story) -> None:
        self.root = root
        self.story = story
        (root / "tenants").mkdir(parents=True)
        (root / ".reconciler").mkdir(mode=0o700)
        (root / "reconciler.yaml").write_text(WORKSPACE)
        (root / "tenants" / "acme.yaml").write_text(story.tenant)
        with closing(self.world()) as world:
            world.load(yaml.safe_load(story.world) or {})
            world.set("delay", "0.3")

    def world(self) -> World:
        return World.open(self.root / ".reconciler" / "sandbox.db")

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "reconciler", *words],
            cwd=self.root,
            env=ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*words)
        out, err = process.communicate(timeout=PATIENCE)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def ledger(self, what: str) -> int:
        with closing(self.world()) as world:
            return sum(entry["what"] == what for entry in world.ledger())

    def wait_for(self, seen: Callable[[World], Any], process: subprocess.Popen[str]) -> None:
        """Wait until the provider shows something, or the process has ended."""
        with closing(self.world()) as world:
            until = time.monotonic() + PATIENCE
            while not seen(world) and process.poll() is None and time.monotonic() < until:
                time.sleep(0.005)

    def goes_on(self) -> None:
        """Another process goes on until all is done; a person looks where nobody can know."""
        codes: list[int] = []
        for _ in range(4):
            resumed = self.run("resume", "--wait", "30s", "--quiet")
            assert "Traceback" not in resumed.stderr, resumed.stderr
            codes.append(resumed.returncode)
            if resumed.returncode == 8:
                assert self.story.name == "csp2-order", resumed.stdout
                self._look()
            applied = self.run("apply", "--yes", "--wait", "30s", "--quiet")
            assert "Traceback" not in applied.stderr, applied.stderr
            codes.append(applied.returncode)
            if applied.returncode == 0:
                break
        assert codes[-1] == 0, codes
        for what, times in self.story.effects.items():
            assert self.ledger(what) == times, what
        with closing(open_journal("sqlite:///journal.db", root=self.root, create=False, env={})) as journal:
            progress = replay(journal.events(["acme"]))
        assert not progress.open
        assert not progress.todo

    def _look(self) -> None:
        with closing(self.world()) as world, world.transaction() as tx:
            new = tx.column("SELECT id FROM subscription WHERE licence = 12")
        said = ["--happened", str(new[0])] if new else ["--did-not-happen"]
        assert self.run("resolve", "acme", "group/standard", *said).returncode == 0


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


@pytest.mark.parametrize("story", CHOSEN, ids=lambda one: one.name)
def test_a_process_killed_when_the_effect_shows_is_gone_on_with(
    town: Callable[[Story], Town], story: Story
) -> None:
    one = town(story)
    process = one.start("apply", "--yes", "--quiet")
    one.wait_for(lambda world: _begun(world, story), process)

    process.kill()
    process.communicate()

    one.goes_on()


@pytest.mark.parametrize("turn", range(5))
@pytest.mark.parametrize("story", CHOSEN, ids=lambda one: one.name)
def test_a_process_killed_at_any_time_is_gone_on_with(
    town: Callable[[Story], Town], story: Story, turn: int
) -> None:
    one = town(story)
    lots = random.Random(f"{story.name} {turn}")  # noqa: S311 - chaos, not secrecy
    process = one.start("apply", "--yes", "--quiet")
    one.wait_for(lambda world: world.requests(), process)

    time.sleep(lots.uniform(0, 1.0))  # a real process lives in real time
    process.kill()
    process.communicate()

    one.goes_on()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT], ids=["sigterm", "ctrl-c"])
def test_a_process_asked_to_stop_says_what_is_open(town: Callable[[Story], Town], sign: int) -> None:
    one = town(next(story for story in CHOSEN if story.name == "prepaid-new"))
    with closing(one.world()) as world:
        world.set("delay_order", "3600")
    process = one.start("apply", "--yes", "--wait", "1h")
    one.wait_for(lambda world: _begun(world, one.story), process)
    time.sleep(0.2)
    began = time.monotonic()

    process.send_signal(sign)
    out, err = process.communicate(timeout=PATIENCE)

    assert time.monotonic() - began < 8
    assert process.returncode == 4, (out, err)
    assert "Traceback" not in err
    assert "stopping" in err
    assert "pending" in out
    assert "210000001" in out
    with closing(one.world()) as world:
        world.set("delay", "0")
        world.advance(timedelta(hours=2))
    one.goes_on()


def test_a_plan_ends_at_once_and_without_a_trace(town: Callable[[Story], Town]) -> None:
    one = town(CHOSEN[0])
    with closing(one.world()) as world:
        world.fault("throttle", method="GET", path="/license/office", times=100, seconds=30)
    process = one.start("plan")
    one.wait_for(lambda world: any(each["status"] == 429 for each in world.requests()), process)

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE)

    assert process.returncode == 130
    assert "Traceback" not in err


def test_of_two_processes_at_once_one_buys(town: Callable[[Story], Town]) -> None:
    one = town(next(story for story in CHOSEN if story.name == "prepaid-new"))

    processes = [one.start("apply", "--yes", "--quiet") for _ in range(2)]
    codes = []
    for process in processes:
        _, err = process.communicate(timeout=PATIENCE)
        assert "Traceback" not in err
        codes.append(process.returncode)

    # The other was refused: it found the lease held, its plan overtaken, or an order that it did not know.
    assert 0 in codes
    assert set(codes) <= {0, 3, 4, 6, 7}
    one.goes_on()
