"""Delegated administration (GDAP): rights of the partner that the customer's administrator has to approve.

Relationships stand in the partner's own directory and are known by their name, of which a partner has one.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from reconciler.core.action import Action
from reconciler.core.errors import Rejected
from reconciler.core.manifest import DelegatedAdministration
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, Step, Stepped, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.graph.look import DELEGATION, standing
from reconciler.providers.microsoft.graph.roles import ids
from reconciler.providers.microsoft.graph.wire import Made, Relationship

ROOT = "/tenantRelationships/delegatedAdminRelationships"
APPROVAL = "https://admin.microsoft.com/AdminPortal/Home#/partners/invitation/granularAdminRelationships/"

COMING = frozenset({"approved", "activating"})


def is_delegation(action: Action) -> bool:
    """Whether an action is about the partner's rights in the tenant."""
    return action.address == DELEGATION


async def named(partner: Api, name: str) -> Relationship | None:
    """Read the relationship of that name; None when there is none."""
    # Filtered here: what `$filter` may ask of relationships differs between the documented versions.
    found = await partner.values(Relationship, ROOT)
    alike = [one for one in found if one.display_name.casefold() == name.casefold()]
    return next((one for one in alike if one.alive), alike[-1] if alike else None)


async def reread(
    partner: Api, wanted: DelegatedAdministration, tenant_id: str, action: Action
) -> Json | None:
    """Read the relationship again, in the terms that the plan compared."""
    found = await named(partner, wanted.name)
    if found is None:
        return None
    shown = standing(found, tenant_id)
    return {key: shown.get(key, value) for key, value in (action.before or shown).items()}


async def offer(partner: Api, wanted: DelegatedAdministration, tenant_id: str) -> AsyncGenerator[Told, None]:
    """Create the relationship and lock it, so that the customer can approve it."""
    found = await named(partner, wanted.name)
    _same_customer(found, tenant_id, wanted)
    if found is None:
        body = await _body(partner, wanted, tenant_id)
        yield Step(name="relationship", data={"name": wanted.name, "directory": tenant_id})
        found = await partner.send(Relationship, "POST", ROOT, body)
        yield Stepped(name="relationship", ref=found.id)
    if found.status == "created":
        yield Step(name="lock", data={"relationship": found.id})
        made = await partner.send(Made, "POST", f"{route(found.id)}/requests", {"action": "lockForApproval"})
        yield Stepped(name="lock", ref=made.id)
        yield _approve(partner, found.id, "approvalPending")
        return
    yield _outcome(partner, found)


async def poll(partner: Api, ticket: str) -> Outcome:
    """Ask whether the customer has approved it."""
    return _outcome(partner, await partner.get(Relationship, route(ticket)))


async def find(
    partner: Api, wanted: DelegatedAdministration, tenant_id: str
) -> Done | Accepted | Absent | Unknown:
    """Look for a relationship whose creation or locking was not answered; its name is taken only once."""
    found = await named(partner, wanted.name)
    _same_customer(found, tenant_id, wanted)
    if found is None:
        return Absent(why=f"there is no relationship {wanted.name!r}")
    if found.status == "created":
        return Absent(why=f"relationship {wanted.name!r} is not sent for approval yet")
    return _outcome(partner, found)


async def _body(partner: Api, wanted: DelegatedAdministration, tenant_id: str) -> Mapping[str, Any]:
    return {
        "displayName": wanted.name,
        "duration": wanted.duration,
        "customer": {"tenantId": tenant_id},
        "accessDetails": {
            "unifiedRoles": [{"roleDefinitionId": one} for one in await _roles(partner, wanted.roles)]
        },
        "autoExtendDuration": "PT0S",  # off, as in Microsoft's own portal
    }


async def _roles(partner: Api, wanted: tuple[str, ...]) -> list[str]:
    if not wanted:
        raise Rejected("no role is to be delegated", hint="write `roles:` under `delegated_administration:`")
    return await ids(partner, wanted)


def _same_customer(found: Relationship | None, tenant_id: str, wanted: DelegatedAdministration) -> None:
    if found is None or found.is_with(tenant_id):
        return
    raise Rejected(
        f"relationship {wanted.name!r} is with directory {found.customer.tenant_id}, not with {tenant_id}",
        hint="write another `name:` under `delegated_administration:`: a partner has each name once",
        code="name-taken",
    )


def _outcome(partner: Api, found: Relationship) -> Outcome:
    if found.alive:
        return Done(ref=found.id, data={"relationship": found.id})
    if found.status in COMING:
        return Accepted(
            ticket=found.id,
            ask_again_after=partner.settings.poll,
            status=found.status,
            data={"relationship": found.id},
        )
    if found.status in {"approvalPending", "created"}:
        return _approve(partner, found.id, found.status)
    raise Rejected(
        f"relationship {found.display_name!r} is {found.status}",
        hint="write another `name:` under `delegated_administration:` and apply again",
        code="relationship-over",
    )


def _approve(partner: Api, ref: str, status: str) -> Accepted:
    return Accepted(
        ticket=ref,
        ask_again_after=partner.settings.poll,
        waiting_on="person",
        status=status,
        instructions=f"a Global Administrator of the customer opens {APPROVAL}{ref} and approves",
        data={"relationship": ref},
    )


def route(ref: str) -> str:
    """Where a relationship stands."""
    return f"{ROOT}{path(ref)}"
