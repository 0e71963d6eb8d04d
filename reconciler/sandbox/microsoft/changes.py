# ruff: noqa: D103 - the route above a handler says what it answers
"""PATCH of a subscription: a whole document comes, and what it leaves out is lost."""

import json
from typing import Any

from msgspec import Struct

from reconciler.sandbox.call import Call
from reconciler.sandbox.microsoft import products, sales, subscriptions
from reconciler.sandbox.microsoft.errors import classic
from reconciler.sandbox.microsoft.routes import partner
from reconciler.sandbox.microsoft.wire import mapping, received

MOST = 1200
"""How many updates one subscription takes (code 900311)."""
_STATUSES = {"none", "active", "pending", "suspended", "expired", "disabled", "deleted"}


class Wish(Struct, frozen=True):
    """What a document asks for."""

    quantity: int
    status: str
    renew: bool
    friendly: str
    schedule: dict[str, Any] | None


@partner("PATCH", subscriptions.ONE)
def change(call: Call) -> dict[str, Any]:
    row, body = subscriptions.find(call), received(call.body)
    _may(call, row, body)
    wish = _wish(row, body)
    if wish.status == "deleted":
        _cancel(call, row)
    elif wish.status != row["status"]:
        _switch(call, row, wish)
    else:
        _change(call, row, wish)
    return subscriptions.show(call.tx, subscriptions.find(call))


def _may(call: Call, row: Any, body: dict[str, Any]) -> None:
    if row["status"] == "deleted":
        raise classic(2011, row["id"])
    if row["status"] in {"expired", "disabled"}:
        raise classic(900279)
    if row["renewing"]:
        raise classic(800082, text="The subscription is being renewed. Try again in 2 minutes")
    sent = call.request.headers.get("if-match", "") if call.request is not None else ""
    tags = {sent, str(mapping(body.get("attributes")).get("etag") or "")} - {""}
    if tags and tags != {subscriptions.tag(row)}:
        raise classic(2055)
    if row["updates"] >= MOST:
        raise classic(900311)


def _wish(row: Any, body: dict[str, Any]) -> Wish:
    status = str(body.get("status", row["status"])).lower()
    if status not in _STATUSES:
        raise classic(900126, status)
    quantity = body.get("quantity", row["quantity"])
    if not isinstance(quantity, int) or isinstance(quantity, bool):
        raise classic(3000, "quantity")
    _same_term(row, body)
    # The trap: what a document does not say is switched off, not left alone.
    renew = body.get("autorenewenabled") is True
    schedule = body.get("schedulednextterminstructions") or None
    return Wish(
        quantity, status, renew, str(body.get("friendlyname") or row["friendly"]), _read(row, schedule)
    )


def _same_term(row: Any, body: dict[str, Any]) -> None:
    billing = str(body.get("billingcycle", row["billing"])).lower()
    term = str(body.get("termduration", row["term"])).upper()
    if term == row["term"] and billing == row["billing"]:
        return
    if row["trial"]:
        raise classic(800107)
    if term == row["term"]:
        raise classic(2054)
    shorter = products.MONTHS.get(term, 0) < products.MONTHS[row["term"]]
    raise classic(800122 if term in products.MONTHS and shorter else 800121, term)


def _read(row: Any, given: Any) -> dict[str, Any] | None:
    if given is None:
        return None
    if not isinstance(given, dict):
        raise classic(3000, "scheduledNextTermInstructions")
    product = mapping(given.get("product"))
    item = f"{product.get('productid', row['offer'].split(':')[0])}:{product.get('skuid', row['offer'].split(':')[1])}"
    new, quantity = products.find(item.upper()), given.get("quantity", row["quantity"])
    term = str(product.get("termduration") or row["term"]).upper()
    billing = str(product.get("billingcycle") or row["billing"]).lower()
    if new is None or (term, billing) not in products.terms(new):
        raise classic(3000, "scheduledNextTermInstructions.product")
    if not isinstance(quantity, int) or not 1 <= quantity <= new.most:
        raise classic(2002)
    shown = {"productId": new.product, "skuId": new.variant, "billingCycle": billing, "termDuration": term}
    if product.get("availabilityid"):
        shown["availabilityId"] = product["availabilityid"]
    return {"product": shown, "quantity": quantity}


def _cancel(call: Call, row: Any) -> None:
    if subscriptions.window_end(call.tx, row) <= call.tx.now:
        raise classic(900213, "168")
    sales.move(call.tx, row, "deleted", cancelled=True)
    sales.end(call.tx, row["id"])
    _touch(call, row, renew=False, schedule=None)


def _switch(call: Call, row: Any, wish: Wish) -> None:
    if {row["status"], wish.status} != {"active", "suspended"}:
        raise classic(900280)
    if row["trial"]:
        raise classic(900280)
    if wish.quantity != row["quantity"]:
        raise classic(2001)
    sales.move(call.tx, row, wish.status)
    # Off while suspended, and it stays off when it is active again.
    _touch(call, row, renew=False, schedule=None)


def _change(call: Call, row: Any, wish: Wish) -> None:
    suspended = row["status"] == "suspended"
    renewal = wish.renew != bool(row["renew"])
    if wish.quantity != row["quantity"]:
        _resize(call, row, wish.quantity)
    elif suspended and (wish.renew or wish.schedule):
        raise classic(800091)
    if wish.schedule is not None and not wish.renew:
        raise classic(900280, text="A scheduled change needs an active subscription that renews")
    before = json.loads(row["scheduled"]) if row["scheduled"] else None
    schedule = _kept(call, row, wish)
    if renewal:
        call.tx.record("partner-renewal-changed", customer=row["customer"], id=row["id"], renew=wish.renew)
    if schedule != before:
        call.tx.record("partner-schedule-changed", customer=row["customer"], id=row["id"], schedule=schedule)
    if wish.friendly != row["friendly"]:
        call.tx.run("UPDATE ms_subscription SET friendly = ? WHERE id = ?", wish.friendly, row["id"])
    _touch(call, row, renew=wish.renew, schedule=schedule)


def _kept(call: Call, row: Any, wish: Wish) -> dict[str, Any] | None:
    # A change in the middle of a term drops what was planned for its end, even when it is sent along:
    # one page says so, another says only what is left out is lost; the setting chooses.
    if wish.quantity != row["quantity"] and not call.tx.settings.keep_schedule:
        return None
    return wish.schedule if wish.renew else None


def _resize(call: Call, row: Any, quantity: int) -> None:
    tx, before = call.tx, row["quantity"]
    if row["status"] == "suspended":
        raise classic(2001)
    if row["trial"]:
        raise classic(900280)
    product = products.find(row["item"])
    assert product is not None  # noqa: S101 - it was sold
    if not 1 <= quantity <= product.most:
        raise classic(2002)
    if quantity > before:
        sales.tranche(tx, row["id"], quantity - before, tx.now + sales.WINDOW)
    elif before - quantity > sum(one["quantity"] for one in sales.tranches(tx, row["id"])):
        raise classic(800090)
    else:
        sales.take_back(tx, row["id"], before - quantity)
    tx.run("UPDATE ms_subscription SET quantity = ? WHERE id = ?", quantity, row["id"])
    tx.record(
        "partner-quantity-changed", customer=row["customer"], id=row["id"], before=before, quantity=quantity
    )
    sales.provision(tx, row["id"], failing=call.faults.take("task-error") is not None)


def _touch(call: Call, row: Any, *, renew: bool, schedule: dict[str, Any] | None) -> None:
    call.tx.run(
        "UPDATE ms_subscription SET renew = ?, scheduled = ?, changed = ?, version = version + 1,"
        " updates = updates + 1 WHERE id = ?",
        *(int(renew), None if schedule is None else json.dumps(schedule), call.tx.now, row["id"]),
    )
