"""Roles of delegated administration, given to security groups: read, given, widened, and left as others gave them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected, Unavailable, Uncertain
from reconciler.core.provider import Absent, Accepted, Done
from reconciler.providers.microsoft.checkup import checkup
from reconciler.sandbox.client import transport
from reconciler.sandbox.microsoft.directory import ROLES
from reconciler.sandbox.world import World
from tests.providers.microsoft.town import (
    ACME,
    BOTH,
    DELEGATED,
    DIRECTORY,
    HELPDESK,
    RESOLD,
    SALES,
    approved,
    asked,
    connected,
    manifest,
    routed,
)
from tests.providers.rig import Journal, Rig, Time, act

pytestmark = pytest.mark.anyio

ACCESS = f"tenant/access/{HELPDESK}"
LICENCES, USERS = BOTH
RELATIONS = "/graph/v1.0/tenantRelationships/delegatedAdminRelationships"
ASSIGNMENTS = f"{RELATIONS}/{{}}/accessAssignments"
ACTIVE = {"status": "active"}


def given(*before: str, after: tuple[str, ...] = (LICENCES, USERS), status: str = "active") -> Action:
    """What a plan does for the help desk, which has some roles before."""
    had = {"roles": [*before], "status": status} if before else None
    return act(Verb.UPDATE, ACCESS, before=had, after={"roles": [*after], **ACTIVE})


def opened(
    world: World, time: Time, *roles: str, group: str = HELPDESK, through: Any = None, **more: Any
) -> Rig:
    """A tenant whose customer has approved; a group has some roles."""
    written = manifest(delegated_administration=DELEGATED | more)
    return routed(world, time, written, document=approved(RESOLD, *roles, group=group), through=through)


async def settings(rig: Rig) -> dict[str, Any]:
    found = await rig.provider.organisation()
    assert found is not None
    return {key: dict(one) for key, one in found.settings.items()}


def roles(world: World) -> list[tuple[str, list[str]]]:
    """The assignments that the sandbox keeps: status, and roles by name."""
    names = {number: name for name, number in ROLES.items()}
    with world.transaction() as tx:
        rows = tx.all("SELECT status, data FROM ms_relation_part WHERE kind = 'assignment' ORDER BY seq")
    return [(one["status"], sorted(names[each] for each in _ids(json.loads(one["data"])))) for one in rows]


def _ids(data: dict[str, Any]) -> list[str]:
    return [one["roleDefinitionId"] for one in data["accessDetails"]["unifiedRoles"]]


async def test_a_group_gets_its_roles_and_they_show(world: World, time: Time) -> None:
    rig = opened(world, time)
    journal = Journal(world)
    before = await settings(rig)

    waits = await rig.carry_out(given(), journal)
    pending = await settings(rig)
    assert isinstance(waits, Accepted)
    done = await rig.follow(given(), waits, journal)

    assert (waits.waiting_on, waits.status) == ("provider", "pending")
    assert ACCESS not in before
    assert pending[ACCESS]["status"] == "pending"
    assert (await settings(rig))[ACCESS] == {"roles": BOTH, **ACTIVE, "others": [], "ref": done.ref}
    assert await rig.provider.reread(given()) == {"roles": BOTH, **ACTIVE, "others": [], "ref": done.ref}
    assert roles(world) == [("active", BOTH)]


async def test_a_group_keeps_what_others_gave_it(world: World, time: Time) -> None:
    rig = opened(world, time, USERS, access=[{"security_group": HELPDESK, "roles": [LICENCES]}])
    action = given(after=(LICENCES,))
    shown = (await settings(rig))[ACCESS]

    await rig.finish(act(Verb.UPDATE, ACCESS, before={"roles": [], **ACTIVE}, after=action.after))

    assert (shown["roles"], shown["others"]) == ([], [USERS])
    assert roles(world) == [("active", BOTH)]
    after = (await settings(rig))[ACCESS]
    assert (after["roles"], after["others"]) == ([LICENCES], [USERS])


async def test_roles_written_as_ids_need_no_list_of_names(world: World, time: Time) -> None:
    ids = [ROLES[one].upper() for one in BOTH]
    rig = opened(world, time, LICENCES, roles=ids)

    shown = (await settings(rig))[ACCESS]
    await rig.finish(given(ids[0], after=tuple(ids)))

    assert shown["roles"] == [ids[0]]
    assert roles(world) == [("active", BOTH)]
    assert asked(world, "GET", "/graph/v1.0/directoryRoleTemplates") == 0


async def test_without_the_key_only_who_has_something_is_read(world: World, time: Time) -> None:
    rig = opened(world, time, LICENCES)
    written = manifest(
        delegated_administration={key: one for key, one in DELEGATED.items() if key != "access"}
    )
    plain = routed(world, time, written, document=None)

    shown = (await settings(plain))[ACCESS]

    assert (shown["roles"], shown["others"]) == ([], [ROLES[LICENCES]])
    assert asked(world, "GET", "/graph/v1.0/directoryRoleTemplates") == 0
    assert rig.did("graph-access-assigned") == 0


async def test_a_group_that_is_not_written_is_shown_with_its_roles(world: World, time: Time) -> None:
    rig = opened(world, time, USERS, group=SALES)

    shown = await settings(rig)

    assert shown[f"tenant/access/{SALES}"]["others"] == [USERS]
    assert ACCESS not in shown


@pytest.mark.parametrize("fault", ["lose-reply-before", "lose-reply-after", "malformed"])
@pytest.mark.parametrize("had", [(), (LICENCES,)], ids=["give", "widen"])
async def test_a_lost_answer_leads_to_one_assignment(
    world: World, time: Time, fault: str, had: tuple[str, ...]
) -> None:
    rig = opened(world, time, *had)
    journal = Journal(world)
    world.fault(fault, path=f"{ASSIGNMENTS}/{{}}" if had else ASSIGNMENTS, method="POST|PATCH")

    try:
        found = await rig.carry_out(given(*had), journal)
    except Uncertain:
        looked = await rig.find(given(*had), journal)
        assert isinstance(looked, Absent) == (fault == "lose-reply-before")
        found = await rig.carry_out(given(*had), journal) if isinstance(looked, Absent) else looked  # type: ignore[assignment]
    await rig.follow(given(*had), found, journal)

    assert roles(world) == [("active", BOTH)]
    assert rig.did("graph-access-assigned") + rig.did("graph-access-changed") == 1


async def test_somebody_who_gives_the_group_a_role_first_does_no_harm(world: World, time: Time) -> None:
    inner = transport(world)

    class Meanwhile(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "POST" and request.url.path.endswith("/accessAssignments"):
                world.change(f"access-given support {HELPDESK} '{LICENCES}'")
                world.change(f"access-given support {HELPDESK} '{USERS}'")
            return await inner.handle_async_request(request)

    rig = opened(world, time, through=Meanwhile())
    done = await rig.finish(given())

    assert done.ref
    assert roles(world) == [("active", BOTH)]


async def test_a_change_in_between_is_refused_by_its_tag(world: World, time: Time) -> None:
    inner = transport(world)

    class Meanwhile(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.method == "PATCH":
                world.change(f"access-given support {HELPDESK} '{USERS}'")
            return await inner.handle_async_request(request)

    rig = opened(world, time, LICENCES, through=Meanwhile())

    with pytest.raises(Rejected, match="412") as told:
        await rig.carry_out(given(LICENCES))

    assert "plan again" in told.value.hint


async def test_roles_that_are_taken_away_meanwhile_are_planned_anew(world: World, time: Time) -> None:
    rig = opened(world, time, LICENCES)
    journal = Journal(world)
    waits = await rig.carry_out(given(LICENCES), journal)
    assert isinstance(waits, Accepted)
    early = await rig.provider.poll(given(), waits.ticket, tuple(journal.steps))
    world.advance(timedelta(minutes=1))
    world.change(f"access-taken support {HELPDESK} '{USERS}'")

    late = await rig.provider.poll(given(), waits.ticket, tuple(journal.steps))
    world.advance(timedelta(hours=1))
    with pytest.raises(Rejected, match="has not got them"):
        await rig.provider.poll(given(), waits.ticket, tuple(journal.steps))
    world.change(f"access-taken support {HELPDESK}")
    with pytest.raises(Rejected, match="is gone"):
        await rig.provider.poll(given(), waits.ticket, tuple(journal.steps))

    assert isinstance(early, Accepted)
    assert early.status == "running"
    assert isinstance(late, Accepted)


@pytest.mark.parametrize("had", [(), (LICENCES,)], ids=["give", "widen"])
async def test_what_microsoft_could_not_do_says_where_to_look(
    world: World, time: Time, had: tuple[str, ...]
) -> None:
    rig = opened(world, time, *had)
    world.fault("task-error", path=f"{ASSIGNMENTS}*", method="POST|PATCH")
    journal = Journal(world)

    with pytest.raises(Rejected, match="Microsoft could not") as told:
        await rig.finish(given(*had), journal)

    assert "in Partner Center" in told.value.hint
    if not had:
        with pytest.raises(Rejected, match="Microsoft could not"):
            await rig.carry_out(given())
    else:
        with pytest.raises(Rejected, match="Microsoft could not"):
            await rig.find(given(*had), journal)


async def test_a_group_that_is_being_taken_out_is_left_alone(world: World, time: Time) -> None:
    rig = opened(world, time, LICENCES)
    world.set("delay_gdap", "60")
    with world.transaction() as tx:
        tx.run("UPDATE ms_relation_part SET status = 'deleting'")

    shown = (await settings(rig))[ACCESS]
    with pytest.raises(Unavailable, match="being taken away"):
        await rig.carry_out(given(LICENCES, status="deleting"))

    assert shown["status"] == "deleting"
    assert rig.did("graph-access-changed") == 0


async def test_a_role_that_the_customer_was_not_asked_for_is_refused_before_anything_is_sent(
    world: World, time: Time
) -> None:
    rig = opened(world, time)

    with pytest.raises(Rejected, match="does not delegate") as told:
        await rig.carry_out(given(after=("Global Reader",)))
    with pytest.raises(Rejected, match="no directory role 'King'"):
        await rig.carry_out(given(after=("King",)))

    assert "another `name:`" in told.value.hint
    assert roles(world) == []


async def test_a_group_that_the_partner_does_not_have_is_refused(world: World, time: Time) -> None:
    written = manifest(delegated_administration=DELEGATED)
    rig = routed(world, time, written, document=approved(RESOLD))
    action = act(Verb.UPDATE, f"tenant/access/{ACME}", after={"roles": BOTH, **ACTIVE})

    with pytest.raises(Rejected, match="no security group"):
        await rig.carry_out(action)


async def test_nothing_is_given_before_the_relationship_is_active(world: World, time: Time) -> None:
    written = manifest(delegated_administration=DELEGATED)
    rig = routed(world, time, written)
    ask = act(Verb.UPDATE, "tenant/delegation", after={"name": "support", **ACTIVE})

    with pytest.raises(Rejected, match="is not there"):
        await rig.carry_out(given())
    assert isinstance(await rig.find(given(), Journal(world)), Absent)
    assert await rig.provider.reread(given()) is None
    await rig.carry_out(ask)
    with pytest.raises(Rejected, match="is approvalPending"):
        await rig.carry_out(given())
    world.set("delay_gdap", "600")
    world.change("relationship-approved support")
    with pytest.raises(Unavailable, match="is approved"):
        await rig.carry_out(given())
    assert ACCESS not in await settings(rig)


async def test_a_relationship_with_another_customer_is_none_of_ours(world: World, time: Time) -> None:
    other = {
        **DIRECTORY,
        "id": ACME.replace("8f5c", "9f5c"),
        "domain": "other.onmicrosoft.com",
        "domains": [],
    }
    pin = {"provider": "graph", "account": "partner", "tenant_id": other["id"]}
    document = approved(RESOLD, LICENCES)
    document["microsoft"] = {**document["microsoft"], "tenants": [DIRECTORY, {**other, "users": []}]}
    rig = routed(world, time, manifest(directory=pin, delegated_administration=DELEGATED), document=document)

    shown = await settings(rig)

    assert shown["tenant/delegation"] == {"name": "support", "status": f"with directory {ACME}"}
    assert ACCESS not in shown
    with pytest.raises(Rejected):
        await rig.carry_out(given())
    assert isinstance(await rig.find(given(), Journal(world)), Absent)


async def test_what_is_asked_of_an_operation_of_another_group_says_nothing(world: World, time: Time) -> None:
    inner = transport(world)

    class Strange(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path.endswith("/operations"):
                rows = [
                    {"id": "o1", "status": "running", "data": text}
                    for text in ("{", "[" * 10**5, "[]", '{"id": "x"}', None)
                ]
                return httpx.Response(200, json={"value": rows})
            return await inner.handle_async_request(request)

    rig = opened(world, time, LICENCES, through=Strange())

    found = await rig.find(given(LICENCES), Journal(world))

    assert isinstance(found, Absent)


async def test_a_role_that_is_lost_while_nothing_was_sent_is_planned_anew(world: World, time: Time) -> None:
    rig = opened(world, time, *BOTH)
    with world.transaction() as tx:
        tx.run("UPDATE ms_relation_part SET status = 'pending'")
    waits = await rig.carry_out(given(*BOTH, status="pending"))
    assert isinstance(waits, Accepted)
    world.change(f"access-taken support {HELPDESK} '{USERS}'")

    with pytest.raises(Rejected, match="has not got them"):
        await rig.provider.poll(given(), waits.ticket, ())


async def test_what_is_as_wanted_is_done_without_a_write(world: World, time: Time) -> None:
    rig = opened(world, time, *BOTH)

    found = await rig.find(given(), Journal(world))
    done = await rig.carry_out(given(*BOTH))

    assert isinstance(found, Done)
    assert done == found
    assert rig.did("graph-access-changed") == 0


@pytest.mark.parametrize(("person", "level"), [(True, "ok"), (False, "warn")])
async def test_the_doctor_says_whether_relationships_can_be_read_and_who_signed_in(
    world: World, time: Time, *, person: bool, level: str
) -> None:
    connection = connected(world, time)
    if not person:
        connection.application._refresh = ""

    told = await checkup(connection, [], sells=False, delegates=True)

    assert [one.level for one in told if "relationships" in one.what] == [level]


async def test_the_doctor_names_the_permission_that_is_missing(world: World, time: Time) -> None:
    inner = transport(world)

    class Denied(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == RELATIONS:
                said = {"code": "Authorization_RequestDenied", "message": "Insufficient privileges"}
                return httpx.Response(403, json={"error": said})
            return await inner.handle_async_request(request)

    told = await checkup(connected(world, time, through=Denied()), [], sells=False, delegates=True)

    (refused,) = [one for one in told if "relationships" in one.what]
    assert refused.level == "fail"
    assert "DelegatedAdminRelationship.ReadWrite.All to apply" in refused.remedy
