# ruff: noqa: D103 - the route above a handler says what it answers
"""Partner Center's orders: placed at checkout, completed later, listed later still."""

import json
from typing import Any

from reconciler.sandbox.call import Call
from reconciler.sandbox.events import event
from reconciler.sandbox.microsoft import customers, products, sales
from reconciler.sandbox.microsoft.errors import classic
from reconciler.sandbox.microsoft.keys import partner as own
from reconciler.sandbox.microsoft.paging import page
from reconciler.sandbox.microsoft.routes import partner
from reconciler.sandbox.microsoft.wire import etag, fresh, instant, link
from reconciler.sandbox.store import Tx

ORDERS = customers.ONE + "/orders"
DOCUMENTS = "pending po upload"
_SYMBOLS = {"EUR": "€", "USD": "US$", "GBP": "£", "PLN": "zł"}


@partner("GET", ORDERS)
def listed(call: Call) -> dict[str, Any]:
    number = customers.find(call)["id"]
    sql = "SELECT * FROM ms_order WHERE customer = ? AND listed <= ? ORDER BY seq"
    return page(call, [show(call.tx, row) for row in call.tx.all(sql, number, call.tx.now)])


@partner("GET", ORDERS + "/{order}")
def read(call: Call) -> dict[str, Any]:
    return show(call.tx, find(call.tx, customers.find(call)["id"], call.path["order"]))


@partner("GET", ORDERS + "/{order}/provisioningstatus")
def provisioning(call: Call) -> dict[str, Any]:
    row = find(call.tx, customers.find(call)["id"], call.path["order"])
    items = [_provisioned(call.tx, row, line) for line in json.loads(row["lines"])]
    return {"totalCount": len(items), "items": items, "attributes": {"objectType": "Collection"}}


def place(call: Call, customer: str, cart: str, lines: list[dict[str, Any]]) -> str:
    """Place an order; its subscriptions come once it is completed. Gives its id."""
    tx = call.tx
    number = fresh(tx, "order").replace("-", "")[:12]
    plan = _plan(call)
    status = DOCUMENTS if plan.get("documents") else "pending"
    tx.run(
        "INSERT INTO ms_order (id, customer, cart, created, listed, status, lines, plan)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        *(number, customer, cart, tx.now, tx.now + tx.settings.delay_order_list, status),
        *(json.dumps([_line(place_, line) for place_, line in enumerate(lines)]), json.dumps(plan)),
    )
    bought = [{"item": line["catalogItemId"], "quantity": line["quantity"]} for line in lines]
    tx.record("partner-order-placed", customer=customer, order=number, cart=cart, lines=bought)
    if status == "pending":
        _go_on(tx, number, plan)
    return number


def person(tx: Tx, number: str) -> str:
    """Play the person who hands in the documents of an order."""
    row = tx.one("SELECT * FROM ms_order WHERE id = ?", number)
    if row is None:
        raise ValueError(f"there is no order {number}")
    if row["status"] != DOCUMENTS:
        raise ValueError(f"order {number} is {row['status']}: there is nothing for a person to do")
    tx.run("UPDATE ms_order SET status = 'pending' WHERE id = ?", number)
    _go_on(tx, number, json.loads(row["plan"]))
    return "pending"


def find(tx: Tx, customer: str, number: str) -> Any:
    """Give an order of a customer, or say that there is none."""
    row = tx.one("SELECT * FROM ms_order WHERE id = ? AND customer = ?", number.lower(), customer)
    if row is None:
        raise classic(20000, number)
    return row


def show(tx: Tx, row: Any) -> dict[str, Any]:
    """Show an order, with the ids of its subscriptions once they are there."""
    lines = json.loads(row["lines"])
    currency, root = own(tx)["currency"], f"/customers/{row['customer']}/orders/{row['id']}"
    subscriptions = _subscriptions(tx, row)
    total = sum(line.get("pricing", {}).get("price", 0) * line["quantity"] for line in lines)
    links = {"self": link(root), "provisioningStatus": link(f"{root}/provisioningstatus")}
    return {
        "id": row["id"],
        "alternateId": row["id"],
        "referenceCustomerId": row["customer"],
        "billingCycle": lines[0]["billingCycle"] if lines else "none",
        "currencyCode": currency,
        "currencySymbol": _SYMBOLS.get(currency, currency),
        "lineItems": [_shown(line, subscriptions) for line in lines],
        "creationDate": instant(row["created"]),
        "status": row["status"],
        "transactionType": "UserPurchase",
        "links": {**links, "patchOperation": link(root, "PATCH")},
        "totalPrice": round(total, 2),
        "client": {},
        "attributes": {"etag": etag(row["id"], 1), "objectType": "Order"},
    }


@event("partner-order-complete")
def _complete(tx: Tx, data: dict[str, Any]) -> None:
    row = tx.one("SELECT * FROM ms_order WHERE id = ? AND status = 'pending'", data["order"])
    if row is None:
        return
    plan = json.loads(row["plan"])
    if plan.get("cancelled"):
        tx.run("UPDATE ms_order SET status = 'cancelled' WHERE id = ?", row["id"])
        tx.record("partner-order-cancelled", customer=row["customer"], order=row["id"])
        return
    tx.run("UPDATE ms_order SET status = 'completed' WHERE id = ?", row["id"])
    for line in json.loads(row["lines"]):
        sales.deliver(tx, row, line, hidden=float(plan.get("hidden", 0)), failing=bool(plan.get("failing")))
    tx.record("partner-order-completed", customer=row["customer"], order=row["id"])


def _plan(call: Call) -> dict[str, Any]:
    plan: dict[str, Any] = {}
    late = call.faults.take("late-delivery")
    if late is not None:
        plan["late"] = float(late.get("seconds", 4 * 3600))
    hidden = call.faults.take("delivered-then-404")
    if hidden is not None:
        plan["hidden"] = float(hidden.get("seconds", 1200))
    for name, word in (
        ("order-cancelled", "cancelled"),
        ("order-documents", "documents"),
        ("task-error", "failing"),
    ):
        if call.faults.take(name) is not None:
            plan[word] = True
    return plan


def _go_on(tx: Tx, number: str, plan: dict[str, Any]) -> None:
    wait = tx.settings.delay_subscription + float(plan.get("late", 0))
    if wait <= 0:
        _complete(tx, {"order": number})
        return
    tx.later(tx.now + wait, "partner-order-complete", order=number)


def _line(place_: int, line: dict[str, Any]) -> dict[str, Any]:
    item = line["catalogItemId"].upper()
    product = products.find(item.rpartition(":")[0])
    assert product is not None  # noqa: S101 - a line without a product is refused at the checkout
    kept = {name: line[name] for name in ("quantity", "billingCycle", "termDuration", "pricing")}
    name = line.get("friendlyName") or product.title
    return {"lineItemNumber": place_, "offerId": item, "friendlyName": name, "transactionType": "New", **kept}


def _shown(line: dict[str, Any], subscriptions: dict[int, str]) -> dict[str, Any]:
    product, variant, availability = line["offerId"].split(":")
    root = f"/products/{product}"
    links = {
        "product": link(root),
        "sku": link(f"{root}/skus/{variant}"),
        "availability": link(f"{root}/skus/{variant}/availabilities/{availability}"),
    }
    found = {key: value for key, value in line.items() if key != "billingCycle"} | {"links": links}
    subscription = subscriptions.get(line["lineItemNumber"])
    return found if subscription is None else {**found, "subscriptionId": subscription}


def _subscriptions(tx: Tx, row: Any) -> dict[int, str]:
    return {
        one["line"]: one["id"]
        for one in tx.all("SELECT id, line FROM ms_subscription WHERE order_id = ?", row["id"])
    }


def _provisioned(tx: Tx, row: Any, line: dict[str, Any]) -> dict[str, Any]:
    number = line["lineItemNumber"]
    sql = "SELECT provisioning FROM ms_subscription WHERE order_id = ? AND line = ?"
    done = tx.column(sql, row["id"], number) == ["success"]
    status = "fulfilled" if done else "unfulfilled"
    information = [{"quantity": line["quantity"], "status": status}]
    return {
        "orderLineItemId": number,
        "lineItemNumber": number,
        "status": status,
        "quantityProvisioningInformation": information,
    }
