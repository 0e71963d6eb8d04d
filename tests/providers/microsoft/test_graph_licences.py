"""Licences of people: both lists sent, a location that goes round, groups that give them, seats that are not there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected, Unavailable, Uncertain
from reconciler.core.provider import Absent, Accepted, Done
from reconciler.sandbox.world import World
from tests.providers.microsoft.test_graph_people import Listening
from tests.providers.microsoft.town import (
    ACME,
    ADA_ID,
    BASIC,
    BOB_ID,
    BY_HAND,
    DIRECTORY,
    DOMAIN,
    RESOLD,
    asked,
    manifest,
    routed,
)
from tests.providers.rig import RESELLER, Journal, Rig, Time, act

pytestmark = pytest.mark.anyio

ADA, BOB = f"ada@{DOMAIN}", f"bob@{DOMAIN}"
ASSIGN = "/graph/v1.0/users/{}/assignLicense"


def joins(login: str = BOB, **more: Any) -> Action:
    detail = {"login": login, "country": "fr", "service": "501", "product": "11", "scope": RESELLER} | more
    return act(Verb.ACTIVATE, f"seat/basic/{login.partition('@')[0]}", after={"login": login}, **detail)


def leaves(login: str = ADA, number: str = ADA_ID) -> Action:
    detail = {"login": login, "service": "501", "targets": [number]}
    return act(Verb.DEACTIVATE, f"seat/basic/{login.partition('@')[0]}", before={"login": login}, **detail)


async def seated(rig: Rig) -> list[str | None]:
    await rig.account.snapshot(frozenset({RESELLER}))
    (holding,) = await rig.provider.read(frozenset({"501"}))
    return [place.login for place in holding.places]


async def test_a_licence_is_given_and_taken_with_both_lists(world: World, time: Time) -> None:
    through = Listening(world)
    rig = routed(world, time, through=through)

    await rig.finish(joins())
    given = await seated(rig)
    await rig.finish(leaves())

    assert given == [ADA, BOB]
    assert await seated(rig) == [BOB]
    assert [body for _, _, body in through.sent] == [
        {"addLicenses": [{"skuId": BASIC, "disabledPlans": []}], "removeLicenses": []},
        {"addLicenses": [], "removeLicenses": [BASIC]},
    ]


async def test_a_licence_that_is_there_is_not_given_again_which_would_reset_its_parts(
    world: World, time: Time
) -> None:
    rig = routed(world, time)

    outcome = await rig.carry_out(joins(ADA))

    assert outcome == Done(ref=ADA_ID, data={"user": ADA_ID, "login": ADA, "sku": BASIC})
    assert asked(world, "POST", "/graph/") == 0


async def test_a_person_who_was_just_created_gets_a_licence_once_the_location_has_gone_round(
    world: World, time: Time
) -> None:
    world.set("delay_usage_location", "45")
    rig = routed(world, time)
    login = f"cy@{DOMAIN}"
    detail = {"login": login, "first_name": "Cy", "last_name": "Newcomer", "country": "lt"}
    await rig.finish(act(Verb.CREATE_USER, "user/cy", after=detail, **detail))
    journal = Journal(world)

    with pytest.raises(Unavailable, match="does not know the country") as told:
        await rig.carry_out(joins(login, country="lt"), journal)
    refused = rig.did("graph-licences-changed")
    world.advance(timedelta(seconds=60))
    await rig.follow(
        joins(login), await rig.carry_out(joins(login, country="lt"), journal, number=2), journal
    )

    assert refused == 0
    assert told.value.retry_after
    assert await seated(rig) == [ADA, login]


async def test_somebody_who_does_not_show_yet_is_waited_for(world: World, time: Time) -> None:
    rig = routed(world, time)

    with pytest.raises(Unavailable, match="not in the directory yet"):
        await rig.carry_out(joins(f"nobody@{DOMAIN}"))


async def test_without_a_country_there_is_no_licence_and_no_request(world: World, time: Time) -> None:
    people = [{"login": BOB, "first_name": "Bob", "id": BOB_ID}]
    rig = routed(world, time, document=RESOLD | {"microsoft": {"tenants": [{**DIRECTORY, "users": people}]}})

    with pytest.raises(Rejected, match="no country") as told:
        await rig.carry_out(joins(country=None))

    assert "`country:`" in told.value.hint
    assert asked(world, "POST", "/graph/") == 0


async def test_more_people_than_seats_wait_for_the_seats_that_were_bought(world: World, time: Time) -> None:
    csp2 = [{"service": RESELLER, "directory": ACME, "subscriptions": [{"licence": 11, "quantity": 1}]}]
    rig = routed(world, time, document=RESOLD | {"csp2": csp2})

    with pytest.raises(Unavailable, match="shows no free seat"):
        await rig.carry_out(joins())

    assert rig.did("graph-licences-changed") == 0


@pytest.mark.parametrize("action", [joins(), leaves()], ids=["given", "taken"])
async def test_a_lost_answer_is_looked_for_in_the_directory(world: World, time: Time, action: Action) -> None:
    rig = routed(world, time)
    journal = Journal(world)

    world.fault("lose-reply-before", path=ASSIGN, method="POST")
    with pytest.raises(Uncertain):
        await rig.carry_out(action, journal)
    first = await rig.find(action, journal)
    world.fault("lose-reply-after", path=ASSIGN, method="POST")
    with pytest.raises(Uncertain):
        await rig.carry_out(action, journal, number=2)

    assert isinstance(first, Absent)
    assert isinstance(await rig.find(action, journal), Done)
    assert rig.did("graph-licences-changed") == 1


def in_group(*, directly: bool = False) -> dict[str, Any]:
    bob = {**DIRECTORY["users"][1], "group_licences": {"everybody": ["O365_BUSINESS_ESSENTIALS"]}}
    if directly:
        bob["licences"] = ["O365_BUSINESS_ESSENTIALS"]
    return RESOLD | {"microsoft": {"tenants": [{**DIRECTORY, "users": [bob]}]}}


async def test_a_licence_from_a_group_says_so_and_is_not_fought(world: World, time: Time) -> None:
    rig = routed(world, time, document=in_group())
    await rig.account.snapshot(frozenset({RESELLER}))

    ((place,),) = [one.places for one in await rig.provider.read(frozenset({"501"}))]
    already = await rig.carry_out(joins())
    with pytest.raises(Rejected, match="through group") as told:
        await rig.carry_out(leaves(BOB, BOB_ID))

    assert place.login == BOB
    assert place.via
    assert isinstance(already, Done)
    assert "take the person out of that group" in told.value.hint
    assert rig.did("graph-licences-changed") == 0


async def test_of_a_licence_that_came_both_ways_only_the_direct_one_is_taken(
    world: World, time: Time
) -> None:
    rig = routed(world, time, document=in_group(directly=True))
    await rig.account.snapshot(frozenset({RESELLER}))
    ((before,),) = [one.places for one in await rig.provider.read(frozenset({"501"}))]

    await rig.finish(leaves(BOB, BOB_ID))

    await rig.account.snapshot(frozenset({RESELLER}))
    ((after,),) = [one.places for one in await rig.provider.read(frozenset({"501"}))]
    assert before.via == ""
    assert after.via


async def test_who_is_gone_has_no_licence_to_take(world: World, time: Time) -> None:
    rig = routed(world, time)
    journal = Journal(world)
    world.change(f"directory-user-removed {ACME} {ADA}")

    assert await rig.provider.reread(leaves()) is None
    assert isinstance(await rig.carry_out(leaves(), journal), Done)
    assert isinstance(await rig.find(leaves(), journal), Done)
    assert isinstance(await rig.provider.poll(leaves(), ADA_ID, ()), Done)


async def test_a_licence_that_somebody_else_took_is_taken(world: World, time: Time) -> None:
    rig = routed(world, time)
    change = f"licence-taken {ACME} {ADA} O365_BUSINESS_ESSENTIALS"
    world.fault("interference", path=ASSIGN, method="POST", change=change)

    await rig.finish(leaves())

    assert await seated(rig) == []


async def test_a_licence_that_does_not_show_in_time_is_a_failure(world: World, time: Time) -> None:
    rig = routed(world, time)
    journal = Journal(world)
    await rig.carry_out(joins(), journal)
    world.change(f"licence-taken {ACME} {BOB} O365_BUSINESS_ESSENTIALS")

    soon = await rig.provider.poll(joins(), BOB_ID, tuple(journal.steps))
    world.advance(timedelta(hours=1))
    with pytest.raises(Rejected, match="nothing has changed"):
        await rig.provider.poll(joins(), BOB_ID, tuple(journal.steps))

    assert isinstance(soon, Accepted)


async def test_seats_bought_by_hand_are_filled_by_the_groups_name_alone(world: World, time: Time) -> None:
    rig = routed(world, time, manifest("home-pl"), document=BY_HAND)

    await rig.finish(joins(service=None, scope=None, product="Microsoft 365 Business Basic"))

    assert rig.did("graph-licences-changed") == 1
