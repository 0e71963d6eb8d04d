"""Domains and delegated rights: what the API does, what a person does, and how the two are told apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import ProviderError, Rejected, Unavailable, Uncertain
from reconciler.core.provider import Absent, Accepted, Done
from reconciler.sandbox.client import transport
from reconciler.sandbox.world import World
from tests.providers.microsoft.town import ACME, DIRECTORY, RESOLD, asked, manifest, routed
from tests.providers.rig import RESELLER, Journal, Rig, Time, act

pytestmark = pytest.mark.anyio

SHOP = "shop.example"
ADDRESS = f"tenant/domain/{SHOP}"
ADD = act(Verb.UPDATE, ADDRESS, after={"verified": True}, domain=SHOP)
DELEGATION = "tenant/delegation"
ROLE = "29232cdf-9323-42fd-ade2-1d097af3e4de"
SUPPORT = {"name": "support", "duration": "P2Y", "roles": [ROLE]}
ASK = act(Verb.UPDATE, DELEGATION, after={"name": "support", "status": "active"}, **SUPPORT)
RELATIONS = "/graph/v1.0/tenantRelationships/delegatedAdminRelationships"


def opened(world: World, time: Time, **more: Any) -> Rig:
    written = {"domains": ["Shop.example"], "delegated_administration": SUPPORT} | more
    return routed(world, time, manifest(**written))


async def settings(rig: Rig) -> dict[str, Any]:
    found = await rig.provider.organisation()
    assert found is not None
    return {key: dict(one) for key, one in found.settings.items()}


async def handed(rig: Rig, action: Action, journal: Journal) -> Accepted:
    outcome = await rig.carry_out(action, journal)
    assert isinstance(outcome, Accepted)
    return outcome


async def test_a_domain_is_added_and_its_record_handed_to_a_person(world: World, time: Time) -> None:
    rig = opened(world, time)
    before = await settings(rig)
    assert await rig.provider.reread(ADD) is None

    waits = await handed(rig, ADD, Journal(world))

    assert ADDRESS not in before
    assert (waits.waiting_on, waits.ticket) == ("person", SHOP)
    assert "TXT shop.example" in waits.instructions
    assert "MS=ms" in waits.instructions
    assert "MX" not in waits.instructions
    assert (await settings(rig))[ADDRESS] == {"verified": False}
    assert await rig.provider.reread(ADD) == {"verified": False}


async def test_a_domain_is_verified_once_its_record_is_published(world: World, time: Time) -> None:
    rig = opened(world, time)
    journal = Journal(world)
    waits = await handed(rig, ADD, journal)

    early = await rig.provider.poll(ADD, waits.ticket, tuple(journal.steps))
    world.change(f"domain-published {SHOP}")
    done = await rig.provider.poll(ADD, waits.ticket, tuple(journal.steps))
    again = await rig.provider.poll(ADD, waits.ticket, tuple(journal.steps))

    assert early == waits
    assert done == Done(ref=SHOP, data={"domain": SHOP})
    assert again == done
    assert (await settings(rig))[ADDRESS] == {"verified": True}
    assert rig.did("graph-domain-verified") == 1


async def test_a_domain_that_is_there_is_not_added_again(world: World, time: Time) -> None:
    rig = opened(world, time)
    journal = Journal(world)
    await handed(rig, ADD, journal)

    found = await rig.find(ADD, journal)
    await handed(rig, ADD, Journal(world))

    assert isinstance(found, Accepted)
    assert rig.did("graph-domain-added") == 1


@pytest.mark.parametrize("fault", ["lose-reply-before", "lose-reply-after", "error-after", "malformed"])
async def test_a_lost_adding_is_found(world: World, time: Time, fault: str) -> None:
    rig = opened(world, time)
    journal = Journal(world)
    world.fault(fault, path="/graph/v1.0/domains", method="POST")

    with pytest.raises(Uncertain):
        await rig.carry_out(ADD, journal)
    found = await rig.find(ADD, journal)
    if isinstance(found, Absent):
        await handed(rig, ADD, journal)

    assert isinstance(found, Absent) == (fault == "lose-reply-before")
    assert rig.did("graph-domain-added") == 1


async def test_a_domain_of_another_directory_is_refused_with_what_to_do(world: World, time: Time) -> None:
    other = {"domain": "other.onmicrosoft.com", "domains": [SHOP]}
    world.load({"microsoft": {"tenants": [other]}})
    rig = opened(world, time)

    with pytest.raises(Rejected, match="another directory") as told:
        await rig.carry_out(ADD)

    assert "removed there first" in told.value.hint


async def test_a_domain_that_somebody_removed_is_planned_anew(world: World, time: Time) -> None:
    rig = opened(world, time)
    journal = Journal(world)
    waits = await handed(rig, ADD, journal)
    await rig.session.write("DELETE", f"/domains/{SHOP}")

    with pytest.raises(Rejected, match="no longer in the directory"):
        await rig.provider.poll(ADD, waits.ticket, tuple(journal.steps))


async def test_domains_are_only_read_where_the_manifest_has_some(world: World, time: Time) -> None:
    rig = opened(world, time, domains=None, delegated_administration=None)

    await settings(rig)

    assert asked(world, "GET", "/graph/v1.0/domains") == 0
    assert asked(world, "GET", RELATIONS) == 0


async def test_somebody_who_added_the_domain_first_does_no_harm(world: World, time: Time) -> None:
    rig = opened(world, time)
    somebody = routed(world, time, manifest(domains=[SHOP]), document=None)

    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST" and request.url.path == "/graph/v1.0/domains":
                await handed(somebody, ADD, Journal(world))
            return await inner.handle_async_request(request)

    inner = transport(world)
    late = routed(world, time, manifest(domains=[SHOP]), document=None, through=Slow())
    waits = await handed(late, ADD, Journal(world))

    assert waits.ticket == SHOP
    assert rig.did("graph-domain-added") == 1


class Bare(httpx.AsyncBaseTransport):
    """Shows every domain without a service."""

    def __init__(self, world: World) -> None:
        self._inner = transport(world)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if not request.url.path.endswith("/domains") or request.method != "GET":
            return answer
        body = await answer.aread()
        return httpx.Response(200, content=body.replace(b'"Email","OfficeCommunicationsOnline"', b""))


async def test_a_verified_domain_without_services_is_told_what_they_want(world: World, time: Time) -> None:
    verified = {**DIRECTORY, "domains": ["acme.example", SHOP]}
    document = RESOLD | {"microsoft": {"tenants": [verified]}}
    rig = routed(world, time, manifest(domains=[SHOP]), document=document, through=Bare(world))

    found = await rig.provider.organisation()

    assert found is not None
    (notice,) = [one for one in found.notices if SHOP in one]
    assert "CNAME autodiscover.shop.example autodiscover.outlook.com" in notice
    assert "MX shop.example 0 shop-example.mail.protection.outlook.com" in notice


async def test_service_records_that_cannot_be_read_are_no_failure(world: World, time: Time) -> None:
    verified = {**DIRECTORY, "domains": ["acme.example", SHOP]}
    document = RESOLD | {"microsoft": {"tenants": [verified]}}
    world.fault("busy", path=f"/graph/v1.0/domains/{SHOP}/*", method="GET", times=50)
    rig = routed(world, time, manifest(domains=[SHOP]), document=document, through=Bare(world))

    found = await rig.provider.organisation()

    assert found is not None
    assert not [one for one in found.notices if SHOP in one]
    assert found.settings[ADDRESS] == {"verified": True}


async def test_rights_are_asked_for_and_the_customer_approves(world: World, time: Time) -> None:
    rig = opened(world, time)
    journal = Journal(world)
    before = await settings(rig)
    assert await rig.provider.reread(ASK) is None

    waits = await handed(rig, ASK, journal)
    pending = await settings(rig)
    early = await rig.provider.poll(ASK, waits.ticket, tuple(journal.steps))
    world.change("relationship-approved support")
    coming = await rig.provider.poll(ASK, waits.ticket, tuple(journal.steps))
    world.advance(timedelta(minutes=10))
    done = await rig.provider.poll(ASK, waits.ticket, tuple(journal.steps))

    assert DELEGATION not in before
    assert waits.waiting_on == "person"
    assert f"granularAdminRelationships/{waits.ticket}" in waits.instructions
    assert "Global Administrator of the customer" in waits.instructions
    assert pending[DELEGATION] == {"name": "support", "status": "approvalPending"}
    assert early == waits
    assert isinstance(coming, Accepted)
    assert coming.waiting_on == "provider"
    assert isinstance(done, Done)
    assert (await settings(rig))[DELEGATION] == {"name": "support", "status": "active"}
    assert await rig.provider.reread(ASK) == {"name": "support", "status": "active"}


@pytest.mark.parametrize("path", [RELATIONS, f"{RELATIONS}/{{}}/requests"], ids=["create", "lock"])
@pytest.mark.parametrize("fault", ["lose-reply-before", "lose-reply-after", "malformed"])
async def test_a_lost_answer_leads_to_one_relationship(
    world: World, time: Time, path: str, fault: str
) -> None:
    rig = opened(world, time)
    journal = Journal(world)
    world.fault(fault, path=path, method="POST")

    with pytest.raises(Uncertain):
        await rig.carry_out(ASK, journal)
    found = await rig.find(ASK, journal)
    if isinstance(found, Absent):
        await handed(rig, ASK, journal)

    assert isinstance(await rig.find(ASK, journal), Accepted)
    assert rig.did("graph-relationship-created") == 1
    assert rig.did("graph-relationship-approvalPending") == 1


async def test_what_waits_for_approval_is_not_asked_for_again(world: World, time: Time) -> None:
    rig = opened(world, time)
    first = await handed(rig, ASK, Journal(world))

    again = await handed(rig, ASK, Journal(world))

    assert again == first
    assert rig.did("graph-relationship-created") == 1


async def test_a_role_may_be_written_by_its_name(world: World, time: Time) -> None:
    rig = opened(world, time, delegated_administration={**SUPPORT, "roles": ["user administrator"]})
    unknown = routed(
        world,
        time,
        manifest(delegated_administration={**SUPPORT, "roles": ["King"]}),
        document=None,
    )

    with pytest.raises(Rejected, match="no directory role 'King'"):
        await unknown.carry_out(ASK)
    await handed(rig, ASK, Journal(world))

    assert rig.did("graph-relationship-created") == 1


async def test_no_role_at_all_is_no_request(world: World, time: Time) -> None:
    rig = opened(world, time, delegated_administration={**SUPPORT, "roles": []})

    with pytest.raises(Rejected, match="no role"):
        await rig.carry_out(ASK)


async def test_a_name_that_another_customer_has_is_refused(world: World, time: Time) -> None:
    other = "8f5c0000-0000-4000-8000-0000000000ff"
    tenants = [{"id": other, "domain": "other.onmicrosoft.com"}]
    world.load({"microsoft": {"tenants": tenants}})
    pin = {"provider": "graph", "account": "partner", "tenant_id": other}
    first = opened(world, time)
    await handed(first, ASK, Journal(world))
    second = routed(world, time, manifest(directory=pin, delegated_administration=SUPPORT), document=None)

    with pytest.raises(Rejected, match=f"is with directory {ACME}, not with {other}"):
        await second.carry_out(ASK)
    with pytest.raises(ProviderError):
        await second.find(ASK, Journal(world))


async def test_rights_that_have_ended_want_another_name(world: World, time: Time) -> None:
    rig = opened(world, time)
    journal = Journal(world)
    waits = await handed(rig, ASK, journal)
    world.change("relationship-approved support")
    world.advance(timedelta(days=800))

    with pytest.raises(Rejected, match="is expired") as told:
        await rig.provider.poll(ASK, waits.ticket, tuple(journal.steps))

    assert "another `name:`" in told.value.hint


def unaccepted() -> dict[str, Any]:
    return RESOLD | {"microsoft": {"tenants": [{**DIRECTORY, "consent": False}]}}


async def test_a_directory_that_the_customer_has_not_opened_yet_is_asked_for_and_nothing_is_taken_away(
    world: World, time: Time
) -> None:
    rig = routed(world, time, manifest(delegated_administration=SUPPORT), document=unaccepted())
    detail = {"login": "eve@acme.example", "first_name": "Eve", "last_name": "N", "country": "lt"}
    create = act(Verb.CREATE_USER, "user/eve", after=detail, **detail)
    joins = act(Verb.ACTIVATE, "seat/basic/bob", after={}, login="bob@acme.example", service="501")
    await rig.account.snapshot(frozenset({RESELLER}))

    (holding,) = await rig.provider.read(frozenset({"501"}))
    found = await rig.provider.organisation()
    for question in (rig.provider.reread(create), rig.carry_out(create), rig.carry_out(joins)):
        with pytest.raises(Unavailable, match="not accepted"):
            await question
    waits = await handed(rig, ASK, Journal(world))
    world.change("relationship-approved support")
    world.advance(timedelta(minutes=10))
    after = await rig.provider.organisation()

    assert found is not None
    assert after is not None
    assert (holding.places, "not accepted" in holding.frozen) == ((), True)
    assert found.entries is None
    assert "not accepted" in found.closed
    assert waits.waiting_on == "person"
    assert {one.login for one in after.entries or ()} == {"ada@acme.example", "bob@acme.example"}


async def test_a_directory_that_nobody_asked_to_be_opened_cannot_be_read(world: World, time: Time) -> None:
    rig = routed(world, time, manifest(), document=unaccepted())

    with pytest.raises(Rejected, match="no token") as told:
        await rig.provider.organisation()

    assert "delegated_administration" in told.value.hint


async def test_rights_that_are_no_longer_written_are_not_asked_for(world: World, time: Time) -> None:
    rig = opened(world, time, delegated_administration=None)

    with pytest.raises(Rejected, match="no delegated_administration"):
        await rig.carry_out(ASK)
