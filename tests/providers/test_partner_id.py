"""The Microsoft partner id of a reseller tenant: shown beside its groups, and changed without losing the rest."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.action import Verb
from reconciler.core.errors import Uncertain
from reconciler.core.model import Organisation
from reconciler.core.provider import Absent, Done
from tests.providers.rig import RESELLER, Journal, Open, Rig, act

pytestmark = pytest.mark.anyio

ADDRESS = "tenant/mpn-id"
WORLD: dict[str, Any] = {"csp2": [{"service": RESELLER, "subscriptions": [{"licence": 11, "quantity": 5}]}]}
WAS = {"mpn_id": "1234567"}
CHANGE = act(Verb.UPDATE, ADDRESS, before=WAS, after={"mpn_id": "7654321"})


async def opened(open_rig: Open) -> Rig:
    rig = await open_rig("ovh-csp2", RESELLER, WORLD)
    await rig.account.snapshot(frozenset({RESELLER}))
    return rig


async def shown(rig: Rig) -> Any:
    found = await rig.provider.organisation()
    assert isinstance(found, Organisation)
    return found.settings[ADDRESS]


async def test_it_is_shown_without_a_request_of_its_own(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.session.requests.clear()

    first, asked = await shown(rig), rig.session.requests["GET"]
    again = await shown(rig)

    assert (first, asked) == (WAS, 0)
    assert again == WAS
    assert rig.session.requests["GET"] == 1


async def test_it_is_changed_and_everything_else_of_the_tenant_stays(open_rig: Open) -> None:
    rig = await opened(open_rig)
    route = f"/saas/csp2/{RESELLER}"
    before = (await rig.session.read(route)).data

    assert await rig.provider.reread(CHANGE) == WAS
    done = await rig.finish(CHANGE)

    assert done.ref == RESELLER
    assert (await rig.session.read(route)).data == {**before, "mpnId": "7654321"}
    sent = [one for one in rig.world.requests() if one["method"] == "PUT"]
    assert len(sent) == 1


async def test_a_tenant_without_one_is_shown_without_one(open_rig: Open) -> None:
    bare = {"csp2": [{"service": RESELLER, "mpn_id": None}]}
    rig = await open_rig("ovh-csp2", RESELLER, bare)

    assert await shown(rig) == {"mpn_id": None}


async def test_a_manifest_without_a_service_has_nothing_to_show(open_rig: Open) -> None:
    rig = await open_rig("ovh-csp2", None, WORLD)

    assert await rig.provider.organisation() is None


@pytest.mark.parametrize("fault", ["lose-reply-after", "lose-reply-before"])
async def test_a_lost_answer_is_looked_for_by_the_state(open_rig: Open, fault: str) -> None:
    rig = await opened(open_rig)
    rig.world.fault(fault, path="/saas/csp2/{}", method="PUT")
    journal = Journal(rig.world)

    with pytest.raises(Uncertain):
        await rig.carry_out(CHANGE, journal)
    rig.world.advance(timedelta(minutes=1))
    found = await rig.find(CHANGE, journal)

    assert isinstance(found, Done if fault == "lose-reply-after" else Absent)
    if isinstance(found, Absent):
        await rig.finish(CHANGE, journal)
    assert rig.did("tenant-changed") == 1
    assert await shown(rig) == {"mpn_id": "7654321"}
