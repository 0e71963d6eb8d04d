"""What Partner Center shows, what it sells and for how much."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from reconciler.core.errors import Unavailable
from reconciler.core.provider import Accepted
from reconciler.providers.microsoft.partner_center.account import PartnerCenterAccount
from tests.providers.microsoft.partner import (
    CHECKOUT,
    ROUTE,
    SUB,
    WEEK,
    customer,
    held,
    opened,
    order,
    premium,
    resize,
)
from tests.providers.rig import CUSTOMER, Journal, Open

pytestmark = pytest.mark.anyio


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
