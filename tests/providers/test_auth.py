"""Signatures, the provider's clock, tokens; and that none of the secrets shows."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.core.errors import ProviderError, Rejected, Unavailable, WorkspaceError
from reconciler.providers import open_session
from reconciler.providers.http import Session, path
from reconciler.providers.ovh.auth import ClientCredentials, Signature
from reconciler.providers.settings import Settings
from tests.providers.rig import Time

pytestmark = pytest.mark.anyio

PUBLISHED = Path(__file__).parents[3] / "shared/specs/ovh/reconstructed/transport.json"
SECRET = "9ufkBmLaTQ9nz5yMUlg79taH0GNnzDjk"
CONSUMER = "5mBuy6SUQcRw2ZUxg0cG68BoDKpED4KY"
KEYS = {"application_key": "TDPKJdwZwAQPwKX2", "application_secret": SECRET, "consumer_key": CONSUMER}
CLIENT = {"client_id": "EU.client", "client_secret": "canary-secret"}
BASE = "https://ovh.test/1.0"
TOKENS = "https://ovh.test/auth/oauth2/token"

KNOWN = [
    ("GET", "", "$1$e9556054b6309771395efa467c22e627407461ad"),
    ("POST", '{"a":"b","c":"d"}', "$1$ec2fb5c7a81f64723c77d2e5b609ae6f58a84fc1"),
    ("PUT", '{"a":"b","c":"d"}', "$1$8a75a9e7c8e7296c9dbeda6a2a735eb6bd58ec4b"),
    ("DELETE", "", "$1$a1eecd00b3b02b6cf5708b84b9ff42059a950d85"),
]


@pytest.mark.parametrize(("method", "body", "signature"), KNOWN)
def test_a_signature_is_the_one_the_official_clients_compute(method: str, body: str, signature: str) -> None:
    signed = Signature(**KEYS).sign(method, "https://eu.api.ovh.com/1.0/auth", body.encode(), "1457018875")

    assert signed == signature


def test_every_published_vector_is_met() -> None:
    if not PUBLISHED.exists():
        wanted = os.environ.get("CI") and os.environ.get("RECONCILER_SPECS") != "absent"
        assert not wanted, "the published vectors are missing"
        pytest.skip("the published vectors are not beside the project")
    known = json.loads(PUBLISHED.read_text(encoding="utf-8"))["signature"]["known_answers"]

    for case in known["cases"]:
        body = case["body"].encode()
        signed = Signature(**KEYS).sign(case["method"], case["url"], body, str(known["timestamp"]))
        assert signed == case["signature"], case["url"]


def test_secrets_are_in_no_representation() -> None:
    assert SECRET not in repr(Signature(**KEYS))
    assert "canary" not in repr(ClientCredentials(**CLIENT))


def session_with(
    answer: Callable[[httpx.Request], httpx.Response], credentials: dict[str, str], **more: Any
) -> Session:
    settings = Settings(base_url=BASE, token_url=TOKENS, **more)
    return open_session(settings, credentials, writes=True, transport=httpx.MockTransport(answer))


class Ovh:
    """A server that tells a time and checks what is signed with it."""

    def __init__(self, *, ahead: int = 3600, tolerates: int = 30) -> None:
        self.time = 1_800_000_000 + ahead
        self.tolerates = tolerates
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        url = str(request.url)
        self.asked.append(f"{request.method} {request.url.raw_path.decode()}")
        if url == f"{BASE}/auth/time":
            assert "X-Ovh-Signature" not in request.headers
            return httpx.Response(200, json=self.time)
        stamp = request.headers["X-Ovh-Timestamp"]
        if abs(int(stamp) - self.time) > self.tolerates:
            return httpx.Response(400, json={"errorCode": "QUERY_TIME_OUT", "message": "too late"})
        expected = Signature(**KEYS).sign(request.method, url, request.content, stamp)
        assert request.headers["X-Ovh-Signature"] == expected
        return httpx.Response(200, json={"ok": True})


async def test_the_clock_is_asked_once_and_what_is_sent_is_what_was_signed() -> None:
    server = Ovh()
    session = session_with(server, KEYS)
    odd = path("license", "office", "a.o365.ovh.com", "user", "o'neil,x y@a.com")

    await session.read(odd, query={"date.from": "2026-01-01T00:00:00+00:00", "a": "ä"})
    await session.write("PUT", odd, {"firstName": "Ä", "n": [1, 2]})

    spelled = "/license/office/a.o365.ovh.com/user/o%27neil%2Cx%20y%40a.com"
    assert server.asked == [
        "GET /1.0/auth/time",
        f"GET /1.0{spelled}?date.from=2026-01-01T00%3A00%3A00%2B00%3A00&a=%C3%A4",
        f"PUT /1.0{spelled}",
    ]


async def test_the_clock_is_asked_again_after_a_while() -> None:
    server, time = Ovh(), Time()
    session = open_session(
        Settings(base_url=BASE), KEYS, writes=False, transport=httpx.MockTransport(server), clock=time.clock
    )
    await session.read("/me")
    time.now += 700
    server.time += 700

    await session.read("/me")

    assert server.asked.count("GET /1.0/auth/time") == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_stale_clock_is_read_again_once(method: str) -> None:
    server = Ovh()
    session = session_with(server, KEYS)
    await session.read("/me")
    server.time += 7200

    answer = await (session.read("/me") if method == "GET" else session.write("POST", "/me", {}))

    assert answer.data == {"ok": True}
    assert server.asked.count("GET /1.0/auth/time") == 2


async def test_a_clock_that_stays_refused_is_no_endless_loop() -> None:
    session = session_with(Ovh(tolerates=-1), KEYS)

    with pytest.raises(Rejected, match="QUERY_TIME_OUT"):
        await session.write("POST", "/me", {})

    assert session.requests["POST"] == 2


async def test_a_provider_without_a_time_cannot_be_spoken_to() -> None:
    session = session_with(lambda _: httpx.Response(200, json={"no": "time"}), KEYS)

    with pytest.raises(Unavailable, match="time"):
        await session.write("POST", "/me", {})


class Tokens:
    """A server that hands out tokens and takes only the last one."""

    def __init__(self, lasts: int = 3600) -> None:
        self.given = 0
        self.lasts = lasts
        self.valid = ""

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if str(request.url) == TOKENS:
            assert request.headers["Authorization"] == "Basic RVUuY2xpZW50OmNhbmFyeS1zZWNyZXQ="
            assert request.content == b"grant_type=client_credentials&scope=all"
            self.given += 1
            self.valid = f"token-{self.given}"
            return httpx.Response(
                200, json={"access_token": self.valid, "expires_in": self.lasts, "token_type": "Bearer"}
            )
        if request.headers["Authorization"] != f"Bearer {self.valid}":
            return httpx.Response(401, json={"message": "invalid token"})
        assert "X-Ovh-Timestamp" not in request.headers
        return httpx.Response(200, json=1)


async def test_one_token_serves_many_requests_at_once() -> None:
    server = Tokens()
    session = session_with(server, CLIENT)

    await asyncio.gather(*(session.read("/me") for _ in range(20)))

    assert server.given == 1


async def test_a_token_that_is_not_taken_any_more_is_fetched_again_once() -> None:
    server = Tokens()
    session = session_with(server, CLIENT)
    await session.read("/me")
    server.valid = "another"

    answer = await session.write("POST", "/me", {})

    assert answer.data == 1
    assert server.given == 2


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(401, json={"error": "invalid_client"}), WorkspaceError),
        (httpx.Response(503, text="<html>"), Unavailable),
        (httpx.Response(200, json={"nothing": 1}), Unavailable),
        (httpx.Response(200, text="<html>"), Unavailable),
    ],
)
async def test_without_a_token_nothing_is_sent(answer: httpx.Response, error: type[Exception]) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == TOKENS
        return answer

    with pytest.raises(error) as caught:
        await session_with(server, CLIENT).write("POST", "/me", {})

    assert "canary" not in str(caught.value)


async def test_a_key_that_may_not_call_shows_no_secret() -> None:
    def server(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/auth/time"):
            return httpx.Response(200, json=1)
        return httpx.Response(
            403,
            json={
                "errorCode": "NOT_GRANTED_CALL",
                "httpCode": "403 Forbidden",
                "message": "This call has not been granted",
            },
            headers={"X-OVH-QUERYID": "EU.ext-3.1"},
        )

    with pytest.raises(ProviderError) as caught:
        await session_with(server, KEYS).read("/me", query={"token": "hidden"})

    assert str(caught.value) == (
        "GET /1.0/me: 403 NOT_GRANTED_CALL: This call has not been granted (EU.ext-3.1)"
    )


@pytest.mark.parametrize("credentials", [{}, KEYS | CLIENT, {"client_id": "x"}])
def test_half_a_set_of_credentials_or_both_are_refused(credentials: dict[str, str]) -> None:
    with pytest.raises(WorkspaceError, match="application_key"):
        open_session(Settings(base_url=BASE), credentials, writes=False)
