"""Partner Center, from reading to buying and changing, against the local provider; judged by what took effect."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from reconciler.core.action import Action, Verb, digest
from reconciler.core.errors import Missing, Rejected, Unavailable, Uncertain
from reconciler.core.manifest import TENANT
from reconciler.core.model import Holding
from reconciler.core.provider import Absent, Accepted, Attempt, Done, Step, Stepped, Unknown
from reconciler.providers.microsoft.partner_center.account import PartnerCenterAccount
from reconciler.providers.microsoft.partner_center.tenant import PartnerCenterTenant
from reconciler.sandbox.client import transport
from reconciler.sandbox.world import World
from tests.providers import rig as rigging
from tests.providers.rig import CUSTOMER, MICROSOFT, Journal, Open, Rig

pytestmark = pytest.mark.anyio

SUB = "5b000000-0000-4000-8000-0000000000b5"
ROUTE = f"/partner-center/v1/customers/{CUSTOMER}"
PATCH = "/partner-center/v1/customers/{}/subscriptions/{}"
CHECKOUT = "/partner-center/v1/customers/{}/carts/{}/checkout"
OFFICE: dict[str, Any] = {"product": "SPB", "service": SUB, "scope": CUSTOMER}
WEEK = timedelta(days=7)


def act(verb: Verb, address: str, **given: Any) -> Action:
    """Make an action with an id of its own: the same id under another change is refused."""
    made = rigging.act(verb, address, **given)
    return replace(made, id=digest([verb, address, made.before, made.after]).removeprefix("sha256:")[:20])


def customer(*subscriptions: dict[str, Any], **more: Any) -> dict[str, Any]:
    one = {"id": CUSTOMER, "domain": "acme.onmicrosoft.com", "name": "Acme UAB", "country": "LT"}
    return {"microsoft": {"customers": [{**one, **more, "subscriptions": list(subscriptions)}]}}


def premium(quantity: int = 5, **more: Any) -> dict[str, Any]:
    return {"id": SUB, "product": "SPB", "quantity": quantity, **more}


async def opened(open_rig: Open, *subscriptions: dict[str, Any], **more: Any) -> Rig:
    rig = await open_rig("partner-center", CUSTOMER, customer(*subscriptions, **more))
    await rig.account.snapshot(frozenset({CUSTOMER}))
    return rig


async def held(rig: Rig, ref: str = SUB) -> Holding:
    await rig.account.snapshot(frozenset({CUSTOMER}))
    (one,) = await rig.provider.read(frozenset({ref}))
    return one


def seats(rig: Rig) -> int:
    with rig.world.transaction() as tx:
        return int(tx.column("SELECT quantity FROM ms_subscription WHERE id = ?", SUB)[0])


def order(quantity: int = 3, product: str = "STANDARDPACK", **more: Any) -> Action:
    detail = {"product": product, "quantity": quantity, "expect": quantity, "scope": CUSTOMER, **more}
    return act(Verb.ORDER, "group/office", after={"product": product, "seats": quantity}, **detail)


def resize(before: int, after: int) -> Action:
    asked = {"quantity": after - before, "expect": after}
    return act(
        Verb.RESIZE, "group/office", before={"seats": before}, after={"seats": after}, **asked, **OFFICE
    )


def schedule(before: dict[str, Any], after: dict[str, Any]) -> Action:
    return act(Verb.SCHEDULE, "group/office", before=before, after=after, **OFFICE)


def renewal(before: str, after: str) -> Action:
    words = {"before": {"renewal": before}, "after": {"renewal": after}}
    return act(Verb.UPDATE, "group/office", **words, renewal=after, **OFFICE)


def cancel(*, now: bool, on: date | None = None) -> Action:
    made = act(Verb.CANCEL, "group/office", before={"seats": 5}, ends_now=now or None, **OFFICE)
    return replace(made, scheduled_for=on)


async def told(stream: AsyncIterator[Any]) -> list[Any]:
    return [one async for one in stream]


# Reading


async def test_a_subscription_is_read_with_all_that_binds_it(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5))

    one = await held(rig)

    assert (one.product, one.seats, one.scope) == ("CFQ7TTC0LCHC:0002", 5, CUSTOMER)
    assert one.sku == "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
    assert (one.term, one.billing, one.renewal, one.frozen) == ("P1Y", "monthly", "auto", "")
    # The last day of its term is included, so it renews on the day after.
    assert (one.renews_on, one.ends_on) == (date(2028, 1, 15), None)
    assert one.cancel_until == rig.world.now + WEEK
    assert one.refundable is not None
    assert [(each.seats, each.until) for each in one.refundable] == [(5, rig.world.now + WEEK)]


async def test_each_purchase_may_be_given_back_in_its_own_time(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5))
    rig.world.advance(timedelta(days=3))
    await rig.finish(resize(5, 7))
    rig.world.advance(timedelta(days=5))

    one = await held(rig)

    assert one.refundable is not None
    assert [each.seats for each in one.refundable] == [2]
    assert one.cancel_until is not None
    assert one.cancel_until < rig.world.now


async def test_what_does_not_renew_ends_then(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, renew=False))

    one = await held(rig)

    assert (one.renewal, one.renews_on, one.ends_on) == ("off", None, date(2028, 1, 15))


@pytest.mark.parametrize(
    ("life", "turned", "status", "why"),
    [
        ({"renew": False}, 366, "expired", "only bought anew"),
        ({"renew": False}, 400, "disabled", "only bought anew"),
        ({"status": "suspended"}, 0, "suspended", "billed all the same"),
    ],
)
async def test_what_cannot_be_changed_says_why(
    open_rig: Open, life: dict[str, Any], turned: int, status: str, why: str
) -> None:
    rig = await opened(open_rig, premium(5, **life))
    rig.world.advance(timedelta(days=turned))

    one = await held(rig)

    assert one.status == status
    assert why in one.frozen


async def test_while_it_renews_nothing_can_be_changed(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5))
    rig.world.set("delay_renewal", "86400")
    rig.world.advance(timedelta(days=365))

    assert "renewed" in (await held(rig)).frozen
    with pytest.raises(Unavailable) as caught:
        await rig.carry_out(resize(5, 6))
    assert caught.value.retry_after == 120.0
    assert rig.did("partner-quantity-changed") == 0


async def test_what_is_deleted_is_not_shown(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5))
    rig.world.change(f"subscription-status {SUB} deleted")

    assert (await rig.account.snapshot(frozenset({CUSTOMER}))).holdings == ()


async def test_a_customer_that_is_not_ours_fails_alone(open_rig: Open) -> None:
    other = "99999999-9999-4999-8999-999999999999"
    rig = await opened(open_rig, premium(5))

    found = await rig.account.snapshot(frozenset({CUSTOMER, other}))

    assert [one.scope for one in found.holdings] == [CUSTOMER]
    assert "invitation" in found.failed[other]


async def test_a_list_that_fails_is_an_error_for_its_customer(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5))
    rig.world.fault("fail-list", path=f"{ROUTE}/subscriptions", times=9)

    found = await rig.account.snapshot(frozenset({CUSTOMER}))

    assert found.holdings == ()
    assert CUSTOMER in found.failed


async def test_orders_on_their_way_are_shown_until_they_are_delivered(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.fault("late-delivery", path=CHECKOUT, method="POST")
    journal = Journal(rig.world)
    outcome = await rig.carry_out(order(), journal)
    rig.world.advance(timedelta(minutes=30))

    (found,) = (await rig.account.snapshot(frozenset({CUSTOMER}))).incoming

    assert isinstance(outcome, Accepted)
    assert (found.ref, found.product, found.quantity) == (outcome.ticket, "CFQ7TTC0LF8Q:0001", 3)
    assert (found.into, found.waiting_on, found.status) == (CUSTOMER, "provider", "pending")
    settled = await rig.account.snapshot(frozenset({CUSTOMER}), settled=frozenset({outcome.ticket}))
    assert settled.incoming == ()
    rig.world.advance(timedelta(hours=4))
    await rig.follow(order(), outcome, journal)
    assert (await rig.account.snapshot(frozenset({CUSTOMER}))).incoming == ()


async def test_a_purchase_that_was_given_back_is_on_its_way_no_more(open_rig: Open) -> None:
    rig = await opened(open_rig)
    done = await rig.finish(order())
    rig.world.change(f"subscription-status {done.data['service']} deleted")

    assert (await rig.account.snapshot(frozenset({CUSTOMER}))).incoming == ()


async def test_a_reading_is_whole_however_short_its_portions_are(open_rig: Open) -> None:
    some = [{"product": "SPB", "quantity": number, "term": "P1M"} for number in range(1, 25)]
    rig = await opened(open_rig, *some)

    found = await rig.account.snapshot(frozenset({CUSTOMER}))

    assert sorted(one.seats or 0 for one in found.holdings) == list(range(1, 25))


# Products and prices


async def test_a_product_is_known_by_its_ids_and_its_part_number(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5))
    known = rig.account.product_id

    assert known(CUSTOMER, "cfq7ttc0lchc:0002") == "CFQ7TTC0LCHC:0002"
    assert known(CUSTOMER, "spb") == "CFQ7TTC0LCHC:0002"
    assert known(CUSTOMER, "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46") == "CFQ7TTC0LCHC:0002"
    assert known(CUSTOMER, "standardpack") == "STANDARDPACK"
    assert known(None, "SPB") == "SPB"
    assert known(CUSTOMER, "business") is None
    assert known(CUSTOMER, "a:b:c") is None


@pytest.mark.parametrize(
    ("product", "term", "billing", "monthly"),
    [
        ("SPB", "", "", "61.80"),
        ("CFQ7TTC0LCHC:0002", "P1M", "monthly", "61.80"),
        ("SPB", "P1Y", "annual", "61.80"),
        ("SPB", "P3Y", "monthly", "61.80"),
    ],
)
async def test_a_price_is_for_a_month_whatever_the_bill(
    open_rig: Open, product: str, term: str, billing: str, monthly: str
) -> None:
    rig = await opened(open_rig)
    account = rig.account
    assert isinstance(account, PartnerCenterAccount)

    price = (await account.quote(product, 3, scope=CUSTOMER, term=term, billing=billing)).price

    assert price is not None
    assert (price.monthly, price.one_off, price.currency, price.source) == (
        Decimal(monthly),
        Decimal("0.00"),
        "EUR",
        "cart",
    )
    assert rig.did("partner-order-placed") == 0


@pytest.mark.parametrize(
    ("product", "scope"), [("SPB", None), ("NOTHING:0001", CUSTOMER), ("MCOEV", CUSTOMER), ("word", CUSTOMER)]
)
async def test_what_has_no_price_has_none(open_rig: Open, product: str, scope: str | None) -> None:
    rig = await opened(open_rig)

    assert (await rig.account.quote(product, 3, scope=scope)).price is None


async def test_a_reader_asks_for_prices_and_buys_nothing(open_rig: Open) -> None:
    rig = await open_rig("partner-center", CUSTOMER, customer(premium(5)), writes=False)
    await rig.account.snapshot(frozenset({CUSTOMER}))

    assert (await rig.account.quote("SPB", 3, scope=CUSTOMER)).price is not None
    with rig.world.transaction() as tx:
        carts = tx.column("SELECT lines FROM ms_cart")
    assert len(carts) == 1
    assert "reconciler-dry-run" in carts[0]


# Buying


async def test_an_order_is_a_cart_and_its_checkout(open_rig: Open) -> None:
    rig = await opened(open_rig)
    action = order(3, term="P1M", billing="monthly")

    steps = await told(rig.provider.execute(action, Attempt(number=1)))

    assert [type(one) for one in steps] == [Step, Stepped, Step, Stepped, Accepted]
    assert [one.name for one in steps[:4]] == ["cart", "cart", "checkout", "checkout"]
    assert [one.exclusive for one in steps if isinstance(one, Step)] == [False, True]
    with rig.world.transaction() as tx:
        (lines,) = tx.column("SELECT lines FROM ms_order")
    assert '"termDuration": "P1M"' in lines
    assert action.id in lines


async def test_the_price_right_before_the_checkout_is_told(open_rig: Open) -> None:
    rig = await opened(open_rig)

    steps = await told(rig.provider.execute(order(3), Attempt(number=1)))
    another = await told(rig.provider.execute(order(3, term="P3Y"), Attempt(number=2)))

    quotes = [one.quote for one in steps if isinstance(one, Step) and one.name == "checkout"]
    assert quotes == [await rig.account.quote("STANDARDPACK", 3, scope=CUSTOMER)]
    # The plan prices the usual term; nothing is compared with the price of another.
    assert [one.quote for one in another if isinstance(one, Step) and one.exclusive] == [None]


async def test_an_order_is_done_once_its_subscription_can_be_read(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.fault("delivered-then-404", path=CHECKOUT, method="POST", seconds=900)
    journal = Journal(rig.world)
    outcome = await rig.carry_out(order(), journal)
    assert isinstance(outcome, Accepted)
    rig.world.advance(timedelta(minutes=5))

    early = await rig.provider.poll(order(), outcome.ticket, tuple(journal.steps))
    done = await rig.follow(order(), early, journal)

    assert isinstance(early, Accepted)
    assert done.ref == outcome.ticket
    assert done.data["seats"] == 3
    (one,) = (await rig.account.snapshot(frozenset({CUSTOMER}))).holdings
    assert one.ref == done.data["service"]


async def test_an_order_that_wants_papers_waits_for_a_person(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.fault("order-documents", path=CHECKOUT, method="POST")
    journal = Journal(rig.world)
    outcome = await rig.carry_out(order(), journal)
    assert isinstance(outcome, Accepted)

    waits = await rig.provider.poll(order(), outcome.ticket, tuple(journal.steps))

    assert isinstance(waits, Accepted)
    assert waits.waiting_on == "person"
    assert "Partner Center" in waits.instructions
    rig.world.pay(outcome.ticket)
    assert (await rig.follow(order(), waits, journal)).data["seats"] == 3
    assert rig.did("partner-order-placed") == 1


async def test_an_order_that_was_cancelled_is_a_failure(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.fault("order-cancelled", path=CHECKOUT, method="POST")

    with pytest.raises(Rejected, match="cancelled") as caught:
        await rig.finish(order())

    assert "resolve" in caught.value.hint


@pytest.mark.parametrize(
    ("action", "code"),
    [
        (order(301, "SPB"), "above-limit"),
        (order(3, "MCOMEETADV"), "400041"),
        (order(3, "SPB", term="P5Y"), "not-sold"),
        (order(3, "SPB", billing="weekly"), "not-sold"),
        (order(3, "NOTHING:0001"), "not-sold"),
        (order(3, "MCOEV"), "not-sold"),
        (order(3, "business"), "not-sold"),
    ],
)
async def test_what_cannot_be_bought_is_refused_before_the_checkout(
    open_rig: Open, action: Action, code: str
) -> None:
    rig = await opened(open_rig)

    with pytest.raises(Rejected) as caught:
        await rig.carry_out(action)

    assert caught.value.code == code
    assert not [one for one in rig.world.requests() if one["path"].endswith("/checkout")]


@pytest.mark.parametrize(
    ("more", "code", "hint"),
    [({"agreement": "none"}, "13605", "Agreement"), ({"validation": "UnderReview"}, "800073", "review")],
)
async def test_a_customer_that_may_not_buy_is_told_what_to_do(
    open_rig: Open, more: dict[str, Any], code: str, hint: str
) -> None:
    rig = await opened(open_rig, **more)

    with pytest.raises(Rejected) as caught:
        await rig.carry_out(order())

    assert caught.value.code == code
    assert hint in caught.value.hint
    assert rig.did("partner-order-placed") == 0


async def test_a_part_that_was_not_ordered_is_refused_and_may_be_tried_again(open_rig: Open) -> None:
    """A checkout answers 201 even when it ordered nothing."""
    rig = await opened(open_rig)
    rig.world.fault("order-error", path=CHECKOUT, method="POST")
    journal = Journal(rig.world)

    with pytest.raises(Rejected, match="could not be placed"):
        await rig.carry_out(order(), journal)
    await rig.follow(order(), await rig.carry_out(order(), journal, number=2), journal)

    assert rig.did("partner-order-placed") == 1
    assert rig.did("partner-cart-created") == 1


async def test_a_second_attempt_checks_out_the_same_cart(open_rig: Open) -> None:
    """Whatever becomes of the first call, however late it arrives, one cart is bought once."""
    rig = await opened(open_rig)
    journal = Journal(rig.world)
    rig.world.fault("lose-reply-before", path=CHECKOUT, method="POST")
    with pytest.raises(Uncertain):
        await rig.carry_out(order(), journal)
    rig.world.advance(timedelta(minutes=1))

    assert isinstance(await rig.find(order(), journal), Absent)
    await rig.follow(order(), await rig.carry_out(order(), journal, number=2), journal)

    assert rig.did("partner-cart-created") == 1
    assert rig.did("partner-order-placed") == 1


async def test_a_cart_whose_offer_has_changed_is_filled_anew_and_never_replaced(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.set("catalog_days", "1")
    journal = Journal(rig.world)
    rig.world.fault("lose-reply-before", path=CHECKOUT, method="POST")
    with pytest.raises(Uncertain):
        await rig.carry_out(order(), journal)
    rig.world.advance(timedelta(days=2))

    await rig.follow(order(), await rig.carry_out(order(), journal, number=2), journal)

    assert rig.did("partner-cart-created") == 1
    assert rig.did("partner-order-placed") == 1


async def test_an_expired_cart_can_be_bought_by_nobody_and_is_replaced(open_rig: Open) -> None:
    rig = await opened(open_rig)
    journal = Journal(rig.world)
    rig.world.fault("lose-reply-before", path=CHECKOUT, method="POST")
    with pytest.raises(Uncertain):
        await rig.carry_out(order(), journal)
    rig.world.advance(timedelta(days=8))

    await rig.follow(order(), await rig.carry_out(order(), journal, number=2), journal)

    assert rig.did("partner-cart-created") == 2
    assert rig.did("partner-order-placed") == 1


async def test_an_order_that_is_not_listed_yet_is_waited_for(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.set("delay_order_list", "900")
    journal = Journal(rig.world)
    rig.world.fault("lose-reply-after", path=CHECKOUT, method="POST")
    with pytest.raises(Uncertain):
        await rig.carry_out(order(), journal)

    early = await rig.find(order(), journal)
    rig.world.advance(timedelta(minutes=16))
    late = await rig.find(order(), journal)

    assert isinstance(early, Unknown)
    assert early.look_again_at is not None
    assert isinstance(late, Accepted)
    await rig.follow(order(), late, journal)
    assert rig.did("partner-order-placed") == 1


async def test_an_order_that_never_shows_is_in_doubt(open_rig: Open) -> None:
    rig = await opened(open_rig)
    rig.world.set("delay_order_list", str(40 * 86400))
    journal = Journal(rig.world)
    rig.world.fault("lose-reply-after", path=CHECKOUT, method="POST")
    with pytest.raises(Uncertain):
        await rig.carry_out(order(), journal)
    rig.world.advance(timedelta(hours=1))

    found = await rig.find(order(), journal)

    assert isinstance(found, Unknown)
    assert found.look_again_at is None
    with pytest.raises(Uncertain):
        await rig.carry_out(order(), journal, number=2)
    assert rig.did("partner-order-placed") == 1


async def test_another_order_of_the_same_is_not_taken_for_it(open_rig: Open) -> None:
    rig = await opened(open_rig)
    journal = Journal(rig.world)
    rig.world.fault("lose-reply-after", path=CHECKOUT, method="POST")
    with pytest.raises(Uncertain):
        await rig.carry_out(order(), journal)
    other = replace(order(), id="another")
    await rig.finish(other)
    rig.world.advance(timedelta(minutes=20))

    found = await rig.find(order(), journal)

    assert isinstance(found, Accepted)
    with rig.world.transaction() as tx:
        (lines,) = tx.column("SELECT lines FROM ms_order WHERE id = ?", found.ticket)
    assert order().id in lines


class Instead(httpx.AsyncBaseTransport):
    """Answers a call in the sandbox's place, once; with `after` the sandbox has done it first."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, method: str, end: str, answer: httpx.Response, *, after: bool
    ) -> None:
        self._inner, self._call, self._after = inner, (method, end), after
        self._answers = [answer]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        method, end = self._call
        if request.method != method or not request.url.path.endswith(end) or not self._answers:
            return await self._inner.handle_async_request(request)
        if self._after:
            await self._inner.handle_async_request(request)
        return self._answers.pop()


def fault(code: int) -> dict[str, Any]:
    return {"code": code, "description": "no", "data": [], "source": "PartnerFD"}


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(409, json=fault(800060)),
        httpx.Response(409, json=fault(800064)),
        httpx.Response(400, json=fault(800065)),
        httpx.Response(201, json={"orders": [], "orderErrors": [{"orderGroupId": "0", "code": 800060}]}),
        httpx.Response(201, json={"orders": []}),
        httpx.Response(201, json={"orders": [{"id": 7}]}),
        httpx.Response(200, content=b""),
    ],
    ids=["in progress", "being processed", "submitted", "a part in progress", "no order", "no id", "nothing"],
)
async def test_a_checkout_that_may_have_been_one_is_looked_for(
    open_rig: Open, world: World, answer: httpx.Response
) -> None:
    through = Instead(transport(world), "POST", "/checkout", answer, after=True)
    rig = await open_rig("partner-center", CUSTOMER, customer(), through=through)
    journal = Journal(rig.world)

    with pytest.raises(Uncertain):
        await rig.carry_out(order(), journal)
    rig.world.advance(timedelta(minutes=1))
    found = await rig.find(order(), journal)

    assert isinstance(found, Accepted)
    assert (await rig.follow(order(), found, journal)).data["seats"] == 3
    assert rig.did("partner-order-placed") == 1


# Seats


@pytest.mark.parametrize("content", [b"", b"[]", b'{"id": 7}'])
async def test_a_change_whose_answer_shows_nothing_is_read_back(
    open_rig: Open, world: World, content: bytes
) -> None:
    answer = httpx.Response(200, content=content)
    through = Instead(transport(world), "PATCH", SUB, answer, after=True)
    rig = await open_rig("partner-center", CUSTOMER, customer(premium(5)), through=through)
    journal = Journal(rig.world)

    with pytest.raises(Uncertain):
        await rig.carry_out(resize(5, 6), journal)

    assert isinstance(await rig.find(resize(5, 6), journal), Done)
    assert rig.did("partner-quantity-changed") == 1


@pytest.mark.parametrize("quantity", [8, 3])
async def test_inside_the_window_seats_go_up_and_down_at_once(open_rig: Open, quantity: int) -> None:
    rig = await opened(open_rig, premium(5))

    done = await rig.finish(resize(5, quantity))

    assert done.data == {"seats": quantity}
    assert seats(rig) == quantity
    one = await held(rig)
    assert (one.renewal, one.term) == ("auto", "P1Y")  # the whole document went back


async def test_after_the_window_seats_go_up_only(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, bought="30d"))

    with pytest.raises(Rejected) as caught:
        await rig.carry_out(resize(5, 4))
    await rig.finish(resize(5, 6))

    assert caught.value.code == "800090"
    assert "renewal" in caught.value.hint
    assert seats(rig) == 6


async def test_what_is_scheduled_outlives_a_change_of_seats(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, bought="30d"))
    await rig.finish(schedule({"seats": 5}, {"seats": 2}))

    steps = await told(rig.provider.execute(resize(5, 7), Attempt(number=1)))

    assert [one.name for one in steps if isinstance(one, Step)] == [
        f"quantity/{SUB}",
        f"schedule-again/{SUB}",
    ]
    assert (await held(rig)).scheduled == {"seats": 2, "term": "P1Y", "billing": "monthly"}
    assert seats(rig) == 7


async def test_what_a_change_of_seats_keeps_is_not_sent_again(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, bought="30d"))
    rig.world.set("keep_schedule", "on")
    await rig.finish(schedule({"seats": 5}, {"seats": 2}))

    steps = await told(rig.provider.execute(resize(5, 7), Attempt(number=1)))

    assert [one.name for one in steps if isinstance(one, Step)] == [f"quantity/{SUB}"]
    assert (await held(rig)).scheduled == {"seats": 2, "term": "P1Y", "billing": "monthly"}


async def test_what_is_scheduled_is_put_back_after_a_lost_answer(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, bought="30d"))
    await rig.finish(schedule({"seats": 5}, {"seats": 2}))
    journal = Journal(rig.world)
    rig.world.fault("lose-reply-after", path=PATCH, method="PATCH")
    with pytest.raises(Uncertain):
        await rig.carry_out(resize(5, 7), journal)
    lost = (await held(rig)).scheduled

    found = await rig.find(resize(5, 7), journal)

    assert lost is None
    assert isinstance(found, Done)
    assert (await held(rig)).scheduled == {"seats": 2, "term": "P1Y", "billing": "monthly"}
    assert rig.did("partner-quantity-changed") == 1


async def test_somebody_elses_change_in_between_is_not_overwritten(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5))
    rig.world.fault("interference", path=PATCH, method="PATCH", change=f"subscription-resized {SUB} 9")

    with pytest.raises(Rejected, match="changed meanwhile") as caught:
        await rig.carry_out(resize(5, 6))

    assert caught.value.code == "changed-meanwhile"
    assert seats(rig) == 9


async def test_a_subscription_that_was_changed_too_often_says_what_to_do(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5))
    rig.world.change(f"subscription-updates {SUB} 1200")

    with pytest.raises(Rejected) as caught:
        await rig.carry_out(resize(5, 6))

    assert caught.value.code == "900311"
    assert "service: new" in caught.value.hint


class Slow(httpx.AsyncBaseTransport):
    """Lets others go first at every request, as a network does."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self._inner = inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        for _ in range(5):
            await asyncio.sleep(0)
        return await self._inner.handle_async_request(request)


async def test_two_changes_at_the_same_moment_do_not_undo_each_other(open_rig: Open, world: World) -> None:
    """Where no etag tells, what was read before the other change would be sent back whole."""
    world.set("etags", "off")
    rig = await open_rig("partner-center", CUSTOMER, customer(premium(5)), through=Slow(transport(world)))

    await asyncio.gather(rig.finish(resize(5, 7)), rig.finish(renewal("auto", "off")))

    one = await held(rig)
    assert (one.seats, one.renewal) == (7, "off")


@pytest.mark.parametrize("verb", [Verb.RESIZE, Verb.UPDATE, Verb.SCHEDULE])
async def test_a_subscription_that_is_not_there_is_missing(open_rig: Open, verb: Verb) -> None:
    rig = await opened(open_rig)
    actions = {
        Verb.RESIZE: resize(5, 6),
        Verb.UPDATE: renewal("auto", "off"),
        Verb.SCHEDULE: schedule({"seats": 5}, {"seats": 2}),
    }

    assert await rig.provider.reread(actions[verb]) is None
    with pytest.raises(Missing):
        await rig.carry_out(actions[verb])


# The renewal


async def test_what_waits_for_the_renewal_is_scheduled_and_happens_then(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, bought="30d"))
    action = schedule({"seats": 5}, {"seats": 2})
    assert await rig.provider.reread(action) == {"seats": 5}

    await rig.finish(action)

    assert await rig.provider.reread(action) == {"seats": 2}
    assert seats(rig) == 5
    rig.world.advance(timedelta(days=340))
    assert seats(rig) == 2


async def test_a_term_and_its_billing_are_scheduled_beside_the_seats(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, term="P1Y"))
    await rig.finish(schedule({"seats": 5}, {"seats": 4}))

    await rig.finish(schedule({"term": "P1Y", "billing": "monthly"}, {"term": "P1M", "billing": "monthly"}))

    assert (await held(rig)).scheduled == {"seats": 4, "term": "P1M", "billing": "monthly"}


async def test_a_schedule_that_brings_nothing_new_is_taken_away(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, bought="30d"))
    await rig.finish(schedule({"seats": 5}, {"seats": 2}))

    await rig.finish(schedule({"seats": 2}, {"seats": 5}))

    assert (await held(rig)).scheduled is None


async def test_without_a_renewal_nothing_is_scheduled(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, renew=False))

    with pytest.raises(Rejected, match="does not renew"):
        await rig.carry_out(schedule({"seats": 5}, {"seats": 2}))

    assert rig.did("partner-schedule-changed") == 0


async def test_the_renewal_is_switched_off_and_on(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, bought="30d"))
    await rig.finish(schedule({"seats": 5}, {"seats": 2}))

    await rig.finish(renewal("auto", "off"))
    off = await held(rig)
    await rig.finish(renewal("off", "auto"))
    on = await held(rig)

    assert (off.renewal, off.scheduled) == ("off", None)  # dropped with the renewal, as it has to be
    assert (on.renewal, on.scheduled) == ("auto", None)
    assert seats(rig) == 5


# The end


async def test_inside_the_window_it_ends_at_once_when_that_is_asked_for(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5))

    done = await rig.finish(cancel(now=True))

    assert done.data == {"ended": True}
    assert rig.did("partner-subscription-deleted") == 1
    assert (await rig.account.snapshot(frozenset({CUSTOMER}))).holdings == ()


async def test_after_the_window_an_end_at_once_is_refused(open_rig: Open) -> None:
    rig = await opened(open_rig, premium(5, bought="30d"))

    with pytest.raises(Rejected) as caught:
        await rig.carry_out(cancel(now=True))

    assert caught.value.code == "900213"
    assert rig.did("partner-subscription-deleted") == 0


@pytest.mark.parametrize("now", [True, False])
async def test_what_is_planned_for_its_end_is_only_left_to_end(open_rig: Open, now: bool) -> None:  # noqa: FBT001 - a parameter of the test
    rig = await opened(open_rig, premium(5))

    await rig.finish(cancel(now=now, on=date(2028, 1, 15)))

    assert rig.did("partner-subscription-deleted") == 0
    assert (await held(rig)).ends_on == date(2028, 1, 15)


async def test_a_cancellation_without_a_date_that_was_not_asked_to_be_at_once_deletes_nothing(
    open_rig: Open,
) -> None:
    rig = await opened(open_rig, premium(5))

    await rig.finish(cancel(now=False))

    assert rig.did("partner-subscription-deleted") == 0


async def test_what_is_gone_already_is_cancelled(open_rig: Open) -> None:
    rig = await opened(open_rig)

    assert isinstance(await rig.carry_out(cancel(now=True)), Done)


# Customers

WRITTEN: dict[str, Any] = {
    "domain": "Fresh.onmicrosoft.com",
    "company": "Fresh UAB",
    "country": "lt",
    "language": "lt",
    "culture": "lt-LT",
    "email": "billing@fresh.example",
    "registration_number": None,
    "address": {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "line1": "Gedimino 1",
        "line2": None,
        "city": "Vilnius",
        "state": None,
        "postal_code": "01103",
        "phone": "+37060000000",
    },
}
CREATE = "/partner-center/v1/customers"


def create(**changed: Any) -> Action:
    place = {**WRITTEN["address"], **changed.pop("address", {})}
    written = {**WRITTEN, **changed, "address": place}
    after = {"domain": written["domain"].lower()}
    return act(Verb.UPDATE, "tenant/customer", after=after, customer=written)


def newcomer(rig: Rig, **written: Any) -> PartnerCenterTenant:
    account = rig.account
    assert isinstance(account, PartnerCenterAccount)
    tenant = {"version": 1, "tenant": "fresh", "provider": "partner-center", "account": "ovh-main"}
    given = {key: value for key, value in {**WRITTEN, **written}.items() if value is not None}
    given["address"] = {key: value for key, value in given["address"].items() if value is not None}
    return PartnerCenterTenant(account, TENANT.validate_python({**tenant, "customer": given}))


async def test_a_customer_is_created_once_and_then_known_by_its_domain(open_rig: Open) -> None:
    rig = await open_rig("partner-center", None)
    assert await rig.provider.reread(create()) is None

    done = await rig.finish(create())

    assert done.data == {"scope": done.ref}
    assert rig.did("partner-customer-created") == 1
    assert await rig.provider.reread(create()) == {"domain": "fresh.onmicrosoft.com"}
    shown = await newcomer(rig).organisation()
    assert shown is not None
    assert shown.ref == done.ref
    assert shown.settings == {"tenant/customer": {"domain": "fresh.onmicrosoft.com"}}
    with pytest.raises(Rejected) as caught:
        await rig.carry_out(create())
    assert done.ref in caught.value.hint
    assert rig.did("partner-customer-created") == 1


async def test_the_first_administrators_password_is_kept_nowhere(open_rig: Open) -> None:
    rig = await open_rig("partner-center", None)

    said = repr(await told(rig.provider.execute(create(), Attempt(number=1))))

    assert "assword" not in said
    assert "admin" not in said


async def test_a_domain_that_somebody_else_has_is_refused(open_rig: Open) -> None:
    other = {"microsoft": {"tenants": [{"domain": "fresh.onmicrosoft.com", "country": "FR"}]}}
    rig = await open_rig("partner-center", None, other)

    with pytest.raises(Rejected, match="taken by somebody else") as caught:
        await rig.carry_out(create())

    assert "service:" in caught.value.hint
    assert rig.did("partner-customer-created") == 0


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"country": "cu"}, "sells nothing in CU"),
        ({"address": {"postal_code": None}}, "postal_code .* is needed"),
        ({"address": {"postal_code": "1"}}, "postal_code .* spelled"),
        ({"address": {"phone": "call me"}}, "phone .* spelled"),
        ({"country": "us", "culture": "en-US", "language": "en"}, "state .* is needed"),
        ({"culture": "fr-FR"}, "culture .* not supported"),
        ({"language": "fr"}, "language .* not supported"),
    ],
)
async def test_what_a_country_would_refuse_is_refused_before_anything_is_sent(
    open_rig: Open, changed: dict[str, Any], words: str
) -> None:
    rig = await open_rig("partner-center", None)

    with pytest.raises(Rejected, match=words):
        await rig.carry_out(create(**changed))

    assert ("POST", CREATE) not in [(one["method"], one["path"]) for one in rig.world.requests()]


@pytest.mark.parametrize("country", ["am", "in"])
async def test_a_registration_number_that_is_missing_is_named(open_rig: Open, country: str) -> None:
    rig = await open_rig("partner-center", None)
    action = create(country=country, language="en", culture=f"en-{country.upper()}")

    with pytest.raises(Rejected) as caught:
        await rig.carry_out(action)

    assert caught.value.code == "600049"
    assert "registration_number" in caught.value.hint


@pytest.mark.parametrize("fault", ["lose-reply-after", "error-after", "malformed", "lose-reply-before"])
async def test_a_lost_answer_leads_to_one_customer(open_rig: Open, fault: str) -> None:
    rig = await open_rig("partner-center", None)
    rig.world.fault(fault, path=CREATE, method="POST")
    journal = Journal(rig.world)

    with pytest.raises(Uncertain):
        await rig.carry_out(create(), journal)
    found = await rig.find(create(), journal)
    if isinstance(found, Absent):
        found = await rig.finish(create(), journal)

    assert isinstance(found, Done)
    assert rig.did("partner-customer-created") == 1


@pytest.mark.parametrize(
    ("more", "word"),
    [
        ({"agreement": "none"}, "Customer Agreement"),
        ({"validation": "UnderReview"}, "reviews the customer"),
        ({"validation": "NotAllowed"}, "did not approve"),
        ({"validation": "Unknown"}, "Unknown"),
        ({"agreement": "signed"}, ""),
        ({"validation": ""}, ""),
        ({}, ""),
    ],
)
async def test_a_customer_that_may_not_buy_yet_says_why(
    open_rig: Open, more: dict[str, Any], word: str
) -> None:
    rig = await opened(open_rig, **more)

    found = await rig.provider.organisation()

    assert found is not None
    assert word in found.unready
    assert bool(found.unready) is bool(word)


async def test_without_a_person_only_what_an_application_may_read_is_asked(open_rig: Open) -> None:
    alone = {key: value for key, value in MICROSOFT.items() if key != "refresh_token"}
    rig = await open_rig("partner-center", CUSTOMER, customer(validation="NotAllowed"), credentials=alone)

    found = await rig.provider.organisation()

    assert found is not None
    assert found.unready == ""
    with pytest.raises(Rejected) as caught:
        await rig.carry_out(order())
    assert caught.value.code == "800075"


async def test_a_tenant_without_a_customer_has_nothing_yet(open_rig: Open) -> None:
    rig = await open_rig("partner-center", None)

    found = await newcomer(rig).organisation()

    assert found is not None
    assert (found.ref, found.settings, found.unready) == (None, {}, "")
    with pytest.raises(Rejected, match="no customer"):
        await rig.carry_out(order(scope=""))
    assert not [one for one in rig.world.requests() if one["method"] == "POST" and "/carts" in one["path"]]
