"""Seats, renewal and end of a subscription, inside its window and after it."""

from __future__ import annotations

import asyncio
import json
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from reconciler.core.action import Verb
from reconciler.core.errors import Missing, Rejected, Uncertain
from reconciler.core.provider import Attempt, Done, Step
from reconciler.sandbox.client import transport
from reconciler.sandbox.world import World
from tests.providers.microsoft.partner import (
    PATCH,
    SUB,
    Instead,
    cancel,
    customer,
    held,
    opened,
    premium,
    renewal,
    resize,
    schedule,
    seats,
    told,
)
from tests.providers.rig import CUSTOMER, Journal, Open

pytestmark = pytest.mark.anyio


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


class Adding(httpx.AsyncBaseTransport):
    """A Partner Center that tells more of the subscription than the sandbox keeps; what is sent to it is kept."""

    def __init__(self, world: World, scheduled: dict[str, Any], **more: Any) -> None:
        self.inner = transport(world)
        self.scheduled = scheduled
        self.more = more
        self.sent: list[dict[str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            self.sent.append(json.loads(request.content))
        answer = await self.inner.handle_async_request(request)
        if not request.url.path.endswith(SUB):
            return answer
        await answer.aread()
        body: dict[str, Any] = answer.json() | self.more
        if body.get("scheduledNextTermInstructions"):
            body["scheduledNextTermInstructions"] |= self.scheduled
        return httpx.Response(answer.status_code, json=body)


async def test_what_else_is_asked_for_at_the_renewal_stays(open_rig: Open, world: World) -> None:
    """An end date that somebody aligned is no business of a number of seats."""
    through = Adding(world, {"customTermEndDate": "2028-03-31T00:00:00Z"})
    rig = await open_rig("partner-center", CUSTOMER, customer(premium(5, bought="30d")), through=through)
    await rig.account.snapshot(frozenset({CUSTOMER}))
    await rig.finish(schedule({"seats": 5}, {"seats": 2}))

    for before, after in ((2, 3), (3, 5)):
        await rig.finish(schedule({"seats": before}, {"seats": after}))

    _, fewer, as_now = (one["scheduledNextTermInstructions"] for one in through.sent)
    assert (fewer["quantity"], fewer["customTermEndDate"]) == (3, "2028-03-31T00:00:00Z")
    assert (as_now["quantity"], as_now["customTermEndDate"]) == (5, "2028-03-31T00:00:00Z")


async def test_nothing_is_scheduled_beside_what_alone_counts(open_rig: Open, world: World) -> None:
    through = Adding(world, {}, scheduledActions=[{"action": "changeQuantity"}])
    rig = await open_rig("partner-center", CUSTOMER, customer(premium(5, bought="30d")), through=through)

    with pytest.raises(Rejected, match="scheduledActions") as caught:
        await rig.carry_out(schedule({"seats": 5}, {"seats": 2}))

    assert (caught.value.code, through.sent) == ("scheduled-elsewhere", [])
