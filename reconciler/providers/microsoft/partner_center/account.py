"""A partner's account at Partner Center: its customers' subscriptions, orders on their way, and prices."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

from reconciler.core.errors import Missing, ProviderError, Rejected
from reconciler.core.manifest import Tenant as Manifest
from reconciler.core.model import Holding, Incoming, Price, Quote, Snapshot
from reconciler.core.provider import Provider, Served
from reconciler.providers.http import path
from reconciler.providers.microsoft import names
from reconciler.providers.microsoft.capabilities import PARTNER_CENTER
from reconciler.providers.microsoft.connection import Connection
from reconciler.providers.microsoft.partner_center import holdings
from reconciler.providers.microsoft.partner_center.catalogue import Catalogue, Item
from reconciler.providers.microsoft.partner_center.wire import Cart, Customer, Line, Order, Subscription
from reconciler.providers.transport import DRY_RUN


class PartnerCenterAccount:
    """The customers of one partner.

    personal: the same API with a person behind the token; the application's own where nobody signed in.
    """

    def __init__(
        self,
        name: str,
        connection: Connection,
        *,
        open_tenant: Callable[[PartnerCenterAccount, Manifest], Provider],
    ) -> None:
        self._connection = connection
        self._open_tenant = open_tenant
        self.name = name
        self.api = connection.partner_center()
        self.personal = connection.partner_center(person=connection.has_person)
        self.has_person = connection.has_person
        self.capabilities = PARTNER_CENTER
        self.sandbox = connection.settings.sandbox
        self.catalogue = Catalogue(self.api)
        self._read: dict[str, list[Subscription]] = {}
        self._alone: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def snapshot(
        self,
        scopes: frozenset[str],
        *,
        settled: frozenset[str] = frozenset(),
        told: tuple[Holding, ...] = (),  # noqa: ARG002 - everything can be read
    ) -> Snapshot:
        """Read every selected customer's subscriptions and orders; one customer's failure is its own."""
        failed: dict[str, str] = {}
        now = await self.now()

        async def one(scope: str) -> tuple[list[Holding], list[Incoming]]:
            try:
                return await self._look(scope, now)
            except Missing:
                failed[scope] = f"customer {scope} is not in account {self.name}: correct `service:`"
            except ProviderError as error:
                failed[scope] = f"{error.message}: {error.hint}" if error.hint else error.message
            return [], []

        parts = await asyncio.gather(*(one(scope) for scope in sorted(scopes)))
        return Snapshot(
            holdings=tuple(holding for some, _ in parts for holding in some),
            incoming=tuple(order for _, some in parts for order in some if order.ref not in settled),
            failed=failed,
        )

    async def served(self) -> tuple[Served, ...]:
        """Name the partner's customers, in the largest pages there are (get-a-list-of-customers, 2023-10)."""
        found = await self.api.items(Customer, "/customers", {"size": "500"})
        return tuple(sorted(Served(one.id, one.name, one.domain) for one in found))

    async def quote(
        self, product: str, quantity: int, *, scope: str | None, term: str = "", billing: str = ""
    ) -> Quote:
        """Price seats by a cart that is never checked out; it has no DELETE and expires by itself."""
        if not scope:
            return Quote()
        try:
            item = await self.catalogue.item(scope, product, term=term, billing=billing)
            body = {"lineItems": [line_of(item, quantity, DRY_RUN)]}
            cart = await self.api.ask(Cart, f"/customers{path(scope)}/carts", body)
        except Rejected:
            return Quote()
        return priced(cart)

    def product_id(self, scope: str | None, product: str) -> str | None:
        """Give `PRODUCT:SKU`, or a part number as long as the customer holds nothing of it."""
        return self.catalogue.key(scope, product)

    async def now(self) -> datetime:
        """The provider's clock."""
        return await self.api.now()

    def tenant(self, tenant: Manifest) -> Provider:
        """One tenant's part; its `service` is the customer."""
        return self._open_tenant(self, tenant)

    async def close(self) -> None:
        """Let go of connections."""
        await self._connection.close()

    async def read(self, scope: str, refs: frozenset[str]) -> tuple[Holding, ...]:
        """Give these subscriptions; what the snapshot has just read is not read twice."""
        found = self._read.pop(scope, None)
        if found is None:
            found = await self.subscriptions(scope)
        shown = await self._shown(scope, found, await self.now())
        return tuple(one for one in shown if one.ref in refs or one.scope in refs)

    def alone(self, ref: str) -> asyncio.Lock:
        """One change at a time a subscription: each sends back the whole that it read."""
        return self._alone[ref]

    async def subscriptions(self, scope: str) -> list[Subscription]:
        """Read every subscription of a customer, those that are gone included; a partial answer raises."""
        return await self.api.items(Subscription, f"/customers{path(scope)}/subscriptions")

    async def orders(self, scope: str) -> list[Order]:
        """Read every order of a customer; a new one shows up to a quarter of an hour later."""
        return await self.api.items(Order, f"/customers{path(scope)}/orders")

    async def _look(self, scope: str, now: datetime) -> tuple[list[Holding], list[Incoming]]:
        found, orders = await asyncio.gather(self.subscriptions(scope), self.orders(scope))
        shown = await self._shown(scope, found, now)
        self._read[scope] = found
        coming = holdings.incoming(orders, found, scope=scope, now=now)
        # A part number means the product that is on its way just as one that is held.
        for product in sorted({one.product for one in coming}):
            self.catalogue.remember(scope, await self._directory(scope, product), product)
        return shown, coming

    async def _shown(self, scope: str, found: list[Subscription], now: datetime) -> list[Holding]:
        live = [one for one in found if one.status not in holdings.GONE]
        products = sorted({one.product for one in live})
        told = await asyncio.gather(*(self._directory(scope, product) for product in products))
        skus = dict(zip(products, told, strict=True))
        shown = []
        for one in sorted(live, key=lambda each: (bool(each.is_trial), each.id)):
            known = names.titled(one.offer_name)
            sku = skus[one.product] or (known.sku if known else "")
            self.catalogue.remember(scope, sku, one.product)
            shown.append(holdings.holding(one, scope=scope, sku=sku, now=now))
        return shown

    async def _directory(self, scope: str, product: str) -> str:
        """How the directory calls a product; empty for one that is not sold any more, and for an old offer."""
        if ":" not in product:
            return ""
        sku = await self.catalogue.sku(scope, product)
        return sku.directory if sku else ""


def line_of(item: Item, quantity: int, name: str) -> dict[str, object]:
    """Write a line of a cart."""
    return {
        "id": 0,
        "catalogItemId": item.catalog_id,
        "quantity": quantity,
        "termDuration": item.term,
        "billingCycle": item.billing,
        "friendlyName": name,
    }


def priced(cart: Cart) -> Quote:
    """Read a price for a month out of a cart; what a line may not be bought for has none.

    `extendedPrice` is of the line's whole term, whatever the billing (the sample of a year billed monthly,
    create-a-cart, 2023-10), so that a price for a month is its part.
    """
    lines = [line for line in cart.line_items if line.error is None]
    if len(lines) != 1 or len(cart.line_items) != 1:
        return Quote()
    monthly = _monthly(lines[0])
    if monthly is None or not lines[0].currency_code:
        return Quote()
    price = Price(monthly=monthly, one_off=Decimal("0.00"), currency=lines[0].currency_code, source="cart")
    return Quote(price=price)


def _monthly(line: Line) -> Decimal | None:
    if line.pricing is None or line.pricing.extended_price is None:
        return None
    return (line.pricing.extended_price / holdings.months(line.term_duration)).quantize(Decimal("0.01"))
