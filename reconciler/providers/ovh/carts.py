"""A cart: filled, priced by a dry run, and dropped; everything of an order that can still be undone."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from msgspec import Struct

from reconciler.core.errors import Missing, ProviderError, Rejected, Unavailable, Uncertain
from reconciler.core.model import Contract, Price, Quote
from reconciler.providers.http import path
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.capabilities import BUSINESS, PRO_PLUS
from reconciler.providers.ovh.lists import ids
from reconciler.providers.ovh.wire import UCENT, Cart, Catalog, Item, Order, Plan
from reconciler.providers.transport import DRY_RUN

PRODUCT = "officePrepaid"
PLANS = {
    BUSINESS: "microsoft-365-apps-for-business-pp-nce",
    PRO_PLUS: "microsoft-365-apps-for-enterprise-pp-nce",
}
EXISTING = "existing_tenant_service_name"
ONE_OFF = frozenset({"INSTALLATION", "CREATION", "DELIVERY", "CAUTION", "TRANSFER"})
"""Lines of a preview that are paid once; the others come every month (a plan's duration is P1M)."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What to put into a cart: so many seats of a product, into a service or as a new one."""

    product: str
    quantity: int
    scope: str | None

    @property
    def plan(self) -> str:
        """The plan code to order."""
        if self.product not in PLANS:
            raise Rejected(f"OVHcloud sells no prepaid {self.product!r}", hint=f"it sells {', '.join(PLANS)}")
        return PLANS[self.product]


async def opened(api: Api, description: str, *, hours: int) -> str:
    """Open a cart and give its id; when the answer is lost the cart is looked for and dropped."""
    body = {
        "ovhSubsidiary": await api.subsidiary(),
        "description": description,
        "expire": (await api.now() + timedelta(hours=hours)).isoformat(timespec="seconds"),
    }
    try:
        return (await api.send(Cart, "POST", "/order/cart", body)).cart_id
    except Uncertain as error:
        if description != DRY_RUN:
            await _drop_described(api, description)
        raise Unavailable(f"{error.message}; nothing was bought", code=error.code) from error


async def filled(api: Api, cart: str, wanted: Wanted) -> Order:
    """Fill a cart and give the dry run, once it holds exactly what is wanted."""
    root = path("order", "cart", cart)
    try:
        await api.do("POST", f"{root}/assign")
        item = await api.send(Item, "POST", f"{root}/{PRODUCT}", _line(wanted))
        if wanted.scope is not None:
            await api.do(
                "POST",
                f"{root}/item/{item.item_id}/configuration",
                {"label": EXISTING, "value": wanted.scope},
            )
        preview = await api.get(Order, f"{root}/checkout")
        await _same(api, cart, item, wanted, preview)
    except Uncertain as error:
        await dropped(api, cart)
        raise Unavailable(f"{error.message}; nothing was bought", code=error.code) from error
    except ProviderError:
        await dropped(api, cart)
        raise
    return preview


async def dropped(api: Api, cart: str) -> bool:
    """Delete a cart as well as it goes; tells whether it is gone. It would expire within a day anyway."""
    try:
        await api.do("DELETE", path("order", "cart", cart))
    except Missing:
        return True
    except ProviderError:
        return False
    return True


async def described(api: Api, description: str) -> list[str]:
    """Give the ids of the carts of that description."""
    return await ids(api, "/order/cart", {"description": description})


async def quoted(api: Api, wanted: Wanted) -> Quote:
    """Price what is wanted without buying: by a cart that is dropped again, else from the catalogue."""
    try:
        cart = await opened(api, DRY_RUN, hours=1)
        preview = await filled(api, cart, wanted)
    except (Rejected, Unavailable):
        return await _from_catalog(api, wanted)
    await dropped(api, cart)
    return priced(preview)


def priced(preview: Order) -> Quote:
    """Read a dry run: what comes every month, what is paid once, and the contracts."""
    contracts = tuple(Contract(name=one.name, url=one.url) for one in preview.contracts)
    monthly = one_off = Decimal(0)
    currency = ""
    for line in preview.details:
        amounts = [one for one in (line.total_price, line.original_total_price) if one is not None]
        if not amounts:
            continue
        currency = amounts[0].currency_code or currency
        if line.detail_type in ONE_OFF:
            one_off += amounts[0].amount
        else:  # a first month for nothing is followed by others, so the price without reductions counts
            monthly += max(one.amount for one in amounts)
    total = preview.prices.without_tax if preview.prices else None
    if not currency and total is not None:
        monthly, currency = total.amount, total.currency_code
    if not currency:
        return Quote(contracts=contracts)
    return Quote(
        price=Price(monthly=monthly, one_off=one_off, currency=currency, source="cart"), contracts=contracts
    )


def _line(wanted: Wanted) -> dict[str, object]:
    return {
        "planCode": wanted.plan,
        "duration": "P1M",
        "pricingMode": "default",
        "quantity": wanted.quantity,
    }


async def _same(api: Api, cart: str, item: Item, wanted: Wanted, preview: Order) -> None:
    """Refuse a cart that would buy something else than what was put into it."""
    held = await api.get(Cart, path("order", "cart", cart))
    inside = set(held.items) | {line.cart_item_id for line in preview.details if line.cart_item_id}
    settings = item.settings
    plan = settings.plan_code if settings and settings.plan_code else wanted.plan
    quantity = settings.quantity if settings and settings.quantity is not None else wanted.quantity
    counts = {line.quantity for line in preview.details if line.quantity}
    odd = counts - {wanted.quantity, 1}
    if inside - {item.item_id} or plan != wanted.plan or quantity != wanted.quantity or odd:
        raise Rejected(
            f"cart {cart} holds something else than {wanted.quantity} of {wanted.plan}, so it was dropped",
            hint="run again; if it stays so, order by hand",
            code="cart-differs",
        )


async def _drop_described(api: Api, description: str) -> None:
    try:
        for cart in await described(api, description):
            await dropped(api, cart)
    except ProviderError:
        return  # an empty cart buys nothing and expires


async def _from_catalog(api: Api, wanted: Wanted) -> Quote:
    try:
        query = {"ovhSubsidiary": await api.subsidiary()}
        catalog = await api.get(Catalog, f"/order/catalog/public/{PRODUCT}", query)
    except (Rejected, Unavailable):
        return Quote()
    plan = next((one for one in catalog.plans if one.plan_code == wanted.plan), None)
    unit = _monthly(plan) if plan else None
    if unit is None or not catalog.locale.currency_code:
        return Quote()
    amount = (unit * wanted.quantity).quantize(Decimal("0.01"))
    return Quote(
        price=Price(
            monthly=amount,
            one_off=Decimal("0.00"),
            currency=catalog.locale.currency_code,
            source="catalog",
        )
    )


def _monthly(plan: Plan) -> Decimal | None:
    for pricing in plan.pricings:
        if "renew" in pricing.capacities and (pricing.interval, pricing.interval_unit) == (1, "month"):
            return pricing.price * UCENT
    return None
