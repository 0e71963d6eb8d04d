"""Who of the partner may use delegated administration: a relationship's roles, given to security groups (GDAP).

A group has one assignment in a relationship, so a second one is refused and an answer that was lost is looked
for by the group. A change is the whole set of roles: what others gave is sent along, and nothing is taken away.
Microsoft Graph, delegatedAdminAccessAssignment (2024-02): POST answers `pending`, PATCH wants If-Match and
answers 202 with an operation, or 200 when nothing differs.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from reconciler.core.action import Action
from reconciler.core.delegated import access_address
from reconciler.core.errors import Rejected, Unavailable
from reconciler.core.manifest import DelegatedAdministration
from reconciler.core.model import Address, Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, Step, Stepped, StepRecord, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.graph import roles
from reconciler.providers.microsoft.graph.batch import says
from reconciler.providers.microsoft.graph.delegation import COMING, named, route
from reconciler.providers.microsoft.graph.wire import Assignment, Made, Operation, Relationship
from reconciler.providers.settle import last, not_changed, settled

PREFIX = access_address("")
THERE = frozenset({"pending", "active"})
ENDED = frozenset({"succeeded", "failed"})
"""States of an operation that is over."""


def is_access(action: Action) -> bool:
    """Whether an action is about the roles of a security group."""
    return action.address.startswith(PREFIX)


async def shown(
    partner: Api, wanted: DelegatedAdministration, found: Relationship | None, tenant_id: str
) -> dict[Address, Json]:
    """Read which groups have which roles, in the manifest's words; nothing while nobody can have any."""
    if found is None or not found.alive or not found.is_with(tenant_id):
        return {}
    there, given = await _all(partner, found.id), wanted.given()
    names: dict[str, str] = {}
    if wanted.access is not None and there:
        names = await roles.words(partner, (*wanted.roles, *(one for some in given.values() for one in some)))
    return {access_address(one.group): _shown(one, given.get(one.group, ()), names) for one in there}


async def reread(
    partner: Api, wanted: DelegatedAdministration, tenant_id: str, action: Action
) -> Json | None:
    """Read a group's roles again, in the terms that the plan compared."""
    found = await named(partner, wanted.name)
    if found is None or not found.alive or not found.is_with(tenant_id):
        return None
    there = await _of_group(partner, found.id, action)
    if there is None:
        return None
    names = await roles.words(partner, _asked(action))
    seen = _shown(there, _asked(action), names)
    return {key: seen.get(key, value) for key, value in (action.before or seen).items()}


async def give(
    partner: Api, wanted: DelegatedAdministration, tenant_id: str, action: Action
) -> AsyncGenerator[Told, None]:
    """Give a group its roles; one that has some gets the others as well."""
    found = await _usable(partner, wanted, tenant_id)
    asked = await _ids(partner, action)
    _delegated(found, asked, wanted)
    there = await _of_group(partner, found.id, action)
    if there is None:
        yield Step(name="access", data={"relationship": found.id, "group": _group(action)})
        ref = await _post(partner, found.id, action, asked)
        yield Stepped(name="access", ref=ref)
        yield _accepted(partner, found.id, ref, "pending")
        return
    if asked <= there.roles or there.status not in THERE:
        yield _outcome(partner, found.id, there)
        return
    yield Step(name="roles", data={"relationship": found.id, "assignment": there.id})
    body = {"accessDetails": _details(asked | there.roles)}
    await partner.do("PATCH", _route(found.id, there.id), body, headers={"If-Match": there.etag})
    yield Stepped(name="roles", ref=there.id)
    yield _accepted(partner, found.id, there.id, "updating")


async def poll(partner: Api, action: Action, ticket: str, steps: tuple[StepRecord, ...]) -> Outcome:
    """Ask whether a group's roles are in force."""
    relation, _, ref = ticket.partition("/")
    found = await partner.maybe(Assignment, _route(relation, ref))
    if found is None or found.status in {"deleting", "deleted"}:
        raise Rejected("the access assignment is gone", hint="plan again", code="no-access")
    if await _ids(partner, action) <= found.roles or found.status not in THERE:
        return _outcome(partner, relation, found)
    running = await _changing(partner, relation, ref)
    if running is None and (not steps or await settled(partner, last(steps))):
        raise not_changed(
            "the security group was to get its roles, and has not got them",
            look_at="the relationship in Partner Center",
        )
    return _accepted(partner, relation, ref, running or "updating")


async def find(
    partner: Api, wanted: DelegatedAdministration, tenant_id: str, action: Action
) -> Done | Accepted | Absent | Unknown:
    """Look for the effect: a second assignment of a group is refused, and the same roles twice are the same."""
    found = await named(partner, wanted.name)
    if found is None or not found.is_with(tenant_id):
        return Absent(why=f"there is no relationship {wanted.name!r}")
    there = await _of_group(partner, found.id, action)
    if there is None:
        return Absent(why="the security group has no roles in the relationship")
    if await _ids(partner, action) <= there.roles:
        return _outcome(partner, found.id, there)
    running = await _changing(partner, found.id, there.id)
    if running is not None:
        return _accepted(partner, found.id, there.id, running)
    return Absent(why="the security group lacks some of its roles")


async def _usable(partner: Api, wanted: DelegatedAdministration, tenant_id: str) -> Relationship:
    found = await named(partner, wanted.name)
    if found is not None and found.is_with(tenant_id):
        if found.alive:
            return found
        if found.status in COMING:
            raise Unavailable(f"relationship {wanted.name!r} is {found.status}", code="not-active")
    stands = "not there" if found is None else found.status
    raise Rejected(f"relationship {wanted.name!r} is {stands}", hint="plan again", code="not-active")


def _delegated(found: Relationship, asked: Iterable[str], wanted: DelegatedAdministration) -> None:
    """What the customer approved cannot be widened: another relationship has to be."""
    missing = sorted(set(asked) - found.access_details.roles)
    if missing:
        raise Rejected(
            f"relationship {wanted.name!r} does not delegate {', '.join(missing)}",
            hint="roles of a relationship cannot be changed once it was sent: write another `name:`, which the "
            "customer then approves",
            code="role-not-delegated",
        )


async def _post(partner: Api, relation: str, action: Action, asked: frozenset[str]) -> str:
    body = {
        "accessContainer": {"accessContainerId": _group(action), "accessContainerType": "securityGroup"},
        "accessDetails": _details(asked),
    }
    try:
        return (await partner.send(Made, "POST", _route(relation), body)).id
    except Rejected as error:
        there = await _of_group(partner, relation, action) if says(error, "conflict", "exists") else None
        if there is None:
            raise
        return there.id  # somebody was first


async def _all(partner: Api, relation: str) -> list[Assignment]:
    """The assignments of a relationship; of two of one group the one that is there comes last."""
    found = [one for one in await partner.values(Assignment, _route(relation)) if one.status != "deleted"]
    return sorted(found, key=lambda one: one.status in THERE)


async def _of_group(partner: Api, relation: str, action: Action) -> Assignment | None:
    found = [one for one in await _all(partner, relation) if one.group == _group(action)]
    return found[-1] if found else None


async def _changing(partner: Api, relation: str, ref: str) -> str | None:
    """How the newest change of an assignment stands while it is on its way; None when there is none.

    Raises Rejected when it failed.
    """
    operations = await partner.values(Operation, f"{route(relation)}/operations")
    mine = [one for one in operations if _about(one) == ref]
    newest = max(mine, key=lambda one: one.created_date_time, default=None)
    if newest is None or newest.status == "succeeded":
        return None
    if newest.status == "failed":
        raise Rejected(
            "Microsoft could not change the roles of the security group",
            hint="look at the relationship in Partner Center, then plan again",
            code="access-failed",
        )
    return newest.status


def _about(operation: Operation) -> str:
    try:
        data: Any = json.loads(operation.data)
    except (ValueError, RecursionError):
        return ""
    return str(data.get("id", "")) if isinstance(data, dict) else ""


def _outcome(partner: Api, relation: str, found: Assignment) -> Outcome:
    match found.status:
        case "active":
            return Done(ref=found.id, data={"relationship": relation, "assignment": found.id})
        case "deleting":
            raise Unavailable(
                "the security group's roles are being taken away",
                hint="plan again",
                code="not-active",
                retry_after=partner.settings.poll,
            )
        case "error":
            raise Rejected(
                "Microsoft could not give the security group its roles",
                hint="take the group out of the relationship in Partner Center, then apply again",
                code="access-failed",
            )
    return _accepted(partner, relation, found.id, found.status)


def _accepted(partner: Api, relation: str, ref: str, status: str) -> Accepted:
    return Accepted(
        ticket=f"{relation}/{ref}",
        ask_again_after=partner.settings.poll,
        status=status,
        data={"relationship": relation, "assignment": ref},
    )


def _shown(found: Assignment, asked: Iterable[str], names: Json) -> Json:
    """What a group has: the asked roles among its own, as they are written, and the others."""
    has = {str(names.get(one, one)) for one in found.roles}
    there, written = {one.casefold() for one in has}, {one.casefold() for one in asked}
    others = sorted(one for one in has if one.casefold() not in written)
    mine = [one for one in asked if one.casefold() in there]
    return {"roles": mine, "status": found.status, "others": others, "ref": found.id}


async def _ids(partner: Api, action: Action) -> frozenset[str]:
    return frozenset(await roles.ids(partner, _asked(action)))


def _asked(action: Action) -> tuple[str, ...]:
    return tuple((action.after or {}).get("roles", ()))


def _details(wanted: Iterable[str]) -> Json:
    return {"unifiedRoles": [{"roleDefinitionId": one} for one in sorted(wanted)]}


def _group(action: Action) -> str:
    return action.address.removeprefix(PREFIX)


def _route(relation: str, ref: str = "") -> str:
    return f"{route(relation)}/accessAssignments" + (path(ref) if ref else "")
