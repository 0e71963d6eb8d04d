"""An account's pay-as-you-go groups: which there are, and what they cost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from reconciler.core.errors import Rejected, Unavailable
from reconciler.core.manifest import OfficeAttach
from reconciler.core.manifest import Tenant as Manifest
from reconciler.core.model import Holding, Price, Quote, Snapshot
from reconciler.core.provider import Provider
from reconciler.providers.http import path
from reconciler.providers.ovh import lists
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.capabilities import LICENCES, PAYG
from reconciler.providers.ovh.wire import Amount

ROOT = "/license/office"


class PaygAccount:
    """The pay-as-you-go groups of one account."""

    def __init__(
        self,
        name: str,
        api: Api,
        *,
        open_tenant: Callable[[PaygAccount, str, str | None, OfficeAttach | None], Provider],
    ) -> None:
        self._open_tenant = open_tenant
        self.name = name
        self.api = api
        self.capabilities = PAYG
        self.sandbox = api.settings.sandbox
        self._prices: dict[str, asyncio.Task[Amount | None]] = {}

    async def snapshot(
        self,
        scopes: frozenset[str],  # noqa: ARG002 - one list names them all
        *,
        settled: frozenset[str] = frozenset(),  # noqa: ARG002 - nothing is ordered here
        told: tuple[Holding, ...] = (),  # noqa: ARG002 - everything can be read
    ) -> Snapshot:
        """Read which groups there are; each may hold either product."""
        names = await lists.ids(self.api, ROOT)
        return Snapshot(
            holdings=tuple(
                Holding(ref=name, product=product, scope=name)
                for name in sorted(names)
                for product in sorted(LICENCES)
            )
        )

    async def quote(
        self,
        product: str,
        quantity: int,
        *,
        scope: str | None,  # noqa: ARG002 - one price for all
        term: str = "",  # noqa: ARG002 - one way to buy
        billing: str = "",  # noqa: ARG002 - likewise
    ) -> Quote:
        """Price people by the monthly price of a licence; nothing when the provider tells none."""
        if product not in LICENCES:
            return Quote()
        if product not in self._prices:
            # A task, so that tenants who ask at the same moment wait for one answer.
            self._prices[product] = asyncio.create_task(self._price(product))
        price = await asyncio.shield(self._prices[product])
        if price is None or not price.currency_code:
            return Quote()
        monthly = (price.amount * quantity).quantize(Decimal("0.01"))
        return Quote(
            price=Price(
                monthly=monthly,
                one_off=Decimal("0.00"),
                currency=price.currency_code,
                source="price-route",
            )
        )

    async def now(self) -> datetime:
        """The provider's clock."""
        return await self.api.now()

    def tenant(self, tenant: Manifest) -> Provider:
        """One tenant's part."""
        return self._open_tenant(self, tenant.tenant, tenant.service, tenant.office_attach)

    def product_id(self, scope: str | None, product: str) -> str | None:  # noqa: ARG002 - the same everywhere
        """Give the product's key; None when it is not sold."""
        return product if product in LICENCES else None

    async def close(self) -> None:
        """Let go of connections."""
        await self.api.session.close()

    async def _price(self, product: str) -> Amount | None:
        try:
            return await self.api.get(Amount, f"/price/license/office{path(LICENCES[product])}")
        except (Rejected, Unavailable):
            return None
