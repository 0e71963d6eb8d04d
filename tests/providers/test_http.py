"""Every way a call can end, and the error it is told as."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from reconciler.core.errors import Missing, ProviderError, Rejected, Unavailable, Uncertain
from reconciler.providers import http, open_session
from reconciler.providers.http import Session, retry_after
from reconciler.providers.ovh.auth import Signature
from reconciler.providers.settings import Settings
from reconciler.providers.transport import ReadOnlyError
from tests.providers.rig import Time

pytestmark = pytest.mark.anyio

BASE = "https://ovh.test/1.0"
Behaviour = httpx.Response | Exception


@dataclass
class Server:
    """Answers as it is told, the last thing for ever; counts what it was asked."""

    answers: list[Behaviour]
    asked: list[tuple[str, float]] = field(default_factory=list)
    time: Time = field(default_factory=Time)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/time"):
            return httpx.Response(200, json=int(self.time.now))
        self.asked.append((request.method, self.time.now))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def session(self, **settings: Any) -> Session:
        keys = Signature(application_key="k", application_secret="s", consumer_key="c")
        made = Settings(base_url=BASE, **settings)
        return Session(made, keys, writes=True, transport=httpx.MockTransport(self), clock=self.time.clock)


def auth(code: str) -> dict[str, str]:
    return {"errorCode": code, "httpCode": "403 Forbidden", "message": "no"}


def service(code: str, message: str = "no") -> dict[str, str]:
    return {"class": code, "message": message}


def html(status: int) -> httpx.Response:
    return httpx.Response(status, text="<html>Request Time-out</html>")


JSON = httpx.Response

# What the server does, what a write makes of it, what a read makes of it.
OUTCOMES: dict[str, tuple[Behaviour, type[ProviderError] | None, type[ProviderError] | None]] = {
    "200 null": (JSON(200, text="null"), None, None),
    "200 empty": (JSON(200), None, None),
    "204": (JSON(204), None, None),
    "200 html": (html(200), Uncertain, Unavailable),
    "200 torn json": (JSON(200, text='{"a": 1'), Uncertain, Unavailable),
    "302": (JSON(302, headers={"location": "https://elsewhere.test"}), Uncertain, Unavailable),
    "400 auth layer": (JSON(400, json=auth("INVALID_SIGNATURE")), Rejected, Rejected),
    "400 service layer": (JSON(400, json=service("Client::BadRequest::ErrX")), Rejected, Rejected),
    "400 bare": (JSON(400, json={"message": "Custom field X is mandatory"}), Rejected, Rejected),
    "400 html": (html(400), Uncertain, Unavailable),
    "400 json of nobody": (JSON(400, json={"oops": 1}), Uncertain, Unavailable),
    "400 json list": (JSON(400, json=["no"]), Uncertain, Unavailable),
    "401": (JSON(401, json={"message": "no"}), Rejected, Rejected),
    "403 auth layer": (JSON(403, json=auth("NOT_GRANTED_CALL")), Rejected, Rejected),
    "403 busy": (JSON(403, json=service("Client::Forbidden::Busy")), Unavailable, Unavailable),
    "404 service layer": (JSON(404, json=service("Client::NotFound")), Missing, Missing),
    "404 html": (html(404), Uncertain, Unavailable),
    "408 html": (html(408), Uncertain, Unavailable),
    "408 json": (JSON(408, json={"message": "late"}), Uncertain, Unavailable),
    "409 conflict": (JSON(409, json=service("Client::Conflict", "exists")), Rejected, Rejected),
    "409 busy": (JSON(409, json=service("Client::Conflict::Busy")), Unavailable, Unavailable),
    "409 busy in words": (JSON(409, json=service("Client::Conflict", "is busy")), Unavailable, Unavailable),
    "429 html": (html(429), Unavailable, Unavailable),
    "429 json": (JSON(429, json={"message": "slow down"}), Unavailable, Unavailable),
    "460": (JSON(460, json={"message": "This Service is expired"}), Rejected, Rejected),
    "500 json": (JSON(500, json=service("Server::InternalServerError")), Uncertain, Unavailable),
    "502 html": (html(502), Uncertain, Unavailable),
    "503 json": (JSON(503, json={"message": "maintenance"}), Uncertain, Unavailable),
    "refused": (httpx.ConnectError("refused"), Unavailable, Unavailable),
    "no connection in time": (httpx.ConnectTimeout("slow"), Unavailable, Unavailable),
    "no free connection": (httpx.PoolTimeout("full"), Unavailable, Unavailable),
    "no answer in time": (httpx.ReadTimeout("slow"), Uncertain, Unavailable),
    "broken off": (httpx.ReadError("eof"), Uncertain, Unavailable),
    "broken off while sending": (httpx.WriteError("eof"), Uncertain, Unavailable),
    "no http": (httpx.RemoteProtocolError("eof"), Uncertain, Unavailable),
}


@pytest.mark.parametrize("name", OUTCOMES)
async def test_a_write_ends_as_one_of_three_errors_and_is_sent_once(name: str) -> None:
    behaviour, expected, _ = OUTCOMES[name]
    server = Server([behaviour])
    session = server.session()

    if expected is None:
        assert (await session.write("POST", "/x", {"a": 1})).data is None
    else:
        with pytest.raises(expected) as caught:
            await session.write("POST", "/x", {"a": 1})
        assert type(caught.value) is expected

    assert len(server.asked) == 1


@pytest.mark.parametrize("name", OUTCOMES)
async def test_a_read_is_repeated_only_when_that_may_help(name: str) -> None:
    behaviour, _, expected = OUTCOMES[name]
    server = Server([behaviour])
    session = server.session()

    if expected is None:
        assert (await session.read("/x")).data is None
    else:
        with pytest.raises(expected) as caught:
            await session.read("/x")
        assert type(caught.value) is expected

    assert len(server.asked) == (http.READ_ATTEMPTS if expected is Unavailable else 1)


async def test_a_read_gets_its_answer_once_the_server_is_well_again() -> None:
    server = Server([html(502), httpx.ReadError("eof"), JSON(200, json=[1])])

    assert (await server.session().read("/x")).data == [1]
    assert sum(server.time.slept) < 10


async def test_a_read_is_never_repeated_earlier_than_asked() -> None:
    server = Server([JSON(429, headers={"Retry-After": "17"}, json={"message": "slow"}), JSON(200, json=1)])

    await server.session().read("/x")

    (_, first), (_, second) = server.asked
    assert second - first >= 17


async def test_what_the_server_asks_holds_for_every_request_of_the_account() -> None:
    throttled = JSON(429, headers={"Retry-After": "30"}, json={"message": "slow"})
    server = Server([throttled, JSON(200, json=1)])
    session = server.session()

    with pytest.raises(Unavailable) as caught:
        await session.write("POST", "/x")
    await session.write("POST", "/x")

    assert caught.value.retry_after == 30
    assert server.asked[1][1] - server.asked[0][1] >= 30


async def test_nobody_waits_an_hour_for_one_request() -> None:
    server = Server([JSON(429, headers={"Retry-After": "3600"}, json={"message": "slow"})])
    session = server.session()

    for attempt in ("read", "read again"):
        with pytest.raises(Unavailable) as caught:
            await session.read("/x")
        assert caught.value.retry_after == pytest.approx(3600, abs=1), attempt

    assert len(server.asked) == 1
    assert not server.time.slept


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "Fri, 15 Jan 2027 08:00:10 GMT"}, 10),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset": "5"}, 5),
        ({"x-ratelimit-reset": "1800000007"}, 7),
        ({"x-ratelimit-reset": "never"}, None),
    ],
)
def test_a_pause_is_understood_however_it_is_asked_for(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers, now=1_800_000_000.0) == seconds


async def test_requests_keep_to_the_rate_of_the_account() -> None:
    server = Server([JSON(200, json=1)])
    session = server.session(rate=2.0)

    await asyncio.gather(*(session.read("/x") for _ in range(21)))

    assert server.asked[-1][1] - server.asked[0][1] == pytest.approx(9.5, abs=0.6)


async def test_no_more_requests_are_under_way_than_the_account_allows() -> None:
    under_way = most = 0

    async def slow(_: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        for _turn in range(5):
            await asyncio.sleep(0)
        under_way -= 1
        return httpx.Response(200, json=1)

    keys = Signature(application_key="k", application_secret="s", consumer_key="c")
    settings = Settings(base_url=BASE, concurrency=3)
    session = Session(settings, keys, writes=True, transport=httpx.MockTransport(slow))

    await asyncio.gather(*(session.read("/x") for _ in range(20)))

    assert most == 3


async def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "LARGEST", 1000)
    server = Server([JSON(200, text="[" + "1," * 2000 + "1]")])

    with pytest.raises(Unavailable, match="larger than"):
        await server.session().read("/x", attempts=1)


async def test_a_long_message_is_cut_and_stays_on_one_line() -> None:
    server = Server([JSON(400, json={"message": "a\nb \x1b[2J\u202e" + "x" * 10_000})])

    with pytest.raises(Rejected) as caught:
        await server.session().write("POST", "/x")

    assert len(str(caught.value)) < 600
    assert str(caught.value).isprintable()


async def test_requests_are_counted_by_method() -> None:
    server = Server([JSON(200, json=1)])
    session = server.session()

    await session.read("/x")
    await session.write("PUT", "/x", {})

    assert session.requests == {"GET": 2, "PUT": 1}  # the first GET asks for the time


def reader(answer: Callable[[httpx.Request], httpx.Response], sent: list[str]) -> Session:
    def server(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/time"):
            return httpx.Response(200, json=1)
        sent.append(f"{request.method} {request.url.path}")
        return answer(request)

    keys = Signature(application_key="k", application_secret="s", consumer_key="c")
    return Session(Settings(base_url=BASE), keys, writes=False, transport=httpx.MockTransport(server))


def cart_server(request: httpx.Request) -> httpx.Response:
    if request.method == "POST" and request.url.path.endswith("/order/cart"):
        return httpx.Response(200, json={"cartId": "mine"})
    return httpx.Response(200, json=None)


@pytest.mark.parametrize(
    ("method", "route"),
    [
        ("POST", "/license/office/a/user"),
        ("PUT", "/license/officePrepaid/a"),
        ("DELETE", "/saas/csp2/a/subscription/1"),
        ("PATCH", "/me"),
        ("POST", "/order/cart/mine/checkout"),
        ("POST", "/order/cart/mine/checkout/"),
        ("POST", "/order/cart/mine/%63heckout"),
        ("POST", "/order/cart/mine/assign/../checkout"),
        ("POST", "/order/cart/mine/coupon"),
        ("POST", "/order/cart/mine/item/1/configuration/../../../checkout"),
        ("PUT", "/order/cart/mine"),
        ("DELETE", "/order/cart/theirs"),
        ("DELETE", "/order/cart/mine/item/1"),
        ("POST", "/order/cart/theirs/assign"),
        ("POST", "/order/cart/theirs/officePrepaid"),
        ("POST", "/me/order/1/pay"),
        ("POST", "/auth/credential"),
        ("POST", "/auth/logout"),
    ],
)
async def test_a_reader_changes_nothing_whatever_it_is_asked(method: str, route: str) -> None:
    sent: list[str] = []
    session = reader(cart_server, sent)
    await session.write("POST", "/order/cart", {"ovhSubsidiary": "FR", "description": "reconciler-dry-run"})

    with pytest.raises(ReadOnlyError, match="nothing was sent"):
        await session.write(method, route, {"description": "reconciler-dry-run"})

    assert sent == ["POST /1.0/order/cart"]


@pytest.mark.parametrize("description", ["reconciler 4711", "", "reconciler-dry-run "])
async def test_a_reader_opens_no_cart_but_one_that_only_asks(description: str) -> None:
    sent: list[str] = []

    with pytest.raises(ReadOnlyError):
        await reader(cart_server, sent).write("POST", "/order/cart", {"description": description})

    assert not sent


async def test_a_reader_fills_and_drops_its_own_dry_run() -> None:
    sent: list[str] = []
    session = reader(cart_server, sent)

    await session.write("POST", "/order/cart", {"description": "reconciler-dry-run"})
    await session.write("POST", "/order/cart/mine/assign")
    await session.write("POST", "/order/cart/mine/officePrepaid", {})
    await session.write("POST", "/order/cart/mine/item/7/configuration", {})
    await session.read("/order/cart/mine/checkout")
    await session.write("DELETE", "/order/cart/mine")

    assert len(sent) == 6


async def test_a_reader_may_fetch_a_token_and_nothing_else_there() -> None:
    sent: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json={"access_token": "t", "expires_in": 60})

    settings = Settings(base_url=BASE, token_url="https://ovh.test/auth/oauth2/token")
    client = {"client_id": "c", "client_secret": "s"}
    session = open_session(settings, client, writes=False, transport=httpx.MockTransport(server))

    await session.read("/me")
    with pytest.raises(ReadOnlyError):
        await session.fetch("POST", "https://ovh.test/auth/oauth2/token2", content=b"", headers={})
    with pytest.raises(ReadOnlyError):
        await session.fetch("POST", "https://evil.test/1.0/order/cart", content=b"", headers={})

    assert sent == ["POST /auth/oauth2/token", "GET /1.0/me"]
