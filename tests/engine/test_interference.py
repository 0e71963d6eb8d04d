"""Somebody else at work in the same account, right before or after any call: noticed, or done around."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from tests.engine.faults import pattern
from tests.engine.harness import Bench
from tests.engine.stories import ACME, STORIES, Story, begin
from tests.measured import measured_at

MEASURED = {"csp2-resize", "payg-join", "prepaid-cancel", "prepaid-fewer", "prepaid-more"}
EVERY = bool(os.environ.get("RECONCILER_TORTURE"))
"""Whether somebody else comes both before and after each call, and four applies follow; else in turns."""

LIMIT = {"ovh-prepaid": "order-placed", "ovh-csp2": "subscription-created"}


def changes(story: Story) -> tuple[str, ...]:
    """What somebody else could do in the middle of a story."""
    match story.provider:
        case "ovh-payg":
            return (f"user-added {ACME} bob@{ACME}", f"user-removed {ACME} bob@{ACME}")
        case "ovh-prepaid" if "prepaid:" in story.world:
            return (
                f"seats-added {ACME} business 1",
                f"order-placed {ACME} business 1",
                f"seat-taken {ACME}-1002 zoe@{ACME}",
                f"seat-removed {ACME}-1002",
            )
        case "ovh-prepaid":
            return ("order-placed new business 2",)
    return ("quantity-changed 501 11", "subscription-removed 501")


def writes(one: Bench) -> Iterator[tuple[str, str]]:
    """The kinds of writing calls of an apply, each once."""
    process = one.process()
    process.run(lambda setup: apply(setup, Consent()))
    seen = dict.fromkeys((method, pattern(path)) for method, path in process.wire.sent if method != "GET")
    yield from (call for call in seen if not call[1].startswith("/order/cart") or "checkout" in call[1])


@pytest.mark.parametrize("story", measured_at(MEASURED, STORIES), ids=lambda one: one.name)
def test_nothing_is_bought_twice_and_nobody_sits_on_nothing(tmp_path: Path, story: Story) -> None:
    for number, (method, path) in enumerate(writes(_bench(tmp_path / "clean", story))):
        for turn, change in enumerate(changes(story)):
            for when in ("before", "after") if EVERY else (("before", "after")[(number + turn) % 2],):
                one = _bench(tmp_path / f"{number}-{turn}-{when}", story)
                try:
                    one.world.fault("interference", method=method, path=path, change=change, when=when)
                except ValueError:
                    one.world.close()
                    continue
                codes = _rounds(one)
                told = (method, path, change, when, codes)
                assert codes[-1] == codes[-2], told
                # What somebody took away is bought again, once: the file asks for it.
                most = story.effects.get(LIMIT.get(story.provider, ""), 0) + ("-removed" in change)
                assert _own(one, story) <= most, told
                if codes[-1] == 0:
                    assert not one.progress().open, told
                one.world.close()


def _rounds(one: Bench) -> list[int]:
    """Apply again and again, an hour between; in the short suite until twice nothing was left to do."""
    codes: list[int] = []
    for _ in range(4):
        codes.append(one.apply().exit_code)
        one.time.at += 3600
        if codes[-2:] == [0, 0] and not EVERY:
            break
    return codes


def _own(one: Bench, story: Story) -> int:
    if story.provider == "ovh-csp2":
        return one.count("subscription-created")
    return sum(entry["what"] == "order-placed" and bool(entry["cart"]) for entry in one.world.ledger())


def _bench(folder: Path, story: Story) -> Bench:
    folder.mkdir()
    return begin(lambda world, **files: Bench.make(folder, world, **files), story)
