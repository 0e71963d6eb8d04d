"""A reseller without an API: nothing is asked, and what people confirmed is what there is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.action import Verb
from reconciler.core.manifest import TENANT
from reconciler.core.model import Holding, Quote
from reconciler.core.provider import Accepted, Attempt, Unknown
from reconciler.providers.manual import HOME_PL, PANEL, ManualAccount
from tests.providers.rig import Time, act

pytestmark = pytest.mark.anyio

GROUP = Holding(ref="acme/office", product="Office 365 Business", scope="acme", seats=4)
OTHER = Holding(ref="other/office", product="Office 365 Business", scope="other", seats=9)
ACME = TENANT.validate_python({"version": 1, "tenant": "acme", "provider": "home-pl", "account": "home"})


async def test_what_was_told_is_what_there_is(time: Time) -> None:
    account = ManualAccount("home", clock=time.clock)
    provider = account.tenant(ACME)

    nothing = await provider.read(frozenset({"acme/office"}))
    snapshot = await account.snapshot(frozenset({"acme"}), told=(GROUP, OTHER))

    assert nothing == ()
    assert snapshot.holdings == (GROUP, OTHER)
    assert await provider.read(frozenset({"acme/office"})) == (GROUP,)
    assert await provider.read(frozenset({"acme"})) == (GROUP,)
    assert await provider.organisation() is None


async def test_nothing_tells_a_price_and_a_product_is_called_as_written(time: Time) -> None:
    account = ManualAccount("home", clock=time.clock)

    assert await account.quote("Office 365 Business", 3, scope=None) == Quote()
    assert account.product_id(None, "Office 365 Business") == "Office 365 Business"
    assert await account.now() == datetime.fromtimestamp(time.now, UTC)
    await account.close()


@pytest.mark.parametrize("verb", [Verb.ORDER, Verb.RESIZE, Verb.CANCEL, Verb.UPDATE])
async def test_every_change_is_a_step_for_a_person(time: Time, verb: Verb) -> None:
    provider = ManualAccount("home", clock=time.clock).tenant(ACME)
    action = act(verb, "group/office", before={"seats": 4}, after={"seats": 6})

    said = [told async for told in provider.execute(action, Attempt(number=1))]
    found = await provider.find(action, (), datetime.fromtimestamp(0, UTC))

    assert HOME_PL.verbs[verb].how == "by-hand"
    assert await provider.reread(action) == {"seats": 4}
    (accepted,) = said
    assert isinstance(accepted, Accepted)
    assert (accepted.waiting_on, accepted.ticket) == ("person", "")
    assert PANEL in accepted.instructions
    assert await provider.poll(action, "", ()) == accepted
    assert isinstance(found, Unknown)
    assert PANEL in found.why


def test_people_need_a_directory() -> None:
    for verb in (Verb.ACTIVATE, Verb.DEACTIVATE, Verb.CREATE_USER, Verb.DELETE_USER):
        assert HOME_PL.verbs[verb].how == "not-at-all"
        assert "directory:" in HOME_PL.verbs[verb].note
