"""Every writing operation of every adapter, through a session that was opened for reading, at a real server."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from reconciler.core.action import Verb
from reconciler.providers import OPEN
from reconciler.providers.transport import Connections, ReadOnlyError
from reconciler.sandbox.world import World
from tests.gate.served import Served, served
from tests.providers.conftest import anyio_backend, open_rig, time, world
from tests.providers.rig import Open
from tests.providers.test_contract import CASES, Case

__all__ = ["anyio_backend", "open_rig", "time", "world"]

pytestmark = pytest.mark.anyio


@pytest.fixture
def at(world: World) -> Iterator[Served]:
    with served(world) as running:
        yield running


@pytest.fixture
async def network() -> Connections:
    return Connections(limit=4)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


async def test_a_writing_operation_is_refused_before_anything_leaves(
    open_rig: Open, at: Served, network: httpx.AsyncBaseTransport, case: Case
) -> None:
    rig = await open_rig(
        case.kind, case.scope, case.world, writes=False, through=network, base_url=at.url, sandbox=False
    )
    if case.meanwhile:
        rig.world.change(case.meanwhile)
    await rig.account.snapshot(frozenset({case.scope}))
    await rig.provider.organisation()
    read = len(at.tap.seen)

    with pytest.raises(ReadOnlyError):
        await rig.carry_out(case.action)
    await rig.session.close()

    assert read
    assert at.tap.changing == []
    assert rig.did(case.effect) == 0


async def test_the_same_operation_leaves_through_a_session_that_writes(
    open_rig: Open, at: Served, network: httpx.AsyncBaseTransport, case: Case
) -> None:
    rig = await open_rig(case.kind, case.scope, case.world, through=network, base_url=at.url, sandbox=False)
    if case.meanwhile:
        rig.world.change(case.meanwhile)
    await rig.account.snapshot(frozenset({case.scope}))

    await rig.carry_out(case.action)
    await rig.session.close()

    assert at.tap.changing


@pytest.mark.parametrize("kind", OPEN)
async def test_every_verb_that_an_adapter_does_itself_is_driven_here(open_rig: Open, kind: str) -> None:
    """An adapter that is added brings its verbs into tests/providers/test_contract.py, and so into this gate."""
    table = (await open_rig(kind, None)).account.capabilities.verbs

    itself = {verb for verb, support in table.items() if support.how == "api"}
    driven: set[Verb] = {case.action.verb for case in CASES.values() if case.kind == kind}
    missing = ", ".join(sorted(itself - driven))
    assert not missing, f"add cases for {kind} to CASES of tests/providers/test_contract.py: {missing}"
