"""A seller and a directory as one provider: who answers what, and which product of the directory a group is."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from reconciler.core.action import Verb
from reconciler.core.errors import Rejected, Unavailable
from reconciler.core.model import Holding, Organisation
from reconciler.core.provider import Absent, Accepted, Done, Unknown
from reconciler.providers.routed import RoutedAccount
from reconciler.sandbox.world import World
from tests.providers.microsoft.town import (
    ACME,
    ADA,
    BASIC,
    BOB,
    DIRECTORY,
    DOMAIN,
    PREMIUM,
    RESOLD,
    asked,
    manifest,
    ref,
    routed,
)
from tests.providers.rig import RESELLER, Journal, Rig, Time, act

pytestmark = pytest.mark.anyio

SUBSCRIPTION = frozenset({"501"})


async def read(rig: Rig) -> tuple[Holding, ...]:
    await rig.account.snapshot(frozenset({RESELLER}))
    return await rig.provider.read(SUBSCRIPTION)


async def organisation(rig: Rig) -> Organisation:
    found = await rig.provider.organisation()
    assert found is not None
    return found


async def test_a_holding_of_the_seller_shows_the_people_of_the_directory(world: World, time: Time) -> None:
    rig = routed(world, time)

    (holding,) = await read(rig)

    assert (holding.ref, holding.seats, holding.scope) == ("501", 5, RESELLER)
    assert [place.user for place in holding.places] == [(f"ada@{DOMAIN}", "Ada", "Lovelace", "lt")]
    assert [place.via for place in holding.places] == [""]


async def test_the_directory_tells_everybody_and_the_bin_and_the_seller_its_partner_id(
    world: World, time: Time
) -> None:
    rig = routed(world, time)
    world.change(f"directory-user-removed {ACME} bob@{DOMAIN}")

    found = await organisation(rig)

    assert found.entries is not None
    assert {(one.login, one.deleted) for one in found.entries} == {
        (f"ada@{DOMAIN}", False),
        (f"bob@{DOMAIN}", True),
    }
    assert found.settings["tenant/mpn-id"] == {"mpn_id": "1234567"}
    assert found.domain == "acme.onmicrosoft.com"


async def test_one_plan_reads_a_directory_once(world: World, time: Time) -> None:
    rig = routed(world, time)
    await rig.account.snapshot(frozenset({RESELLER}))

    await asyncio.gather(rig.provider.read(SUBSCRIPTION), rig.provider.organisation())
    once = [asked(world, "GET", f"/graph/v1.0{path}") for path in ("/users", "/subscribedSkus", "/directory")]
    await asyncio.gather(rig.provider.read(SUBSCRIPTION), rig.provider.organisation())
    twice = asked(world, "GET", "/graph/v1.0/users")

    assert once == [1, 1, 1]
    assert twice == 2
    assert asked(world, "GET", "/graph/v1.0/organization") == 1
    assert asked(world, "GET", "/graph/v1.0/domains") == 0
    assert asked(world, "POST", "/graph") == 0


async def test_what_both_can_do_is_one_table(world: World, time: Time) -> None:
    able = routed(world, time).account.capabilities

    assert (able.people, able.directory, able.pool, able.slots) == (True, True, True, False)
    assert {verb: able.verbs[verb].how for verb in Verb if verb is not Verb.SCHEDULE} == {
        verb: "api" for verb in Verb if verb is not Verb.SCHEDULE
    }
    assert able.settings.keys() >= {"mpn_id", "domains", "delegated_administration"}


async def test_a_directory_of_somebody_else_is_refused_before_anything_is_read_or_written(
    world: World, time: Time
) -> None:
    other = "8f5c0000-0000-4000-8000-0000000000ff"
    strange = {"provider": "graph", "account": "partner", "tenant_id": "elsewhere.onmicrosoft.com"}
    tenants = [DIRECTORY, {"id": other, "domain": "elsewhere.onmicrosoft.com"}]
    document = RESOLD | {"microsoft": {"tenants": tenants}}
    rig = routed(world, time, manifest(directory=strange), document=document)
    await rig.account.snapshot(frozenset({RESELLER}))
    creates = act(Verb.CREATE_USER, "user/cy", after={}, login=f"cy@{DOMAIN}", first_name="Cy", last_name="N")

    for question in (rig.provider.read(SUBSCRIPTION), rig.provider.reread(creates), rig.carry_out(creates)):
        with pytest.raises(Rejected, match=f"elsewhere.onmicrosoft.com.*{other}"):
            await question

    assert rig.did("graph-user-created") == 0


async def test_a_directory_that_cannot_be_read_is_no_empty_directory(world: World, time: Time) -> None:
    rig = routed(world, time)
    await rig.account.snapshot(frozenset({RESELLER}))
    world.fault("error-before", path="/graph/v1.0/directory/*", method="GET", times=100)

    with pytest.raises(Unavailable):
        await rig.provider.read(SUBSCRIPTION)
    with pytest.raises(Unavailable):
        await rig.provider.organisation()


async def test_the_product_may_be_written(world: World, time: Time) -> None:
    group = {"name": "basic", "product": "11", "seats": 5, "sku": "SPB"}
    people = [{**DIRECTORY["users"][1], "licences": ["SPB"]}]
    document = RESOLD | {
        "microsoft": {"tenants": [{**DIRECTORY, "skus": [{"sku": "SPB", "units": 3}], "users": people}]}
    }
    rig = routed(world, time, manifest(license_groups=[group]), document=document)

    (holding,) = await read(rig)

    assert [place.login for place in holding.places] == [f"bob@{DOMAIN}"]


async def test_a_product_nobody_knows_is_asked_for(world: World, time: Time) -> None:
    odd = {"id": 77, "name": "Something Else"}
    document = RESOLD | {
        "csp2": [
            {
                "service": RESELLER,
                "licences": [odd],
                "subscriptions": [{"licence": 77, "quantity": 1}],
            }
        ]
    }
    groups = [{"name": "odd", "product": "77", "seats": 1}]
    rig = routed(world, time, manifest(license_groups=groups, users=[]), document=document)
    unmanaged = routed(world, time, manifest(license_groups=groups, users=None), document=None)

    with pytest.raises(Rejected, match=r"'Something Else'.*group/odd.*names no known product") as told:
        await read(rig)
    (holding,) = await read(unmanaged)

    assert "sku:" in told.value.hint
    assert holding.places == ()


async def test_two_groups_of_one_product_may_not_both_have_people(world: World, time: Time) -> None:
    subscriptions = [{"licence": 11, "quantity": 5}, {"licence": 11, "quantity": 2}]
    document = RESOLD | {"csp2": [{"service": RESELLER, "directory": ACME, "subscriptions": subscriptions}]}
    groups = [
        {"name": "basic", "product": "11", "seats": 5, "subscription": "501"},
        {"name": "more", "product": "11", "seats": 2, "subscription": "502"},
    ]
    both = manifest(license_groups=groups, users=[ADA, {**BOB, "licenses": ["more"]}])
    one = manifest(license_groups=groups, users=[{**ADA, "licenses": ["more"]}])

    with pytest.raises(Rejected, match="basic and more are one product"):
        await routed(world, time, both, document=document).provider.read(frozenset({"501", "502"}))
    found = await routed(world, time, one, document=None).provider.read(frozenset({"501", "502"}))

    assert {holding.ref: len(holding.places) for holding in found} == {"501": 0, "502": 1}


async def test_seats_that_the_directory_does_not_show_yet_have_nobody_and_take_nobody(
    world: World, time: Time
) -> None:
    world.set("delay_provisioning", "600")
    groups = [{"name": "premium", "product": "Microsoft 365 Business Premium", "seats": 2}]
    people = [{**BOB, "licenses": ["premium"]}]
    rig = routed(world, time, manifest(license_groups=groups, users=people))
    buys = act(Verb.ORDER, "group/premium", product="13", quantity=2, expect=2, scope=RESELLER)
    joins = act(Verb.ACTIVATE, "seat/premium/bob", after={}, login=f"bob@{DOMAIN}", country="fr")
    await rig.account.snapshot(frozenset({RESELLER}))

    done = await rig.finish(buys)
    await rig.account.snapshot(frozenset({RESELLER}))
    (holding,) = await rig.provider.read(frozenset({done.ref}))
    with pytest.raises(Unavailable) as told:
        await rig.carry_out(joins)
    time.now += 700
    await rig.finish(joins)

    assert (holding.seats, holding.places) == (2, ())
    assert told.value.code == "not-yet"
    assert rig.did("graph-licences-changed") == 1


async def test_what_is_about_seats_goes_to_the_seller(world: World, time: Time) -> None:
    rig = routed(world, time)
    await rig.account.snapshot(frozenset({RESELLER}))
    more = act(
        Verb.RESIZE,
        "group/basic",
        before={"seats": 5},
        after={"seats": 7},
        product="11",
        service="501",
        scope=RESELLER,
        expect=7,
    )
    journal = Journal(world)

    assert await rig.provider.reread(more) == {"seats": 5}
    await rig.finish(more, journal)

    assert isinstance(await rig.find(more, journal), Done)
    assert rig.did("subscription-changed") == 1
    assert asked(world, "POST", "/graph") == 0


async def test_prices_products_and_the_clock_are_the_sellers(world: World, time: Time) -> None:
    rig = routed(world, time)
    assert isinstance(rig.account, RoutedAccount)
    await rig.account.snapshot(frozenset({RESELLER}))

    assert rig.account.product_id(RESELLER, "Microsoft 365 Business Basic") == "11"
    asked_there = await rig.account.seller.quote("Business", 2, scope=RESELLER)
    assert await rig.account.quote("Business", 2, scope=RESELLER) == asked_there
    assert asked_there.price is not None
    assert await rig.account.now() == world.now
    assert (rig.account.name, rig.account.sandbox) == ("seller", True)
    await rig.account.close()


def told(seats: int) -> Holding:
    return Holding(ref="acme/basic", product="Microsoft 365 Business Basic", scope="acme", seats=seats)


def bought_by_hand(**skus: int) -> dict[str, Any]:
    lots = [{"sku": sku, "units": units} for sku, units in skus.items()]
    return {"microsoft": {"tenants": [{**DIRECTORY, "skus": lots}]}}


async def test_what_was_bought_by_hand_has_the_people_of_the_directory(world: World, time: Time) -> None:
    document = bought_by_hand(O365_BUSINESS_ESSENTIALS=5)
    rig = routed(world, time, manifest("home-pl"), document=document)

    snapshot = await rig.account.snapshot(frozenset(), told=(told(5),))
    (holding,) = await rig.provider.read(frozenset({"acme/basic"}))
    leaves = act(
        Verb.DEACTIVATE,
        "seat/basic/ada",
        before={"login": f"ada@{DOMAIN}"},
        login=f"ada@{DOMAIN}",
        service="acme/basic",
        targets=[ref(world, f"ada@{DOMAIN}")],
    )
    await rig.finish(leaves)
    (after,) = await rig.provider.read(frozenset({"acme/basic"}))

    assert [one.seats for one in snapshot.holdings] == [5]
    assert [place.login for place in holding.places] == [f"ada@{DOMAIN}"]
    assert after.places == ()
    assert (await organisation(rig)).entries


async def test_a_purchase_by_hand_is_believed_when_the_directory_shows_it(world: World, time: Time) -> None:
    document = bought_by_hand(O365_BUSINESS_ESSENTIALS=5)
    rig = routed(world, time, manifest("home-pl"), document=document)
    order = act(Verb.ORDER, "group/basic", product="Microsoft 365 Business Basic", quantity=5, expect=5)
    more = act(Verb.RESIZE, "group/basic", before={"seats": 5}, after={"seats": 9}, expect=9, quantity=4)
    fewer = act(Verb.RESIZE, "group/basic", before={"seats": 9}, after={"seats": 5}, expect=5, quantity=-4)
    other = act(Verb.ORDER, "group/other", product="Microsoft 365 E5", quantity=1, expect=1)
    unheard = act(Verb.ORDER, "group/odd", product="Unheard of", quantity=1, expect=1)
    journal = Journal(world)

    assert await rig.find(order, journal) == Done(ref="", data={"seats": 5})
    assert await rig.find(more, journal) == Absent(why="the directory shows 5 seats of it; 9 wanted")
    assert await rig.find(other, journal) == Absent(why="the directory does not show the product; 1 wanted")
    assert isinstance(await rig.find(fewer, journal), Unknown)
    doubtful = await rig.find(unheard, journal)
    assert isinstance(doubtful, Unknown)
    assert "sku:" in doubtful.why


async def test_what_only_a_person_can_do_is_handed_over(world: World, time: Time) -> None:
    rig = routed(world, time, manifest("home-pl"), document=bought_by_hand(SPB=1))
    order = act(Verb.ORDER, "group/basic", product="x", quantity=5, expect=5)

    outcome = await rig.carry_out(order)

    assert isinstance(outcome, Accepted)
    assert outcome.waiting_on == "person"
    assert "https://cp.home.pl" in outcome.instructions
    assert await rig.provider.poll(order, "", ()) == outcome


async def test_the_directorys_ids_of_products_are_those_of_the_sandbox(world: World, time: Time) -> None:
    rig = routed(
        world, time, document=bought_by_hand(SPB=1, O365_BUSINESS_ESSENTIALS=1) | {"csp2": RESOLD["csp2"]}
    )
    await read(rig)
    answer = await rig.session.read("/subscribedSkus")

    assert {one["skuId"] for one in answer.data["value"]} == {BASIC, PREMIUM}
