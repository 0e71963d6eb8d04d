"""People of a directory: one of each login whatever is lost, a password that nobody sees, details and renames."""

from __future__ import annotations

import json
import logging
from datetime import timedelta
from typing import Any

import httpx
import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Missing, Rejected, Uncertain
from reconciler.core.provider import Absent, Accepted, Done
from reconciler.sandbox.client import transport
from reconciler.sandbox.world import World
from tests.providers.microsoft.town import ACME, ADA_ID, BOB_ID, DOMAIN, asked, ref, routed
from tests.providers.rig import Journal, Rig, Time, act

pytestmark = pytest.mark.anyio

EVE = {"login": f"eve@{DOMAIN}", "first_name": "Eve", "last_name": "Newcomer", "country": "lt"}
BOB = {"login": f"bob@{DOMAIN}", "first_name": "Bob", "last_name": "Builder", "country": "fr"}
CREATE = act(Verb.CREATE_USER, "user/eve", after=EVE, **EVE)
USERS = "/graph/v1.0/users"


class Listening(httpx.AsyncBaseTransport):
    """Keeps what is sent, on its way to the world."""

    def __init__(self, world: World) -> None:
        self._inner = transport(world)
        self.sent: list[tuple[str, str, Any]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "/graph/" in request.url.path and request.content:
            self.sent.append((request.method, request.url.path, json.loads(request.content)))
        return await self._inner.handle_async_request(request)


def update(**wanted: Any) -> Action:
    """Change Bob."""
    told = {**BOB, **wanted}
    before = {key: BOB[key] for key in wanted if key in BOB}
    after = {key: told[key] for key in wanted if key in BOB}
    return act(Verb.UPDATE, "user/bob", before=before, after=after, user=BOB_ID, **told)


async def shown(rig: Rig, key: str) -> dict[str, Any]:
    fields = "id,userPrincipalName,displayName,givenName,surname,usageLocation,accountEnabled"
    answer = await rig.session.read(f"/users/{key}", query={"$select": fields})
    assert isinstance(answer.data, dict)
    return answer.data


async def test_a_person_is_created_as_written(world: World, time: Time) -> None:
    rig = routed(world, time)

    assert await rig.provider.reread(CREATE) is None
    done = await rig.finish(CREATE)

    person = await shown(rig, done.ref)
    assert person["userPrincipalName"] == f"eve@{DOMAIN}"
    assert (person["givenName"], person["surname"], person["displayName"]) == (
        "Eve",
        "Newcomer",
        "Eve Newcomer",
    )
    assert (person["usageLocation"], person["accountEnabled"]) == ("LT", True)
    assert done.data == {"user": done.ref, "login": f"eve@{DOMAIN}"}


async def test_a_password_goes_to_the_directory_and_nowhere_else(
    world: World, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    through = Listening(world)
    rig = routed(world, time, through=through)
    journal = Journal(world)
    world.fault("lose-reply-after", path=USERS, method="POST")

    with pytest.raises(Uncertain) as lost:
        await rig.carry_out(CREATE, journal)
    found = await rig.find(CREATE, journal)

    ((_, _, body),) = through.sent
    password = body["passwordProfile"]["password"]
    assert len(password) > 24
    assert body["passwordProfile"]["forceChangePasswordNextSignIn"] is True
    told = (
        journal.steps,
        found,
        lost.value,
        lost.value.message,
        caplog.text,
        world.ledger(),
        world.requests(),
    )
    assert password not in " ".join(map(repr, told))
    assert password not in repr(vars(rig.provider))


async def test_no_two_people_get_one_password(world: World, time: Time) -> None:
    through = Listening(world)
    rig = routed(world, time, through=through)
    for name in ("kim", "lee"):
        login = f"{name}@{DOMAIN}"
        await rig.finish(act(Verb.CREATE_USER, f"user/{name}", after={}, login=login, first_name=name))

    assert len({body["passwordProfile"]["password"] for _, _, body in through.sent}) == 2


@pytest.mark.parametrize("fault", ["lose-reply-after", "error-after", "malformed", "wrong-types"])
async def test_a_lost_creation_is_found_by_the_login(world: World, time: Time, fault: str) -> None:
    rig = routed(world, time)
    journal = Journal(world)
    world.fault(fault, path=USERS, method="POST")

    with pytest.raises(Uncertain):
        await rig.carry_out(CREATE, journal)
    found = await rig.find(CREATE, journal)

    assert found == Done(
        ref=ref(world, f"eve@{DOMAIN}"), data={"user": ref(world, EVE["login"]), "login": EVE["login"]}
    )
    assert rig.did("graph-user-created") == 1


async def test_a_creation_that_never_arrived_is_made_again(world: World, time: Time) -> None:
    rig = routed(world, time)
    journal = Journal(world)
    world.fault("lose-reply-before", path=USERS, method="POST")

    with pytest.raises(Uncertain):
        await rig.carry_out(CREATE, journal)
    found = await rig.find(CREATE, journal)
    await rig.carry_out(CREATE, journal, number=2)

    assert isinstance(found, Absent)
    assert rig.did("graph-user-created") == 1


async def test_somebody_who_was_faster_is_not_made_twice(world: World, time: Time) -> None:
    rig = routed(world, time)
    change = f"directory-user-added {ACME} eve@{DOMAIN} lt"
    world.fault("interference", path=USERS, method="POST", change=change)

    done = await rig.finish(CREATE)

    assert done.ref == ref(world, f"eve@{DOMAIN}")
    assert rig.did("graph-user-created") == 0


async def test_who_appeared_since_the_plan_is_not_overwritten(world: World, time: Time) -> None:
    rig = routed(world, time)
    world.change(f"directory-user-added {ACME} eve@{DOMAIN} de")

    now = await rig.provider.reread(CREATE)

    assert now is not None
    assert now["login"] == f"eve@{DOMAIN}"


async def test_a_login_of_an_unverified_domain_is_refused_with_what_to_do(world: World, time: Time) -> None:
    rig = routed(world, time)
    strange = act(Verb.CREATE_USER, "user/x", after={}, login="x@nowhere.example", first_name="X")

    with pytest.raises(Rejected, match="domain portion") as told:
        await rig.carry_out(strange)

    assert "`domains:`" in told.value.hint


async def test_a_login_without_a_domain_is_no_login(world: World, time: Time) -> None:
    rig = routed(world, time)

    with pytest.raises(Rejected, match="no full login"):
        await rig.carry_out(act(Verb.CREATE_USER, "user/x", after={}, login="x", first_name="X"))

    assert asked(world, "POST", USERS) == 0


async def test_who_is_in_the_bin_comes_back_with_new_details(world: World, time: Time) -> None:
    rig = routed(world, time)
    world.change(f"directory-user-removed {ACME} bob@{DOMAIN}")
    wanted = {**BOB, "last_name": "Bricks", "country": "lt"}
    restore = act(Verb.CREATE_USER, "user/bob", after=wanted, restore=BOB_ID, **wanted)

    assert await rig.provider.reread(restore) is None
    done = await rig.finish(restore)

    person = await shown(rig, BOB_ID)
    assert done.ref == BOB_ID
    assert (person["surname"], person["displayName"], person["usageLocation"]) == (
        "Bricks",
        "Bob Bricks",
        "LT",
    )
    assert (rig.did("graph-user-created"), rig.did("graph-user-restored")) == (0, 1)


async def test_a_lost_restoration_whose_details_differ_is_gone_on_with(world: World, time: Time) -> None:
    rig = routed(world, time)
    world.change(f"directory-user-removed {ACME} bob@{DOMAIN}")
    wanted = {**BOB, "last_name": "Bricks"}
    restore = act(Verb.CREATE_USER, "user/bob", after=wanted, restore=BOB_ID, **wanted)
    journal = Journal(world)
    world.fault("lose-reply-after", path="/graph/v1.0/directory/deletedItems/{}/restore", method="POST")

    with pytest.raises(Uncertain):
        await rig.carry_out(restore, journal)
    found = await rig.find(restore, journal)
    outcome = await rig.carry_out(restore, journal, number=2)

    assert isinstance(found, Absent)
    assert await rig.provider.reread(restore) is None
    assert isinstance(outcome, Done)
    assert (await shown(rig, BOB_ID))["surname"] == "Bricks"
    assert rig.did("graph-user-restored") == 1


async def test_who_is_purged_cannot_come_back(world: World, time: Time) -> None:
    rig = routed(world, time)
    gone = "8f5c0000-0000-4000-8000-00000000dead"

    with pytest.raises(Missing):
        await rig.carry_out(act(Verb.CREATE_USER, "user/eve", after=EVE, restore=gone, **EVE))


async def test_only_what_differs_is_sent_and_in_capitals_where_graph_wants_them(
    world: World, time: Time
) -> None:
    through = Listening(world)
    rig = routed(world, time, through=through)

    await rig.finish(update(country="lt"))
    await rig.finish(update(last_name="Bricks", country="lt"))

    assert [body for _, _, body in through.sent] == [
        {"usageLocation": "LT"},
        {"surname": "Bricks", "displayName": "Bob Bricks"},
    ]


async def test_a_display_name_that_somebody_chose_stays(world: World, time: Time) -> None:
    rig = routed(world, time)
    await rig.session.write("PATCH", f"/users/{BOB_ID}", {"displayName": "Dr. Bob"})

    await rig.finish(update(last_name="Bricks"))

    assert (await shown(rig, BOB_ID))["displayName"] == "Dr. Bob"


async def test_a_rename_keeps_the_person(world: World, time: Time) -> None:
    rig = routed(world, time)
    login = f"robert@{DOMAIN}"
    rename = act(
        Verb.UPDATE,
        "user/robert",
        before={"login": BOB["login"]},
        after={"login": login},
        previously=BOB["login"],
        **{**BOB, "login": login},
    )
    journal = Journal(world)

    assert await rig.provider.reread(rename) == {"login": BOB["login"]}
    world.fault("lose-reply-after", path=f"{USERS}/{{}}", method="PATCH")
    with pytest.raises(Uncertain):
        await rig.carry_out(rename, journal)
    found = await rig.find(rename, journal)

    assert found == Done(ref=BOB_ID, data={"user": BOB_ID, "login": login})
    assert ref(world, login) == BOB_ID


async def test_a_change_of_somebody_who_is_gone_is_refused(world: World, time: Time) -> None:
    rig = routed(world, time)
    world.change(f"directory-user-removed {ACME} bob@{DOMAIN}")

    assert await rig.provider.reread(update(last_name="Bricks")) is None
    with pytest.raises(Missing, match=BOB_ID):
        await rig.carry_out(update(last_name="Bricks"))


async def test_a_change_that_does_not_show_in_time_is_a_failure(world: World, time: Time) -> None:
    rig = routed(world, time)
    journal = Journal(world)
    change = update(last_name="Bricks")
    await rig.carry_out(change, journal)
    await rig.session.write("PATCH", f"/users/{BOB_ID}", {"surname": "Builder", "displayName": "Bob Builder"})

    soon = await rig.provider.poll(change, BOB_ID, tuple(journal.steps))
    world.advance(timedelta(hours=1))
    with pytest.raises(Rejected, match="nothing has changed"):
        await rig.provider.poll(change, BOB_ID, tuple(journal.steps))

    assert isinstance(soon, Accepted)


async def test_a_person_is_put_into_the_bin_once(world: World, time: Time) -> None:
    rig = routed(world, time)
    leave = act(
        Verb.DELETE_USER, "user/ada", before={"login": f"ada@{DOMAIN}"}, login=f"ada@{DOMAIN}", user=ADA_ID
    )
    journal = Journal(world)

    assert await rig.provider.reread(leave) == {"login": f"ada@{DOMAIN}"}
    world.fault("lose-reply-after", path=f"{USERS}/{{}}", method="DELETE")
    with pytest.raises(Uncertain):
        await rig.carry_out(leave, journal)
    found = await rig.find(leave, journal)
    again = await rig.carry_out(leave, journal, number=2)

    assert isinstance(found, Done)
    assert isinstance(again, Done)
    assert rig.did("graph-user-deleted") == 1


async def test_a_deletion_that_somebody_else_made_is_done(world: World, time: Time) -> None:
    rig = routed(world, time)
    leave = act(Verb.DELETE_USER, "user/bob", login=BOB["login"], user=BOB_ID)
    change = f"directory-user-removed {ACME} bob@{DOMAIN}"
    world.fault("interference", path=f"{USERS}/{{}}", method="DELETE", change=change)

    assert isinstance(await rig.carry_out(leave), Done)


async def test_rights_that_are_missing_are_named(world: World, time: Time) -> None:
    denied = httpx.Response(
        403,
        json={"error": {"code": "Authorization_RequestDenied", "message": "Insufficient privileges to x."}},
    )

    class Denying(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/users"):
                return denied
            return await inner.handle_async_request(request)

    inner = transport(world)
    rig = routed(world, time, through=Denying())

    for question in (rig.carry_out(CREATE), rig.provider.organisation()):
        with pytest.raises(Rejected) as told:
            await question

        assert "User.ReadWrite.All" in told.value.hint


async def test_who_is_gone_already_is_deleted(world: World, time: Time) -> None:
    rig = routed(world, time)
    leave = act(Verb.DELETE_USER, "user/bob", login=BOB["login"], user=BOB_ID)
    world.change(f"directory-user-removed {ACME} bob@{DOMAIN}")

    assert isinstance(await rig.carry_out(leave), Done)
    assert asked(world, "DELETE", "/graph/") == 0
