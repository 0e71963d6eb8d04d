"""One tenant's directory as a provider has it: which of the adapter's parts does which action."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected, Unavailable
from reconciler.core.manifest import DelegatedAdministration
from reconciler.core.manifest import Tenant as Manifest
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, StepRecord, Told, Unknown
from reconciler.providers.microsoft.graph import delegation, domains, licences, people, rights
from reconciler.providers.microsoft.graph.directory import Directory
from reconciler.providers.microsoft.graph.look import Look

LICENCES = frozenset({Verb.ACTIVATE, Verb.DEACTIVATE})


def is_ours(action: Action) -> bool:
    """Whether an action is the directory's to do: people, their licences, domains, delegated rights."""
    return (
        action.verb in LICENCES
        or people.is_person(action)
        or domains.is_domain(action)
        or _is_partners(action)
    )


def _is_partners(action: Action) -> bool:
    """Whether an action is about the partner's rights, which stand in the partner's own directory."""
    return delegation.is_delegation(action) or rights.is_access(action)


class DirectoryTenant:
    """A tenant's people, licences, domains and delegated rights.

    Nothing is written before the directory was found to be the one that the manifest pins.
    """

    def __init__(self, directory: Directory, manifest: Manifest) -> None:
        self.directory = directory
        self.manifest = manifest

    async def look(self) -> Look:
        """Read the directory, uncached."""
        return await self.directory.look(self.manifest)

    async def opened(self, action: Action) -> None:
        """Make sure of the directory; rights are asked for in the partner's own, before the customer's opens.

        Raises Rejected when it is another one than is pinned, Unavailable until the customer has opened it.
        """
        if _is_partners(action):
            return
        closed = await self.directory.closed(self.manifest)
        if closed:
            raise Unavailable(closed, hint="the customer approves tenant/delegation first", code="closed")

    async def reread(self, action: Action, sku: str) -> Json | None:
        """Read the action's object right before the write; `sku` is the product, where it is about a licence."""
        await self.opened(action)
        if action.verb in LICENCES:
            return await licences.reread(self.directory, action, sku)
        if people.is_person(action):
            return await people.reread(self.directory, action)
        if domains.is_domain(action):
            return await domains.reread(self.directory.api, action)
        partner, tenant_id = self.directory.partner, self.directory.tenant_id
        if rights.is_access(action):
            return await rights.reread(partner, self._delegated(), tenant_id, action)
        return await delegation.reread(partner, self._delegated(), tenant_id, action)

    async def execute(self, action: Action, sku: str) -> AsyncGenerator[Told, None]:
        """Carry an action out."""
        await self.opened(action)
        async with aclosing(self._parts(action, sku)) as parts:
            async for told in parts:
                yield told

    async def poll(self, action: Action, ticket: str, sku: str, steps: tuple[StepRecord, ...]) -> Outcome:
        """Ask how far an action is."""
        if action.verb in LICENCES:
            return await licences.poll(self.directory, action, sku, steps)
        if people.is_person(action):
            return await people.poll(self.directory, action, steps)
        if domains.is_domain(action):
            return await domains.poll(self.directory.api, action)
        if rights.is_access(action):
            return await rights.poll(self.directory.partner, action, ticket, steps)
        return await delegation.poll(self.directory.partner, ticket)

    async def find(self, action: Action, sku: str) -> Done | Accepted | Absent | Unknown:
        """Look whether an action whose answer nobody has took effect."""
        if action.verb in LICENCES:
            return await licences.find(self.directory, action, sku)
        if people.is_person(action):
            return await people.find(self.directory, action)
        if domains.is_domain(action):
            return await domains.find(self.directory.api, action)
        partner, tenant_id = self.directory.partner, self.directory.tenant_id
        if rights.is_access(action):
            return await rights.find(partner, self._delegated(), tenant_id, action)
        return await delegation.find(partner, self._delegated(), tenant_id)

    def _parts(self, action: Action, sku: str) -> AsyncGenerator[Told, None]:
        match action.verb:
            case Verb.ACTIVATE:
                return licences.assign(self.directory, action, sku)
            case Verb.DEACTIVATE:
                return licences.take(self.directory, action, sku)
            case Verb.CREATE_USER:
                return people.create(self.directory, action)
            case Verb.DELETE_USER:
                return people.delete(self.directory, action)
            case Verb.UPDATE if people.is_person(action):
                return people.update(self.directory, action)
            case Verb.UPDATE if domains.is_domain(action):
                return domains.add(self.directory.api, action)
        partner, tenant_id = self.directory.partner, self.directory.tenant_id
        if rights.is_access(action):
            return rights.give(partner, self._delegated(), tenant_id, action)
        return delegation.offer(partner, self._delegated(), tenant_id)

    def _delegated(self) -> DelegatedAdministration:
        wanted = self.manifest.delegated_administration
        if wanted is None:
            raise Rejected(
                f"{self.manifest.tenant} writes no delegated_administration any more",
                hint="plan again",
                code="not-written",
            )
        return wanted
