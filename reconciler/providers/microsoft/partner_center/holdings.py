"""A subscription as the planner sees it: its seats, its term, what may be taken back, what its renewal brings."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from reconciler.core.model import Holding, Incoming, Json, Renewal, Tranche
from reconciler.providers.microsoft.partner_center.wire import NextTerm, Order, Subscription

GONE = frozenset({"deleted", "none"})
RECENT = timedelta(days=30)
"""Orders older than this are over, whatever they say."""
LISTED = timedelta(days=1)
"""By then a completed order's subscription stands in its list; one that does not was deleted."""

FOR_PERSON = frozenset({"pending review", "pending po upload", "po review rejected"})
OVER = frozenset({"cancelled", "error"})
"""Words of an order that waits for a person's papers, and of one that brings nothing."""

_TERM = re.compile(r"P(?P<count>[1-9][0-9]?)(?P<unit>[MY])")


def months(term: str) -> int:
    """How many months a term such as P1M, P1Y or P3Y has; 1 for one that is not known."""
    found = _TERM.fullmatch(term.upper())
    return int(found["count"]) * (12 if found["unit"] == "Y" else 1) if found else 1


def renewal_day(one: Subscription) -> date | None:
    """The day at whose start (UTC) a term is over: `commitmentEndDate` is its last day, included."""
    end = one.commitment_end_date
    return end + timedelta(days=1) if end is not None and one.modern else end


def holding(one: Subscription, *, scope: str, sku: str, now: datetime) -> Holding:
    """Tell of a subscription; `scope` is the customer as the manifest spells it, `sku` the directory's."""
    day = renewal_day(one)
    ending = one.auto_renew_enabled is False
    return Holding(
        ref=one.id,
        product=one.product,
        scope=scope,
        seats=one.quantity,
        renewal=renewal(one),
        renews_on=None if ending else day,
        ends_on=day if ending else None,
        name=one.offer_name or one.friendly_name,
        status=one.status or "active",
        notices=notices(one, now),
        sku=sku,
        term=one.term_duration.upper(),
        billing=one.billing_cycle,
        refundable=tranches(one, now),
        cancel_until=cancel_until(one),
        scheduled=scheduled(one),
        frozen=frozen(one, now),
        fixed=fixed(one),
    )


def renewal(one: Subscription) -> Renewal | None:
    """Whether it renews by itself; None where that is not told."""
    if one.auto_renew_enabled is None:
        return None
    return "auto" if one.auto_renew_enabled else "off"


def tranches(one: Subscription, now: datetime) -> tuple[Tranche, ...] | None:
    """The seats that may be given back at once; None: any, as with what was sold before the new commerce."""
    if not one.modern:
        return None
    details = one.refundable_quantity.details if one.refundable_quantity else ()
    return tuple(
        Tranche(each.quantity, each.allowed_until_date_time)
        for each in details
        if each.quantity > 0
        and each.allowed_until_date_time is not None
        and each.allowed_until_date_time > now
        and not one.is_trial
    )


def cancel_until(one: Subscription) -> datetime | None:
    """Until when it may be ended at once; a trial's status is as it is, so it only ends."""
    if one.is_trial:
        return None
    told = one.cancellation_allowed_until_date
    return told or max((each.expires_at for each in one.refund_options if each.expires_at), default=None)


def scheduled(one: Subscription) -> Json | None:
    """What changes by itself at the renewal, in the words of an action; another product is told as a notice."""
    planned = one.scheduled_next_term_instructions
    if planned is None:
        return None
    return next_term(one, planned)


def next_term(one: Subscription, planned: NextTerm | None) -> dict[str, object]:
    """The seats, term and billing after the renewal as it stands."""
    product = planned.product if planned else None
    quantity = planned.quantity if planned else None
    return {
        "seats": one.quantity if quantity is None else quantity,
        "term": ((product.term_duration if product else "") or one.term_duration).upper(),
        "billing": (product.billing_cycle if product else "") or one.billing_cycle,
    }


def frozen(one: Subscription, now: datetime) -> str:
    """Why nothing of it can be changed now; empty when it can be."""
    day = renewal_day(one)
    match one.status:
        case "suspended":
            why = f" ({', '.join(one.suspension_reasons)})" if one.suspension_reasons else ""
            return f"it is suspended{why} and billed all the same: resume it in Partner Center first"
        case "expired" | "disabled":
            anew = "only bought anew, as a license group of another name"
            return f"its term ended on {day}: it cannot be renewed any more, {anew}"
        case "pending":
            return "it is being set up: plan again in a few minutes"
    if day is not None and one.auto_renew_enabled and now >= _midnight(day) and one.modern:
        return "it is being renewed, which takes up to 24 hours: plan again then"
    return ""


def fixed(one: Subscription) -> str:
    """Why its seats stay as they are; empty when they can be changed."""
    if not one.is_trial:
        return ""
    return f"it is a trial until {renewal_day(one)}, whose seats cannot be changed: add a group of the paid product"


def notices(one: Subscription, now: datetime) -> tuple[str, ...]:
    """What a person should know of it; how long it lives on after its end is told by its windows."""
    said: list[str] = []
    day = renewal_day(one)
    if one.is_trial and one.status == "active":
        after = "then it becomes a paid subscription" if one.auto_renew_enabled else "then it ends"
        said.append(f"it is a trial until {day}: {after}; its seats cannot be changed")
    if one.scheduled_actions:
        said.append(
            "it has scheduledActions, which count instead of what is shown here: look in Partner Center"
        )
    if (other := _other_product(one)) is not None and not frozen(one, now):
        said.append(f"at the renewal on {day} it becomes {other}")
    return tuple(said)


def _other_product(one: Subscription) -> str | None:
    planned = one.scheduled_next_term_instructions
    if planned is None or planned.product is None or not planned.product.product_id:
        return None
    other = f"{planned.product.product_id}:{planned.product.sku_id}".upper()
    return other if other != one.product else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def incoming(
    orders: list[Order], subscriptions: list[Subscription], *, scope: str, now: datetime
) -> list[Incoming]:
    """Tell of a customer's orders that were not delivered yet; `subscriptions` are all, the deleted ones too."""
    there = {one.id.lower() for one in subscriptions}
    return [
        Incoming(
            ref=order.id,
            product=line.product,
            quantity=line.quantity,
            into=scope,
            waiting_on="person" if order.status in FOR_PERSON else "provider",
            status=order.status,
            since=order.creation_date,
        )
        for order in orders
        for line in order.line_items
        if line.transaction_type in {"", "new"} and _on_its_way(order, line.subscription_id, there, now)
    ]


def _on_its_way(order: Order, subscription: str, there: set[str], now: datetime) -> bool:
    if order.status in OVER or (subscription and subscription.lower() in there):
        return False
    age = now - order.creation_date if order.creation_date else timedelta()
    return age < (LISTED if order.status == "completed" and subscription else RECENT)
