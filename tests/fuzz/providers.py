"""Providers that answer strangely: their headers, their models, whole answers, and answers amid a whole apply."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
from datetime import timedelta
from functools import cache
from typing import Any

import httpx
import yaml
from msgspec.structs import replace

from reconciler.core.errors import ProviderError, ReconcilerError
from reconciler.providers import open_session
from reconciler.providers.http import Session, path, retry_after
from reconciler.providers.ovh import lists, wire
from reconciler.providers.ovh.api import Api
from reconciler.providers.pace import Clock
from reconciler.providers.published import parse
from reconciler.sandbox.world import World
from tests.engine.harness import KEYS, SETTINGS, WORKSPACE, Bench, Time
from tests.fuzz import scenes
from tests.fuzz.chooser import STRANGE, Chooser, changed, spelled

NOW = 1_800_000_000.0


def headers(data: bytes) -> None:
    """How long a provider asks to wait, whichever way it says so."""
    chooser = Chooser(data)
    name = chooser.one(["retry-after", "x-ratelimit-reset"])
    value = str(chooser.one(STRANGE)) if chooser.number(2) else chooser.rest().decode("latin-1")
    asked = retry_after({name: value}, now=NOW)
    if asked is not None:
        assert asked >= 0
        timedelta(seconds=asked)  # the engine waits for it


@cache
def _kinds() -> list[Any]:
    named = [one for one in vars(wire).values() if isinstance(one, type) and one.__module__ == wire.__name__]
    return [one for one in named if one is not wire.Wire] + [list[str], str, list[wire.Seat]]


def models(data: bytes) -> None:
    """A published model of strange values; what it tells is asked too."""
    chooser = Chooser(data)
    kind = chooser.one(_kinds())
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__pydantic_fields__", {})
    names = [field.alias or name for name, field in fields.items()]
    value: Any = {name: chooser.one(STRANGE) for name in names if chooser.number(3)}
    if not names or not chooser.number(8):
        value = changed([{"items": [1, {"a": "b"}]}], chooser)
    try:
        found = parse(kind, json.loads(spelled(value, chooser)))
    except (ValueError, RecursionError):
        return  # not as published, or no JSON: `Api.get` and `_answer` say so
    for name in ("amount", "login", "free", "settled", "failed", "open", "ending"):
        getattr(found, name, None)


class Strange(httpx.AsyncBaseTransport):
    """Answers as bytes say; the time of day like a provider in its right mind, mostly."""

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        chooser = self._chooser
        if request.url.path.endswith("/auth/time") and chooser.number(4):
            return httpx.Response(200, json=int(NOW))
        body = (
            chooser.rest()
            if not chooser.number(4)
            else spelled(changed(chooser.one(BODIES), chooser), chooser)
        )
        extra = chooser.one(HEADERS)
        if chooser.number(4) == 1:
            extra = {chooser.one(list(HEADERS[1])): ascii_of(chooser.one(STRANGE))}
        return httpx.Response(chooser.one(STATUSES), stream=httpx.ByteStream(body), headers=extra)


def ascii_of(value: Any) -> str:
    """What of a value a header can hold."""
    return "".join(one for one in str(value)[:500] if one.isprintable() and one.isascii())


BODIES: list[Any] = [
    {"message": "no", "class": "Client::NotFound", "errorCode": "X", "details": {"a": "b"}},
    {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"},
    ["a", "b"],
    [1, 2, 3],
    [{"key": "a", "value": {"serviceName": "a"}, "error": None}, {"key": "b", "error": "no"}],
    {"cartId": "c", "items": [1], "readOnly": False},
    {"orderId": 12, "details": [{"cartItemID": 1, "quantity": 2, "totalPrice": {"value": 10.5}}]},
    int(NOW),
    "delivered",
]
STATUSES = [200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 408, 409, 429, 460, 500, 502, 503, 100, 599]
HEADERS = [
    {},
    {
        "retry-after": "2",
        "x-ratelimit-reset": "3",
        "x-pagination-elements": "4",
        "x-ovh-queryid": "FR.1",
        "content-type": "text/html",
        "content-encoding": "gzip",
        "content-length": "3",
    },
    {"x-pagination-elements": "2"},
]


def answers(data: bytes) -> None:
    """Every kind of call against a provider that answers anything."""
    chooser = Chooser(data)
    kinds = [one for one in _kinds() if one is not str]
    client = {"client_id": "a", "client_secret": "b"} if chooser.number(2) else KEYS
    time = Time(at=NOW)
    clock = Clock(now=lambda: time.at, monotonic=lambda: time.at, sleep=time.sleep)
    settings = replace(SETTINGS, token_url=f"{SETTINGS.base_url}/token")
    session = open_session(
        settings, client, writes=bool(chooser.number(2)), transport=Strange(chooser), clock=clock
    )
    asyncio.run(_calls(Api(session), chooser, kinds))


async def _calls(api: Api, chooser: Chooser, kinds: list[Any]) -> None:
    kind = chooser.one(kinds)
    calls = (
        lambda: api.get(kind, "/me"),
        lambda: api.send(kind, "POST", "/order/cart", {"description": "reconciler-dry-run"}),
        lambda: api.maybe(kind, "/me/order/1"),
        api.now,
        lambda: lists.ids(api, "/license/officePrepaid"),
        lambda: lists.ids(api, "/me/order"),
        lambda: lists.listing(api, "/license/officePrepaid", wire.Seat, key=lambda one: one.service_name),
        lambda: _below(api, kind),
    )
    try:
        await chooser.one(calls)()
    finally:
        await api.session.close()


async def _below(api: Api, kind: Any) -> None:
    """Read what a list names, as every adapter does."""
    for name in await lists.ids(api, "/saas/csp2"):
        await api.get(kind, f"/saas/csp2{path(name)}")


class Amid(httpx.AsyncBaseTransport):
    """A provider of whose answers a few are strange: chosen by their number, changed where they stand."""

    def __init__(self, inner: httpx.AsyncBaseTransport, chooser: Chooser) -> None:
        self._inner = inner
        self._chooser = chooser
        self._at = chooser.number(120)
        self._count = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        self._count += 1
        if self._count <= self._at or not self._chooser.left:
            return response
        self._at += 1 + self._chooser.number(4)
        content = await response.aread()
        try:
            document = json.loads(content)
        except ValueError:
            return response
        body = spelled(changed(document, self._chooser), self._chooser)
        return httpx.Response(response.status_code, stream=httpx.ByteStream(body), headers=_kept(response))


def _kept(response: httpx.Response) -> dict[str, str]:
    return {key: value for key, value in response.headers.items() if key.startswith("x-")}


PREPAID = json.dumps({**scenes.TENANT, "users": scenes.TENANT["users"]})
PAYG = """\
version: 1
tenant: pays
provider: ovh-payg
account: ovh-main
license_groups: [{name: all, product: business, service: pays.o365.ovh.com}]
users:
  - {login: ada, first_name: Ada, last_name: King, country: lt, licenses: [all]}
  - {login: bob, first_name: Bob, last_name: Builder, country: fr, licenses: [all]}
"""
RESELLER = """\
version: 1
tenant: resell
provider: ovh-csp2
account: ovh-main
service: contoso
license_groups:
  - {name: basic, product: Microsoft 365 Business Basic, seats: 12, subscription: 501}
  - {name: mail, product: Exchange Online (Plan 1), seats: 3}
"""
WORLD = f"""{scenes.WORLD}
payg:
  - service: pays.o365.ovh.com
    users: [{{login: ada, first_name: Ada, last_name: Lovelace, country: lt}}]
csp2:
  - service: contoso
    subscriptions: [{{id: 501, licence: 11, quantity: 10}}]
"""
MANIFESTS = {"acme": PREPAID, "pays": PAYG, "resell": RESELLER}


class FaultError(Exception):
    """The tool told of a fault of its own."""


class Faults(logging.Handler):
    """What the engine calls a fault of this tool."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.found.append(error or FaultError(record.getMessage()))


@cache
def heard() -> Faults:
    """Who hears what the engine calls a fault of this tool."""
    faults = Faults()
    logger = logging.getLogger("reconciler")
    logger.addHandler(faults)
    logger.propagate = False
    return faults


def adapters(data: bytes) -> None:
    """A whole apply and a resume, amid which a few answers are strange; and nothing is bought twice."""
    chooser = Chooser(data)
    faults = heard()
    faults.found.clear()
    root = scenes.folder()
    name = chooser.one(list(MANIFESTS))
    time = Time(at=NOW)
    world = World.open(None, now=time.now)
    world.load(yaml.safe_load(WORLD))
    bench = Bench(root, world, time)
    bench.write(**{name: MANIFESTS[name]})
    (root / "reconciler.yaml").write_text(WORKSPACE)
    try:
        applied(bench, chooser)
        bought = bench.count("order-placed"), bench.count("subscription-created")
    finally:
        world.close()
        shutil.rmtree(root)
    if faults.found:
        raise faults.found[0]
    orders = 2 if name == "acme" else 0
    assert bought[0] <= orders, f"{bought[0]} orders of {orders}"
    assert bought[1] <= (1 if name == "resell" else 0), "a subscription was bought twice"


def applied(bench: Bench, chooser: Chooser) -> None:
    """Plan, or apply and resume, amid which a few answers are strange."""
    from reconciler.engine.consent import Consent
    from reconciler.engine.run import apply, resume
    from reconciler.engine.setup import load, plan_run

    planning = bool(chooser.number(2))
    process = bench.process(writes=not planning, wait=timedelta(minutes=5))
    process.wire.inner = Amid(process.wire.inner, chooser)
    try:
        if planning:
            process.run(lambda setup: plan_run(setup, load(setup)))
        else:
            process.run(lambda setup: apply(setup, Consent()))
    except ProviderError:
        return
    except ReconcilerError:
        return
    if not planning:
        bench.time.at += 3600
        bench.process(wait=timedelta(minutes=5)).run(resume)


__all__ = ["Session", "adapters", "answers", "headers", "models"]
