"""Makers for the tests of Partner Center: a customer with subscriptions, and the actions that change them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
from msgspec.structs import replace

from reconciler.core.action import Action, Verb, digest
from reconciler.core.model import Holding
from tests.providers import rig as rigging
from tests.providers.rig import CUSTOMER, Open, Rig

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
