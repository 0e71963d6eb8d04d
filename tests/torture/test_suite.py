"""The long suite in small: a sample of its pairs, one case of each other part, and what it says of a violation."""

from __future__ import annotations

import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.faults import Cell, Told, came_true, play
from tests.engine.stories import Story
from tests.torture import fuzz
from tests.torture.part import EVERY, story_of
from tests.torture.run import main
from tests.torture.table import TIMINGS, Pairs, bench, drawn, known_cells

pytestmark = pytest.mark.unmeasured

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("story", EVERY, ids=lambda one: one.name)
def test_two_faults_neither_double_nor_lose_anything(tmp_path: Path, story: Story) -> None:
    lots = random.Random(story.name)  # noqa: S311 - chaos, not secrecy

    tried = drawn(tmp_path, story, lots.choice(list(TIMINGS)), lots, seconds=1)

    assert tried["pairs"] == 1


def test_a_pair_that_a_violation_names_is_tried_again(tmp_path: Path) -> None:
    pair = "lose-reply-after@POST/license/office/{}/user#0 + error-before@GET/license/office/{}/user/{}#1"

    tried = Pairs().attempt(f"payg-join at-once {pair}", tmp_path)

    assert tried == Counter({"pairs": 1, "pairs of which both struck": 1})


NAMED = (*known_cells("csp2-order")[::40], *known_cells("partner-fewer-later")[::40])


@pytest.mark.parametrize("cell", NAMED, ids=lambda one: one.id)
def test_a_cell_is_had_again_from_its_name(cell: Cell) -> None:
    assert Cell.parse(cell.id) == cell


def test_an_effect_more_than_the_story_wants_is_a_violation(tmp_path: Path) -> None:
    story = replace(story_of("prepaid-new"), effects={"order-placed": 0})
    one = bench(tmp_path, story)

    with pytest.raises(AssertionError, match="order-placed happened 1 times"):
        play(one, story)
    one.world.close()


def test_a_story_that_did_not_come_true_is_a_violation(tmp_path: Path) -> None:
    story = story_of("payg-join")
    one = bench(tmp_path, story)

    with pytest.raises(AssertionError, match="ada Lovelace"):
        came_true(one, story, Told([0], []))
    one.world.close()


def test_what_is_wrong_is_said_with_the_command_that_tries_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = main(["--only", "faults payg-join no-such-fault@GET/me#0"])

    said = capsys.readouterr().out
    assert code == 1
    assert "VIOLATION faults payg-join no-such-fault@GET/me#0" in said
    assert "'no-such-fault' is no fault" in said
    assert "scripts/torture --only 'faults payg-join no-such-fault@GET/me#0'" in said


@pytest.mark.parametrize("words", [["soon"], ["10m", "--parts", "faults,hope"], ["--only", "hope and pray"]])
def test_wrong_usage_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 64
    assert "faults, pairs, kills, load, fuzz" in capsys.readouterr().err


def run(module: str, *words: str) -> str:
    """Run a module of the suite to its good end; what it says."""
    ended = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_a_run_ends_with_what_it_tried() -> None:
    said = run("tests.torture.run", "1s", "--parts", "faults", "--seed", "4", "--jobs", "1")

    assert "--seed 4" in said
    assert "  faults: " in said
    assert said.endswith("violations: 0\n")


@pytest.mark.parametrize("case", ["payg-join embedded", "payg-join http", "partner-order-and-people http"])
def test_a_kill_is_had_again_from_its_name(case: str) -> None:
    said = run("tests.torture.run", "--only", f"kills {case} sqlite 5")

    assert "well" in said


def test_a_crowd_is_accounted_for_and_leaves_nothing_open(tmp_path: Path) -> None:
    said = run("tests.torture.crowd", str(tmp_path / "crowd"), "10", "1")

    assert '"actions": 11,' in said
    assert '"files_left": 0, "tasks_left": 0' in said


def test_a_run_without_atheris_says_that_nothing_is_fuzzed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fuzz, "find_spec", lambda _name: None)

    assert list(fuzz.Fuzz().cases(random.Random(1), seconds=60)) == []  # noqa: S311 - chaos, not secrecy
    assert "fuzz: not tried, atheris is not installed" in capsys.readouterr().err


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that PostgreSQL may enter, which never runs as root."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_run_that_is_told_to_stop_leaves_no_server_behind(folder: Path) -> None:
    with (folder / "said").open("w") as said:
        running = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.run", "5m", "--parts", "kills", "--seed", "1", "--jobs", "1"],
            cwd=ROOT, stdout=said, stderr=said, env={**os.environ, "TMPDIR": str(folder)},
        )  # fmt: skip
        served = _serving(folder, running)

        running.send_signal(signal.SIGTERM)
        code = running.wait(60)

    text = (folder / "said").read_text()
    assert code == 0, text
    assert "stopped: these are the counts so far" in text
    with socket.socket() as asking:
        assert asking.connect_ex(("127.0.0.1", served)) != 0
    assert not list(folder.glob("torture-*"))


def _serving(folder: Path, running: subprocess.Popen[bytes]) -> int:
    """The port of the first sandbox that the run has served."""
    until = time.monotonic() + 60
    while time.monotonic() < until and running.poll() is None:
        for out in folder.glob("torture-*/town/.reconciler/*.out"):
            if found := re.search(r"http://127\.0\.0\.1:(\d+)/1\.0\n", out.read_text()):
                return int(found[1])
        time.sleep(0.01)
    raise AssertionError("no sandbox was served")
