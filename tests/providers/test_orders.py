"""Buying prepaid seats: what can be undone, what cannot, and how an order is found again."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected, StalePlanError, Unavailable, Uncertain
from reconciler.core.model import Price
from reconciler.core.provider import Absent, Accepted, Attempt, Done, Step, StepRecord, Unknown
from reconciler.providers.ovh import carts
from reconciler.sandbox.client import transport
from tests.providers.rig import GROUP, Journal, Open, Rig, act

pytestmark = pytest.mark.anyio

WORLD: dict[str, Any] = {"prepaid": [{"service": GROUP, "seats": [{"empty": 3}]}]}
OFFICE = {"product": "business", "service": GROUP, "scope": GROUP}
NEW = act(Verb.ORDER, "group/new", product="pro-plus", quantity=2, expect=2)
MORE = act(
    Verb.RESIZE, "group/office", before={"seats": 3}, after={"seats": 5}, quantity=2, expect=5, **OFFICE
)


async def opened(open_rig: Open, **world: Any) -> Rig:
    rig = await open_rig("ovh-prepaid", GROUP, WORLD | world)
    await rig.account.snapshot(frozenset({GROUP}))
    return rig


async def colleague_orders(rig: Rig, quantity: int, *, pay: bool = True) -> None:
    """Let somebody else order more seats on OVHcloud's own site, which does as its manager does."""
    write = rig.session.write
    cart = (await write("POST", "/order/cart", {"ovhSubsidiary": "FR"})).data["cartId"]
    await write("POST", f"/order/cart/{cart}/assign")
    line = {"planCode": carts.PLANS["business"], "duration": "P1M", "pricingMode": "default"}
    item = (await write("POST", f"/order/cart/{cart}/officePrepaid", {**line, "quantity": quantity})).data
    into = {"label": "existing_tenant_service_name", "value": GROUP}
    await write("POST", f"/order/cart/{cart}/item/{item['itemId']}/configuration", into)
    await write("POST", f"/order/cart/{cart}/checkout", {"autoPayWithPreferredPaymentMethod": pay})


def ordered(rig: Rig) -> dict[str, Any]:
    return next(one for one in rig.world.ledger() if one["what"] == "order-placed")


async def test_a_new_group_is_delivered_into_a_service_that_its_own_order_names(open_rig: Open) -> None:
    rig = await opened(open_rig)
    done = await rig.finish(NEW)

    service = done.data["service"]
    assert service != GROUP
    names = done.data["names"]
    assert done.data == {"service": service, "scope": service, "seats": 2, "order": done.ref, "names": names}
    (holding,) = await rig.provider.read(frozenset({service}))
    assert (holding.product, holding.seats, holding.renewal) == ("pro-plus", 2, "auto")
    assert [f"{service}{name}" for name in names] == [place.ref for place in holding.places]


async def test_more_seats_join_the_group_they_were_ordered_for(open_rig: Open) -> None:
    rig = await opened(open_rig)

    done = await rig.finish(MORE)

    assert done.data["service"] == GROUP
    assert done.data["seats"] == 5


@pytest.mark.parametrize("details", ["per-item", "per-seat"])
async def test_seats_that_are_delivered_and_not_readable_are_still_on_their_way(
    open_rig: Open, details: str
) -> None:
    rig = await opened(open_rig)
    rig.world.set("details", details)
    rig.world.fault("delivered-then-404", seconds=1200)
    journal = Journal(rig.world)
    outcome = await rig.carry_out(MORE, journal)
    assert isinstance(outcome, Accepted)

    rig.world.advance(timedelta(seconds=60))
    early = await rig.provider.poll(MORE, outcome.ticket, tuple(journal.steps))
    snapshot = await rig.account.snapshot(frozenset({GROUP}))
    rig.world.advance(timedelta(seconds=1300))
    late = await rig.provider.poll(MORE, outcome.ticket, tuple(journal.steps))

    assert isinstance(early, Accepted)
    assert early.status == "delivered, not readable yet"
    assert [(one.ref, one.into, one.quantity) for one in snapshot.incoming] == [(outcome.ticket, GROUP, 2)]
    assert isinstance(late, Done)
    assert (await rig.account.snapshot(frozenset({GROUP}))).incoming == ()


async def test_without_a_default_method_the_order_is_placed_once_and_waits_for_a_person(
    open_rig: Open,
) -> None:
    rig = await opened(open_rig, account={"default_payment": False})

    outcome = await rig.carry_out(NEW)

    assert isinstance(outcome, Accepted)
    assert outcome.waiting_on == "person"
    assert outcome.ticket in outcome.instructions
    assert "http" not in outcome.instructions
    asked = await rig.provider.poll(NEW, outcome.ticket, ())
    assert isinstance(asked, Accepted)
    assert (asked.waiting_on, asked.status) == ("person", "notPaid")
    rig.world.pay(int(outcome.ticket))
    assert isinstance(await rig.follow(NEW, outcome, Journal(rig.world)), Done)


async def test_papers_that_are_asked_for_are_a_persons_to_send(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.fault("order-documents")
    outcome = await rig.carry_out(NEW)
    assert isinstance(outcome, Accepted)
    rig.world.advance(timedelta(minutes=5))

    asked = await rig.provider.poll(NEW, outcome.ticket, ())

    assert isinstance(asked, Accepted)
    assert (asked.waiting_on, asked.status) == ("person", "documentsRequested")
    assert "papers" in asked.instructions


async def test_a_cancelled_order_has_failed(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.fault("order-cancelled")

    with pytest.raises(Rejected, match="was cancelled"):
        await rig.finish(NEW)


async def test_the_price_is_told_before_anything_is_bought_and_may_stop_it(open_rig: Open) -> None:
    rig = await opened(open_rig)
    execution = rig.provider.execute(MORE, Attempt(number=1))
    told = [one async for one in _until_checkout(execution)]
    step = told[-1]
    assert isinstance(step, Step)
    assert step.exclusive
    assert step.quote is not None
    assert step.quote.price == Price(
        monthly=Decimal("21.00"), one_off=Decimal(0), currency="EUR", source="cart"
    )
    assert step.quote.contracts

    with pytest.raises(StalePlanError, match="too dear"):
        await execution.athrow(StalePlanError("too dear"))

    assert rig.did("order-placed") == 0
    assert rig.world.state()["counts"]["cart"] == 0


async def test_an_execution_that_is_dropped_before_the_checkout_leaves_no_cart(open_rig: Open) -> None:
    rig = await opened(open_rig)
    execution = rig.provider.execute(NEW, Attempt(number=1))
    _ = [one async for one in _until_checkout(execution)]

    await execution.aclose()

    assert rig.world.state()["counts"]["cart"] == 0


async def _until_checkout(execution: Any) -> Any:
    async for told in execution:
        yield told
        if isinstance(told, Step) and told.name == "checkout":
            return


@pytest.mark.parametrize("call", ["assign", "officePrepaid", "item/{}/configuration", "checkout"])
@pytest.mark.parametrize("fault", ["lose-reply-after", "error-after", "throttle", "malformed"])
async def test_what_goes_wrong_before_the_checkout_leaves_nothing_bought(
    open_rig: Open, call: str, fault: str
) -> None:
    rig = await opened(open_rig)
    method = "GET" if call == "checkout" else "POST"
    wrong = "error-before" if call == "checkout" else fault
    rig.world.fault(wrong, path=f"/order/cart/{{}}/{call}", method=method, times=9, seconds=1)

    with pytest.raises(Unavailable):
        await rig.carry_out(MORE)

    assert rig.did("order-placed") == 0
    assert rig.world.state()["counts"]["cart"] == 0


async def test_a_cart_whose_opening_was_not_answered_has_bought_nothing(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.fault("lose-reply-after", path="/order/cart", method="POST")

    with pytest.raises(Unavailable, match="nothing was bought"):
        await rig.carry_out(NEW)

    assert rig.did("order-placed") == 0


async def test_a_key_that_may_not_check_out_is_refused_and_the_cart_dropped(open_rig: Open) -> None:
    everything = [{"method": method, "path": "/*"} for method in ("GET", "PUT", "DELETE")]
    carts = [{"method": "POST", "path": "/order/cart"}]
    filling = [{"method": "POST", "path": f"/order/cart/*/{name}"} for name in ("assign", "officePrepaid")]
    keys = {"application_key": "a", "application_secret": "b", "consumer_key": "c"}
    rig = await open_rig(
        "ovh-prepaid",
        GROUP,
        WORLD | {"credentials": [keys | {"rules": everything + carts + filling}]},
        credentials=keys,
    )

    with pytest.raises(Rejected, match="not been granted"):
        await rig.carry_out(NEW)

    assert rig.world.state()["counts"]["cart"] == 0


class Meddling(httpx.AsyncBaseTransport):
    """Passes everything on, and changes one answer or asks for something else first."""

    def __init__(self, inner: httpx.AsyncBaseTransport, method: str, ending: str, answer: Any) -> None:
        self.inner = inner
        self.method = method
        self.ending = ending
        self.answer = answer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == self.method and request.url.path.endswith(self.ending):
            given = await self.answer(self.inner, request)
            if given is not None:
                return given  # type: ignore[no-any-return]
        return await self.inner.handle_async_request(request)


async def test_a_refused_payment_that_left_an_order_is_found_not_repeated(open_rig: Open) -> None:
    async def placed_but_unpaid(inner: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
        await inner.handle_async_request(request)
        return httpx.Response(403, json={"message": "This order can't be paid with 'bankAccount'"})

    rig = await opened(open_rig)
    meddling = Meddling(transport(rig.world), "POST", "/checkout", placed_but_unpaid)
    rig = await open_rig("ovh-prepaid", GROUP, through=meddling)
    journal = Journal(rig.world)

    with pytest.raises(Uncertain, match="can't be paid"):
        await rig.carry_out(NEW, journal)
    found = await rig.find(NEW, journal)

    assert isinstance(found, Accepted)
    assert rig.did("order-placed") == 1


async def test_an_answer_without_an_order_number_is_uncertain(open_rig: Open) -> None:
    async def forgetful(inner: httpx.AsyncBaseTransport, request: httpx.Request) -> httpx.Response:
        await inner.handle_async_request(request)
        return httpx.Response(200, json={"orderId": None, "url": None})

    rig = await opened(open_rig)
    rig = await open_rig(
        "ovh-prepaid", GROUP, through=Meddling(transport(rig.world), "POST", "/checkout", forgetful)
    )

    with pytest.raises(Uncertain, match="names no order"):
        await rig.carry_out(NEW)


async def test_a_cart_that_holds_something_else_is_not_checked_out(open_rig: Open) -> None:
    rig = await opened(open_rig)
    execution = rig.provider.execute(NEW, Attempt(number=1))
    cart = ""
    async for told in execution:
        if not isinstance(told, Step):
            cart = getattr(told, "ref", "")
            break
    line = {"planCode": "microsoft-365-apps-for-business-pp-nce", "duration": "P1M"}
    await rig.session.write(
        "POST", f"/order/cart/{cart}/officePrepaid", line | {"pricingMode": "default", "quantity": 9}
    )

    with pytest.raises(Rejected, match="holds something else"):
        await anext(execution)

    assert rig.did("order-placed") == 0
    assert rig.world.state()["counts"]["cart"] == 0


async def lost(rig: Rig, action: Action, *, after: bool) -> Journal:
    """Lose the checkout's answer, after it took effect or before."""
    journal = Journal(rig.world)
    fault = "lose-reply-after" if after else "lose-reply-before"
    rig.world.fault(fault, path="/order/cart/{}/checkout", method="POST")
    with pytest.raises(Uncertain):
        await rig.carry_out(action, journal)
    return journal


async def test_a_cart_that_can_be_deleted_proves_that_nobody_paid(open_rig: Open) -> None:
    rig = await opened(open_rig)
    journal = await lost(rig, NEW, after=False)

    assert isinstance(await rig.find(NEW, journal), Absent)
    assert rig.world.state()["counts"]["cart"] == 0


async def test_an_order_of_somebody_else_is_not_taken_for_ours(open_rig: Open) -> None:
    rig = await opened(open_rig)
    await colleague_orders(rig, 2)
    journal = await lost(rig, MORE, after=True)
    await colleague_orders(rig, 3)
    rig.world.change(f"order-placed {GROUP} pro-plus 2")

    found = await rig.find(MORE, journal)

    assert isinstance(found, Accepted)
    assert found.ticket == numbers(rig)[1]


def numbers(rig: Rig) -> list[str]:
    return [str(one["order"]) for one in rig.world.ledger() if one["what"] == "order-placed"]


async def test_two_orders_that_could_be_ours_are_for_a_person_unless_one_is_claimed(open_rig: Open) -> None:
    rig = await opened(open_rig)
    journal = await lost(rig, MORE, after=True)
    await colleague_orders(rig, 2)
    mine, other = numbers(rig)

    both = await rig.find(MORE, journal)
    checkout = journal.steps[-1]
    claimed = replace(checkout, data={**checkout.data, "claimed": [other]})
    one = await rig.provider.find(MORE, (*journal.steps[:-1], claimed), checkout.began_at)

    assert isinstance(both, Unknown)
    assert both.look_again_at is None
    assert isinstance(one, Accepted)
    assert one.ticket == mine


async def test_a_cart_that_is_gone_proves_nothing(open_rig: Open) -> None:
    rig = await opened(open_rig)
    now = rig.world.now
    data = {"cart": "gone", "known": [], "plan": "x", "quantity": 2, "scope": None}
    step = StepRecord(name="checkout", began_at=now, data=data)

    early = await rig.provider.find(NEW, (step,), now)
    rig.world.advance(timedelta(hours=1))
    late = await rig.provider.find(NEW, (step,), now)

    assert isinstance(early, Unknown)
    assert early.look_again_at == now + timedelta(minutes=10)
    assert isinstance(late, Unknown)
    assert late.look_again_at is None


async def test_an_order_whose_number_is_known_is_simply_followed(open_rig: Open) -> None:
    rig = await opened(open_rig)
    journal = Journal(rig.world)
    outcome = await rig.carry_out(NEW, journal)
    assert isinstance(outcome, Accepted)

    found = await rig.find(NEW, journal)

    assert isinstance(found, Accepted)
    assert found.ticket == outcome.ticket


async def test_a_cart_alone_buys_nothing(open_rig: Open) -> None:
    rig = await opened(open_rig)
    step = StepRecord(name="cart", began_at=rig.world.now, data={"description": f"reconciler {NEW.id}"})
    body = {"ovhSubsidiary": "FR", "description": f"reconciler {NEW.id}"}
    cart = (await rig.session.write("POST", "/order/cart", body)).data["cartId"]
    await rig.session.write("POST", f"/order/cart/{cart}/assign")

    assert isinstance(await rig.provider.find(NEW, (), rig.world.now), Absent)
    assert isinstance(await rig.provider.find(NEW, (step,), rig.world.now), Absent)

    assert rig.world.state()["counts"]["cart"] == 0


async def test_wanting_ending_seats_back_buys_only_what_is_missing(open_rig: Open) -> None:
    world = {"prepaid": [{"service": GROUP, "seats": [{"empty": 2}, {"empty": 1, "ending": True}]}]}
    rig = await open_rig("ovh-prepaid", GROUP, world)
    await rig.account.snapshot(frozenset({GROUP}))
    action = act(
        Verb.RESIZE,
        "group/office",
        before={"seats": 2},
        after={"seats": 4},
        quantity=1,
        expect=4,
        targets=[f"{GROUP}-1003"],
        **OFFICE,
    )
    assert await rig.provider.reread(action) == {"seats": 2}

    await rig.finish(action)

    (holding,) = await rig.provider.read(frozenset({GROUP}))
    assert holding.seats == 4
    assert all(place.ends_on is None for place in holding.places)
    assert ordered(rig)["lines"][0]["quantity"] == 1


async def test_somebody_who_sat_down_meanwhile_keeps_the_seat(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.change(f"seat-taken {GROUP}-1003 eve@{GROUP}")
    action = act(
        Verb.RESIZE, "group/office", after={"seats": 2}, quantity=-1, targets=[f"{GROUP}-1003"], **OFFICE
    )

    with pytest.raises(Rejected, match="eve@"):
        await rig.carry_out(action)

    assert rig.did("renewal-changed") == 0


@pytest.mark.parametrize(("pays", "who"), [(True, "provider"), (False, "person")])
@pytest.mark.parametrize("details", ["per-item", "per-seat"])
async def test_orders_on_their_way_are_seen_and_counted_once(
    open_rig: Open, details: str, who: str, *, pays: bool
) -> None:
    rig = await opened(open_rig, orders=[{"licence": "pro-plus", "quantity": 1}])
    rig.world.set("details", details)
    await colleague_orders(rig, 4, pay=pays)

    snapshot = await rig.account.snapshot(frozenset({GROUP}))

    seen = [(one.product, one.quantity, one.into, one.waiting_on) for one in snapshot.incoming]
    assert sorted(seen) == [("business", 4, GROUP, who), ("pro-plus", 1, None, "provider")]


async def test_an_order_that_was_seen_delivered_is_not_asked_about_again(open_rig: Open) -> None:
    rig = await opened(open_rig)
    await colleague_orders(rig, 4, pay=True)
    (order,) = (one.ref for one in (await rig.account.snapshot(frozenset({GROUP}))).incoming)

    snapshot = await rig.account.snapshot(frozenset({GROUP}), settled=frozenset({order}))

    assert snapshot.incoming == ()


async def test_orders_of_long_ago_are_not_looked_at(open_rig: Open) -> None:
    rig = await opened(open_rig, orders=[{"licence": "business", "quantity": 4, "age": "31d"}])

    assert (await rig.account.snapshot(frozenset({GROUP}))).incoming == ()


async def test_a_price_is_asked_once_and_its_cart_is_gone(open_rig: Open) -> None:
    rig = await open_rig("ovh-prepaid", GROUP, WORLD, writes=False)

    first = await rig.account.quote("pro-plus", 3, scope=None)
    rig.session.requests.clear()
    second = await rig.account.quote("pro-plus", 3, scope=None)

    assert first == second
    assert first.price is not None
    assert first.price.monthly == Decimal("51.15")
    assert first.price.source == "cart"
    assert not rig.session.requests
    assert rig.world.state()["counts"]["cart"] == 0


async def test_a_key_that_may_not_fill_carts_gives_the_catalogues_price(open_rig: Open) -> None:
    keys = {"application_key": "a", "application_secret": "b", "consumer_key": "c"}
    rules = [{"method": "GET", "path": "/*"}]
    rig = await open_rig(
        "ovh-prepaid",
        GROUP,
        WORLD | {"credentials": [keys | {"rules": rules}]},
        credentials=keys,
        writes=False,
    )

    quote = await rig.account.quote("pro-plus", 3, scope=GROUP)

    assert quote.price is not None
    assert (quote.price.monthly, quote.price.source) == (Decimal("51.15"), "catalog")
