"""What strange answers of Microsoft may not do: lead a token elsewhere, take our headers' place, break a clock."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from reconciler.core.errors import Unavailable
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.connection import Connection, open_partner
from reconciler.providers.microsoft.graph import wire
from tests.engine.harness import APPLICATION, SETTINGS
from tests.fuzz.microsoft import ELSEWHERE, LINKS, ROOTS, TOKEN
from tests.providers.rig import Time

READ: dict[str, Callable[[Connection], tuple[Api, Callable[[], Any]]]] = {
    "items": lambda one: (
        one.partner_center(),
        lambda: one.partner_center().items(wire.GroupName, "/customers"),
    ),
    "values": lambda one: (one.graph("c"), lambda: one.graph("c").values(wire.GroupName, "/users")),
}


class Server:
    """Gives tokens, and one answer after the other; keeps where it was asked."""

    def __init__(self, *answers: Any, token: Any = TOKEN) -> None:
        self.answers = list(answers)
        self.token = token
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "login.test":
            return httpx.Response(200, json=self.token)
        self.asked.append(request)
        return httpx.Response(200, json=self.answers.pop(0) if self.answers else {"value": [], "items": []})

    def connect(self) -> Connection:
        settings = replace(SETTINGS, sandbox=False)
        transport = httpx.MockTransport(self)
        return open_partner(
            settings, ROOTS, APPLICATION, writes=True, transport=transport, clock=Time().clock
        )


def portion(link: str, **header: str) -> dict[str, Any]:
    """A portion of a list that goes on."""
    following = {"uri": link, "method": "GET", "headers": [header] if header else []}
    return {"value": [], "@odata.nextLink": link, "items": [], "links": {"next": following}}


@pytest.mark.parametrize("kind", READ)
@pytest.mark.parametrize("link", LINKS)
def test_a_token_follows_no_list_to_another_place(kind: str, link: str) -> None:
    server = Server(portion(link))
    _, read = READ[kind](server.connect())

    with suppress(Unavailable):
        asyncio.run(read())

    own = {"items": "pc.test", "values": "graph.test"}[kind]
    assert [one.url.host for one in server.asked] in ([own], [own, own])
    assert {one.url.scheme for one in server.asked} == {"https"}
    assert all(one.url.port is None for one in server.asked)
    assert not any(ELSEWHERE in one.url.netloc.decode() for one in server.asked)


def test_a_link_that_names_another_host_is_said() -> None:
    read = READ["values"](Server(portion(LINKS[0])).connect())[1]

    with pytest.raises(Unavailable, match=f"goes on at {ELSEWHERE}, which is another place"):
        asyncio.run(read())


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Authorization", "Bearer of-somebody-else"),
        ("Host", ELSEWHERE),
        ("MS-ContinuationToken", "a\r\nX-Other: b"),
        ("MS-Ł", "a"),
        ("MS-ContinuationToken", "ł"),
        ("", "a"),
    ],
)
def test_a_link_gets_no_header_but_its_own_kind(key: str, value: str) -> None:
    server = Server(portion("/customers?seekOperation=Next", key=key, value=value))
    read = READ["items"](server.connect())[1]

    with pytest.raises(Unavailable, match="under a header that is none"):
        asyncio.run(read())

    assert len(server.asked) == 1


def test_a_continuation_goes_back_as_it_came() -> None:
    server = Server(portion("/customers?seekOperation=Next", key="MS-ContinuationToken", value="YWJj+/="))
    read = READ["items"](server.connect())[1]

    assert asyncio.run(read()) == []
    assert server.asked[1].headers["ms-continuationtoken"] == "YWJj+/="


@pytest.mark.parametrize("token", ["a\r\nX-Other: b", "ł", "two words", "\x00", ""])
def test_a_token_that_no_header_holds_is_none(token: str) -> None:
    server = Server(token={**TOKEN, "access_token": token})
    read = READ["values"](server.connect())[1]

    with pytest.raises(Unavailable, match="answered 200"):
        asyncio.run(read())

    assert server.asked == []


@pytest.mark.parametrize("key", ["expires_in", "expires_on"])
@pytest.mark.parametrize(
    "value", ["nan", "inf", "-inf", "1e308", "-5", 10**400, -(10**400), "9" * 5000, None, [], {}, "soon"]
)
def test_a_token_that_ends_at_no_time_tells_the_time_all_the_same(key: str, value: Any) -> None:
    connection = Server(token={**TOKEN, key: value}).connect()

    now = asyncio.run(connection.graph("c").now())

    assert 2020 < now.year < 2130
