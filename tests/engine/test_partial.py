"""Answers of a provider that leave something out while a plan is made: nothing is bought in its stead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from reconciler.core.action import Verb
from reconciler.core.plan import Plan, Status
from reconciler.engine.setup import Setup, load, plan_run
from tests.engine.conftest import Make
from tests.engine.harness import Bench, planned

ACME, OTHER = "acme.o365.ovh.com", "other.o365.ovh.com"
ROOT = "/1.0/license/officePrepaid"
TENANT = "version: 1\ntenant: acme\nprovider: ovh-prepaid\naccount: ovh-main\n"

Change = Callable[[Any], Any]
Twist = Callable[[httpx.Request], httpx.Response | Change | None]


class Twisted(httpx.AsyncBaseTransport):
    """The way to the provider, on which some requests get another answer, and some answers are changed."""

    def __init__(self, inner: httpx.AsyncBaseTransport, twist: Twist) -> None:
        self.inner = inner
        self.twist = twist

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        said = self.twist(request)
        if isinstance(said, httpx.Response):
            return said
        answer = await self.inner.handle_async_request(request)
        if said is None:
            return answer
        await answer.aread()
        kept = {name: value for name, value in answer.headers.items() if name.startswith("x-")}
        return httpx.Response(answer.status_code, headers=kept, json=said(answer.json()))


def plan(one: Bench, twist: Twist) -> Plan:
    """What a plan shows while the provider answers like that."""
    process = one.process(writes=False)
    process.wire.inner = Twisted(process.wire.inner, twist)

    async def made(setup: Setup) -> Plan:
        return planned(await plan_run(setup, load(setup)))

    return process.run(made)


def missing() -> httpx.Response:
    return httpx.Response(404, json={"class": "Client::NotFound", "message": "This service does not exist"})


def broken() -> httpx.Response:
    return httpx.Response(500, json={"class": "Server::InternalServerError", "message": "Internal error"})


def expanded(request: httpx.Request) -> bool:
    return "x-pagination-mode" in request.headers


def unreadable(service: str, answer: Callable[[], httpx.Response]) -> Twist:
    """Every seat of a service is listed and cannot be read."""
    return lambda request: answer() if service in request.url.path or expanded(request) else None


@pytest.mark.parametrize("answer", [missing, broken])
@pytest.mark.parametrize("pinned", ["", f", service: {ACME}"])
def test_a_service_that_cannot_be_read_is_not_bought_a_second_time(
    bench: Make, answer: Callable[[], httpx.Response], pinned: str
) -> None:
    """Only what is read tells its product: the unreadable service may be just the group that nothing pins."""
    world = (
        f"prepaid: [{{service: {ACME}, seats: [{{empty: 2}}]}},"
        f" {{service: {OTHER}, seats: [{{licence: pro-plus, empty: 2}}]}}]"
    )
    group = f"license_groups: [{{name: office, product: business, seats: 2{pinned}}}]\n"
    one = bench(world, acme=TENANT + group)

    found = plan(one, unreadable(ACME, answer))

    assert found.status is Status.ERROR
    assert not found.actions
    assert ACME in (found.error or "")


def test_what_of_a_service_cannot_be_read_is_not_ordered_into_it(bench: Make) -> None:
    seats = "[{empty: 1}, {licence: pro-plus, empty: 2}]"
    group = f"license_groups: [{{name: office, product: business, seats: 1, service: {ACME}}}]\n"
    one = bench(f"prepaid: [{{service: {ACME}, seats: {seats}}}]", acme=TENANT + group)
    business = f"{ACME}-1001"

    found = plan(one, lambda request: broken() if business in request.url.path or expanded(request) else None)

    assert (found.status, found.actions) == (Status.ERROR, ())


def test_somebody_elses_unreadable_service_holds_nobody_up(bench: Make) -> None:
    world = (
        f"prepaid: [{{service: {ACME}, seats: [{{empty: 2}}]}}, {{service: {OTHER}, seats: [{{empty: 2}}]}}]"
    )
    mine = f"license_groups: [{{name: office, product: business, seats: 3, service: {ACME}}}]\n"
    new = f"license_groups: [{{name: more, product: business, seats: 1, service: new, beside: [{OTHER}]}}]\n"
    one = bench(world, acme=TENANT + mine, beta=TENANT.replace("acme", "beta") + new)
    process = one.process(writes=False)
    process.wire.inner = Twisted(process.wire.inner, unreadable(OTHER, broken))

    async def made(setup: Setup) -> dict[str, list[Verb]]:
        run = await plan_run(setup, load(setup))
        return {each.tenant: [action.verb for action in each.actions] for each in run.plans}

    assert process.run(made) == {"acme": [Verb.RESIZE], "beta": [Verb.ORDER]}


def test_a_seat_that_does_not_tell_its_licence_is_not_bought_again(bench: Make) -> None:
    """No field of an answer is promised to be there; the seat is, and so is who sits on it."""
    seats = "[{people: [{login: ada, first_name: Ada, last_name: Lovelace}]}, {empty: 1}]"
    group = f"license_groups: [{{name: office, product: business, seats: 2, service: {ACME}}}]\n"
    people = f"users: [{{login: ada@{ACME}, first_name: Ada, last_name: Lovelace, licenses: [office]}}]\n"
    one = bench(f"prepaid: [{{service: {ACME}, seats: {seats}}}]", acme=TENANT + group + people)

    def untold(seats: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            {**seat, "licences": [] if seat["activationEmail"] == f"ada@{ACME}" else seat["licences"]}
            for seat in seats
        ]

    found = plan(one, lambda request: untold if expanded(request) else None)

    assert found.actions == ()
    assert [(item.address, item.reason) for item in found.pending] == [
        (f"seat/office/ada@{ACME}", "not readable yet")
    ]


def test_a_service_that_tells_no_licence_at_all_is_not_planned(bench: Make) -> None:
    group = f"license_groups: [{{name: office, product: business, seats: 2, service: {ACME}}}]\n"
    one = bench(f"prepaid: [{{service: {ACME}, seats: [{{empty: 2}}]}}]", acme=TENANT + group)

    def untold(seats: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**seat, "licences": None} for seat in seats]

    found = plan(one, lambda request: untold if expanded(request) else None)

    assert (found.status, found.actions) == (Status.ERROR, ())


@pytest.mark.parametrize("answer", [missing, broken])
def test_a_seat_belongs_to_the_service_it_names_whatever_it_is_called(
    bench: Make, answer: Callable[[], httpx.Response]
) -> None:
    """One that cannot be read may be of a service whose seats are called otherwise."""
    old, group = (
        "former.o365.ovh.com",
        f"license_groups: [{{name: office, product: business, seats: 2, service: {ACME}}}]\n",
    )
    one = bench(f"prepaid: [{{service: {old}, seats: [{{empty: 2}}]}}]", acme=TENANT + group)

    def moved(seat: dict[str, Any]) -> dict[str, Any]:
        return {**seat, "tenantServiceName": ACME}

    def twist(request: httpx.Request) -> httpx.Response | Change | None:
        if expanded(request) or "x-ovh-batch" in request.headers:
            return broken()
        match request.url.path.removeprefix(f"{ROOT}/{old}-"):
            case "1002":
                return answer()
            case "1001":
                return moved
        return None

    found = plan(one, twist)

    assert (found.status, found.actions) == (Status.ERROR, ())


@pytest.mark.parametrize("said", [None, {"licences": []}, {"licences": None}])
def test_a_person_who_is_listed_is_not_created_a_second_time(
    bench: Make, said: dict[str, Any] | None
) -> None:
    """In a service of both products nobody knows whose licence somebody has who cannot be read."""
    people = {"ada": "business", "bob": "pro-plus", "eve": "business"}
    names = "first_name: A, last_name: B"
    there = ", ".join(f"{{login: {name}, licence: {kind}, {names}}}" for name, kind in people.items())
    file = f"version: 1\ntenant: acme\nprovider: ovh-payg\naccount: ovh-main\nservice: {ACME}\n"
    file += "license_groups: [{name: business, product: business}, {name: pro-plus, product: pro-plus}]\n"
    written = ", ".join(f"{{login: {name}, {names}, licenses: [{kind}]}}" for name, kind in people.items())
    one = bench(f"payg: [{{service: {ACME}, users: [{there}]}}]", acme=f"{file}users: [{written}]\n")

    def twist(request: httpx.Request) -> httpx.Response | Change | None:
        if expanded(request) or "x-ovh-batch" in request.headers:
            return broken()
        if not request.url.path.endswith(f"/user/eve@{ACME}"):
            return None
        return (lambda member: {**member, **said}) if said else missing()

    found = plan(one, twist)

    assert [action.address for action in found.actions] == []
    assert [item.address for item in found.pending] == ["seat/business/eve"]


ORDERED = f"orders: [{{licence: business, quantity: 2, service: {ACME}}}]\n"
"""What somebody ordered on OVHcloud's own site, and is not delivered."""


def order_line(request: httpx.Request, *, extension: bool) -> bool:
    """Whether a line of an order is asked for, or what it was ordered as."""
    return "/details/" in request.url.path and request.url.path.endswith("/extension") is extension


@pytest.fixture
def growing(bench: Make) -> Bench:
    """A group that wants the two seats that an order brings."""
    group = f"license_groups: [{{name: office, product: business, seats: 4, service: {ACME}}}]\n"
    return bench(f"prepaid: [{{service: {ACME}, seats: [{{empty: 2}}]}}]\n{ORDERED}", acme=TENANT + group)


def test_an_order_whose_lines_cannot_be_read_is_not_overlooked(growing: Bench) -> None:
    found = plan(growing, lambda request: missing() if order_line(request, extension=False) else None)

    assert (found.status, found.actions) == (Status.ERROR, ())


def test_an_order_whose_status_cannot_be_read_is_on_its_way(growing: Bench) -> None:
    """Its lines still say what it brings."""
    found = plan(growing, lambda request: missing() if request.url.path.endswith("/status") else None)

    assert (found.status, found.actions) == (Status.PENDING, ())
    assert "(status not readable)" in found.pending[0].reason


@pytest.mark.parametrize(("age", "status"), [("3d", Status.CHANGES), ("1h", Status.ERROR)])
def test_an_order_of_which_nothing_can_be_read_is_waited_for_while_it_is_new(
    bench: Make, age: str, status: Status
) -> None:
    """One that was deleted is listed and holds nobody up for a month."""
    group = f"license_groups: [{{name: office, product: business, seats: 4, service: {ACME}}}]\n"
    old = ORDERED.replace("quantity: 2", f"quantity: 2, age: {age}")
    one = bench(f"prepaid: [{{service: {ACME}, seats: [{{empty: 2}}]}}]\n{old}", acme=TENANT + group)

    found = plan(one, lambda request: missing() if "/me/order/" in request.url.path else None)

    assert found.status is status


@pytest.mark.parametrize("words", ["Microsoft 365 Apps for Business", "Office 365"])
def test_an_order_that_does_not_tell_its_service_may_be_anybodys(growing: Bench, words: str) -> None:
    """What a line was ordered as is a route that nobody promises; its words may not even name the product."""

    def worded(line: Any) -> Any:
        some = [one["value"] for one in line] if isinstance(line, list) else [line]
        for one in some:
            one["description"] = words
        return line

    def twist(request: httpx.Request) -> httpx.Response | Change | None:
        if order_line(request, extension=True):
            return missing()
        return worded if order_line(request, extension=False) else None

    found = plan(growing, twist)

    assert found.actions == ()
    (item,) = found.pending
    assert (item.address, item.verb) == ("group/office", Verb.RESIZE)
    assert "nothing tells into which service" in item.reason


def test_an_order_that_does_not_tell_its_service_holds_up_no_group_that_is_as_written(bench: Make) -> None:
    group = f"license_groups: [{{name: office, product: business, seats: 2, service: {ACME}}}]\n"
    one = bench(f"prepaid: [{{service: {ACME}, seats: [{{empty: 2}}]}}]\n{ORDERED}", acme=TENANT + group)
    clear = plan(one, lambda _request: None)

    found = plan(one, lambda request: missing() if order_line(request, extension=True) else None)

    assert (clear.status, found.status) == (Status.PENDING, Status.IN_SYNC)


@pytest.mark.parametrize(
    "answer", [missing, lambda: httpx.Response(460, json={"message": "This Service is expired"})]
)
def test_a_subscription_that_is_listed_and_not_readable_is_not_bought_again(
    bench: Make, answer: Callable[[], httpx.Response]
) -> None:
    file = f"version: 1\ntenant: acme\nprovider: ovh-csp2\naccount: ovh-main\nservice: {ACME}\n"
    world = f"csp2: [{{service: {ACME}, subscriptions: [{{licence: 11, quantity: 5}}]}}]"
    one = bench(world, acme=file + "license_groups: [{name: office, product: '11', seats: 5}]\n")

    def twist(request: httpx.Request) -> httpx.Response | None:
        asked = request.url.path.rpartition("/subscription/")[2].isdecimal()
        return answer() if asked or expanded(request) else None

    found = plan(one, twist)

    assert (found.status, found.actions) == (Status.ERROR, ())


@pytest.fixture
def delivered(bench: Make) -> Bench:
    """A group to which two seats were delivered, twenty minutes ago."""
    group = f"license_groups: [{{name: office, product: business, seats: 4, service: {ACME}}}]\n"
    one = bench(f"prepaid: [{{service: {ACME}, seats: [{{empty: 2}}]}}]\n", acme=TENANT + group)
    assert one.apply().exit_code == 0
    one.time.at += 20 * 60
    return one


def shorter(request: httpx.Request) -> Change | None:
    """A list that answers well and leaves one of the seats out, for good."""

    def without(found: list[Any]) -> list[Any]:
        return [one for one in found if f"{ACME}-1004" not in (one, _name(one))]

    return without if request.url.path == ROOT else None


def _name(one: Any) -> str:
    return str(one["serviceName"]) if isinstance(one, dict) else ""


def test_a_seat_that_the_list_leaves_out_and_that_can_be_read_is_not_bought_again(delivered: Bench) -> None:
    found = plan(delivered, shorter)

    assert (found.status, found.actions) == (Status.ERROR, ())
    assert f"leaves out {ACME}-1004" in (found.error or "")


def test_a_seat_whose_record_runs_on_is_there(delivered: Bench) -> None:
    def twist(request: httpx.Request) -> httpx.Response | Change | None:
        hidden = request.url.path == f"{ROOT}/{ACME}-1004"
        return missing() if hidden else shorter(request)

    assert plan(delivered, twist).status is Status.ERROR


def test_a_group_that_shrank_still_knows_its_seats(delivered: Bench) -> None:
    file = (delivered.root / "tenants" / "acme.yaml").read_text()
    delivered.write(acme=file.replace("seats: 4", "seats: 3"))
    assert delivered.apply().exit_code == 0

    def fewer(request: httpx.Request) -> Change | None:
        return (lambda found: found[:2]) if request.url.path == ROOT else None

    assert plan(delivered, fewer).status is Status.ERROR


def test_a_seat_that_is_truly_gone_is_bought_anew(delivered: Bench) -> None:
    delivered.world.change(f"seat-removed {ACME}-1004")

    (action,) = plan(delivered, lambda _request: None).actions

    assert (action.verb, action.summary) == (Verb.RESIZE, "3 -> 4 seats")


def test_a_renamed_tenant_still_knows_its_seats(delivered: Bench) -> None:
    files = delivered.root / "tenants"
    text = (files / "acme.yaml").read_text()
    (files / "acme.yaml").unlink()
    delivered.write(apex=text.replace("tenant: acme", "tenant: apex\npreviously: acme"))
    assert delivered.apply().exit_code == 0
    process = delivered.process(writes=False)
    process.wire.inner = Twisted(process.wire.inner, shorter)

    async def made(setup: Setup) -> Plan:
        return planned(await plan_run(setup, load(setup)), "apex")

    assert process.run(made).status is Status.ERROR
