"""Buying a subscription: a cart, which buys nothing, and its checkout, which is idempotent by the cart.

The checkout of a cart that was sent once is never replaced by another cart: whatever becomes of the first call,
the cart can be bought only once. A cart is read to know: `Ordered` was bought, `Active` was not.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime, timedelta

from reconciler.core.action import Action
from reconciler.core.errors import NOT_YET, Missing, Rejected, Unavailable, Uncertain
from reconciler.core.model import Quote
from reconciler.core.provider import (
    Absent,
    Accepted,
    Attempt,
    Done,
    Outcome,
    Step,
    Stepped,
    StepRecord,
    Told,
    Unknown,
)
from reconciler.providers.http import path
from reconciler.providers.microsoft.api import request_id
from reconciler.providers.microsoft.capabilities import DEFAULT_BILLING, DEFAULT_TERM
from reconciler.providers.microsoft.partner_center.account import PartnerCenterAccount, line_of, priced
from reconciler.providers.microsoft.partner_center.catalogue import Item
from reconciler.providers.microsoft.partner_center.customers import REVIEW
from reconciler.providers.microsoft.partner_center.holdings import FOR_PERSON, OVER
from reconciler.providers.microsoft.partner_center.wire import Cart, Checkout, Order, Subscription
from reconciler.providers.settle import last, look_again

ACTIVE, ORDERED = "active", "ordered"
SKEW = timedelta(minutes=2)
"""How far the provider's clock and the one that stamped a step may be apart."""
LIFE = timedelta(days=7)
"""How long a cart can be checked out (cart-resources, 2023-10)."""
IN_PROGRESS = frozenset({"800060", "800064", "800014", "800065"})
"""Codes by which a checkout says that one is under way, or was made: the order has to be looked for."""

UNDER_REVIEW = frozenset({"800073", "800074"})
"""Codes by which nothing can be bought until Microsoft has looked at the customer."""

_WHERE = "in Partner Center under Customers > the customer > Order history"


async def order(
    account: PartnerCenterAccount, scope: str, action: Action, attempt: Attempt
) -> AsyncGenerator[Told, None]:
    """Buy a subscription, in two steps: `cart`, which costs nothing, and `checkout`, which does."""
    quantity = int(action.detail["quantity"])
    item = await _item(account, scope, action)
    _allowed(item, quantity, str(action.detail["product"]))
    name = f"{action.group} {action.id}"
    known = await _sent_before(account, scope, attempt.steps)
    if known is None or not _same(known, item, quantity):
        # A cart that may have been checked out is filled anew; only one that never was is replaced.
        yield Step(name="cart", data={"product": item.product})
        known = await _filled(account, scope, action, attempt, line_of(item, quantity, name), known)
        yield Stepped(name="cart", ref=known.id)
    _buyable(known, item)
    data = {"cart": known.id, "offer": item.catalog_id, "quantity": quantity, "scope": scope, "name": name}
    yield Step(name="checkout", exclusive=True, quote=_quote(known, item), data=data)
    number = await _checked_out(account, scope, action, attempt, known.id)
    yield Stepped(name="checkout", ref=number, data={"scope": scope})
    yield _pending(account, number, "placed")


async def poll(account: PartnerCenterAccount, scope: str, ticket: str) -> Outcome:
    """Ask how far an order is; it is delivered once its subscription can be read and is active."""
    try:
        made = await account.api.get(Order, f"/customers{path(scope)}/orders{path(ticket)}")
    except Missing:
        return _pending(account, ticket, "not readable yet")
    if made.status in OVER:
        raise Rejected(
            f"order {ticket} was {'cancelled' if made.status == 'cancelled' else 'not carried out'}",
            hint=f"look at order {ticket} {_WHERE}, then `reconciler resolve`",
            code=f"order-{made.status}",
        )
    if made.status in FOR_PERSON:
        return _for_person(account, ticket, made.status)
    number = next((line.subscription_id for line in made.line_items if line.subscription_id), "")
    if not number:
        return _pending(account, ticket, made.status)
    route = f"/customers{path(scope)}/subscriptions{path(number)}"
    one = await account.api.maybe(Subscription, route)
    if one is None or one.status == "pending":
        return _pending(account, ticket, f"{made.status}, its subscription is not there yet")
    data = {"service": one.id, "scope": scope, "seats": one.quantity}
    return Done(ref=ticket, data=data)


async def find(
    account: PartnerCenterAccount, scope: str, steps: tuple[StepRecord, ...], since: datetime
) -> Accepted | Absent | Unknown:
    """Find out whether an order exists whose answer nobody has."""
    checkout = last(steps, "checkout")
    if checkout is None:
        return Absent(why="no checkout was begun, and a cart alone buys nothing")
    if checkout.ref is not None:
        return _pending(account, checkout.ref, "placed")
    number = str(checkout.data.get("cart", ""))
    cart = await account.api.maybe(Cart, f"/customers{path(scope)}/carts{path(number)}")
    if cart is not None and cart.status == ACTIVE:
        # What was sent may still be under way; soon after, nothing is.
        settled = checkout.began_at + timedelta(seconds=account.api.settings.poll)
        if await account.now() < settled:
            return Unknown(why=f"cart {number} is not ordered yet", look_again_at=settled)
        return Absent(why=f"cart {number} was not checked out, and can be only once")
    found = await _matching(account, scope, checkout)
    if len(found) == 1:
        return _pending(account, found[0], "found")
    if found:
        return Unknown(why=f"orders {', '.join(found)} could each be the one that cart {number} became")
    what = "is ordered" if cart is not None else "is gone"
    why = f"cart {number} {what}, and no order of it shows"
    return Unknown(why=why, look_again_at=await look_again(account.api, max(checkout.began_at, since)))


async def _item(account: PartnerCenterAccount, scope: str, action: Action) -> Item:
    term, billing = str(action.detail.get("term") or ""), str(action.detail.get("billing") or "")
    return await account.catalogue.item(scope, str(action.detail["product"]), term=term, billing=billing)


def _allowed(item: Item, quantity: int, product: str) -> None:
    """Refuse what the catalogue says will be refused."""
    most, least = item.sku.maximum_quantity, item.sku.minimum_quantity
    if most is not None and quantity > most:
        raise Rejected(f"{product} takes at most {most} seats, not {quantity}", code="above-limit")
    if least is not None and quantity < least:
        raise Rejected(f"{product} takes at least {least} seats, not {quantity}", code="below-limit")


async def _sent_before(
    account: PartnerCenterAccount, scope: str, steps: tuple[StepRecord, ...]
) -> Cart | None:
    """Give the cart of an earlier attempt, which may have been checked out, as long as it can be."""
    checkout = last(steps, "checkout")
    if checkout is None:
        return None
    number = str(checkout.data.get("cart", ""))
    cart = await account.api.maybe(Cart, f"/customers{path(scope)}/carts{path(number)}")
    now = await account.now()
    if cart is not None and cart.status == ORDERED:
        raise Uncertain(f"cart {number} of an earlier attempt is ordered", code="ordered")
    until = (cart.expiration_timestamp if cart else None) or checkout.began_at + LIFE
    if cart is None and now < until + SKEW:
        raise Unavailable(f"cart {number} of an earlier attempt cannot be read", code="no-cart")
    return cart if now < until else None


def _same(cart: Cart, item: Item, quantity: int) -> bool:
    """Whether a cart still asks for just that."""
    return len(cart.line_items) == 1 and all(
        (line.catalog_item_id, line.quantity, line.term_duration, line.billing_cycle)
        == (item.catalog_id, quantity, item.term, item.billing)
        and line.error is None
        for line in cart.line_items
    )


async def _filled(
    account: PartnerCenterAccount,
    scope: str,
    action: Action,
    attempt: Attempt,
    line: dict[str, object],
    known: Cart | None,
) -> Cart:
    # Naming no reseller says that the partner sells by itself; the flag says that this is meant.
    body = {"lineItems": [line], "partnerOnRecordAttestationAccepted": True}
    route = f"/customers{path(scope)}/carts"
    headers = {"MS-RequestId": request_id(action.id, "cart", attempt.number)}
    try:
        if known is None:
            return await account.api.send(Cart, "POST", route, body, headers=headers)
        body["id"] = known.id
        return await account.api.send(Cart, "PUT", f"{route}{path(known.id)}", body, headers=headers)
    except Rejected as error:
        raise _reviewed(account, error) from error


def _reviewed(account: PartnerCenterAccount, error: Rejected) -> Rejected | Unavailable:
    """Tell a refusal that passes by itself from one that does not: a review ends after some days."""
    if error.code not in UNDER_REVIEW:
        return error
    again = account.api.settings.poll
    return Unavailable(REVIEW, hint=error.hint, code=NOT_YET, retry_after=again)


def _buyable(cart: Cart, item: Item) -> None:
    """Refuse a cart whose lines carry errors: it is created all the same, with 201."""
    for line in cart.line_items:
        if line.error is not None:
            said = line.error.error_description or "it cannot be bought"
            raise Rejected(
                f"{item.product}: {line.error.error_code} {said}".strip(), code=line.error.error_code
            )
    if len(cart.line_items) != 1:
        raise Rejected(f"cart {cart.id} has {len(cart.line_items)} lines instead of one", code="other-lines")


def _quote(cart: Cart, item: Item) -> Quote | None:
    """The price right before the purchase, where it can be compared: a plan prices the usual term."""
    usual = (item.term, item.billing) == (DEFAULT_TERM, DEFAULT_BILLING)
    return priced(cart) if usual else None


async def _checked_out(
    account: PartnerCenterAccount, scope: str, action: Action, attempt: Attempt, cart: str
) -> str:
    route = f"/customers{path(scope)}/carts{path(cart)}/checkout"
    headers = {"MS-RequestId": request_id(action.id, "checkout", attempt.number)}
    try:
        made = await account.api.send(Checkout, "POST", route, headers=headers)
    except (Rejected, Unavailable) as error:
        if error.code in IN_PROGRESS:
            raise Uncertain(error.message, code=error.code) from error
        raise _reviewed(account, error) if isinstance(error, Rejected) else error from error
    if made.orders:
        return made.orders[0].id
    for wrong in made.order_errors:
        said = f"POST {route}: {wrong.code} {wrong.description}".strip()
        if wrong.code in IN_PROGRESS:
            raise Uncertain(said, code=wrong.code)
        raise Rejected(said, hint="plan again", code=wrong.code)
    raise Uncertain(f"POST {route}: the answer names no order", code="no-order")


async def _matching(account: PartnerCenterAccount, scope: str, step: StepRecord) -> list[str]:
    """Give the orders that may be what this checkout became: by the name of its line, else by what it bought."""
    claimed = {str(one) for one in step.data.get("claimed", ())}
    orders = [one for one in await account.orders(scope) if one.id not in claimed]
    named = [one.id for one in orders if _bears(one, str(step.data.get("name", "")))]
    return named or [one.id for one in orders if _alike(one, step)]


def _bears(order: Order, name: str) -> bool:
    return bool(name) and any(line.friendly_name == name for line in order.line_items)


def _alike(order: Order, step: StepRecord) -> bool:
    if order.creation_date is None or order.creation_date < step.began_at - SKEW:
        return False
    wanted = (str(step.data.get("offer", "")).upper(), step.data.get("quantity"))
    return any((line.offer_id.upper(), line.quantity) == wanted for line in order.line_items)


def _pending(account: PartnerCenterAccount, number: str, status: str) -> Accepted:
    return Accepted(
        ticket=number, ask_again_after=account.api.settings.poll, status=status, data={"order": number}
    )


def _for_person(account: PartnerCenterAccount, number: str, status: str) -> Accepted:
    said = {
        "pending review": f"Microsoft reviews order {number}: answer what it asks for",
        "pending po upload": f"upload the purchase order that Microsoft asks for to order {number}",
        "po review rejected": f"upload another purchase order to order {number}: the first was refused",
    }[status]
    return Accepted(
        ticket=number,
        ask_again_after=account.api.settings.poll,
        waiting_on="person",
        status=status,
        instructions=f"{said} {_WHERE}",
        data={"order": number},
    )
