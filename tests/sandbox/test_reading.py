"""Batches and expanded lists, with and without the server's help."""

import json

from msgspec.structs import replace

from reconciler.sandbox.call import Request
from reconciler.sandbox.world import World
from tests.sandbox.makers import ACME, GROUP, HOST, Api, Clock

BATCH = {"X-Ovh-Batch": ","}
PAGES = {"X-Pagination-Mode": "CachedObjectList-Pages"}
FRESH = {**PAGES, "Pragma": "no-cache"}
SEATS = "/license/officePrepaid"


def test_a_batch_answers_each_id_by_its_key(api: Api) -> None:
    answer = api.get(f"{SEATS}/{ACME}-1001,{ACME}-9999", BATCH)

    found, missing = answer.body
    assert answer.status == 200
    assert (found["key"], found["value"]["firstName"], found["error"]) == (f"{ACME}-1001", "Ada", None)
    assert (missing["value"], missing["error"]["class"]) == (None, "Client::NotFound")


def test_one_id_in_a_batch_is_still_a_list(api: Api) -> None:
    assert [one["key"] for one in api.get(f"{SEATS}/{ACME}-1001", BATCH).body] == [f"{ACME}-1001"]


def test_a_batch_reaches_below_the_ids(api: Api) -> None:
    answer = api.get(f"{SEATS}/{ACME}-1001,{ACME}-1002/serviceInfos", BATCH)

    assert [one["value"]["domain"] for one in answer.body] == [f"{ACME}-1001", f"{ACME}-1002"]


def test_a_list_is_no_batch(api: Api) -> None:
    assert api.get(SEATS, BATCH).body == [f"{ACME}-1001", f"{ACME}-1002", f"{ACME}-1003"]


def test_an_encoded_separator_belongs_to_the_id(api: Api, world: World) -> None:
    request = Request("GET", HOST, f"/1.0/license/office/{GROUP}/user/a%2Cb@{GROUP}")
    headers = api.signature(request) | {"x-ovh-batch": ","}

    content = world.handle(replace(request, headers=headers)).content

    assert isinstance(content, list)
    assert [one["key"] for one in content] == [f"a,b@{GROUP}"]


def test_without_the_feature_a_batch_is_a_strange_name(api: Api, world: World) -> None:
    world.set("batch", "off")

    assert api.get(f"{SEATS}/{ACME}-1001,{ACME}-1002", BATCH).status == 404


def test_an_expanded_list_gives_the_objects(api: Api) -> None:
    answer = api.get(f"/license/office/{GROUP}/user", FRESH)

    assert [one["firstName"] for one in answer.body] == ["Jane", "Scarlett"]
    assert answer.headers["X-Pagination-Elements"] == "2"


def test_an_expanded_list_comes_in_pages(api: Api) -> None:
    second = api.get(SEATS, {**FRESH, "X-Pagination-Number": "2", "X-Pagination-Size": "2"})

    assert [one["serviceName"] for one in second.body] == [f"{ACME}-1003"]
    assert (second.headers["X-Pagination-Elements"], second.headers["X-Pagination-Number"]) == ("3", "2")


def test_an_expanded_list_is_filtered_and_sorted(api: Api) -> None:
    empty = api.get(SEATS, {**FRESH, "X-Pagination-Filter": "isVirtual:eq=true"})
    named = api.get(SEATS, {**FRESH, "X-Pagination-Filter": "firstName:like=%25d%25"})
    turned = api.get(SEATS, {**FRESH, "X-Pagination-Sort": "serviceName", "X-Pagination-Sort-Order": "DESC"})

    assert len(empty.body) == 2
    assert [one["firstName"] for one in named.body] == ["Ada"]
    assert turned.body[0]["serviceName"] == f"{ACME}-1003"


def test_a_cached_page_is_stale_until_its_time_is_over(api: Api, clock: Clock, world: World) -> None:
    api.get(SEATS, PAGES)
    world.change(f"seat-taken {ACME}-1002 eve@{ACME}")

    stale = api.get(SEATS, PAGES).body[1]["isVirtual"]
    fresh = api.get(SEATS, FRESH).body[1]["isVirtual"]
    world.change(f"seat-freed {ACME}-1002")
    clock.sleep(61)

    assert (stale, fresh, api.get(SEATS, PAGES).body[1]["isVirtual"]) == (True, False, True)


def test_what_cannot_be_read_yet_is_counted_but_not_shown(api: Api, clock: Clock) -> None:
    api.order()
    clock.sleep(3)

    answer = api.get(SEATS, FRESH)

    assert (len(answer.body), answer.headers["X-Pagination-Elements"]) == (3, "4")


def test_without_the_feature_a_list_stays_a_list_of_ids(api: Api, world: World) -> None:
    world.set("expanded", "off")

    answer = api.get(SEATS, FRESH)

    assert answer.body[0] == f"{ACME}-1001"
    assert "X-Pagination-Elements" not in answer.headers


def test_users_are_filtered_by_name(api: Api) -> None:
    users = f"/license/office/{GROUP}/user"

    assert api.get(users, lastName="Doe").body == [f"jane.doe@{GROUP}"]
    assert api.get(users, licences="officeProPlus").body == [f"o'hara@{GROUP}"]
    assert api.get(users, activationEmail="%nobody%").body == []


def test_an_answer_is_plain_json(api: Api) -> None:
    assert json.loads(json.dumps(api.get(f"{SEATS}/{ACME}-1001").body))["tenantServiceName"] == ACME
