# ruff: noqa: D103 - the route above a handler says what it answers
"""Partner Center's subscriptions as they are read."""

import json
from datetime import UTC, datetime
from typing import Any

from reconciler.sandbox.call import Call
from reconciler.sandbox.clock import months_later
from reconciler.sandbox.microsoft import customers, products, sales
from reconciler.sandbox.microsoft.errors import classic
from reconciler.sandbox.microsoft.paging import page
from reconciler.sandbox.microsoft.routes import partner
from reconciler.sandbox.microsoft.wire import etag, instant, link
from reconciler.sandbox.store import Tx

SUBSCRIPTIONS = customers.ONE + "/subscriptions"
ONE = SUBSCRIPTIONS + "/{subscription}"


@partner("GET", SUBSCRIPTIONS)
def listed(call: Call) -> dict[str, Any]:
    number = customers.find(call)["id"]
    rows = call.tx.all("SELECT * FROM ms_subscription WHERE customer = ? ORDER BY seq", number)
    order = call.query.get("order_id", "").lower()
    return page(call, [show(call.tx, row) for row in rows if not order or row["order_id"] == order])


@partner("GET", ONE)
def read(call: Call) -> dict[str, Any]:
    return show(call.tx, find(call))


@partner("GET", ONE + "/addons")
def addons(call: Call) -> dict[str, Any]:
    find(call)
    return page(call, [])


@partner("GET", ONE + "/provisioningstatus", user=True)
def provisioning(call: Call) -> dict[str, Any]:
    row = find(call)
    return {
        "skuId": row["sku"].upper(),
        "status": row["provisioning"],
        "quantity": row["granted"],
        "endDate": instant(row["ends"] - sales.DAY),
        "attributes": {"objectType": "SubscriptionProvisioningStatus"},
    }


def find(call: Call) -> Any:
    """Give the subscription that the path names, or say that there is none."""
    number = customers.find(call)["id"]
    sql = "SELECT * FROM ms_subscription WHERE id = ? AND customer = ?"
    row = call.tx.one(sql, call.path["subscription"].lower(), number)
    if row is None or row["hidden"] > call.tx.now:
        raise classic(20003, call.path["subscription"])
    return row


def tag(row: Any) -> str:
    """Give the tag by which Partner Center notices a change in between."""
    return etag(row["id"], row["version"])


def show(tx: Tx, row: Any) -> dict[str, Any]:
    """Show a subscription; what is not set is left out, as Partner Center does."""
    last = row["ends"] - sales.DAY
    found: dict[str, Any] = {
        "id": row["id"],
        "offerId": row["offer"],
        "offerName": row["name"],
        "friendlyName": row["friendly"],
        "productType": {"id": "OnlineServicesNCE", "displayName": "OnlineServicesNCE"},
        "quantity": row["quantity"],
        "unitType": "Licenses",
        "hasPurchasableAddons": False,
        "creationDate": instant(row["created"]),
        "effectiveStartDate": instant(row["started"]),
        "commitmentEndDate": _midnight(last),
        "commitmentEndDateTime": instant(row["ends"] - 1),
        "billingCycleEndDate": _midnight(_bill_end(row, tx.now) - sales.DAY),
        "status": row["status"],
        "autoRenewEnabled": bool(row["renew"]),
        "isTrial": bool(row["trial"]),
        "billingType": "license",
        "billingCycle": row["billing"],
        "termDuration": row["term"],
        "renewalTermDuration": "",
        "isMicrosoftProduct": True,
        "partnerId": "",
        "attentionNeeded": False,
        "actionTaken": False,
        "contractType": "subscription",
        "links": _links(row),
        "publisherName": "Microsoft Corporation",
        "orderId": row["order_id"],
        "attributes": {"objectType": "Subscription"},
    }
    if row["scheduled"]:
        found["scheduledNextTermInstructions"] = json.loads(row["scheduled"])
    if tx.settings.etags:
        found["attributes"] = {"etag": tag(row), "objectType": "Subscription"}
    return found | _refunds(tx, row)


def _refunds(tx: Tx, row: Any) -> dict[str, Any]:
    rows = sales.tranches(tx, row["id"])
    until = window_end(tx, row)
    details = [{"quantity": one["quantity"], "allowedUntilDateTime": instant(one["until"])} for one in rows]
    total = sum(one["quantity"] for one in rows)
    return {
        "cancellationAllowedUntilDate": instant(until),
        "refundOptions": [{"type": "Full", "expiresAt": instant(until)}] if until > tx.now else [],
        "refundableQuantity": {"totalQuantity": total, "details": details},
    }


def window_end(tx: Tx, row: Any) -> float:
    """Give until when a subscription can be cancelled: seven days from its purchase or its last renewal."""
    first = tx.column("SELECT until FROM ms_tranche WHERE subscription = ? ORDER BY id LIMIT 1", row["id"])
    return float(first[0]) if first else row["started"] + sales.WINDOW


def _links(row: Any) -> dict[str, Any]:
    product, variant, availability = row["offer"].split(":")
    root = f"/products/{product}"
    return {
        "product": link(root),
        "sku": link(f"{root}/skus/{variant}"),
        "availability": link(f"{root}/skus/{variant}/availabilities/{availability}"),
        "self": link(f"/customers/{row['customer']}/subscriptions/{row['id']}"),
    }


def _bill_end(row: Any, now: float) -> float:
    step = (
        products.MONTHS[row["term"]] if row["billing"] == "none" else 12 if row["billing"] == "annual" else 1
    )
    months = step
    while (end := months_later(row["started"], months)) <= min(now, row["ends"] - 1):
        months += step
    return end


def _midnight(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT00:00:00Z")
