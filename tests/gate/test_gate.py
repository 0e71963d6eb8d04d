"""The gate itself: whatever a request looks like, only what changes nothing passes; and no way leads around it."""

from __future__ import annotations

import ast
import asyncio
import json
from pathlib import Path

import httpx
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.providers.transport import ReadOnly, ReadOnlyError

BASE = "https://eu.api.ovh.com/1.0"
TOKENS = "https://www.ovh.com/auth/oauth2/token"
OURS, FOREIGN = "c0ffee", "beef"
PACKAGE = Path(__file__).parents[2] / "reconciler"

WAYS_OUT = {
    "ClientSession": {"providers/transport.py"},
    "getproxies": {"providers/transport.py"},
    "proxy_bypass": {"providers/transport.py"},
    "ASGITransport": {"sandbox/client.py"},
}
"""What may open a way to somewhere, and the one file where it does; what is not named here opens none."""

OPENS = {
    "Client", "AsyncClient", "ClientSession", "urlopen", "urlretrieve", "HTTPConnection", "HTTPSConnection",
    "create_connection", "open_connection", "PoolManager", "AsyncHTTPTransport", "HTTPTransport",
    "ASGITransport", "getproxies", "proxy_bypass", "build_opener", "ConfidentialClientApplication",
    "PublicClientApplication",
}  # fmt: skip


class Recorder(httpx.AsyncBaseTransport):
    """What came through the gate; opens the cart that is ours when it is asked to."""

    def __init__(self) -> None:
        self.passed: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.passed.append(request)
        return httpx.Response(200, json={"cartId": OURS})


def through(*requests: httpx.Request) -> list[bool]:
    """Which of these requests pass one gate, in order."""
    inner = Recorder()
    gate = ReadOnly(inner, base_url=BASE, token_url=TOKENS)

    async def send() -> list[bool]:
        passed = []
        for one in requests:
            before = len(inner.passed)
            try:
                await gate.handle_async_request(one)
            except ReadOnlyError:
                assert len(inner.passed) == before
                passed.append(False)
            else:
                assert len(inner.passed) == before + 1
                passed.append(True)
        return passed

    return asyncio.run(send())


OPENING = httpx.Request("POST", f"{BASE}/order/cart", json={"description": "reconciler-dry-run"})
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "post", "QUERY"]
PARTS = [
    "order", "cart", OURS, FOREIGN, "checkout", "assign", "officePrepaid", "item", "7", "configuration", "..",
    ".", "", "%2e%2e", f"{OURS}%2Fcheckout", "license", "office", "user", "saas", "csp2", "Order", "CART",
    "1.0", "order%2Fcart", "%00", "½",
]  # fmt: skip
HOSTS = [BASE, "https://eu.api.ovh.com", "http://eu.api.ovh.com/1.0", "https://evil.example/1.0", TOKENS]
BODIES = [
    b"", b'{"description":"reconciler-dry-run"}', b'{"description":"reconciler 1234"}', b"[]", b"nonsense",
    b'{"description":"x","description":"reconciler-dry-run"}', b"\xff", b"[" * 3000,
]  # fmt: skip


def harmless(request: httpx.Request) -> bool:
    """The same judgement in the test's own words, from the whole URL."""
    if request.method in {"GET", "HEAD"}:
        return True
    url = str(request.url)
    if request.method == "POST" and url == TOKENS:
        return True
    if (
        request.method == "POST"
        and url.removeprefix("http://eu").removeprefix("https://eu") == ".api.ovh.com/1.0/order/cart"
    ):
        return request.content in {BODIES[1], BODIES[5]}
    mine = [f"{scheme}://eu.api.ovh.com/1.0/order/cart/{OURS}" for scheme in ("http", "https")]
    if request.method == "DELETE":
        return url in mine
    allowed = ("/assign", "/officePrepaid", "/item/7/configuration")
    return request.method == "POST" and any(url == f"{one}{end}" for one in mine for end in allowed)


@settings(max_examples=600)
@given(
    method=st.sampled_from(METHODS),
    host=st.sampled_from(HOSTS),
    parts=st.lists(st.sampled_from(PARTS), max_size=7),
    query=st.sampled_from(["", "?a=b", "?", "#x"]),
    body=st.sampled_from(BODIES),
)
@example(method="POST", host=BASE, parts=["order", "cart", OURS, "checkout"], query="", body=b"")
@example(method="POST", host=BASE, parts=["order", "cart", f"{OURS}%2Fcheckout"], query="", body=b"")
@example(
    method="POST", host=BASE, parts=["order", "cart", OURS, "assign", "..", "checkout"], query="", body=b""
)
@example(method="DELETE", host=BASE, parts=["order", "cart", OURS, "..", FOREIGN], query="", body=b"")
@example(method="POST", host=BASE, parts=["order", "cart"], query="", body=BODIES[1])
@example(method="POST", host=BASE, parts=["order", "cart"], query="", body=BODIES[7])
@example(method="DELETE", host=BASE, parts=["order", "cart", OURS], query="", body=b"")
@example(method="DELETE", host=BASE, parts=["order", "cart", FOREIGN], query="", body=b"")
@example(method="POST", host=TOKENS, parts=[], query="", body=b"")
def test_only_what_changes_nothing_passes(
    method: str, host: str, parts: list[str], query: str, body: bytes
) -> None:
    request = httpx.Request(method, "/".join([host, *parts]) + query, content=body)

    passed = through(OPENING, request)[1]

    assert not passed or harmless(request), f"{request.method} {request.url} went out"


def test_what_is_harmless_does_pass() -> None:
    cart = f"{BASE}/order/cart/{OURS}"
    requests = [
        OPENING,
        httpx.Request("POST", f"{cart}/assign"),
        httpx.Request("POST", f"{cart}/officePrepaid", json={"planCode": "x"}),
        httpx.Request("POST", f"{cart}/item/7/configuration", json={}),
        httpx.Request("GET", f"{cart}/checkout"),
        httpx.Request("DELETE", cart),
        httpx.Request("POST", TOKENS, content=b"grant_type=client_credentials"),
    ]

    assert through(*requests) == [True] * len(requests)
    assert all(harmless(one) for one in requests)


def test_a_cart_is_never_checked_out_nor_one_filled_that_is_not_ours() -> None:
    for method, path in (("POST", f"{OURS}/checkout"), ("POST", f"{FOREIGN}/assign"), ("PUT", OURS)):
        assert through(OPENING, httpx.Request(method, f"{BASE}/order/cart/{path}")) == [True, False]
    buying = httpx.Request("POST", f"{BASE}/order/cart", content=json.dumps({"description": "reconciler 12"}))
    assert through(buying) == [False]


def test_no_way_to_the_network_leads_around_the_gate() -> None:
    """The gate stands in `Session` alone, so nothing else of ours may open a connection to a provider."""
    found: dict[str, set[str]] = {}
    for file in PACKAGE.rglob("*.py"):
        place = str(file.relative_to(PACKAGE))
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in OPENS:
                    found.setdefault(name, set()).add(place)
                case _:
                    continue

    assert found == WAYS_OUT, (
        "a request that does not pass providers/transport.py's ReadOnly may change things"
    )
