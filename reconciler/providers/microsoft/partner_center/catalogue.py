"""What can be bought: from what a manifest writes to the catalogue's item of this moment."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from msgspec import Struct

from reconciler.core.errors import Missing, ProviderError, Rejected
from reconciler.providers.http import path
from reconciler.providers.microsoft import names
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.capabilities import DEFAULT_BILLING, DEFAULT_TERM
from reconciler.providers.microsoft.partner_center.wire import Availability, Product, Sku, Term

T = TypeVar("T")

VIEW = {"targetView": "OnlineServices"}
"""Licences; old and new commerce come together."""


class Item(Struct, frozen=True, kw_only=True):
    """What goes into a cart; its catalogue id changes over time and is never kept.

    product: `product:sku`.
    """

    product: str
    catalog_id: str
    term: str
    billing: str
    sku: Sku


class Catalogue:
    """The catalogue as one account's customers see it; each question is asked once a run."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._skus: dict[str, asyncio.Task[list[Sku]]] = {}
        self._products: dict[str, asyncio.Task[list[Product]]] = {}
        self._held: dict[tuple[str, str], str] = {}

    def remember(self, scope: str, sku: str, product: str) -> None:
        """Note under which product a customer holds one of the directory's SKUs."""
        if sku:
            self._held.setdefault((scope.lower(), sku.lower()), product)

    def key(self, scope: str | None, product: str) -> str | None:
        """Give the key of a product as a manifest writes it; None when nothing is called so.

        A part number becomes the product under which the customer holds it, and stays itself until it does.
        """
        first, colon, second = product.strip().partition(":")
        if colon:
            return product.strip().upper() if first and second and ":" not in second else None
        found = names.known(product)
        return found and self._held.get(((scope or "").lower(), found.sku), found.part)

    async def sku(self, scope: str, product: str) -> Sku | None:
        """Read a SKU by `product:sku`; None when the catalogue has it no more."""
        number, _, variant = product.partition(":")
        try:
            found = await self._variants(scope, number)
        except Missing:
            return None
        return next((one for one in found if one.id.upper() == variant.upper()), None)

    async def item(self, scope: str, product: str, *, term: str, billing: str) -> Item:
        """Find what to put into a cart for a product as a manifest writes it; Rejected when it is not sold so."""
        key = await self._sold(scope, product)
        number, _, variant = key.partition(":")
        sku = await self.sku(scope, key)
        if sku is None:
            raise Rejected(f"{product} is not in the catalogue of customer {scope}", code="not-sold")
        route = f"/customers{path(scope)}/products{path(number)}/skus{path(variant)}/availabilities"
        shown = await self._api.items(Availability, route)
        offers = [(one, each) for one in shown if one.is_purchasable is not False for each in one.terms]
        offer, chosen = _chosen(product, offers, term=term, billing=billing)
        return Item(
            product=key,
            catalog_id=offer.catalog_item_id or f"{key}:{offer.id}",
            term=chosen.duration,
            billing=chosen.billing_cycle,
            sku=sku,
        )

    async def _sold(self, scope: str, product: str) -> str:
        key = self.key(scope, product)
        if key is None:
            raise Rejected(
                f"{product!r} names nothing that Partner Center sells",
                hint="write PRODUCT:SKU as in CFQ7TTC0LH18:0001, or a skuPartNumber as in SPB",
                code="not-sold",
            )
        return key if ":" in key else await self._search(scope, key)

    async def _search(self, scope: str, part: str) -> str:
        """Find the one product that gives a directory's SKU, by the title it is sold under."""
        wanted = names.known(part)
        assert wanted is not None  # noqa: S101 - the key of a part number is one that is known
        title = names.plain(wanted.title)
        near = [one for one in await self._all(scope) if title in names.plain(one.title)]
        several = await asyncio.gather(*(self._variants(scope, one.id) for one in near))
        found = sorted(
            f"{one.product_id or product.id}:{one.id}".upper()
            for product, some in zip(near, several, strict=True)
            for one in some
            if one.directory == wanted.sku and not one.is_trial
        )
        if len(found) != 1:
            said = f"as {' and '.join(found)}" if found else "under no name that is known"
            raise Rejected(
                f"Partner Center sells {part} to customer {scope} {said}",
                hint="write it as PRODUCT:SKU, as in CFQ7TTC0LH18:0001",
                code="not-sold",
            )
        return found[0]

    async def _all(self, scope: str) -> list[Product]:
        route = f"/customers{path(scope)}/products"
        return await _once(self._products, scope, lambda: self._api.items(Product, route, VIEW))

    async def _variants(self, scope: str, number: str) -> list[Sku]:
        route = f"/customers{path(scope)}/products{path(number)}/skus"
        return await _once(self._skus, number, lambda: self._api.items(Sku, route))


async def _once(known: dict[str, asyncio.Task[T]], key: str, ask: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Ask one question once: who asks at the same moment waits for the same answer. A failure is not kept."""
    task = known.get(key)
    if task is None:
        task = known[key] = asyncio.create_task(ask())
    try:
        return await asyncio.shield(task)
    except ProviderError:
        known.pop(key, None)
        raise


def _chosen(
    product: str, offers: list[tuple[Availability, Term]], *, term: str, billing: str
) -> tuple[Availability, Term]:
    """Choose the offer with the term and billing that are written, else the usual ones, else the only one."""
    fitting = [
        one
        for one in offers
        if term in {"", one[1].duration} and billing.lower() in {"", one[1].billing_cycle}
    ]
    usual = [
        one
        for one in fitting
        if (term or DEFAULT_TERM, billing.lower() or DEFAULT_BILLING)
        == (one[1].duration, one[1].billing_cycle)
    ]
    if usual:
        return usual[0]
    if len(fitting) == 1:
        return fitting[0]
    sold = ", ".join(sorted({f"{one.duration} {one.billing_cycle}" for _, one in offers})) or "not at all now"
    raise Rejected(
        f"{product} is not sold for {term or DEFAULT_TERM} billed {billing or DEFAULT_BILLING}: {sold}",
        hint="write `term:` and `billing:` as it is sold",
        code="not-sold",
    )
