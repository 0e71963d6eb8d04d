"""What the sandbox's tests share."""

from collections.abc import Iterator

import pytest

from reconciler.sandbox.world import World
from tests.sandbox.makers import SMALL, Api, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(clock: Clock) -> Iterator[World]:
    world = World.open(None, now=clock)
    world.load(SMALL)
    yield world
    world.close()


@pytest.fixture
def api(world: World, clock: Clock) -> Api:
    return Api(world, clock)
