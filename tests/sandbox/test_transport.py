"""Inside one process, faults look to an httpx client like the real thing."""

import asyncio
import hashlib
import importlib.abc
import sys
import time
from collections.abc import Generator, Iterator

import httpx
import pytest

from reconciler.sandbox import client
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World
from tests.sandbox.makers import ACME, SMALL

SEAT = f"/license/officePrepaid/{ACME}-1001"


class Signed(httpx.Auth):
    requires_request_body = True

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        stamp = str(int(time.time()))
        parts = (gate.APPLICATION_SECRET, gate.CONSUMER_KEY, request.method, str(request.url))
        text = "+".join((*parts, request.content.decode(), stamp))
        request.headers["X-Ovh-Application"] = gate.APPLICATION_KEY
        request.headers["X-Ovh-Consumer"] = gate.CONSUMER_KEY
        request.headers["X-Ovh-Timestamp"] = stamp
        request.headers["X-Ovh-Signature"] = (
            "$1$" + hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        )
        yield request


def send(world: World, method: str, path: str, *, timeout: float = 30, **content: object) -> httpx.Response:
    async def run() -> httpx.Response:
        options = {"base_url": client.BASE_URL, "auth": Signed(), "timeout": timeout}
        async with httpx.AsyncClient(transport=client.transport(world), **options) as http:  # type: ignore[arg-type] # a mix of options
            return await http.request(method, path, json=content or None)

    return asyncio.run(run())


@pytest.fixture
def live() -> Iterator[World]:
    world = World.open(None)
    world.load(SMALL)
    yield world
    world.close()


def test_a_signed_request_is_answered(live: World) -> None:
    answer = send(live, "GET", SEAT)

    assert answer.json()["firstName"] == "Ada"
    assert answer.headers["x-ovh-queryid"]


def test_a_void_answer_is_null(live: World) -> None:
    assert send(live, "PUT", SEAT, firstName="Adele").text == "null"


@pytest.mark.parametrize("fault", ["lose-reply-before", "lose-reply-after"])
def test_a_dead_connection_is_a_read_error(live: World, fault: str) -> None:
    live.fault(fault)

    with pytest.raises(httpx.ReadError):
        send(live, "PUT", SEAT, firstName="Adele")


def test_a_refused_connection_is_a_connect_error(live: World) -> None:
    live.fault("refuse")

    with pytest.raises(httpx.ConnectError):
        send(live, "PUT", SEAT, firstName="Adele")


def test_a_slow_answer_is_a_read_timeout_only_for_the_impatient(live: World) -> None:
    live.fault("slow", method="GET", seconds=60, times=2)

    with pytest.raises(httpx.ReadTimeout):
        send(live, "GET", SEAT, timeout=30)

    assert send(live, "GET", SEAT, timeout=90).json()["firstName"] == "Ada"


def test_a_malformed_answer_is_no_json(live: World) -> None:
    live.fault("malformed", method="GET")

    answer = send(live, "GET", SEAT)

    assert answer.status_code == 200
    with pytest.raises(ValueError, match="Unterminated"):
        answer.json()


def test_no_other_host_is_reached(live: World) -> None:
    with pytest.raises(httpx.ConnectError, match="not the sandbox"):
        send(live, "GET", "https://eu.api.ovh.com/1.0/me")


def test_the_sandbox_tells_its_ledger(live: World) -> None:
    live.change(f"seat-freed {ACME}-1001")

    answer = send(live, "GET", f"http://{client.HOST}/sandbox/ledger")

    assert [entry["what"] for entry in answer.json()] == ["seat-unconfigured", "interference"]


def test_a_request_is_answered_within_a_few_milliseconds(live: World) -> None:
    async def run() -> float:
        async with httpx.AsyncClient(
            transport=client.transport(live), base_url=client.BASE_URL, auth=Signed()
        ) as http:
            begun = time.process_time()
            for _ in range(200):
                await http.get(SEAT)
            return (time.process_time() - begun) / 200

    # It takes about 0.3 ms of one core; the limit leaves room for a slow machine.
    assert asyncio.run(run()) < 0.005


class Asked(importlib.abc.MetaPathFinder):
    """Hears which modules are looked for on the disk, and finds none."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:  # noqa: ARG002 - as Python calls it
        self.names.append(fullname)


def test_a_request_looks_for_no_module_that_is_not_there(
    live: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Asked()
    send(live, "GET", SEAT)

    monkeypatch.setattr(sys, "meta_path", [asked, *sys.meta_path])
    send(live, "GET", SEAT)
    assert asked.names == []

    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("no_such_module")
    assert asked.names == ["no_such_module"]
