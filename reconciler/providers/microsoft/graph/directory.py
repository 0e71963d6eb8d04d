"""One customer's directory: reading all of it once, and whose it is, which is asked before anything is written."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from reconciler.core.errors import ProviderError, Rejected
from reconciler.core.manifest import DelegatedAdministration
from reconciler.core.manifest import Tenant as Manifest
from reconciler.core.model import Address, Json
from reconciler.providers.http import path
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.graph import delegation, domains, rights
from reconciler.providers.microsoft.graph.batch import together
from reconciler.providers.microsoft.graph.look import Look
from reconciler.providers.microsoft.graph.wire import (
    BIN_FIELDS,
    USER_FIELDS,
    Domain,
    GroupName,
    Organization,
    Relationship,
    Sku,
    User,
)

PAGE = "999"
"""The most users a page may hold (Graph, "List users", 2021-07)."""

NOT_ACCEPTED = frozenset({"AADSTS700016", "AADSTS65001", "AADSTS7000229"})
"""How the login says that the application is unknown in a directory, or nobody there agreed to it.

From Microsoft's list of its sign-in errors (2026-08): not found in the directory, no consent, no service principal.
"""


class Directory:
    """A directory by its id, under a token of its own; `partner` is the partner's, where rights are asked for."""

    def __init__(self, tenant_id: str, api: Api, partner: Api) -> None:
        self.tenant_id = tenant_id.lower()
        self.api = api
        self.partner = partner
        self._checked: asyncio.Task[Organization] | None = None

    async def check(self) -> Organization:
        """Make sure that the token opens the directory that the manifest pins; asked once, as ids never change.

        Raises Rejected, naming both, when it is somebody else's.
        """
        if self._checked is None or _failed(self._checked):
            self._checked = asyncio.create_task(self._check())
        return await asyncio.shield(self._checked)

    async def closed(self, manifest: Manifest) -> str:
        """Say why the directory is closed to us, where the manifest asks for the rights that open it.

        Raises what `check` raises when it is no question of the customer's consent.
        """
        if not self.tenant_id:
            return "waits until the customer of tenant/customer is created: the directory comes with it"
        try:
            await self.check()
        except Rejected as error:
            if error.code not in NOT_ACCEPTED or manifest.delegated_administration is None:
                raise
            return f"the customer has not accepted the partner's administration yet ({error.code})"
        return ""

    async def look(self, manifest: Manifest) -> Look:
        """Read everything that a plan for this tenant compares; a part that cannot be read fails the whole."""
        wanted = manifest.delegated_administration
        closed = await self.closed(manifest)
        if closed:
            asked, access = await self._rights(wanted if self.tenant_id else None)
            return Look(relationship=asked, access=access, tenant_id=self.tenant_id, closed=closed)
        organization, users, binned, skus, found, (asked, access) = await asyncio.gather(
            self.check(),
            self.users(),
            self.api.values(User, "/directory/deletedItems/microsoft.graph.user", _page(BIN_FIELDS)),
            self.skus(),
            self._domains(manifest),
            self._rights(wanted),
        )
        groups, notices = await asyncio.gather(
            self._groups(users), domains.notices(self.api, found, manifest.domains)
        )
        return Look(
            users=tuple(users),
            binned=tuple(binned),
            skus=tuple(skus),
            groups=groups,
            domains=tuple(found),
            relationship=asked,
            access=access,
            tenant_id=self.tenant_id,
            domain=organization.domain,
            notices=notices,
        )

    async def users(self) -> list[User]:
        """Read everybody, with their licences, in the largest pages there are."""
        return await self.api.values(User, "/users", _page(USER_FIELDS))

    async def skus(self) -> list[Sku]:
        """Read what the directory has to assign."""
        return await self.api.values(Sku, "/subscribedSkus")

    async def user(self, key: str) -> User | None:
        """Read one person by id or login, uncached; None when there is nobody, or only in the bin."""
        return await self.api.maybe(User, f"/users{path(key)}", {"$select": USER_FIELDS})

    async def _check(self) -> Organization:
        query = {"$select": "id,displayName,verifiedDomains"}
        found = await self.api.values(Organization, "/organization", query)
        if [one.id for one in found] == [self.tenant_id]:
            return found[0]
        shown = ", ".join(f"{one.id} ({one.display_name})" for one in found) or "no directory"
        raise Rejected(
            f"the manifest pins directory {self.tenant_id}, and the credentials open {shown}",
            hint="correct `tenant_id:` under `directory:`, or the account's credentials",
            code="wrong-directory",
        )

    async def _domains(self, manifest: Manifest) -> list[Domain]:
        return await self.api.values(Domain, "/domains") if manifest.domains else []

    async def _rights(
        self, wanted: DelegatedAdministration | None
    ) -> tuple[Relationship | None, Mapping[Address, Json]]:
        """Read the partner's rights in the directory, and who of the partner has them."""
        if wanted is None:
            return None, {}
        found = await delegation.named(self.partner, wanted.name)
        return found, await rights.shown(self.partner, wanted, found, self.tenant_id)

    async def _groups(self, users: Iterable[User]) -> dict[str, str]:
        """Name the groups that give licences; they only explain, so one that cannot be read stays an id."""
        states = (state.assigned_by_group for one in users for state in one.license_assignment_states)
        ids = sorted({one for one in states if one})
        routes = {f"/groups{path(one)}?$select=id,displayName": one for one in ids}
        try:
            named = await together(self.api, GroupName, list(routes))
        except ProviderError:
            return {}
        return {routes[route]: one.display_name for route, one in named.items() if one.display_name}


def _page(fields: str) -> dict[str, str]:
    return {"$select": fields, "$top": PAGE}


def _failed(task: asyncio.Task[Organization]) -> bool:
    return task.done() and (task.cancelled() or task.exception() is not None)
