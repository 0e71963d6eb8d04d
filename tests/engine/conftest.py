"""Fixtures of the tests of the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engine.harness import Bench

Make = Callable[..., Bench]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Make]:
    """Make a workspace and a world from text."""
    made: list[Bench] = []

    def make(world: str, **tenants: str) -> Bench:
        made.append(Bench.make(tmp_path, world, **tenants))
        return made[-1]

    yield make
    for one in made:
        one.world.close()
