"""What strange input was found to break once, each as it was found and mended."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from reconciler.cli.planning import show_file
from reconciler.core.errors import JournalError, ReconcilerError, Unavailable, WorkspaceError
from reconciler.core.journal import Event, Kind
from reconciler.core.replay import replay
from reconciler.core.serial import instant
from reconciler.providers import open_session
from reconciler.providers.http import retry_after
from reconciler.providers.ovh import lists, wire
from reconciler.providers.ovh.api import Api
from reconciler.providers.published import parse
from reconciler.providers.transport import ReadOnly
from reconciler.render import HISTORY
from reconciler.render.options import Options
from reconciler.render.page import wrap
from reconciler.sandbox.clock import span
from reconciler.store.branch import files
from reconciler.store.documents import read_document
from tests.engine.harness import KEYS, SETTINGS
from tests.fuzz import scenes
from tests.fuzz.targets import TARGETS, violates
from tests.providers.rig import Time

DEEP = b"[" * 4000 + b"]" * 4000


def account(answer: Callable[[httpx.Request], httpx.Response]) -> Api:
    """An account at a provider that answers so, and whose clock is right."""

    def told(request: httpx.Request) -> httpx.Response:
        return (
            httpx.Response(200, json=1_800_000_000)
            if request.url.path.endswith("/auth/time")
            else answer(request)
        )

    return Api(
        open_session(SETTINGS, KEYS, writes=True, transport=httpx.MockTransport(told), clock=Time().clock)
    )


@pytest.mark.parametrize("asked", ["inf", "Infinity", "1e999", "1e300", "9" * 400])
def test_a_pause_without_an_end_can_be_waited_for(asked: str) -> None:
    for header in ("retry-after", "x-ratelimit-reset"):
        pause = retry_after({header: asked}, now=1_800_000_000.0)

        assert pause is not None
        assert timedelta(days=3650) <= timedelta(seconds=pause) < timedelta(days=4000)


@pytest.mark.parametrize("asked", ["nan", "Mon, 01 Jan 99999 00:00:00 GMT"])
def test_a_pause_that_is_none_is_none(asked: str) -> None:
    assert retry_after({"retry-after": asked}, now=1_800_000_000.0) is None


@pytest.mark.parametrize("time", ["1e999", "NaN", "-Infinity", "1" + "0" * 400, "99999999999999", "-5", "0"])
def test_a_provider_whose_clock_tells_no_time_is_unavailable(time: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text=time))
    api = Api(open_session(SETTINGS, KEYS, writes=False, transport=transport, clock=Time().clock))

    with pytest.raises(Unavailable, match="no time in it"):
        asyncio.run(api.now())


@pytest.mark.parametrize("body", [b'["a\\ud800"]', b'["a\xed\xa0\x80"]', b"[1" + b"0" * 5000 + b"]", DEEP])
def test_an_answer_that_nothing_can_take_is_no_answer(body: bytes) -> None:
    api = account(lambda _: httpx.Response(404, content=body))

    with pytest.raises(Unavailable):
        asyncio.run(api.get(str, "/me"))


def test_an_answer_with_characters_beyond_the_plain_ones_is_taken() -> None:
    api = account(lambda _: httpx.Response(200, content='["ł\\ud83d\\ude00", "\U0001f600", "한"]'.encode()))

    assert asyncio.run(lists.ids(api, "/license/office")) == ["ł\U0001f600", "\U0001f600", "한"]


def test_a_cart_whose_answer_cannot_be_unpacked_is_no_crash_behind_the_gate() -> None:
    broken = httpx.Response(200, stream=httpx.ByteStream(b"nonsense"), headers={"content-encoding": "gzip"})
    gate = ReadOnly(httpx.MockTransport(lambda _: broken), base_url="https://a.example/1.0", token_url=None)
    asked = httpx.Request(
        "POST", "https://a.example/1.0/order/cart", json={"description": "reconciler-dry-run"}
    )

    with pytest.raises(httpx.DecodingError):
        asyncio.run(gate.handle_async_request(asked))
    api = account(lambda _: httpx.Response(200, stream=httpx.ByteStream(gzip.compress(b"1")[:9])))
    with pytest.raises(ReconcilerError):
        asyncio.run(api.send(int, "POST", "/order/cart", {"description": "reconciler-dry-run"}))


@pytest.mark.parametrize("value", ["1e999999999", "1e-999999999", "NaN", "Infinity", 10**60])
def test_a_price_that_no_memory_holds_is_not_as_published(value: Any) -> None:
    with pytest.raises(ValueError, match="value"):
        parse(wire.Amount, {"currencyCode": "EUR", "value": value})


def test_a_number_beyond_the_apis_own_is_not_as_published() -> None:
    with pytest.raises(ValueError, match="orderId"):
        parse(wire.Order, {"orderId": 10**400})


@pytest.mark.parametrize("end", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_a_time_at_the_calendars_ends_is_shown(end: str) -> None:
    assert instant(datetime.fromisoformat(end))[:4] == end[:4]


@pytest.mark.parametrize("price", ["1e999999999", "1e-999999999", "NaN"])
def test_a_plan_with_an_absurd_price_is_refused(tmp_path: Path, price: str) -> None:
    plan = json.loads(json.dumps(scenes.document("plan")))
    action = next(one for tenant in plan["tenants"] for one in tenant["actions"] if one["price"])
    action["price"]["monthly"] = price
    (tmp_path / "plan.json").write_text(json.dumps(plan))

    with pytest.raises(ReconcilerError):
        show_file(tmp_path / "plan.json", "text", no_color=True)


@pytest.mark.parametrize("text", ['{"a": 1%s}' % ("0" * 5000), '{"a": "\\ud800"}', DEEP.decode()])
def test_a_document_that_cannot_be_kept_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "plan.json").write_text(text)

    with pytest.raises(WorkspaceError):
        read_document(tmp_path / "plan.json", "plan")


def test_a_long_word_of_wide_characters_is_broken_at_once() -> None:
    lines = list(wrap("字" * 70000, 80))

    assert {len(line) for line in lines} == {40}
    assert "".join(lines) == "字" * 70000


@pytest.mark.parametrize(
    "change",
    [{"seq": "1"}, {"seq": True}, {"data": [1]}, {"tenant": {}}, {"at": "2026-01-01T00:00:00"}, {"by": None}],
)
def test_an_event_of_wrong_types_is_damage(change: dict[str, Any]) -> None:
    event = {**scenes.events()[0], **change}

    with pytest.raises(JournalError, match="not an event"):
        files.read_events({"events/acme/2026.jsonl": json.dumps(event).encode() + b"\n"}, "here")


def test_a_journals_files_that_nest_without_an_end_are_damage() -> None:
    now = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    readers: list[Callable[[], object]] = [
        lambda: files.read_events({"events/acme/2026.jsonl": DEEP + b"\n"}, "here"),
        lambda: files.read_header(DEEP, "here"),
        lambda: files.read_lease(DEEP, name="acme", now=now, where="here"),
    ]

    for reader in readers:
        with pytest.raises(JournalError, match="damaged"):
            reader()


@pytest.mark.parametrize(
    "data",
    [{"actions": [{"id": 1}]}, {"actions": 7}, {"actions": [None]}, {"seated": "x"}],
    ids=["no action", "no list", "nothing", "no mapping"],
)
def test_an_event_that_was_changed_is_named_and_not_replayed(data: dict[str, Any]) -> None:
    at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    event = Event(kind=Kind.BEGUN, tenant="acme", at=at, plan="p", data=data, seq=12)

    with pytest.raises(JournalError, match=r"event 12 of the journal \(begun, acme\) is damaged"):
        replay([event])


def test_history_shows_a_date_that_is_none_as_it_is() -> None:
    at = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    event = Event(kind=Kind.ACCEPTED, tenant="acme", at=at, data={"due_by": "soon"})

    assert "due by soon" in HISTORY["text"](scenes.history([event]), Options())


@pytest.mark.parametrize("text", ["9" * 26 + "w", "9" * 40, "1e9", "99999999w99999999w"])
def test_the_sandboxs_clock_is_turned_by_no_more_than_it_can(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        span(text)


def test_what_comes_out_of_a_target_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(data: bytes) -> None:
        if data == b"words":
            raise WorkspaceError("said")
        raise KeyError(data)

    monkeypatch.setitem(TARGETS, "broken", broken)

    assert violates("broken", b"words") is None
    assert isinstance(violates("broken", b"trace"), KeyError)


def test_a_name_too_long_for_an_address_is_not_asked_about() -> None:
    api = account(lambda _: httpx.Response(200, json=["x" * 70000, "b"]))

    async def each() -> None:
        for name in await lists.ids(api, "/license/office"):
            await api.get(wire.Tenant, f"/license/office/{name}")

    with pytest.raises(Unavailable, match="not sent") as caught:
        asyncio.run(each())
    assert len(caught.value.message) < 1000
