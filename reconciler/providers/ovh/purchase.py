"""Buying seats: cart, dry run, checkout, following the order, and finding out whether there is one.

Up to the checkout nothing is bought and a cart can be dropped; the checkout is the one call that can leave
us not knowing. Its cart is what proves that it did not happen: while it can still be deleted, nobody paid.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any

from reconciler.core.action import Action
from reconciler.core.errors import Missing, ProviderError, Rejected, Unavailable, Uncertain
from reconciler.core.provider import Absent, Accepted, Step, Stepped, StepRecord, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.ovh import carts, orders
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.carts import Wanted
from reconciler.providers.ovh.lists import ids
from reconciler.providers.ovh.traces import mark
from reconciler.providers.ovh.wire import Cart, Order
from reconciler.providers.settle import last, look_again

RECENT = timedelta(days=1)
SKEW = timedelta(minutes=10)
"""How far the clocks of two processes that wrote steps may be apart."""

CART_HOURS = 24


async def buy(
    api: Api, action: Action, wanted: Wanted, *, tenant: str, first: AsyncGenerator[Told, None]
) -> AsyncGenerator[Told, None]:
    """Place one order, in two steps: `cart`, which can be undone, and `checkout`, which cannot.

    tenant: whose it is, for the cart to tell. first: steps before, such as keeping seats that were to end.
    """
    async with aclosing(first):
        async for told in first:
            yield told
    description = mark(action, tenant)
    yield Step(name="cart", data={"description": description})
    cart = await carts.opened(api, description, hours=CART_HOURS)
    yield Stepped(name="cart", ref=cart)
    preview = await carts.filled(api, cart, wanted)
    try:
        automatic = await _has_default_method(api)
        known = await orders.since(api, await api.now() - RECENT)
        data = {
            "cart": cart,
            "known": known,
            "plan": wanted.plan,
            "quantity": wanted.quantity,
            "scope": wanted.scope,
            "automatic": automatic,
        }
        yield Step(name="checkout", exclusive=True, quote=carts.priced(preview), data=data)
    except BaseException:
        await carts.dropped(api, cart)  # nothing was sent yet: a cart left behind buys nothing
        raise
    order = await _checkout(api, cart, automatic=automatic)
    yield Stepped(name="checkout", ref=order)
    yield placed(api, order, automatic=automatic)


def placed(api: Api, order: str, *, automatic: bool) -> Accepted:
    """Say who has to move next right after an order was placed."""
    if automatic:
        return Accepted(
            ticket=order, ask_again_after=api.settings.poll, status="placed", data={"order": order}
        )
    return waits_for_person(api, order, "notPaid", why="the account has no default payment method")


def waits_for_person(api: Api, order: str, word: str, *, why: str = "") -> Accepted:
    """Say what a person has to do for an order; its number tells which, its access URL is a secret."""
    where = "in the OVHcloud Control Panel under Billing > My orders"
    told = (
        f"send the papers that OVHcloud asks for to order {order} {where}"
        if word == "documentsRequested"
        else f"pay order {order} {where}"
    )
    return Accepted(
        ticket=order,
        ask_again_after=api.settings.poll,
        waiting_on="person",
        status=word,
        instructions=f"{told}{f': {why}' if why else ''}",
        data={"order": order},
    )


async def progress(api: Api, order: str) -> Accepted | None:
    """Ask how far an order is; None once it is delivered."""
    try:
        word = await orders.status(api, order)
    except Missing:
        word = "not readable yet"
    if word == "cancelled":
        raise Rejected(
            f"order {order} was cancelled",
            hint=f"look at order {order} in the OVHcloud Control Panel, then `reconciler resolve`",
            code="order-cancelled",
        )
    if word == "delivered":
        return None
    if word in orders.WAITS_FOR_PERSON:
        return waits_for_person(api, order, word)
    return Accepted(ticket=order, ask_again_after=api.settings.poll, status=word, data={"order": order})


async def find(api: Api, steps: tuple[StepRecord, ...], since: datetime) -> Accepted | Absent | Unknown:
    """Find out whether an order exists whose answer nobody has."""
    cart = last(steps, "cart")
    checkout = last(steps, "checkout")
    if checkout is not None and (cart is None or checkout.began_at >= cart.began_at):
        return await _find_checkout(api, checkout)
    if cart is None:
        return Absent(why="no cart was opened")
    if cart.ref is None:
        for name in await carts.described(api, str(cart.data.get("description", ""))):
            await _fence(api, name)
        return Absent(why="no checkout was begun, and a cart alone buys nothing")
    # A checkout is on disk before it is sent: without one, a cart that is gone was dropped, by us or by time.
    if await _fence(api, cart.ref) or await api.maybe(Cart, path("order", "cart", cart.ref)) is None:
        return Absent(why=f"cart {cart.ref} was never checked out")
    why = f"cart {cart.ref} is closed, and no checkout of it is known"
    return Unknown(why=why, look_again_at=await look_again(api, since))


async def _find_checkout(api: Api, step: StepRecord) -> Accepted | Absent | Unknown:
    if step.ref is not None:
        return placed(api, step.ref, automatic=bool(step.data.get("automatic", True)))
    cart = str(step.data.get("cart", ""))
    if await _fence(api, cart):
        return Absent(why=f"cart {cart} was deleted without having been checked out")
    found = await _matching(api, step)
    if len(found) == 1:
        return placed(api, found[0], automatic=bool(step.data.get("automatic", True)))
    if found:
        return Unknown(why=f"orders {', '.join(found)} could each be the one that cart {cart} became")
    why = f"cart {cart} is closed or gone, and no order shows"
    return Unknown(why=why, look_again_at=await look_again(api, step.began_at))


async def _fence(api: Api, cart: str) -> bool:
    """Delete a cart that was not checked out, so that nobody can any more; tells whether that is proved.

    A cart that is not there proves nothing: it may have expired after its checkout.
    """
    route = path("order", "cart", cart)
    try:
        if (await api.get(Cart, route)).read_only:
            return False
    except Missing:
        return False
    deleted = True
    try:
        await api.do("DELETE", route)
    except Rejected:
        deleted = False  # it was checked out meanwhile, or somebody else deleted it
    except Uncertain as error:
        raise Unavailable(error.message, hint="look again later", code=error.code) from error
    try:
        if (await api.get(Cart, route)).read_only:
            return False
    except Missing:
        return deleted
    raise Unavailable(f"cart {cart} could not be deleted", hint="look again later", code="cart-stays")


async def _matching(api: Api, step: StepRecord) -> list[str]:
    """Give the orders that may be what this checkout became."""
    data: Mapping[str, Any] = step.data
    known = {str(one) for one in (*data.get("known", ()), *data.get("claimed", ()))}
    found: list[str] = []
    for order in await orders.since(api, step.began_at - SKEW):
        if order in known:
            continue
        found += [
            order
            for one in await orders.bought(api, order)
            if one.product == orders.OF_PLAN.get(str(data.get("plan")))
            and one.quantity == data.get("quantity")
            and one.into == data.get("scope")
        ]
    return found


async def _checkout(api: Api, cart: str, *, automatic: bool) -> str:
    body = {
        "autoPayWithPreferredPaymentMethod": automatic,
        "waiveRetractationPeriod": api.settings.waive_retraction,
    }
    route = f"{path('order', 'cart', cart)}/checkout"
    try:
        made = await api.send(Order, "POST", route, body)
    except Rejected as error:
        await _surely_refused(api, cart, error)
        raise
    except Unavailable:
        await carts.dropped(api, cart)
        raise
    if made.order_id is None:
        raise Uncertain(f"POST {route}: the answer names no order", code="no-order")
    return str(made.order_id)


async def _surely_refused(api: Api, cart: str, error: Rejected) -> None:
    """A refused payment may leave an order behind: only a cart that can still be deleted proves that none is."""
    try:
        sure = await _fence(api, cart)
    except ProviderError:
        sure = False
    if not sure:
        raise Uncertain(f"{error.message}; and cart {cart} is closed", code=error.code) from error


async def _has_default_method(api: Api) -> bool:
    try:
        return bool(await ids(api, "/me/payment/method", {"default": "true"}))
    except Rejected:
        return False  # a key that may not look must not promise a payment
