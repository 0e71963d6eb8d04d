"""Reading many objects: with what the server offers, without it, and never believing a shorter list."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.core.errors import Unavailable
from reconciler.providers import open_session
from reconciler.providers.ovh import batches, lists
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.wire import Seat
from tests.providers.rig import GROUP, KEYS, PAYG, SETTINGS, Open, Time

pytestmark = pytest.mark.anyio

SEATS = 120
WORLD = {"prepaid": [{"service": GROUP, "seats": [{"empty": SEATS}]}]}
ROOT = "/license/officePrepaid"


# ids, then: one page; a refused page and three batches; a refused page, a refused batch and every seat
@pytest.mark.parametrize(
    ("expanded", "batch", "requests"),
    [("on", "on", 2), ("on", "off", 2), ("off", "on", 2 + 3), ("off", "off", 2 + 1 + SEATS)],
)
async def test_a_list_takes_as_few_requests_as_the_server_allows(
    open_rig: Open, expanded: str, batch: str, requests: int
) -> None:
    rig = await open_rig("ovh-prepaid", GROUP, WORLD)
    rig.world.set("expanded", expanded)
    rig.world.set("batch", batch)
    api = Api(rig.session)
    await api.now()
    rig.session.requests.clear()

    found = await lists.listing(api, ROOT, Seat, key=lambda seat: seat.service_name)

    assert len(found.whole()) == SEATS
    assert rig.session.requests["GET"] == requests


async def test_what_is_not_answered_is_not_asked_for_twice(open_rig: Open) -> None:
    rig = await open_rig("ovh-prepaid", GROUP, WORLD)
    rig.world.set("expanded", "off")
    rig.world.set("batch", "off")
    api = Api(rig.session)
    await lists.listing(api, ROOT, Seat, key=lambda seat: seat.service_name)
    rig.session.requests.clear()

    await lists.listing(api, ROOT, Seat, key=lambda seat: seat.service_name)

    assert rig.session.requests["GET"] == 1 + SEATS


async def test_who_gives_up_takes_the_answer_from_nobody_else(open_rig: Open) -> None:
    rig = await open_rig("ovh-prepaid", GROUP, WORLD)
    api = Api(rig.session)
    names = await lists.ids(api, ROOT)
    rig.session.requests.clear()
    both = [asyncio.create_task(batches.together(api, ROOT, Seat, names[:2])) for _ in range(2)]
    await asyncio.sleep(0)

    both[0].cancel()
    left, kept = await asyncio.gather(*both, return_exceptions=True)

    assert isinstance(left, asyncio.CancelledError)
    assert isinstance(kept, dict)
    assert set(kept) == set(names[:2])
    assert rig.session.requests["GET"] == 1


async def test_what_breaks_a_wave_is_told_to_all_of_it(open_rig: Open) -> None:
    rig = await open_rig("ovh-prepaid", GROUP, WORLD)
    api = Api(rig.session)
    names = await lists.ids(api, ROOT)
    await rig.session.close()
    api.session = None  # type: ignore[assignment] # a bug, which nobody foresaw

    both = await asyncio.gather(
        *(batches.together(api, ROOT, Seat, names[:2]) for _ in range(2)), return_exceptions=True
    )

    assert [type(one) for one in both] == [AttributeError, AttributeError]


async def test_a_batch_that_comes_back_in_part_is_completed_one_by_one(open_rig: Open) -> None:
    rig = await open_rig("ovh-prepaid", GROUP, WORLD)
    rig.world.set("expanded", "off")
    rig.world.fault("partial-batch", times=3, every=10)

    found = await lists.listing(Api(rig.session), ROOT, Seat, key=lambda seat: seat.service_name)

    assert len(found.whole()) == SEATS


async def test_a_list_that_fails_is_never_an_empty_one(open_rig: Open) -> None:
    rig = await open_rig("ovh-prepaid", GROUP, WORLD)
    rig.world.fault("fail-list", times=99)

    with pytest.raises(Unavailable):
        await rig.account.snapshot(frozenset({GROUP}))


async def test_the_list_of_people_may_fail_for_weeks_and_nothing_is_planned(open_rig: Open) -> None:
    rig = await open_rig("ovh-payg", PAYG, {"payg": [{"service": PAYG, "users": [{"login": "ada"}]}]})
    rig.world.fault("fail-list", times=99, path=f"/license/office/{PAYG}/user")

    with pytest.raises(Unavailable, match="500"):
        await rig.provider.read(frozenset({PAYG}))


def seat(name: str, **more: Any) -> dict[str, Any]:
    return {
        "serviceName": name,
        "tenantServiceName": "t",
        "licences": ["officeBusiness"],
        "isVirtual": True,
        **more,
    }


NAMES = ["t-1", "t-2", "t-3"]


def api_of(answer: Callable[[httpx.Request, str], Any]) -> tuple[Api, list[str]]:
    """An API whose pages and batches are as odd as a test wants; plain reads are right."""
    asked: list[str] = []

    def server(request: httpx.Request) -> httpx.Response:
        kind = "page" if "X-Pagination-Mode" in request.headers else "plain"
        kind = "batch" if "X-Ovh-Batch" in request.headers else kind
        name = request.url.path.rpartition("/")[2]
        if name == "time":
            return httpx.Response(200, json=1)
        asked.append(kind)
        if kind != "plain":
            given = answer(request, kind)
            return given if isinstance(given, httpx.Response) else httpx.Response(200, json=given)
        return httpx.Response(200, json=NAMES if name == "officePrepaid" else seat(name))

    session = open_session(
        SETTINGS, KEYS, writes=True, transport=httpx.MockTransport(server), clock=Time().clock
    )
    return Api(session), asked


def paged(objects: list[Any], total: int) -> httpx.Response:
    return httpx.Response(200, json=objects, headers={"X-Pagination-Elements": str(total)})


ODD_PAGES: dict[str, Any] = {
    "ids": NAMES,
    "short": [seat("t-1"), seat("t-2")],
    "stale": [seat("t-1"), seat("t-2"), seat("t-9")],
    "twice the same": [seat("t-1"), seat("t-1"), seat("t-3")],
    "more promised": paged([seat("t-1"), seat("t-2")], 3),
    "other total": paged([seat(name) for name in NAMES], 2),
    "no objects": [1, 2, 3],
    "no list": {"t-1": seat("t-1")},
    "other types": [seat("t-1", taskPendingId={}), seat("t-2"), seat("t-3")],
    "refused": httpx.Response(400, json={"message": "unknown header"}),
    "broken": httpx.Response(502, text="<html>"),
}


@pytest.mark.parametrize("name", ODD_PAGES)
async def test_an_expanded_list_that_does_not_add_up_is_not_believed(name: str) -> None:
    def answer(_: httpx.Request, kind: str) -> Any:
        return ODD_PAGES[name] if kind == "page" else httpx.Response(404, json={"message": "no such route"})

    api, asked = api_of(answer)

    found = await lists.listing(api, ROOT, Seat, key=lambda one: one.service_name)

    assert sorted(found.whole()) == NAMES
    assert asked.count("plain") == 1 + len(NAMES)


def entry(name: str, value: Any, error: Any = None) -> dict[str, Any]:
    return {"key": name, "value": value, "error": error}


ODD_BATCHES: dict[str, tuple[Any, int]] = {
    "one seat": (seat("t-1"), 3),
    "an error": ([entry("t-1", seat("t-1")), entry("t-2", None, {"message": "no"})], 2),
    "a value beside an error": ([entry("t-1", seat("t-1"), "half")], 3),
    "mixed up": ([entry("t-1", seat("t-2")), entry("t-2", seat("t-1")), entry("t-3", seat("t-3"))], 2),
    "a stranger": ([entry("t-9", seat("t-9"))], 3),
    "other types": ([entry("t-1", seat("t-1", status={}))], 3),
    "nothing": (None, 3),
    "plain objects": ([seat("t-1"), seat("t-2"), seat("t-3")], 3),
    "broken": (httpx.Response(500, json={"message": "no"}), 3),
    "refused": (httpx.Response(404, json={"message": "This service does not exist"}), 3),
}


@pytest.mark.parametrize("name", ODD_BATCHES)
async def test_what_a_batch_does_not_answer_well_is_read_by_itself(name: str) -> None:
    batch, singles = ODD_BATCHES[name]
    api, asked = api_of(lambda _, kind: batch if kind == "batch" else NAMES)

    found = await lists.listing(api, ROOT, Seat, key=lambda one: one.service_name)

    assert sorted(found.whole()) == NAMES
    assert all(one.service_name == name for name, one in found.objects.items())
    assert asked.count("plain") == 1 + singles


@pytest.mark.parametrize("body", [None, {}, "t-1", [1, None], [["t-1"]]])
async def test_a_list_of_ids_is_a_list_of_ids(body: Any) -> None:
    def server(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json=1 if request.url.path.endswith("/time") else body)

    session = open_session(
        SETTINGS, KEYS, writes=True, transport=httpx.MockTransport(server), clock=Time().clock
    )

    with pytest.raises(Unavailable, match="no list of ids"):
        await lists.ids(Api(session), ROOT)
