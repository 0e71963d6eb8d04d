"""One reseller tenant: reading its subscriptions, and which of the adapter's parts does which action."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Container
from datetime import datetime
from typing import Any

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected
from reconciler.core.model import Holding, Json, Organisation, setting_address
from reconciler.core.provider import (
    Absent,
    Accepted,
    Attempt,
    Done,
    Outcome,
    Step,
    Stepped,
    StepRecord,
    Told,
    Unknown,
)
from reconciler.providers.http import path
from reconciler.providers.ovh import batches
from reconciler.providers.ovh.api import refused
from reconciler.providers.ovh.csp2 import subscriptions
from reconciler.providers.ovh.csp2.account import ROOT, Csp2Account
from reconciler.providers.ovh.wire import Tenant

TENANT_FIELDS = {"name": "displayName", "mpn_id": "mpnId"}
"""What of the tenant itself can be changed, as an action and as the API spell it."""

MODEL = frozenset(
    {
        "address",
        "city",
        "creationDate",
        "displayName",
        "email",
        "firstName",
        "hasAcceptedNewMCA",
        "lastName",
        "mpnId",
        "mpnIssueFlag",
        "phone",
        "serviceName",
        "status",
        "zipCode",
    }
)
"""The fields of `saas.csp2.OfficeTenant`, which a change sends whole (api.ovh.com/1.0/saas/csp2.json, 2026-08).

Reading gives more than these, which a change does not take.
"""
MPN_ID = setting_address("mpn-id")


class Csp2Tenant:
    """One reseller tenant's part of an account."""

    def __init__(self, account: Csp2Account, name: str, scope: str | None) -> None:
        self.account = account
        self.name = name
        self.scope = scope or ""

    async def read(self, refs: frozenset[str]) -> tuple[Holding, ...]:
        """Read these subscriptions in full, with the add-ons that hang on them."""
        found = await self.account.read(self.scope, refs)
        there = {one.ref for one in found}
        return tuple(await asyncio.gather(*(self._with_addons(one, there) for one in found)))

    async def organisation(self) -> Organisation | None:
        """Read the partner id; what the snapshot has just read is not read again."""
        if not self.scope:
            return None
        return Organisation(settings={MPN_ID: {"mpn_id": await self.account.partner_id(self.scope)}})

    async def reread(self, action: Action) -> Json | None:
        """Read the action's object right before the write."""
        if _is_tenant(action):
            return None if action.before is None else await self._shown(self._scope(action), action.before)
        return await subscriptions.reread(self.account, self._scope(action), action)

    def execute(self, action: Action, attempt: Attempt) -> AsyncGenerator[Told, None]:  # noqa: ARG002 - state tells what was done
        """Carry an action out."""
        scope = self._scope(action)
        match action.verb:
            case Verb.ORDER:
                return subscriptions.order(self.account, scope, action)
            case Verb.RESIZE:
                return subscriptions.resize(self.account, scope, action)
            case Verb.CANCEL:
                return subscriptions.cancel(self.account, scope, action)
            case Verb.UPDATE if _is_tenant(action):
                return self._update(scope, action)
        return refused(f"OVHcloud's reseller tenants cannot {action.verb} {action.address}")

    async def poll(self, action: Action, ticket: str, steps: tuple[StepRecord, ...]) -> Outcome:
        """Ask how far an action is."""
        return await subscriptions.poll(self.account, self._scope(action), action, ticket, steps)

    async def find(
        self, action: Action, steps: tuple[StepRecord, ...], since: datetime
    ) -> Done | Accepted | Absent | Unknown:
        """Look whether an action whose answer nobody has took effect."""
        if _is_tenant(action):
            return await self._find_update(self._scope(action), action)
        return await subscriptions.find(self.account, self._scope(action), action, steps, since)

    def _scope(self, action: Action) -> str:
        return str(action.detail.get("scope") or self.scope)

    async def _update(self, scope: str, action: Action) -> AsyncGenerator[Told, None]:
        after = action.after or {}
        changed = {TENANT_FIELDS[key]: after[key] for key in TENANT_FIELDS if key in after}
        read = await self.account.api.get(dict[str, Any], f"{ROOT}{path(scope)}")
        self.account.partners.pop(scope, None)
        yield Step(name="tenant", data={"fields": sorted(changed)})
        whole = {key: value for key, value in read.items() if key in MODEL} | changed
        await self.account.api.do("PUT", f"{ROOT}{path(scope)}", whole)
        yield Stepped(name="tenant", ref=scope)
        yield Done(ref=scope)

    async def _find_update(self, scope: str, action: Action) -> Done | Absent:
        after = {key: value for key, value in (action.after or {}).items() if key in TENANT_FIELDS}
        if await self._shown(scope, after) == after:
            return Done(ref=scope)
        return Absent(why="the tenant is unchanged, and the same values again do no harm")

    async def _shown(self, scope: str, fields: Json) -> Json:
        tenant = await self.account.api.get(Tenant, f"{ROOT}{path(scope)}")
        found = {"name": tenant.display_name, "mpn_id": tenant.mpn_id}
        return {key: found.get(key, value) for key, value in fields.items()}

    async def _with_addons(self, holding: Holding, there: Container[str]) -> Holding:
        """Name the add-on subscriptions: those that are there end with it. None where they are not told."""
        route = f"{ROOT}{path(holding.scope)}/subscription"
        try:
            addons = await batches.numbers(
                self.account.api, route, holding.ref, suffix="/addonsSubscriptionIds"
            )
        except Rejected:
            return holding
        said = tuple(f"subscription {number} is an add-on of {holding.ref}" for number in addons)
        ending = tuple(number for number in addons if number in there)
        return replace(holding, notices=(*holding.notices, *said), addons=ending)


def _is_tenant(action: Action) -> bool:
    return action.verb is Verb.UPDATE and bool(TENANT_FIELDS.keys() & (action.after or {}).keys())
