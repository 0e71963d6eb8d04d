"""An account's reseller tenants: their subscriptions, and which licences each may buy."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from reconciler.core.errors import Missing, ProviderError, Rejected, Unavailable
from reconciler.core.manifest import Tenant as Manifest
from reconciler.core.model import Holding, Price, Quote, Snapshot
from reconciler.core.provider import Provider, Served
from reconciler.providers.http import path
from reconciler.providers.ovh import batches, lists
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.capabilities import CSP2
from reconciler.providers.ovh.wire import Amount, Licence, Subscription, Tenant

ROOT = "/saas/csp2"

Numbered = TypeVar("Numbered", Subscription, Licence)


class Csp2Account:
    """The reseller tenants of one account.

    licences: what each tenant may buy, by id. taken: subscriptions that an order of this process became.
    began: tasks that an order of this process began, by tenant.
    partners: partner ids as the snapshot read them, by tenant; each is told once.
    """

    def __init__(
        self, name: str, api: Api, *, open_tenant: Callable[[Csp2Account, str, str | None], Provider]
    ) -> None:
        self._open_tenant = open_tenant
        self.name = name
        self.api = api
        self.capabilities = CSP2
        self.sandbox = api.settings.sandbox
        self.licences: dict[str, dict[int, Licence]] = {}
        self.taken: defaultdict[str, set[int]] = defaultdict(set)
        self.began: defaultdict[str, set[str]] = defaultdict(set)
        self._subscriptions: dict[str, dict[int, Subscription]] = {}
        self._notices: dict[str, tuple[str, ...]] = {}
        self.partners: dict[str, str | None] = {}
        self._prices: dict[str, asyncio.Task[Quote]] = {}

    async def snapshot(
        self,
        scopes: frozenset[str],
        *,
        settled: frozenset[str] = frozenset(),  # noqa: ARG002 - nothing is ordered here
        told: tuple[Holding, ...] = (),  # noqa: ARG002 - everything can be read
    ) -> Snapshot:
        """Read every selected tenant's subscriptions; one tenant's failure is its own."""
        failed: dict[str, str] = {}

        async def one(scope: str) -> list[Holding]:
            try:
                await self._look(scope)
            except Missing:
                failed[scope] = f"reseller tenant {scope} is not in account {self.name}: correct `service:`"
                return []
            except ProviderError as error:
                failed[scope] = error.message
                return []
            return self._holdings(scope)

        parts = await asyncio.gather(*(one(scope) for scope in sorted(scopes)))
        return Snapshot(holdings=tuple(holding for part in parts for holding in part), failed=failed)

    async def served(self) -> tuple[Served, ...]:
        """Name the reseller's tenants; one that cannot be read has no name but its own."""
        names = await lists.ids(self.api, ROOT)
        found: lists.Listing[Tenant] = await lists.objects(self.api, ROOT, Tenant, names)
        return tuple(
            Served(name, found.objects[name].display_name if name in found.objects else "")
            for name in sorted(names)
        )

    async def quote(
        self,
        product: str,
        quantity: int,
        *,
        scope: str | None,
        term: str = "",  # noqa: ARG002 - one way to buy
        billing: str = "",  # noqa: ARG002 - likewise
    ) -> Quote:
        """Price seats by the price route, which knows licences by another name than the tenant's list."""
        licence = self.licences.get(scope or "", {}).get(int(product)) if product.isdecimal() else None
        name = licence.name if licence else product
        if name not in self._prices:
            # A task, so that tenants who ask at the same moment wait for one answer.
            self._prices[name] = asyncio.create_task(self._price(name))
        price = (await asyncio.shield(self._prices[name])).price
        if price is None:
            return Quote()
        monthly = (price.monthly * quantity).quantize(Decimal("0.01"))
        return Quote(
            price=Price(monthly=monthly, one_off=price.one_off, currency=price.currency, source=price.source)
        )

    async def now(self) -> datetime:
        """The provider's clock."""
        return await self.api.now()

    def tenant(self, tenant: Manifest) -> Provider:
        """One tenant's part; its `service` is the reseller tenant."""
        return self._open_tenant(self, tenant.tenant, tenant.service)

    async def close(self) -> None:
        """Let go of connections."""
        await self.api.session.close()

    def product_id(self, scope: str | None, product: str) -> str | None:
        """Give the licence id of a product that a manifest names by id or by name; None when it is not sold."""
        known = self.licences.get(scope or "", {})
        if product.isdecimal() and int(product) in known:
            return str(int(product))
        named = [one.id for one in known.values() if one.name.casefold() == product.casefold()]
        return str(min(named)) if named else None

    async def read(self, scope: str, refs: frozenset[str]) -> list[Holding]:
        """Give these subscriptions; what the snapshot has just read is not read twice."""
        if scope not in self._subscriptions:
            await self._look(scope)
        found = [one for one in self._holdings(scope) if one.ref in refs or one.scope in refs]
        del self._subscriptions[scope]
        return found

    async def licence(self, scope: str, number: int) -> Licence | None:
        """Read what may be bought of a licence, uncached."""
        return await self.api.maybe(Licence, f"{ROOT}{path(scope)}/orderableLicenses{path(number)}")

    async def subscriptions(self, scope: str) -> dict[int, Subscription]:
        """Read every subscription of a tenant, uncached; a partial answer raises."""
        route = f"{ROOT}{path(scope)}/subscription"
        found = await lists.listing(self.api, route, Subscription, key=lambda one: str(one.id))
        return {one.id: one for one in found.complete().values()}

    async def partner_id(self, scope: str) -> str | None:
        """Give the partner id of a tenant; what was just read with its subscriptions is not read twice."""
        if scope in self.partners:
            return self.partners.pop(scope)
        return (await self.api.get(Tenant, f"{ROOT}{path(scope)}")).mpn_id

    async def _look(self, scope: str) -> None:
        # Asked at the same moment, so that every tenant's questions of one kind go out together.
        tenant, subscriptions, licences, tasks = await asyncio.gather(
            batches.one(self.api, ROOT, Tenant, scope),
            self._bought(scope),
            self._licences(scope),
            self._tasks(scope),
        )
        self._subscriptions[scope] = subscriptions
        self.licences[scope] = licences
        self.partners[scope] = tenant.mpn_id
        self._notices[scope] = self._said(scope, tenant, tasks)

    async def _bought(self, scope: str) -> dict[int, Subscription]:
        found = await self._list(scope, "/subscription", Subscription)
        return {one.id: one for one in found.complete().values()}

    async def _licences(self, scope: str) -> dict[int, Licence]:
        if scope in self.licences:
            return self.licences[scope]
        found = await self._list(scope, "/orderableLicenses", Licence)
        return {one.id: one for one in found.whole().values()}

    async def _list(self, scope: str, suffix: str, kind: type[Numbered]) -> lists.Listing[Numbered]:
        shown = await batches.together(self.api, ROOT, list[str | int], [scope], suffix=suffix)
        return await lists.listing(
            self.api,
            f"{ROOT}{path(scope)}{suffix}",
            kind,
            key=lambda one: str(one.id),
            shown=[str(number) for number in shown.get(scope, ())],
        )

    async def _tasks(self, scope: str) -> list[str]:
        try:
            return await batches.numbers(self.api, ROOT, scope, suffix="/task")
        except (Rejected, Unavailable):
            return []  # tasks only explain; the subscriptions' own state decides

    def _said(self, scope: str, tenant: Tenant, tasks: list[str]) -> tuple[str, ...]:
        said: list[str] = []
        if tenant.mpn_issue_flag:
            said.append(f"the partner id has a problem: {tenant.mpn_issue_flag}")
        said.append(f"partner id {tenant.mpn_id}" if tenant.mpn_id else "no partner id (mpn_id) is set")
        if tenant.has_accepted_new_mca is False:
            said.append("the Microsoft Customer Agreement of 2025 is not accepted")
        if tenant.status != "ok":
            said.append(f"the tenant is {tenant.status}")
        theirs = {str(one.task_pending_id) for one in self._subscriptions[scope].values()}
        said += [f"task {number} is open" for number in tasks if number not in theirs]
        return tuple(said)

    def _holdings(self, scope: str) -> list[Holding]:
        known = self.licences.get(scope, {})
        return [
            Holding(
                ref=str(number),
                product=str(one.license_id),
                scope=scope,
                seats=one.quantity,
                task=str(one.task_pending_id) if one.task_pending_id else None,
                name=known[one.license_id].name if one.license_id in known else "",
                status=one.status or "ok",
                notices=self._notices.get(scope, ()),
            )
            for number, one in sorted(self._subscriptions[scope].items())
        ]

    async def _price(self, name: str) -> Quote:
        try:
            amount = await self.api.get(Amount, f"/price/saas/csp2/license{path(name)}")
        except (Rejected, Unavailable):
            return Quote()
        if not amount.currency_code:
            return Quote()
        return Quote(
            price=Price(
                monthly=amount.amount,
                one_off=Decimal("0.00"),
                currency=amount.currency_code,
                source="price-route",
            )
        )
