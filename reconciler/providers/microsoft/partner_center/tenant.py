"""One customer of a partner: reading it, and which of the adapter's parts does which action."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected
from reconciler.core.manifest import Tenant as Manifest
from reconciler.core.model import Address, Holding, Json, Organisation, setting_address
from reconciler.core.provider import Absent, Accepted, Attempt, Done, Outcome, StepRecord, Told, Unknown
from reconciler.providers.microsoft.partner_center import agreement, changes, customers, orders
from reconciler.providers.microsoft.partner_center.account import PartnerCenterAccount
from reconciler.providers.microsoft.partner_center.agreement import AGREEMENT

CUSTOMER = setting_address("customer")
_CHANGES = frozenset({Verb.RESIZE, Verb.SCHEDULE, Verb.CANCEL})


class PartnerCenterTenant:
    """One customer's part of a partner's account."""

    def __init__(self, account: PartnerCenterAccount, manifest: Manifest) -> None:
        self.account = account
        self.manifest = manifest
        self.scope = manifest.service or ""

    async def read(self, refs: frozenset[str]) -> tuple[Holding, ...]:
        """Read these subscriptions in full."""
        return await self.account.read(await self._customer() or "", refs)

    async def organisation(self) -> Organisation | None:
        """Tell whether the customer is there, and whether it may buy."""
        scope = await self._customer()
        if not scope:
            return Organisation()
        accepted, (awaits, unready) = await asyncio.gather(
            customers.accepted(self.account, scope), customers.review(self.account, scope)
        )
        settings: dict[Address, Json] = {AGREEMENT: {"accepted": accepted}}
        if self.manifest.customer is not None:
            settings[CUSTOMER] = {"domain": (await customers.read(self.account, scope)).domain}
        return Organisation(ref=scope, settings=settings, unready=unready, awaits=awaits)

    async def reread(self, action: Action) -> Json | None:
        """Read the action's object right before the write."""
        if action.address == CUSTOMER:
            domain = str(action.detail["customer"]["domain"]).lower()
            found = await customers.by_domain(self.account, domain)
            return {"domain": found.domain} if found else None
        if action.address == AGREEMENT:
            return action.before  # nothing is written, so nothing has to be as it was
        return await changes.reread(self.account, self._scope(action), action)

    def execute(self, action: Action, attempt: Attempt) -> AsyncGenerator[Told, None]:
        """Carry an action out."""
        scope = self._scope(action)
        match action.verb:
            case Verb.UPDATE if action.address == CUSTOMER:
                return customers.create(self.account, action, attempt)
            case _ if not scope:
                return _refused(
                    f"{action.address} has no customer yet", hint="write `service:` or `customer:`"
                )
            case Verb.UPDATE if action.address == AGREEMENT:
                return agreement.ask(self.account, scope, action)
            case Verb.ORDER:
                return orders.order(self.account, scope, action, attempt)
            case Verb.UPDATE if action.detail.get("renewal"):
                return changes.change(self.account, scope, action, attempt)
            case verb if verb in _CHANGES:
                return changes.change(self.account, scope, action, attempt)
        return _refused(f"Partner Center cannot {action.verb} {action.address}")

    async def poll(self, action: Action, ticket: str, steps: tuple[StepRecord, ...]) -> Outcome:
        """Ask how far an action is."""
        scope = self._scope(action)
        if action.address == CUSTOMER:
            return customers.created(ticket)
        if action.address == AGREEMENT:
            return await agreement.poll(self.account, scope, action)
        if action.verb is Verb.ORDER:
            return await orders.poll(self.account, scope, ticket)
        return await changes.poll(self.account, scope, action, steps)

    async def find(
        self, action: Action, steps: tuple[StepRecord, ...], since: datetime
    ) -> Done | Accepted | Absent | Unknown:
        """Look whether an action whose answer nobody has took effect."""
        scope = self._scope(action)
        if action.address == CUSTOMER:
            return await customers.find(self.account, action, steps)
        if action.address == AGREEMENT:
            return await agreement.poll(self.account, scope, action)
        if action.verb is Verb.ORDER:
            return await orders.find(self.account, scope, steps, since)
        return await changes.find(self.account, scope, action, steps)

    async def _customer(self) -> str:
        """The customer: as written, else the partner's customer with the domain that is written."""
        if not self.scope and self.manifest.customer is not None:
            found = await customers.by_domain(self.account, self.manifest.customer.domain.lower())
            self.scope = found.id if found else ""
        return self.scope

    def _scope(self, action: Action) -> str:
        return str(action.detail.get("scope") or self.scope)


async def _refused(message: str, *, hint: str = "") -> AsyncGenerator[Told, None]:
    """Be the execution of an action that Partner Center does not know."""
    raise Rejected(message, hint=hint, code="not-supported")
    yield  # makes it a generator, as every execution is one
