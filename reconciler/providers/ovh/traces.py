"""Our mark on a purchase: the cart's description, which stays readable after the checkout until the cart expires."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable

from reconciler.core.action import Action
from reconciler.core.errors import Rejected
from reconciler.core.trace import Trace
from reconciler.providers.http import path
from reconciler.providers.ovh import lists, orders
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.wire import Cart, Item

ROOT = "/order/cart"
_MARK = re.compile(r"reconciler (?P<action>\S+) (?P<tenant>\S+) (?P<address>\S+)")


def mark(action: Action, tenant: str) -> str:
    """Describe the cart of a purchase, so that it tells whose it is."""
    return f"reconciler {action.id} {tenant} {action.address}"


async def traces(api: Api, known: frozenset[str]) -> tuple[Trace, ...]:
    """Read the marks of the account's carts that are not `known`; a cart is there for a day."""
    try:
        names = [name for name in await lists.ids(api, ROOT) if name not in known]
        carts = await asyncio.gather(*(api.maybe(Cart, f"{ROOT}{path(name)}") for name in names))
    except Rejected:
        return ()  # a key that may not look at carts may not fill any either
    marked = [(cart, found) for cart in carts if cart and (found := _MARK.fullmatch(cart.description))]
    return tuple([await _trace(api, cart, found.groupdict(), known) for cart, found in marked])


async def _trace(api: Api, cart: Cart, said: dict[str, str], known: frozenset[str]) -> Trace:
    bought = bool(cart.read_only)
    order = await _order(api, cart, known) if bought else ""
    return Trace(ref=cart.cart_id, order=order, bought=bought, **said)


async def _order(api: Api, cart: Cart, known: Iterable[str]) -> str:
    """Find the order that a cart became: the only one of the same seats that is not `known`; else none."""
    try:
        route = f"{ROOT}{path(cart.cart_id)}/item"
        items = [await api.get(Item, f"{route}{path(str(number))}") for number in cart.items]
        wanted = [
            (orders.OF_PLAN.get(one.plan_code or ""), one.quantity)
            for item in items
            if (one := item.settings)
        ]
        since = await api.now() - orders.LOOK_BACK
        numbers = [number for number in await orders.since(api, since) if number not in known]
        found = await asyncio.gather(*(orders.bought(api, number) for number in numbers))
    except Rejected:
        return ""
    same = {one.order for some in found for one in some if (one.product, one.quantity) in wanted}
    return min(same) if len(same) == 1 else ""
