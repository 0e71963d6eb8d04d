"""Buying at Partner Center, whatever becomes of the answers; judged by the sandbox's ledger."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from reconciler.core.action import Action
from reconciler.core.errors import ProviderError, Rejected, Unavailable, Uncertain
from reconciler.core.provider import Absent, Accepted, Attempt, Step, Stepped, Unknown
from reconciler.sandbox.client import transport
from reconciler.sandbox.world import World
from tests.providers.microsoft.partner import CHECKOUT, Instead, customer, fault, opened, order, told
from tests.providers.rig import CUSTOMER, Journal, Open

pytestmark = pytest.mark.anyio


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
    ("more", "kind", "code", "hint"),
    [
        ({"agreement": "none"}, Rejected, "13605", "Agreement"),
        ({"validation": "UnderReview"}, Unavailable, "not-yet", "review"),
        ({"validation": "NotAllowed"}, Rejected, "800075", "case"),
    ],
)
async def test_a_customer_that_may_not_buy_is_told_what_to_do(
    open_rig: Open, more: dict[str, Any], kind: type[ProviderError], code: str, hint: str
) -> None:
    rig = await opened(open_rig, **more)

    with pytest.raises(kind) as caught:
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
