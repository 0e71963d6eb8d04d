"""What actions change on the bill: who needs a price, and a price put on an action. Decimal, per currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.model import Holding, Money, Price, Quote
from reconciler.core.open import Spending
from reconciler.core.order import shrinks
from reconciler.core.plan import Plan, Unmanaged
from reconciler.core.workspace import Price as WorkspacePrice

ZERO = Decimal(0)


class Ask(NamedTuple):
    """A price to ask a provider for: a product, a number of seats, the service they would join, and how they bind."""

    product: str
    quantity: int
    scope: str | None
    term: str = ""
    billing: str = ""


def ask(action: Action, *, pool: bool) -> tuple[Ask, int] | None:
    """What to ask for an action's price, and by what to multiply the answer; None when nothing is paid."""
    detail = action.detail
    product, counted = detail.get("product"), _counted(action, pool=pool)
    if counted is None or not isinstance(product, str):
        return None
    quantity, times = counted
    term, billing = str(detail.get("term") or ""), str(detail.get("billing") or "")
    return Ask(product, quantity, detail.get("scope"), term, billing), times


def _counted(action: Action, *, pool: bool) -> tuple[int, int] | None:
    """For how many seats to ask, and by what to multiply the answer; None when nothing is paid."""
    match action.verb:
        case Verb.ACTIVATE:
            return None if pool else (1, 1)
        case Verb.DEACTIVATE:
            return None if pool else (1, -1)
        case Verb.ORDER | Verb.RESIZE as verb:
            quantity = int(action.detail.get("quantity") or 0)
            if quantity > 0 or (quantity and verb is Verb.ORDER):
                return quantity, 1
            return None if verb is Verb.ORDER else (1, quantity)
        case Verb.CANCEL if pool:
            return 1, -int((action.before or {}).get("seats") or 0)
        case _:
            return None


def asks(plan: Plan, *, pool: bool) -> list[tuple[Ask, int] | None]:
    """What to ask for each action of a plan, in their order, as `ask` says it of one."""
    return [ask(action, pool=pool) for action in plan.actions]


def priced(plan: Plan, asked: Iterable[tuple[Ask, int] | None], quotes: Mapping[Ask, Quote]) -> Plan:
    """The plan with prices and contracts on its actions; `asked` is what `asks` gave of it."""
    both = zip(plan.actions, asked, strict=True)
    return replace(plan, actions=tuple(_priced(action, wanted, quotes) for action, wanted in both))


def _priced(action: Action, wanted: tuple[Ask, int] | None, quotes: Mapping[Ask, Quote]) -> Action:
    if wanted is None:
        return action
    quote = quotes.get(wanted[0])
    if quote is None:
        return action
    times = wanted[1]
    price = _times(quote.price, times) if quote.price else None
    buys = action.verb in {Verb.ORDER, Verb.RESIZE} and times > 0
    contracts = quote.contracts if buys else ()
    if price is None and not contracts:
        return action
    return replace(action, price=price, contracts=contracts)


def _times(price: Price, times: int) -> Price:
    return price if times == 1 else replace(price, monthly=price.monthly * times, one_off=ZERO)


def fallback(ask: Ask, prices: Sequence[WorkspacePrice], names: Iterable[str]) -> Price | None:
    """The workspace's price of a product that its provider tells none for; `names` are its other names."""
    wanted = {ask.product.lower(), *(name.lower() for name in names)}
    for one in prices:
        if one.product.lower() in wanted:
            monthly = one.amount / 12 if one.per == "year" else one.amount
            total = (monthly * ask.quantity).quantize(Decimal("0.01"))
            return Price(monthly=total, one_off=ZERO, currency=one.currency, source="workspace")
    return None


def told(
    actions: Iterable[Action], prices: Sequence[WorkspacePrice], written: Mapping[str, str]
) -> tuple[Action, ...]:
    """Actions that were planned without a price, with the workspace's of today.

    written: how the manifest names the product of a group.
    """
    return tuple(_told(action, prices, written) for action in actions)


def _told(action: Action, prices: Sequence[WorkspacePrice], written: Mapping[str, str]) -> Action:
    wanted = ask(action, pool=action.detail.get("provider") != "ovh-payg")
    if action.price is not None or wanted is None:
        return action
    name = written.get(action.group or "")
    price = fallback(wanted[0], prices, [name] if name is not None else [])
    return replace(action, price=_times(price, wanted[1])) if price else action


def with_monthly(
    unmanaged: tuple[Unmanaged, ...], holdings: Iterable[Holding], unit: Mapping[str, Price]
) -> tuple[Unmanaged, ...]:
    """Unmanaged groups with what they cost a month, where a unit price is known."""
    known: dict[tuple[str, str], Money] = {}
    for one in holdings:
        if one.seats and one.product in unit:
            price = unit[one.product]
            known[one.ref, one.product] = Money(price.monthly * one.seats, price.currency)
    return tuple(replace(one, monthly=known.get((one.ref, one.product), one.monthly)) for one in unmanaged)


def rise(actions: Iterable[Action]) -> tuple[dict[str, Decimal], tuple[str, ...]]:
    """By how much the monthly bill rises at once, per currency; the products bought whose price nobody knows."""
    total: dict[str, Decimal] = {}
    unknown: list[str] = []
    for action in actions:
        if action.scheduled_for is not None:
            continue
        if action.price is None:
            if buys(action) or _bought_by_hand(action):
                unknown.append(str(action.detail.get("product") or action.address))
            continue
        total[action.price.currency] = total.get(action.price.currency, ZERO) + action.price.monthly
    return total, tuple(unknown)


def _bought_by_hand(action: Action) -> bool:
    """Whether a person is asked to buy seats; an order without a number of them costs nothing by itself."""
    seats = int(action.detail.get("quantity") or 0)
    return action.how == "by-hand" and action.verb in {Verb.ORDER, Verb.RESIZE} and seats > 0


def buys(action: Action) -> bool:
    """Whether it is a purchase."""
    if action.how == "by-hand":
        return False
    if action.verb is Verb.RESIZE:
        return not shrinks(action) and int(action.detail.get("quantity") or 0) > 0
    if action.verb is Verb.ACTIVATE:
        return action.detail.get("provider") == "ovh-payg"
    return action.verb is Verb.ORDER


def this_month(spending: Iterable[Spending], now: datetime) -> dict[str, Decimal]:
    """What this calendar month's (UTC) applies already added, per currency; never below zero."""
    total: dict[str, Decimal] = {}
    month = _month(now)
    for one in spending:
        if _month(one.at) == month:
            total[one.currency] = total.get(one.currency, ZERO) + one.monthly
    return {currency: max(ZERO, amount) for currency, amount in total.items()}


def _month(at: datetime) -> tuple[int, int]:
    utc = at.astimezone(UTC)
    return utc.year, utc.month


def dearer(planned: Price | None, quoted: Price | None) -> bool:
    """Whether a price right before the purchase stops it: a higher recurring one, from the same source."""
    if planned is None or quoted is None or planned.source != quoted.source:
        return False
    return planned.currency != quoted.currency or quoted.monthly > planned.monthly
