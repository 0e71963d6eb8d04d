"""One tenant's pay-as-you-go groups: reading them, and which of the adapter's parts does which action."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Missing, ProviderError, Rejected, Unavailable
from reconciler.core.manifest import OfficeAttach
from reconciler.core.model import Holding, Json, Organisation
from reconciler.core.provider import Absent, Accepted, Attempt, Done, Outcome, StepRecord, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.ovh import attach, batches, lists
from reconciler.providers.ovh.api import refused
from reconciler.providers.ovh.payg import groups, people
from reconciler.providers.ovh.payg.account import ROOT, PaygAccount
from reconciler.providers.ovh.payg.holdings import holdings
from reconciler.providers.ovh.wire import Member, Service, Task, Tenant


class PaygTenant:
    """One tenant's part of an account's pay-as-you-go groups."""

    def __init__(
        self, account: PaygAccount, name: str, scope: str | None, exchange: OfficeAttach | None = None
    ) -> None:
        self.account = account
        self.api = account.api
        self.name = name
        self.scope = scope
        self.exchange = exchange

    async def read(self, refs: frozenset[str]) -> tuple[Holding, ...]:
        """Read these services in full: people, domain, dates, open tasks."""
        parts = await asyncio.gather(*(self._service(service) for service in sorted(refs)))
        return tuple(one for part in parts for one in part)

    async def organisation(self) -> Organisation | None:
        """Read what Office Attach needs to know, where the manifest writes it; else nothing is asked."""
        return await attach.read(self.account.api, self.exchange, quote=attach.business(self.account.quote))

    async def reread(self, action: Action) -> Json | None:
        """Read the action's object right before the write."""
        if people.is_person(action):
            return await people.reread(self.api, action)
        return await groups.reread(self.api, action)

    def execute(self, action: Action, attempt: Attempt) -> AsyncGenerator[Told, None]:  # noqa: ARG002 - keys tell what was done
        """Carry an action out."""
        match action.verb:
            case Verb.ACTIVATE:
                return people.activate(self.api, action)
            case Verb.DEACTIVATE:
                return people.deactivate(self.api, action)
            case Verb.UPDATE if people.is_person(action):
                return people.update(self.api, action)
            case Verb.UPDATE if action.renames:
                return groups.rename(self.api, action)
            case Verb.UPDATE | Verb.CANCEL:
                return groups.renew(self.api, action)
        return refused(f"OVHcloud's pay-as-you-go groups cannot {action.verb} {action.address}")

    async def poll(self, action: Action, ticket: str, steps: tuple[StepRecord, ...]) -> Outcome:
        """Ask how far an action is."""
        if action.renames:
            return await groups.poll(self.api, action, steps)
        return await people.poll(self.api, action, ticket, steps)

    async def find(
        self, action: Action, steps: tuple[StepRecord, ...], since: datetime
    ) -> Done | Accepted | Absent | Unknown:
        """Look whether an action whose answer nobody has took effect."""
        if people.is_person(action):
            return await people.find(self.api, action, steps, since)
        if action.renames:
            return await groups.find(self.api, action, steps)
        return Absent(why="what ends already is not ended again, so it is safe to go on")

    async def _service(self, service: str) -> list[Holding]:
        # Asked at the same moment, so that every tenant's questions of one kind go out together.
        tenant, shown, record, domains, tasks = await asyncio.gather(
            self._tenant(service),
            batches.together(self.api, ROOT, list[str | int], [service], suffix="/user"),
            self._record(service),
            self._domains(service),
            self._tasks(service),
        )
        if tenant is None or tenant.service_type == "prepaid":
            return []  # a prepaid one's seats are services of their own, and another adapter's
        if not domains:
            # Logins hang on it: with a wrong one everybody would seem to be gone, and others to come.
            raise Unavailable(f"the domains of {service} cannot be read", code="no-domain")
        found = await lists.listing(
            self.api,
            f"{ROOT}{path(service)}/user",
            Member,
            key=lambda one: one.activation_email,
            shown=[str(one) for one in shown.get(service, ())],
        )
        return list(
            holdings(
                tenant,
                found,
                record,
                service=service,
                domains=domains,
                notices=await self._notices(service, tenant, tasks, found.whole()),
            )
        )

    async def _tenant(self, service: str) -> Tenant | None:
        try:
            return await batches.one(self.api, ROOT, Tenant, service)
        except Missing:
            return None

    async def _record(self, service: str) -> Service | None:
        try:
            return await batches.one(self.api, ROOT, Service, service, suffix="/serviceInfos")
        except Rejected:
            return None

    async def _domains(self, service: str) -> list[str]:
        try:
            names = await batches.one(self.api, ROOT, list[str], service, suffix="/domain")
            return names or await lists.ids(self.api, f"{ROOT}{path(service)}/domain")
        except Missing:
            return []
        except Rejected as error:
            raise Unavailable(error.message, hint=error.hint, code=error.code) from error

    async def _tasks(self, service: str) -> list[str]:
        try:
            return await batches.numbers(self.api, ROOT, service, suffix="/pendingTask")
        except ProviderError:
            return []  # tasks only explain; the people's own state decides

    async def _notices(
        self, service: str, tenant: Tenant, tasks: list[str], members: dict[str, Member]
    ) -> tuple[str, ...]:
        said: list[str] = []
        if tenant.mca_agreed is False:
            said.append("the Microsoft Customer Agreement is not accepted")
        if tenant.status != "ok":
            said.append(f"the service is {tenant.status}")
        theirs = {str(one.task_pending_id) for one in members.values()}
        for number in tasks:
            if number in theirs:
                continue
            try:
                task = await self.api.maybe(Task, f"{ROOT}{path(service)}/pendingTask{path(number)}")
            except ProviderError:
                break
            if task is not None and task.open:
                said.append(f"task {number} is open ({task.function})")
        return tuple(said)
