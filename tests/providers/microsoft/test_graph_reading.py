"""Reading a directory: every page, the names of groups twenty at a time, and no page of a stranger's."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from reconciler.core.errors import Rejected, Unavailable
from reconciler.core.model import Holding
from reconciler.providers.microsoft.graph.account import Graph
from reconciler.providers.microsoft.graph.batch import together
from reconciler.providers.microsoft.graph.wire import GroupName
from reconciler.sandbox.client import transport
from reconciler.sandbox.world import World
from tests.providers.microsoft.town import ACME, DIRECTORY, DOMAIN, RESOLD, asked, connected, manifest, routed
from tests.providers.rig import RESELLER, Rig, Time

pytestmark = pytest.mark.anyio

BASIC = "O365_BUSINESS_ESSENTIALS"
CROWD = 2100


def crowd(size: int, **more: Any) -> dict[str, Any]:
    people = [
        {"login": f"p{number:04}", "first_name": "P", "last_name": f"{number}", "country": "lt", **more}
        for number in range(size)
    ]
    csp2 = [{"service": RESELLER, "directory": ACME, "subscriptions": [{"licence": 11, "quantity": 300}]}]
    return RESOLD | {"csp2": csp2, "microsoft": {"tenants": [{**DIRECTORY, "users": people}]}}


async def holding(rig: Rig) -> Holding:
    await rig.account.snapshot(frozenset({RESELLER}))
    (found,) = await rig.provider.read(frozenset({"501"}))
    return found


async def test_a_large_directory_is_read_in_pages_of_999(world: World, time: Time) -> None:
    rig = routed(world, time, document=crowd(CROWD))

    found = await rig.provider.organisation()

    assert found is not None
    assert found.entries is not None
    assert len({one.login for one in found.entries}) == CROWD
    assert asked(world, "GET", "/graph/v1.0/users") == 3
    assert asked(world, "GET", "/graph/v1.0/subscribedSkus") == 1


async def test_a_list_that_breaks_off_is_no_list(world: World, time: Time) -> None:
    rig = routed(world, time, document=crowd(CROWD))
    world.fault("error-before", path="/graph/v1.0/users", method="GET", skip=1, times=50)

    with pytest.raises(Unavailable):
        await rig.provider.organisation()


async def test_the_groups_that_give_licences_are_named_twenty_a_request(world: World, time: Time) -> None:
    document = crowd(25)
    for number, person in enumerate(document["microsoft"]["tenants"][0]["users"]):
        person["group_licences"] = {f"group-{number:02}": [BASIC]}

    found = await holding(routed(world, time, document=document))

    assert len({place.via for place in found.places}) == 25
    assert all(place.via for place in found.places)
    assert asked(world, "POST", "/graph/v1.0/$batch") == 2


async def test_naming_groups_is_reading(world: World, time: Time) -> None:
    document = crowd(1, group_licences={"everybody": [BASIC]})
    rig = routed(world, time, document=document, writes=False)

    assert (await holding(rig)).places[0].via


async def test_groups_that_cannot_be_named_stay_ids(world: World, time: Time) -> None:
    document = crowd(1, group_licences={"everybody": [BASIC]})
    rig = routed(world, time, document=document)
    world.fault("error-before", path="/graph/v1.0/$batch", method="POST", times=50)

    (place,) = (await holding(rig)).places

    assert len(place.via) == len(ACME)


class Elsewhere(httpx.AsyncBaseTransport):
    """Sends the reader of users to another place for the next page, or answers a batch in its own way."""

    def __init__(self, world: World, *, link: str = "", batch: Any = None) -> None:
        self._inner, self._link, self._batch = transport(world), link, batch

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._link and request.url.path == "/graph/v1.0/users":
            return httpx.Response(200, json={"value": [], "@odata.nextLink": self._link})
        if self._batch is not None and request.url.path.endswith("$batch"):
            return httpx.Response(200, json=self._batch)
        return await self._inner.handle_async_request(request)


async def test_a_next_page_at_a_strangers_is_not_followed(world: World, time: Time) -> None:
    through = Elsewhere(world, link="https://evil.example/graph/v1.0/users?$skiptoken=x")
    rig = routed(world, time, through=through)

    with pytest.raises(Unavailable, match=r"evil\.example"):
        await rig.provider.organisation()


async def test_a_batch_is_matched_by_its_ids_and_what_failed_is_left_out(world: World, time: Time) -> None:
    answers = {
        "responses": [
            {"id": "2", "status": 200, "body": {"id": "c", "displayName": "Third"}},
            {"id": "0", "status": 200, "body": {"id": "a", "displayName": "First"}},
            {"id": "1", "status": 429, "body": {"error": {"code": "TooManyRequests"}}},
            {"id": "3", "status": 200, "body": ["odd"]},
        ]
    }
    world.load(RESOLD)
    api = connected(world, time, through=Elsewhere(world, batch=answers)).graph(ACME)

    found = await together(api, GroupName, ["/groups/a", "/groups/b", "/groups/c", "/groups/d"])

    assert {route: one.display_name for route, one in found.items()} == {
        "/groups/a": "First",
        "/groups/c": "Third",
    }


async def test_a_group_is_told_by_its_name(world: World, time: Time) -> None:
    answers = {"responses": [{"id": "0", "status": 200, "body": {"id": "g", "displayName": "Everybody"}}]}
    document = crowd(1, group_licences={"everybody": [BASIC]})
    rig = routed(world, time, document=document, through=Elsewhere(world, batch=answers))

    (place,) = (await holding(rig)).places

    assert place.via == "Everybody"


async def test_each_directory_is_opened_once_under_its_own_token(world: World, time: Time) -> None:
    world.load(RESOLD)
    graph = Graph("partner", connected(world, time))

    first, second = graph.tenant(manifest()), graph.tenant(manifest())
    await first.look()
    await second.look()

    assert first.directory is second.directory
    assert asked(world, "POST", f"/login/{ACME}/") == 1
    assert asked(world, "GET", "/graph/v1.0/organization") == 1
    await graph.close()


async def test_a_tenant_without_a_directory_has_none_to_open(world: World, time: Time) -> None:
    graph = Graph("partner", connected(world, time))

    with pytest.raises(Rejected, match="acme names no directory"):
        graph.tenant(manifest(directory=None))


async def test_the_bin_does_not_hide_who_is_there_again(world: World, time: Time) -> None:
    rig = routed(world, time)
    world.change(f"directory-user-removed {ACME} bob@{DOMAIN}")
    world.change(f"directory-user-added {ACME} bob@{DOMAIN} de")

    found = await rig.provider.organisation()

    assert found is not None
    entries = [one for one in found.entries or () if one.login == f"bob@{DOMAIN}"]
    assert [(one.deleted, one.country) for one in entries] == [(False, "de")]
