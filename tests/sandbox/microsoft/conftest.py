"""What the tests of the Microsoft surfaces share."""

from collections.abc import Iterator

import pytest

from reconciler.sandbox.world import World
from tests.sandbox.makers import Clock
from tests.sandbox.microsoft.makers import ACME, SMALL, Cloud


@pytest.fixture
def world(clock: Clock) -> Iterator[World]:
    world = World.open(None, now=clock)
    world.load(SMALL)
    yield world
    world.close()


@pytest.fixture
def partner(world: World) -> Cloud:
    return Cloud(world, "/partner-center/v1")


@pytest.fixture
def acme(partner: Cloud) -> str:
    return str(partner.get("/customers").body["items"][0]["id"])


@pytest.fixture
def graph(world: World) -> Cloud:
    return Cloud(world, "/graph/v1.0", tenant=ACME)
