"""A server unlike the sandbox: it answers as little as the published specification allows."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote

import httpx
import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected
from reconciler.core.provider import Accepted, Attempt, Done, Provider, Step, Stepped, StepRecord
from reconciler.providers import OPEN, open_session
from tests.providers.rig import KEYS, SETTINGS, Time, act, written

pytestmark = pytest.mark.anyio

GROUP = "g.o365.ovh.com"
OFFICE = {"product": "business", "service": GROUP, "scope": GROUP}
NOT_FOUND = httpx.Response(404, json={"message": "Got an invalid (or empty) URL"})


@dataclass
class Spartan:
    """Seats, carts and orders with nothing optional: no batches, pages, service records, extensions, methods."""

    seats: dict[str, dict[str, Any]] = field(default_factory=dict)
    carts: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: list[int] = field(default_factory=list)
    status: str = "delivered"

    def add(self, number: int, **more: Any) -> None:
        name = f"{GROUP}-{number}"
        empty = {"firstName": "configureme", "lastName": "configureme", "isVirtual": True}
        self.seats[name] = {"tenantServiceName": GROUP, "licences": ["officeBusiness"], **empty, **more}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        parts = [unquote(part) for part in request.url.path.removeprefix("/1.0/").split("/")]
        body = json.loads(request.content) if request.content else {}
        match request.method, parts:
            case "GET", ["auth", "time"]:
                return httpx.Response(200, json=1_800_000_000)
            case "GET", ["me"]:
                return httpx.Response(200, json={"ovhSubsidiary": "PL"})
            case "GET", ["me", "payment", "method"]:
                return httpx.Response(200, json=[])
            case method, ["license", "officePrepaid", *rest]:
                return self.prepaid(method, rest, body)
            case method, ["order", "cart", *rest]:
                return self.cart(method, rest, body)
            case "GET", ["me", "order", *rest]:
                return self.order(rest)
        return NOT_FOUND

    def prepaid(self, method: str, rest: list[str], body: dict[str, Any]) -> httpx.Response:
        match method, rest:
            case "GET", []:
                return httpx.Response(200, json=list(self.seats))
            case "GET", [name] if name in self.seats:
                return httpx.Response(200, json=self.seats[name])
            case "PUT", [name] if name in self.seats:
                self.seats[name] |= {**body, "isVirtual": False}
                return httpx.Response(204)
            case "POST", [name, "unconfigure"] if name in self.seats:
                self.add(int(name.rpartition("-")[2]))
                return httpx.Response(200, json={"id": 7, "status": "done"})
        return NOT_FOUND

    def cart(self, method: str, rest: list[str], body: dict[str, Any]) -> httpx.Response:
        match method, rest:
            case "POST", []:
                assert body["ovhSubsidiary"] == "PL"
                self.carts["c"] = {"items": []}
                return httpx.Response(200, json={"cartId": "c"})
            case "GET", ["c"]:
                return httpx.Response(200, json={"cartId": "c", "items": self.carts["c"]["items"]})
            case "POST", ["c", "officePrepaid"]:
                self.carts["c"]["items"] = [1]
                return httpx.Response(200, json={"itemId": 1})
            case "GET", ["c", "checkout"]:
                return httpx.Response(
                    200, json={"prices": {"withoutTax": {"currencyCode": "PLN", "value": 99.9}}}
                )
            case "POST", ["c", "checkout"]:
                assert body == {"autoPayWithPreferredPaymentMethod": False, "waiveRetractationPeriod": False}
                self.orders.append(4711)
                return httpx.Response(200, json={"orderId": 4711})
            case "POST" | "DELETE", _:
                return httpx.Response(200, text="null")
        return NOT_FOUND

    def order(self, rest: list[str]) -> httpx.Response:
        line = {"description": "Microsoft 365 Apps for business", "domain": f"{GROUP}-2", "quantity": 1}
        match rest:
            case []:
                return httpx.Response(200, json=self.orders)
            case [_, "status"]:
                return httpx.Response(200, json=self.status)
            case [_, "details"]:
                return httpx.Response(200, json=[1])
            case [_, "details", "1"]:
                return httpx.Response(200, json=line)
        return NOT_FOUND

    def provider(self) -> tuple[Any, Provider]:
        session = open_session(
            SETTINGS, KEYS, writes=True, transport=httpx.MockTransport(self), clock=Time().clock
        )
        account = OPEN["ovh-prepaid"]("main", session)
        return account, account.tenant(written("acme", GROUP))


async def carry_out(provider: Provider, action: Action) -> tuple[Any, tuple[StepRecord, ...]]:
    steps: list[StepRecord] = []
    async for told in provider.execute(action, Attempt(number=1)):
        match told:
            case Step():
                now = datetime.fromtimestamp(1_800_000_000, UTC)
                steps.append(StepRecord(name=told.name, began_at=now, data=told.data))
            case Stepped():
                continue
            case _:
                return told, tuple(steps)
    raise AssertionError


async def test_seats_are_read_where_nothing_optional_is_answered() -> None:
    server = Spartan()
    server.add(1, isVirtual=None, taskPendingId=None, usageLocation=None, activationEmail=None)
    server.add(
        2, isVirtual=False, firstName="Ada", lastName="L", activationEmail=f"ADA@{GROUP}", status="new word"
    )
    account, provider = server.provider()

    await account.snapshot(frozenset({GROUP}))
    (holding,) = await provider.read(frozenset({GROUP}))

    assert [place.login for place in holding.places] == [None, f"ada@{GROUP}"]
    assert [place.ready for place in holding.places] == [True, False]
    assert (holding.renewal, holding.renews_on, holding.ends_on) == (None, None, None)


async def test_seats_are_bought_where_only_the_orders_words_tell_what_it_is() -> None:
    server = Spartan()
    server.add(1)
    account, provider = server.provider()
    await account.snapshot(frozenset({GROUP}))
    more = act(
        Verb.RESIZE, "group/office", before={"seats": 1}, after={"seats": 2}, quantity=1, expect=2, **OFFICE
    )

    outcome, steps = await carry_out(provider, more)
    pending = await provider.poll(more, outcome.ticket, steps)
    server.add(2)
    done = await provider.poll(more, outcome.ticket, steps)

    assert (outcome.waiting_on, outcome.ticket) == ("person", "4711")
    assert isinstance(pending, Accepted)
    assert isinstance(done, Done)
    found = {"service": GROUP, "scope": GROUP, "seats": 2, "order": "4711", "names": ["-1", "-2"]}
    assert done.data == found


async def test_people_come_and_go_with_empty_answers() -> None:
    server = Spartan()
    server.add(1)
    account, provider = server.provider()
    await account.snapshot(frozenset({GROUP}))
    person = {"login": f"ada@{GROUP}", "first_name": "Ada", "last_name": "L"}
    joins = act(Verb.ACTIVATE, "seat/office/ada", after={}, **person, **OFFICE)
    leaves = act(Verb.DEACTIVATE, "seat/office/ada", targets=[f"{GROUP}-1"], **person, **OFFICE)

    outcome, steps = await carry_out(provider, joins)
    seated = await provider.poll(joins, outcome.ticket, steps)
    outcome, steps = await carry_out(provider, leaves)
    left = await provider.poll(leaves, outcome.ticket, steps)

    assert isinstance(seated, Done)
    assert isinstance(left, Done)


async def test_an_order_that_went_elsewhere_is_not_taken_for_the_groups() -> None:
    server = Spartan()
    server.add(1)
    server.add(2, tenantServiceName="elsewhere.o365.ovh.com")
    account, provider = server.provider()
    await account.snapshot(frozenset({GROUP}))
    more = act(Verb.RESIZE, "group/office", after={"seats": 2}, quantity=1, expect=2, **OFFICE)

    with pytest.raises(Rejected, match=r"into elsewhere\.o365"):
        await provider.poll(more, "4711", ())


@pytest.mark.parametrize("status", ["checking", "delivering", "unknown", "cancelling", "a new word"])
async def test_a_word_that_is_no_end_is_on_its_way(status: str) -> None:
    server = Spartan(status=status)
    _, provider = server.provider()

    outcome = await provider.poll(act(Verb.ORDER, "group/x", product="business", quantity=1), "4711", ())

    assert isinstance(outcome, Accepted)
    assert (outcome.waiting_on, outcome.status) == ("provider", status)
    assert timedelta(seconds=outcome.ask_again_after) == timedelta(seconds=SETTINGS.poll)
