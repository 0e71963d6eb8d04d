"""Microsoft that answers strangely: tokens, models, lists that go on elsewhere, batches, and answers amid an apply."""

from __future__ import annotations

import asyncio
import json
import shutil
from functools import cache, partial
from typing import Any

import httpx
import yaml
from msgspec.structs import replace

from reconciler.providers.microsoft import refusals
from reconciler.providers.microsoft import wire as common
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.connection import Connection, open_partner
from reconciler.providers.microsoft.graph import batch
from reconciler.providers.microsoft.graph import wire as graph
from reconciler.providers.microsoft.partner_center import wire as partner
from reconciler.providers.pace import Clock
from reconciler.providers.published import parse
from reconciler.sandbox.world import World
from tests.engine.harness import APPLICATION, SETTINGS, WORKSPACE, Bench, Time
from tests.engine.microsoft import MICROSOFT
from tests.engine.stories import Story
from tests.fuzz import scenes
from tests.fuzz.chooser import STRANGE, Chooser, changed, spelled
from tests.fuzz.providers import NOW, STATUSES, applied, ascii_of, heard

ROOTS = {"login": "https://login.test", "partner_center": "https://pc.test", "graph": "https://graph.test"}
ELSEWHERE = "elsewhere.example"
LINKS = [
    f"https://{ELSEWHERE}/v1.0/users?$skiptoken=x",
    f"//{ELSEWHERE}/v1/customers",
    f"https://graph.test@{ELSEWHERE}/v1.0/users",
    f"https://graph.test.{ELSEWHERE}/v1.0/users",
    f"http://graph.test:1/v1.0/@{ELSEWHERE}",
    f"https:\\\\{ELSEWHERE}\\users",
    f".{ELSEWHERE}/users",
    f"@{ELSEWHERE}/users",
    f":8443@{ELSEWHERE}/users",
    "https://[graph.test/v1.0/users",
    "https://graph.test/v1.0/users?$skiptoken=a b#c",
    "https://graph.test/v1.0/../../beta/users",
    "/v1/customers?seekOperation=Next",
    "/customers?size=500&seekOperation=Next",
    "customers",
    "https://graph.test/v1.0/\u202e\n",
    "javascript:alert(1)",
]
"""Where a list may say that it goes on; only what is on the same surface may be asked, and with the token."""
KEYS = [
    "MS-ContinuationToken",
    "Authorization",
    "Host",
    "",
    "x\ny",
    "ł",
    "Content-Length",
    "Transfer-Encoding",
]


@cache
def _kinds() -> list[Any]:
    found: list[Any] = []
    for module in (partner, graph, common):
        for one in vars(module).values():
            if isinstance(one, type) and one.__module__ == module.__name__ and one is not common.Wire:
                found.append(one)  # noqa: PERF401 - three conditions in one line are none to read
    return found


def models(data: bytes) -> None:
    """A published model of strange values; what it tells is asked too."""
    chooser = Chooser(data)
    kind = chooser.one(_kinds())
    value: Any = {name: chooser.one(STRANGE) for name in _names(kind) if chooser.number(3)}
    if not chooser.number(8):
        value = changed(chooser.one(BODIES), chooser)
    try:
        found = parse(kind, json.loads(spelled(value, chooser)))
    except (ValueError, RecursionError):
        return  # not as published, or no JSON
    for name in ("login", "country", "modern", "product", "directory", "domain", "name", "said", "alive"):
        getattr(found, name, None)
    if isinstance(found, graph.User):
        for sku in ("", "a"):
            found.directly(sku)
            found.via(sku)


def _names(kind: Any) -> list[str]:
    fields = getattr(kind, "model_fields", None) or getattr(kind, "__pydantic_fields__", {})
    return [field.alias or name for name, field in fields.items()]


class Strange(httpx.AsyncBaseTransport):
    """Answers as bytes say; nobody but the account's own surfaces may ever be asked."""

    def __init__(self, chooser: Chooser) -> None:
        self._chooser = chooser

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        assert request.url.host in {"login.test", "pc.test", "graph.test"}, f"asked {request.url}"
        assert request.url.scheme == "https", f"asked {request.url}"
        for _, value in request.headers.raw:
            assert value.isascii(), f"sent {value!r}"
            assert value.decode().isprintable(), f"sent {value!r}"
        assert request.headers["host"] == request.url.host
        if request.url.host != "login.test":
            assert request.headers["authorization"].startswith("Bearer ")
        chooser = self._chooser
        if request.url.host == "login.test" and chooser.number(3):
            return httpx.Response(200, json=TOKEN)
        body: Any = chooser.one(BODIES)
        if chooser.number(3) == 1:
            body = _going_on(chooser)
        elif chooser.number(2):
            body = changed(body, chooser)
        content = chooser.rest() if not chooser.number(6) else spelled(body, chooser)
        extra = {}
        if chooser.number(4) == 1:
            name = chooser.one(["retry-after", "x-ratelimit-reset", "request-id", "ms-requestid"])
            extra = {name: ascii_of(chooser.one(STRANGE))}
        status = 200 if chooser.number(2) else chooser.one(STATUSES)
        return httpx.Response(status, stream=httpx.ByteStream(content), headers=extra)


def _going_on(chooser: Chooser) -> Any:
    """A portion of a list that says where it goes on."""
    link = chooser.one(LINKS)
    headers = [
        {"key": chooser.one(KEYS), "value": str(chooser.one(STRANGE))} for _ in range(chooser.number(3))
    ]
    return {
        "value": [{"id": "1"}],
        "@odata.nextLink": link,
        "items": [{"id": "1"}],
        "totalCount": 2,
        "links": {"next": {"uri": link, "method": "GET", "headers": headers}},
    }


TOKEN = {"access_token": "t" * 40, "expires_in": "3600", "expires_on": str(int(NOW) + 3600)}
BODIES: list[Any] = [
    TOKEN,
    {"token_type": "Bearer", "expires_in": 3599, "access_token": "x" * 40},
    {
        "error": "invalid_client",
        "error_description": "AADSTS7000215: no. Trace ID: 1",
        "error_codes": [7000215],
    },
    {"error": {"code": "Request_ResourceNotFound", "message": "no", "innerError": {"date": "2026"}}},
    {"code": 2000, "description": "no", "data": [], "source": "PartnerFD"},
    {"code": "800002", "message": "no", "errorName": "X", "isRetryable": True},
    {"statusCode": 429, "message": "slowly"},
    {"value": [{"id": "1", "userPrincipalName": "a@b.example", "assignedLicenses": [{"skuId": "x"}]}]},
    {"totalCount": 1, "items": [{"id": "1", "quantity": 5, "status": "active"}], "links": {}},
    {
        "responses": [
            {"id": "0", "status": 200, "headers": {}, "body": {"id": "g", "displayName": "G"}},
            {"id": "1", "status": 429, "headers": {"Retry-After": "2"}, "body": {"error": {"code": "x"}}},
        ]
    },
    {"id": "1", "status": "active", "lineItems": [{"pricing": {"price": 1.5}, "quantity": 2}]},
    {"id": "1", "commitmentEndDate": "2027-01-01T00:00:00.0000000Z", "creationDate": "2026-01-01T00:00:00"},
]


def answers(data: bytes) -> None:
    """Every kind of call against a Microsoft that answers anything."""
    chooser = Chooser(data)
    for one in (chooser.one(STRANGE), changed(chooser.one(BODIES), chooser)):
        refusals.read(one)
    time = Time(at=NOW)
    clock = Clock(now=lambda: time.at, monotonic=lambda: time.at, sleep=time.sleep)
    connection = open_partner(
        replace(SETTINGS, sandbox=bool(chooser.number(2))),
        ROOTS,
        APPLICATION,
        writes=bool(chooser.number(2)),
        transport=Strange(chooser),
        clock=clock,
    )
    asyncio.run(_calls(connection, chooser))


async def _calls(connection: Connection, chooser: Chooser) -> None:
    kind = chooser.one(_kinds())
    center, directory = connection.partner_center(person=bool(chooser.number(2))), connection.graph("c")
    either: Api = chooser.one([center, directory])
    calls = (
        lambda: either.get(kind, "/me"),
        lambda: either.maybe(kind, "/me", {"$select": "id"}),
        lambda: either.ask(kind, "/validations/address", {}),
        lambda: either.send(kind, "PATCH", "/users/1", {"id": "1"}),
        either.now,
        lambda: center.items(kind, "/customers", {"size": "500"}),
        lambda: directory.values(kind, "/users", {"$top": "999"}),
        partial(batch.together, directory, graph.GroupName, ["/groups/1", "/groups/2"]),
        lambda: either.exists("/domains/a.example"),
    )
    try:
        await chooser.one(calls)()
    finally:
        await connection.close()


SOLD = tuple(one for one in MICROSOFT if one.effects)


def adapters(data: bytes) -> None:
    """A whole apply and a resume of a story, amid which a few answers are strange; and nothing is bought twice."""
    chooser = Chooser(data)
    faults = heard()
    faults.found.clear()
    story: Story = chooser.one(SOLD)
    root = scenes.folder()
    time = Time(at=NOW)
    world = World.open(None, now=time.now)
    world.load(yaml.safe_load(story.world) or {})
    bench = Bench(root, world, time)
    bench.write(acme=story.tenant)
    (root / "reconciler.yaml").write_text(WORKSPACE)
    try:
        for change in story.start:
            world.change(change)
        applied(bench, chooser)
        happened = {what: bench.count(what) for what in story.effects}
    finally:
        world.close()
        shutil.rmtree(root)
    if faults.found:
        raise faults.found[0]
    if story.before:
        return
    for what, most in story.effects.items():
        assert happened[what] <= most, f"{story.name}: {what} happened {happened[what]} times"
