"""What each family does beyond the common contract: choosing seats, keys that change, licences and limits."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.core.action import Verb
from reconciler.core.errors import Missing, Rejected, Unavailable
from reconciler.core.provider import Absent, Accepted, Attempt, Done, Step, StepRecord, Unknown
from tests.providers.rig import CLIENT, GROUP, PAYG, RESELLER, SETTINGS, Journal, Open, Rig, act

pytestmark = pytest.mark.anyio

OFFICE = {"product": "business", "service": GROUP, "scope": GROUP}
PAY = {"product": "business", "service": PAYG, "scope": PAYG}


def joins(login: str, **more: Any) -> Any:
    return act(
        Verb.ACTIVATE,
        f"seat/office/{login}",
        after={},
        login=f"{login}@{GROUP}",
        first_name=login.title(),
        last_name="Tester",
        country="LT",
        **{**OFFICE, **more},
    )


async def prepaid(open_rig: Open, *lots: dict[str, Any]) -> Rig:
    rig = await open_rig("ovh-prepaid", GROUP, {"prepaid": [{"service": GROUP, "seats": list(lots)}]})
    await rig.account.snapshot(frozenset({GROUP}))
    await rig.provider.read(frozenset({GROUP}))
    return rig


async def test_a_group_is_read_with_its_people_and_its_dates(open_rig: Open) -> None:
    ada = {"login": "ada", "first_name": "Ada", "last_name": "Lovelace", "country": "lt"}
    rig = await prepaid(open_rig, {"people": [ada], "empty": 1, "expiration": "2027-03-01"})

    (holding,) = await rig.provider.read(frozenset({GROUP}))

    assert (holding.ref, holding.scope, holding.domain) == (GROUP, GROUP, GROUP)
    assert (holding.seats, holding.renewal, holding.renews_on) == (2, "auto", date(2027, 3, 1))
    seated, free = holding.places
    assert seated.user == (f"ada@{GROUP}", "Ada", "Lovelace", "lt")
    assert (free.login, free.first_name, free.ready) == (None, "", True)


async def test_two_products_in_one_service_are_two_holdings(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 2}, {"licence": "pro-plus", "empty": 1})

    holdings = await rig.provider.read(frozenset({GROUP}))

    assert {(one.product, one.seats) for one in holdings} == {("business", 2), ("pro-plus", 1)}


async def test_renewal_is_off_only_when_every_seat_ends(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 1}, {"empty": 1, "ending": True, "expiration": "2027-02-20"})
    (some,) = await rig.provider.read(frozenset({GROUP}))
    rig.world.change(f"ending {GROUP}-1001 on")
    (every,) = await rig.provider.read(frozenset({GROUP}))

    assert (some.renewal, some.ends_on) == ("auto", None)
    assert [place.ends_on for place in some.places] == [None, date(2027, 2, 20)]
    assert every.renewal == "off"
    assert every.ends_on is not None


async def test_a_joiner_gets_a_seat_that_goes_on_rather_than_one_that_ends(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 1, "ending": True}, {"empty": 1})

    first = await rig.finish(joins("bob"))

    assert first.ref == f"{GROUP}-1002"
    with pytest.raises(Rejected, match="no seat"):
        await rig.carry_out(joins("eve"))


async def test_where_all_seats_end_people_may_sit_until_then(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 1, "ending": True})

    assert (await rig.finish(joins("bob"))).ref == f"{GROUP}-1001"


async def test_many_joiners_at_once_never_share_a_seat(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 12})

    seats = await asyncio.gather(*(rig.finish(joins(f"p{number:02}")) for number in range(12)))

    assert len({one.ref for one in seats}) == 12
    assert rig.did("seat-configured") == 12


async def test_a_seat_that_somebody_took_meanwhile_is_passed_over(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 2})
    rig.world.change(f"seat-taken {GROUP}-1001 eve@{GROUP}")

    assert (await rig.finish(joins("bob"))).ref == f"{GROUP}-1002"


async def test_where_the_last_seat_was_taken_meanwhile_nothing_is_sent(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 1})
    rig.world.change(f"seat-taken {GROUP}-1001 eve@{GROUP}")

    with pytest.raises(Rejected, match="changed meanwhile: no seat of") as refused:
        await rig.finish(joins("bob"))

    assert refused.value.code == "changed-meanwhile"
    assert rig.did("seat-configured") == 0


async def test_seats_that_were_delivered_after_the_list_was_read_are_found(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"people": [{"login": "ada"}]})
    rig.world.change(f"seats-added {GROUP} business 1")

    assert (await rig.finish(joins("bob"))).ref == f"{GROUP}-1002"


async def test_a_second_attempt_fills_the_seat_of_the_first(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 3})
    journal = Journal(rig.world)
    journal.keep(Step(name=f"seat/{GROUP}-1003"))

    outcome = await rig.carry_out(joins("bob"), journal, number=2)

    assert isinstance(outcome, Accepted)
    assert outcome.ticket == f"{GROUP}-1003"


async def test_who_sits_there_already_is_done_without_a_call(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"people": [{"login": "bob"}]})
    rig.session.requests.clear()

    outcome = await rig.carry_out(joins("bob"))

    assert isinstance(outcome, Done)
    assert set(rig.session.requests) <= {"GET"}


async def test_an_activation_sends_the_country_in_lower_case_and_one_write(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 1})
    rig.session.requests.clear()

    await rig.finish(joins("bob"))

    (holding,) = await rig.provider.read(frozenset({GROUP}))
    assert holding.places[0].country == "lt"
    assert rig.session.requests["PUT"] == 1


async def test_a_freed_seat_is_virtual_again_before_it_is_called_free(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"people": [{"login": "ada"}]})
    leave = act(Verb.DEACTIVATE, "seat/office/ada", login=f"ada@{GROUP}", targets=[f"{GROUP}-1001"], **OFFICE)

    outcome = await rig.carry_out(leave)
    assert isinstance(outcome, Accepted)
    early = await rig.provider.poll(leave, outcome.ticket, ())
    rig.world.advance(timedelta(seconds=5))
    late = await rig.provider.poll(leave, outcome.ticket, ())

    assert isinstance(early, Accepted)
    assert isinstance(late, Done)


async def test_a_tenants_list_is_not_read_twice_in_a_row(open_rig: Open) -> None:
    rig = await open_rig(
        "ovh-prepaid", GROUP, {"prepaid": [{"service": GROUP, "seats": [{"empty": 60}]}]}, sandbox=False
    )
    await rig.account.now()
    rig.session.requests.clear()
    await rig.account.snapshot(frozenset({GROUP}))
    snapshot = rig.session.requests["GET"]
    await rig.provider.read(frozenset({GROUP}))

    # the ids, one expanded page, the orders; then two batches of service records, the tenant, its tasks
    assert snapshot == 3
    assert rig.session.requests["GET"] - snapshot == 4


@pytest.mark.parametrize("order", [["business", "pro-plus"], ["business"]])
async def test_a_seat_of_an_unreadable_kind_fails_only_its_own_service(
    open_rig: Open, order: list[str]
) -> None:
    other = {"service": "other.o365.ovh.com", "seats": [{"empty": 2}]}
    lots = [{"licence": licence, "empty": 2} for licence in order]
    rig = await open_rig("ovh-prepaid", GROUP, {"prepaid": [{"service": GROUP, "seats": lots}, other]})
    rig.world.set("expanded", "off")
    rig.world.set("batch", "off")
    rig.world.fault("error-before", method="GET", path=f"/license/officePrepaid/{GROUP}-1001", times=99)

    snapshot = await rig.account.snapshot(frozenset({GROUP}))

    assert set(snapshot.failed) == {GROUP}
    assert "500" in snapshot.failed[GROUP]
    assert any(one.ref == "other.o365.ovh.com" and one.seats == 2 for one in snapshot.holdings)


async def test_a_service_account_reads_and_writes_as_well(open_rig: Open) -> None:
    world = {"prepaid": [{"service": GROUP, "seats": [{"empty": 1}]}]}
    rig = await open_rig("ovh-prepaid", GROUP, world, credentials=CLIENT)
    await rig.account.snapshot(frozenset({GROUP}))

    assert (await rig.finish(joins("bob"))).ref == f"{GROUP}-1001"


async def payg(open_rig: Open, *users: dict[str, Any], **more: Any) -> Rig:
    return await open_rig("ovh-payg", PAYG, {"payg": [{"service": PAYG, "users": list(users), **more}]})


async def test_a_pay_as_you_go_group_shows_both_products_people_and_domain(open_rig: Open) -> None:
    rig = await payg(
        open_rig,
        {"login": "ada", "first_name": "Ada", "last_name": "L", "country": "lt"},
        {"login": "bob", "licence": "pro-plus"},
        mca=False,
    )

    business, pro = await rig.provider.read(frozenset({PAYG}))

    assert (business.product, business.seats, business.domain) == ("business", 1, PAYG)
    assert business.places[0].user == (f"ada@{PAYG}", "Ada", "L", "lt")
    assert (pro.product, [place.login for place in pro.places]) == ("pro-plus", [f"bob@{PAYG}"])
    assert "Agreement" in business.notices[0]


async def test_a_group_that_is_gone_has_no_holdings(open_rig: Open) -> None:
    rig = await payg(open_rig)

    assert await rig.provider.read(frozenset({"gone.o365.ovh.com"})) == ()


async def test_a_login_without_a_domain_is_refused_unsent(open_rig: Open) -> None:
    rig = await payg(open_rig)

    with pytest.raises(Rejected, match="no full login"):
        await rig.carry_out(act(Verb.ACTIVATE, "seat/all/bob", login="bob", **PAY))

    assert rig.did("user-created") == 0


async def test_one_person_is_one_licence_there(open_rig: Open) -> None:
    rig = await payg(open_rig, {"login": "bob", "licence": "pro-plus"})

    with pytest.raises(Rejected, match="second licence"):
        await rig.carry_out(act(Verb.ACTIVATE, "seat/all/bob", login=f"bob@{PAYG}", **PAY))


async def test_who_is_found_by_neither_login_is_looked_for_until_things_settle(open_rig: Open) -> None:
    """A rename changes the key: given up at once, the person would be created a second time under the new one."""
    rig = await open_rig("ovh-payg", PAYG, {"payg": [{"service": PAYG}]})
    old, new = f"ada@{PAYG}", f"ada.l@{PAYG}"
    rename = act(
        Verb.UPDATE,
        "user/ada.l",
        before={"login": old},
        after={"login": new},
        login=new,
        previously=old,
        service=PAYG,
    )
    journal = Journal(rig.world, [StepRecord(name=f"user/{old}", began_at=rig.world.now)])

    early = await rig.find(rename, journal)
    rig.world.advance(timedelta(seconds=SETTINGS.settle))
    late = await rig.find(rename, journal)

    assert isinstance(early, Unknown)
    assert early.look_again_at == rig.world.now
    assert isinstance(late, Absent)


async def test_a_display_name_that_does_not_show_once_things_settle_was_not_taken(open_rig: Open) -> None:
    rig = await open_rig("ovh-payg", PAYG, {"payg": [{"service": PAYG}]})
    named = act(Verb.UPDATE, "group/all", after={"name": "Acme UAB"}, name="Acme UAB", **PAY)
    journal = Journal(rig.world, [StepRecord(name="name", began_at=rig.world.now, ref=PAYG)])

    early = await rig.provider.poll(named, PAYG, tuple(journal.steps))
    rig.world.advance(timedelta(seconds=SETTINGS.settle))

    assert isinstance(early, Accepted)
    with pytest.raises(Rejected, match="was given the name 'Acme UAB' and does not show it"):
        await rig.provider.poll(named, PAYG, tuple(journal.steps))


async def test_a_service_with_people_of_another_group_is_kept(open_rig: Open) -> None:
    rig = await payg(open_rig, {"login": "bob", "licence": "pro-plus"})

    done = await rig.finish(act(Verb.CANCEL, "group/all", **PAY))

    assert "kept_for" in done.data
    assert rig.did("renewal-changed") == 0


async def test_a_service_with_people_of_its_own_is_not_ended(open_rig: Open) -> None:
    rig = await payg(open_rig, {"login": "bob"})

    with pytest.raises(Rejected, match="still sit"):
        await rig.carry_out(act(Verb.CANCEL, "group/all", **PAY))


async def test_people_cost_the_monthly_price_of_their_licence(open_rig: Open) -> None:
    rig = await payg(open_rig)

    quote = await rig.account.quote("business", 3, scope=PAYG)
    unknown = await rig.account.quote("visio", 3, scope=PAYG)

    assert quote.price is not None
    assert (quote.price.monthly, quote.price.source) == (Decimal("33.00"), "price-route")
    assert unknown.price is None


async def csp2(open_rig: Open, *subscriptions: dict[str, Any], **more: Any) -> Rig:
    rig = await open_rig(
        "ovh-csp2",
        RESELLER,
        {"csp2": [{"service": RESELLER, "subscriptions": list(subscriptions), **more}]},
    )
    await rig.account.snapshot(frozenset({RESELLER}))
    return rig


async def test_a_product_is_known_by_its_id_and_by_its_name(open_rig: Open) -> None:
    rig = await csp2(open_rig)

    assert rig.account.product_id(RESELLER, "13") == "13"
    assert rig.account.product_id(RESELLER, "microsoft 365 BUSINESS premium") == "13"
    assert rig.account.product_id(RESELLER, "99") is None
    assert rig.account.product_id("another", "13") is None


async def test_subscriptions_are_shown_with_their_licence_and_what_is_wrong_with_the_tenant(
    open_rig: Open,
) -> None:
    rig = await csp2(open_rig, {"licence": 11, "quantity": 5}, mpn_id=None, mca=False)

    (holding,) = await rig.provider.read(frozenset({"501"}))

    assert (holding.ref, holding.product, holding.scope, holding.seats) == ("501", "11", RESELLER, 5)
    assert holding.name == "Microsoft 365 Business Basic"
    assert any("partner id" in one for one in holding.notices)
    assert any("Agreement" in one for one in holding.notices)


async def test_a_quantity_that_is_changing_is_an_open_task(open_rig: Open) -> None:
    rig = await csp2(open_rig, {"licence": 11, "quantity": 5})
    resize = act(
        Verb.RESIZE,
        "group/basic",
        after={"seats": 9},
        product="11",
        service="501",
        scope=RESELLER,
        quantity=4,
    )
    await rig.carry_out(resize)

    (holding,) = (await rig.account.snapshot(frozenset({RESELLER}))).holdings

    assert holding.task is not None


@pytest.mark.parametrize(
    ("product", "quantity", "why"),
    [("20", 1, "no new subscriptions"), ("11", 301, "at most 300"), ("99", 1, "not orderable")],
)
async def test_what_the_tenants_own_list_forbids_is_refused_unsent(
    open_rig: Open, product: str, quantity: int, why: str
) -> None:
    rig = await csp2(open_rig)

    with pytest.raises(Rejected, match=why):
        await rig.carry_out(act(Verb.ORDER, "group/x", product=product, quantity=quantity, scope=RESELLER))

    assert rig.did("subscription-created") == 0


async def test_seats_that_may_not_be_added_are_refused_unsent(open_rig: Open) -> None:
    licence = {"id": 7, "name": "Old", "new_seats": False}
    rig = await csp2(open_rig, {"licence": 7, "quantity": 5}, licences=[licence])
    more = {"product": "7", "service": "501", "scope": RESELLER}

    with pytest.raises(Rejected, match="no more seats"):
        await rig.carry_out(act(Verb.RESIZE, "group/x", after={"seats": 6}, **more))
    fewer = await rig.finish(act(Verb.RESIZE, "group/x", after={"seats": 4}, **more))

    assert fewer.data == {"seats": 4}


async def test_a_subscription_of_the_same_licence_is_told_from_the_old_ones(open_rig: Open) -> None:
    rig = await csp2(open_rig, {"licence": 13, "quantity": 4}, {"licence": 13, "quantity": 2})

    done = await rig.finish(act(Verb.ORDER, "group/x", product="13", quantity=4, scope=RESELLER))

    assert done.data["service"] == "503"


async def test_two_new_subscriptions_that_look_alike_are_for_a_person(open_rig: Open) -> None:
    rig = await csp2(open_rig)
    action = act(Verb.ORDER, "group/x", product="13", quantity=4, scope=RESELLER)
    journal = Journal(rig.world)
    async for told in rig.provider.execute(action, Attempt(number=1)):
        assert isinstance(told, Step)
        journal.keep(told)
        break
    for _ in range(2):
        body = {"licenseId": 13, "quantity": 4}
        await rig.session.write("POST", f"/saas/csp2/{RESELLER}/subscription", body)
        rig.world.advance(timedelta(minutes=1))

    found = await rig.find(action, journal)

    assert isinstance(found, Unknown)
    assert found.look_again_at is None


async def test_a_tenant_that_cannot_be_read_or_is_not_there_fails_alone(
    open_rig: Open,
) -> None:
    rig = await csp2(open_rig, {"licence": 11, "quantity": 5})
    rig.world.load({"csp2": [{"service": "other"}]})
    rig.world.fault("error-before", method="GET", path="/saas/csp2/other/subscription", times=99)

    snapshot = await rig.account.snapshot(frozenset({RESELLER, "other", "gone"}))

    assert set(snapshot.failed) == {"other", "gone"}
    assert "not in account" in snapshot.failed["gone"]
    assert [one.ref for one in snapshot.holdings] == ["501"]


async def test_what_no_price_route_knows_has_no_price(open_rig: Open) -> None:
    rig = await csp2(open_rig)

    assert (await rig.account.quote("13", 2, scope=RESELLER)).price is None


async def test_a_subscription_that_vanished_cannot_be_resized(open_rig: Open) -> None:
    rig = await csp2(open_rig)

    with pytest.raises(Missing):
        await rig.carry_out(act(Verb.RESIZE, "group/x", after={"seats": 6}, service="501", scope=RESELLER))


@pytest.mark.parametrize("kind", ["ovh-prepaid", "ovh-payg"])
async def test_a_busy_object_is_told_as_not_now(open_rig: Open, kind: str) -> None:
    if kind == "ovh-prepaid":
        rig = await prepaid(open_rig, {"people": [{"login": "ada"}]})
        leave = act(Verb.DEACTIVATE, "s/o/ada", login=f"ada@{GROUP}", targets=[f"{GROUP}-1001"], **OFFICE)
    else:
        rig = await payg(open_rig, {"login": "ada"})
        leave = act(Verb.DEACTIVATE, "s/o/ada", login=f"ada@{PAYG}", **PAY)
    await rig.carry_out(leave)

    with pytest.raises(Unavailable, match="pending"):
        await rig.carry_out(leave, number=2)


@pytest.mark.parametrize("kind", ["ovh-prepaid", "ovh-payg"])
async def test_an_end_that_was_asked_for_can_be_taken_back(open_rig: Open, kind: str) -> None:
    if kind == "ovh-prepaid":
        rig = await prepaid(open_rig, {"empty": 2, "ending": True})
        detail = {**OFFICE, "targets": [f"{GROUP}-1001", f"{GROUP}-1002"]}
    else:
        rig = await payg(open_rig, ending=True)
        detail = {**PAY, "targets": []}
    service = detail["service"]
    back = act(
        Verb.UPDATE, "g", before={"renewal": "off"}, after={"renewal": "auto"}, renewal="auto", **detail
    )
    assert await rig.provider.reread(back) == {"renewal": "off"}

    await rig.finish(back)
    again = await rig.finish(back)

    assert isinstance(again, Done)
    assert await rig.provider.reread(back) == {"renewal": "auto"}
    assert (await rig.provider.read(frozenset({str(service)})))[0].renewal == "auto"


async def test_what_may_not_be_ended_is_refused_before_it_is_sent(open_rig: Open) -> None:
    rig = await payg(open_rig)
    rig.world.fault("malformed", method="PUT", times=0)
    route = f"/license/office/{PAYG}/serviceInfos"
    seen = (await rig.session.read(route)).data

    assert seen["canDeleteAtExpiration"] is True
    done = await rig.finish(act(Verb.CANCEL, "group/all", **PAY))

    assert date.fromisoformat(str(done.data["ends_on"])) > rig.world.now.date()
    kept = {key: value for key, value in seen["renew"].items() if key != "deleteAtExpiration"}
    assert {key: (await rig.session.read(route)).data["renew"][key] for key in kept} == kept


async def test_a_group_that_is_gone_is_not_as_planned(open_rig: Open) -> None:
    rig = await payg(open_rig)
    gone = {**PAY, "service": "gone", "scope": "gone"}

    assert await rig.provider.reread(act(Verb.CANCEL, "g", before={"service": "gone"}, **gone)) is None


async def test_a_person_who_is_not_on_the_seat_any_more_is_not_as_planned(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"people": [{"login": "ada"}, {"login": "bob"}]})
    detail = {"login": f"ada@{GROUP}", "targets": [f"{GROUP}-1001"], **OFFICE}
    leave = act(Verb.DEACTIVATE, "seat/office/ada", before={"login": f"ada@{GROUP}"}, **detail)
    rig.world.change(f"seat-freed {GROUP}-1001")
    freed = await rig.provider.reread(leave)
    rig.world.change(f"seat-taken {GROUP}-1001 eve@{GROUP}")
    taken = await rig.provider.reread(leave)

    assert freed is None
    assert taken == {"login": f"eve@{GROUP}"}


async def test_somebody_elses_order_with_unreadable_seats_is_no_failure_of_the_service(
    open_rig: Open,
) -> None:
    rig = await prepaid(open_rig, {"empty": 1}, {"licence": "pro-plus", "empty": 1})
    rig.world.set("delay_readable", "1200")
    rig.world.change(f"order-placed {GROUP} business 2")
    rig.world.advance(timedelta(seconds=60))

    snapshot = await rig.account.snapshot(frozenset({GROUP}))

    assert not snapshot.failed
    assert [(one.product, one.quantity, one.into) for one in snapshot.incoming] == [("business", 2, GROUP)]
    assert {(one.product, one.seats) for one in snapshot.holdings} == {("business", 1), ("pro-plus", 1)}


async def test_seats_that_are_listed_and_not_readable_are_places_that_are_not_ready(open_rig: Open) -> None:
    rig = await prepaid(open_rig, {"empty": 2})
    rig.world.set("expanded", "off")
    rig.world.set("batch", "off")
    missing = f"/license/officePrepaid/{GROUP}-1002"
    rig.world.change(f"seats-added {GROUP} business 1")
    with rig.world.transaction() as tx:
        tx.run("UPDATE seat SET readable_at = ? WHERE name = ?", tx.now + 600, missing.rpartition("/")[2])

    snapshot = await rig.account.snapshot(frozenset({GROUP}))
    (again,) = await rig.provider.read(frozenset({GROUP}))

    for holding in (*snapshot.holdings, again):
        assert holding.seats == 3
        assert [place.ref for place in holding.places if not place.ready] == [f"{GROUP}-1002"]
