# ruff: noqa: D103 - the route above a handler says what it answers
"""`/me/order`: the account's orders, how far they are, and paying them."""

import json
from typing import Any

from reconciler.sandbox.call import Call, bad, bare, missing
from reconciler.sandbox.clock import moment
from reconciler.sandbox.ovh import orders, renewal
from reconciler.sandbox.ovh.account import money
from reconciler.sandbox.ovh.catalog import PLANS
from reconciler.sandbox.ovh.routes import get, post
from reconciler.sandbox.store import Tx

ROOT = "/me/order"
ORDER = ROOT + "/{orderId}"
LINE = ORDER + "/details/{orderDetailId}"
MEANS = (
    "CREDIT_CARD|CURRENT_ACCOUNT|DEFERRED_PAYMENT_ACCOUNT|DOMESTIC_CARD|ENTERPRISE|INTERNAL_TRUSTED_ACCOUNT|PAYPAL"
    "|RUPAY|SEPA_DIRECT_DEBIT|bankAccount|creditCard|deferredPaymentAccount|fidelityAccount|ovhAccount|paypal"
)
REASONS = "competitor|difficulty|expensive|other|performance|reliability|unused"
_LIFE = 14 * 24 * 3600.0
_STEPS = {
    "VALIDATING": ("ORDER_STARTED", "ORDER_ACCEPTED", "PAYMENT_RECEIVED"),
    "VALIDATED": ("FRAUD_CHECK", "FRAUD_DOCS_REQUESTED", "FRAUD_REFUSED"),
    "DELIVERING": ("DELIVERY",),
    "AVAILABLE": ("INVOICE_SENT",),
}
_DONE = {"notPaid": 0, "checking": 1, "documentsRequested": 1, "delivering": 2, "delivered": 4}


@get(ROOT)
def listing(call: Call) -> list[int]:
    first, until = call.time("date.from") or 0.0, call.time("date.to")
    last = call.tx.now if until is None else until
    return call.tx.column("SELECT id FROM purchase WHERE date BETWEEN ? AND ? ORDER BY id DESC", first, last)


@get(ORDER)
def one(call: Call) -> dict[str, Any]:
    row = _order(call)
    total = _total(call.tx, row["id"])
    tax = int(total * call.tx.settings.tax / 100)
    link = orders.url(call.tx, row["id"])
    return {
        "date": moment(row["date"]),
        "expirationDate": moment(row["date"] + _LIFE),
        "metadatas": None,
        "orderId": row["id"],
        "password": row["password"],
        "pdfUrl": link + "&type=pdf",
        "priceWithTax": money(call.tx, total + tax),
        "priceWithoutTax": money(call.tx, total),
        "retractionDate": None if row["retraction"] is None else moment(row["retraction"]),
        "tax": money(call.tx, tax),
        "url": link,
    }


@get(ORDER + "/status")
def status(call: Call) -> str:
    return str(_order(call)["status"])


@get(ORDER + "/associatedObject")
def associated(call: Call) -> dict[str, Any]:
    row = _order(call)
    if row["paid"] is None:
        return {"id": None, "type": None}
    return {"id": f"FR{row['id']}", "type": "Bill"}


@get(ORDER + "/details")
def details(call: Call) -> list[int]:
    return call.tx.column("SELECT id FROM line WHERE purchase = ? ORDER BY id", _order(call)["id"])


@get(LINE)
def detail(call: Call) -> dict[str, Any]:
    line = _line(call)
    return {
        "cancelled": _order(call)["status"] == "cancelled",
        "description": PLANS[line["plan"]].name,
        "detailType": "DURATION",
        "domain": line["domain"],
        "orderDetailId": line["id"],
        "quantity": str(line["quantity"]),
        "totalPrice": money(call.tx, line["unit"] * line["quantity"]),
        "unitPrice": money(call.tx, line["unit"]),
    }


@get(LINE + "/extension")
def extension(call: Call) -> dict[str, Any]:
    line = _line(call)
    return {
        "order": {
            "action": "installation",
            "configurations": json.loads(line["configurations"]),
            "plan": {
                "code": line["plan"],
                "duration": line["duration"],
                "pricingMode": line["mode"],
                "product": {"name": line["product"]},
                "quantity": line["quantity"],
            },
            "type": "plan",
        }
    }


@get(ORDER + "/followUp")
def follow(call: Call) -> list[dict[str, Any]]:
    row = _order(call)
    notes = call.tx.all("SELECT * FROM history WHERE purchase = ? ORDER BY id", row["id"])
    done = _DONE.get(row["status"], 1)
    return [
        {
            "step": step,
            "status": _progress(place, done, row["status"]),
            "history": [
                {
                    "date": moment(note["at"]),
                    "description": note["label"].replace("_", " "),
                    "label": note["label"],
                }
                for note in notes
                if note["label"] in labels
            ],
        }
        for place, (step, labels) in enumerate(_STEPS.items())
    ]


@get(ORDER + "/payment")
def payment(call: Call) -> dict[str, Any]:
    row = _order(call)
    if row["paid"] is None:
        raise missing("This order is not paid")
    return {"paymentDate": moment(row["paid"]), "paymentIdentifier": None, "paymentType": "creditCard"}


@get(ORDER + "/paymentMethods")
def methods(call: Call) -> dict[str, Any]:
    _order(call)
    registered = call.tx.column("SELECT id FROM payment_method ORDER BY id")
    return {"available": [], "paymentMethods": [], "registered": registered}


@get(ORDER + "/availableRegisteredPaymentMean")
def means(call: Call) -> list[dict[str, Any]]:
    _order(call)
    kinds = call.tx.column("SELECT type FROM payment_method ORDER BY id")
    return [{"paymentMean": "creditCard" if kind == "CREDIT_CARD" else "bankAccount"} for kind in kinds]


@post(ORDER + "/pay", "paymentMethod!:object")
def pay(call: Call) -> None:
    row = _unpaid(call)
    number = call.body["paymentMethod"].get("id")
    if call.tx.one("SELECT 1 FROM payment_method WHERE id = ?", number) is None:
        raise missing("This payment method does not exist")
    _refused(call)
    orders.paid(call.tx, row["id"])


@post(ORDER + "/payWithRegisteredPaymentMean", f"paymentMean!:{MEANS} paymentMeanId:long")
def pay_with_mean(call: Call) -> None:
    row = _unpaid(call)
    mean = call.body["paymentMean"]
    if mean not in {one["paymentMean"] for one in means(call)}:
        raise bare(403, f"This order can't be paid with '{mean}'")
    _refused(call)
    orders.paid(call.tx, row["id"])


@post(ORDER + "/retraction", f"comment reason!:{REASONS}")
def retract(call: Call) -> None:
    row = _order(call)
    if row["retraction"] is None or row["retraction"] < call.tx.now or row["status"] == "cancelled":
        raise bad("This order can no longer be withdrawn from")
    for name in call.tx.column("SELECT name FROM seat WHERE order_id = ?", row["id"]):
        renewal.remove(call.tx, name)
    orders.cancel(call.tx, row["id"])


@post(ORDER + "/waiveRetraction")
def waive(call: Call) -> None:
    call.tx.run("UPDATE purchase SET retraction = NULL WHERE id = ?", _order(call)["id"])


def _order(call: Call) -> Any:
    row = orders.get(call.tx, call.number("orderId"))
    if row is None:
        raise missing("This order does not exist")
    return row


def _unpaid(call: Call) -> Any:
    row = _order(call)
    if row["status"] != "notPaid":
        raise bad("This order is already paid")
    return row


def _refused(call: Call) -> None:
    if call.faults.take("payment-refused") is not None:
        raise bare(403, "This order can't be paid with 'bankAccount'")


def _line(call: Call) -> Any:
    row = call.tx.one(
        "SELECT * FROM line WHERE id = ? AND purchase = ?", call.number("orderDetailId"), _order(call)["id"]
    )
    if row is None:
        raise missing("This order detail does not exist")
    return row


def _total(tx: Tx, number: int) -> int:
    return int(tx.column("SELECT coalesce(sum(unit * quantity), 0) FROM line WHERE purchase = ?", number)[0])


def _progress(place: int, done: int, state: str) -> str:
    if state == "cancelled" and place == done:
        return "ERROR"
    return "DONE" if place < done else "DOING" if place == done else "TODO"
