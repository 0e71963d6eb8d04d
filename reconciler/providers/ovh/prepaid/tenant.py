"""One tenant's prepaid groups: reading them, and which of the adapter's parts does which action."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.errors import ProviderError
from reconciler.core.manifest import OfficeAttach
from reconciler.core.model import Holding, Json, Organisation
from reconciler.core.provider import Absent, Accepted, Attempt, Done, Outcome, StepRecord, Told, Unknown
from reconciler.providers.ovh import attach, batches
from reconciler.providers.ovh.api import refused
from reconciler.providers.ovh.prepaid import groups, people
from reconciler.providers.ovh.prepaid.account import ROOT, PrepaidAccount
from reconciler.providers.ovh.wire import Tenant


class PrepaidTenant:
    """One tenant's part of an account's prepaid seats."""

    def __init__(
        self, account: PrepaidAccount, name: str, scope: str | None, exchange: OfficeAttach | None = None
    ) -> None:
        self.account = account
        self.name = name
        self.scope = scope
        self.exchange = exchange

    async def read(self, refs: frozenset[str]) -> tuple[Holding, ...]:
        """Read these services in full: seats, people, dates, notices."""
        found: list[Holding] = []
        for service in sorted(refs):
            names = await self.account.view(service, uncached=True)
            records = await self.account.records([*names, *self.account.over(service)])
            holdings = self.account.holdings(service, records)
            if names:
                holdings = await self._dressed(names[0], holdings)
            found += holdings
        return tuple(found)

    async def organisation(self) -> Organisation | None:
        """Read what Office Attach needs to know, where the manifest writes it; else nothing is asked."""
        return await attach.read(self.account.api, self.exchange, quote=attach.business(self.account.quote))

    async def reread(self, action: Action) -> Json | None:
        """Read the action's object right before the write."""
        if action.verb in {Verb.ACTIVATE, Verb.DEACTIVATE} or people.is_person(action):
            return await people.reread(self.account, action)
        return await groups.reread(self.account, action)

    def execute(self, action: Action, attempt: Attempt) -> AsyncGenerator[Told, None]:
        """Carry an action out."""
        match action.verb:
            case Verb.ACTIVATE:
                return people.activate(self.account, action, attempt)
            case Verb.DEACTIVATE:
                return people.deactivate(self.account, action)
            case Verb.UPDATE if people.is_person(action):
                return people.update(self.account, action)
            case Verb.UPDATE | Verb.CANCEL:
                return groups.renew(self.account, action)
            case Verb.ORDER | Verb.RESIZE:
                return groups.resize(self.account, action, tenant=self.name)
        return refused(f"OVHcloud's prepaid groups cannot {action.verb} {action.address}")

    async def poll(self, action: Action, ticket: str, steps: tuple[StepRecord, ...]) -> Outcome:
        """Ask how far an action is."""
        if action.verb in {Verb.ACTIVATE, Verb.DEACTIVATE} or people.is_person(action):
            return await people.poll(self.account, action, ticket, steps)
        return await groups.poll(self.account, action, ticket)

    async def find(
        self, action: Action, steps: tuple[StepRecord, ...], since: datetime
    ) -> Done | Accepted | Absent | Unknown:
        """Look whether an action whose answer nobody has took effect."""
        if action.verb in {Verb.ACTIVATE, Verb.DEACTIVATE} or people.is_person(action):
            return await people.find(self.account, action, steps, since)
        return await groups.find(self.account, action, steps, since)

    async def _dressed(self, seat: str, holdings: list[Holding]) -> list[Holding]:
        """Add what the tenant behind the seats says; nothing depends on it, so a failure only leaves it out."""
        api = self.account.api
        notices: list[str] = []
        name = ""
        try:
            tenant = await batches.one(api, ROOT, Tenant, seat, suffix="/parentTenant")
            name = tenant.display_name
            if tenant.mca_agreed is False:
                notices.append("the Microsoft Customer Agreement is not accepted")
            if tenant.status != "ok":
                notices.append(f"the service is {tenant.status}")
            tasks = set(await batches.numbers(api, ROOT, seat, suffix="/tenantPendingTask"))
            theirs = {place.task for one in holdings for place in one.places}
            notices += [f"task {task} is open" for task in sorted(tasks - theirs)]
        except ProviderError:
            pass
        return [replace(one, name=name, notices=(*one.notices, *notices)) for one in holdings]
