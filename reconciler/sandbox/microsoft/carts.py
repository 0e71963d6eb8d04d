# ruff: noqa: D103 - the route above a handler says what it answers
"""Partner Center's carts: lines with their prices and errors, and the checkout that makes orders of them, once."""

import json
from decimal import Decimal
from typing import Any

from reconciler.sandbox.call import Call, Reply
from reconciler.sandbox.microsoft import agreements, customers, orders, products
from reconciler.sandbox.microsoft.errors import classic
from reconciler.sandbox.microsoft.keys import partner as own
from reconciler.sandbox.microsoft.products import Product
from reconciler.sandbox.microsoft.routes import partner
from reconciler.sandbox.microsoft.wire import fresh, link, named, received, stamp
from reconciler.sandbox.store import Tx

LIFE = 7 * 86400
"""Seconds a cart lasts."""
CARTS = customers.ONE + "/carts"
_OPTIONAL = (
    "friendlyName",
    "customTermEndDate",
    "promotionId",
    "participants",
    "renewsTo",
    "attestationAccepted",
)


@partner("POST", CARTS)
def create(call: Call) -> Reply:
    row = customers.find(call)
    number = fresh(call.tx, "cart")
    lines = _lines(call, row["id"])
    call.tx.run(
        "INSERT INTO ms_cart VALUES (?, ?, ?, ?, ?, 'Active', ?, '[]')",
        *(number, row["id"], call.tx.now, call.tx.now, call.tx.now + LIFE, json.dumps(lines)),
    )
    call.tx.record("partner-cart-created", customer=row["id"], cart=number)
    return Reply(201, _show(call, _find(call, number)))


@partner("GET", CARTS + "/{cart}")
def read(call: Call) -> dict[str, Any]:
    return _show(call, _find(call))


@partner("PUT", CARTS + "/{cart}")
def replace(call: Call) -> dict[str, Any]:
    row = _find(call)
    if row["status"] != "Active":
        raise classic(800065, row["id"])
    lines = _lines(call, row["customer"])
    sql = "UPDATE ms_cart SET lines = ?, changed = ? WHERE id = ?"
    call.tx.run(sql, json.dumps(lines), call.tx.now, row["id"])
    return _show(call, _find(call))


@partner("POST", CARTS + "/{cart}/checkout")
def checkout(call: Call) -> Reply:
    row = _find(call)
    done = dict(json.loads(row["ordered"]))
    groups = _groups(json.loads(row["lines"]))
    if set(groups) != set(done):
        _may_buy(call)
        _check(call, row, groups, done)
    errors = []
    for group, lines in groups.items():
        if group in done:
            continue
        error = _order(call, row, group, lines, done)
        errors += [error] if error else []
    status = "Ordered" if set(done) == set(groups) else "Active"
    sql = "UPDATE ms_cart SET status = ?, ordered = ?, changed = ? WHERE id = ?"
    call.tx.run(sql, status, json.dumps(list(done.items())), call.tx.now, row["id"])
    made = [orders.show(call.tx, orders.find(call.tx, row["customer"], number)) for number in done.values()]
    answer = {"orders": made, "attributes": {"objectType": "CartCheckoutResult"}}
    return Reply(201, {**answer, "orderErrors": errors} if errors else answer)


def _order(
    call: Call, row: Any, group: str, lines: list[dict[str, Any]], done: dict[str, str]
) -> dict[str, Any] | None:
    if call.faults.take("order-error") is not None:
        text = "The order could not be placed. Try again."
        return {"orderGroupId": group, "code": 800009, "description": text}
    done[group] = orders.place(call, row["customer"], row["id"], lines)
    return None


def _may_buy(call: Call) -> None:
    row = customers.find(call)
    if not agreements.accepted(row):
        raise classic(13605)
    match customers.standing(call.tx, row):
        case "Allowed":
            return
        case "NotAllowed":
            raise classic(800075)
    raise classic(800073)


def _check(call: Call, row: Any, groups: dict[str, list[dict[str, Any]]], done: dict[str, str]) -> None:
    if row["expires"] <= call.tx.now:
        raise classic(800008, row["id"], text="The cart has expired")
    lines = [line for group, some in groups.items() if group not in done for line in some]
    if not lines or any("error" in line for line in lines):
        raise classic(800009, row["id"])
    for line in lines:
        # An offer may have changed since the cart was filled.
        if "error" in _error(call, row["customer"], line, lines):
            raise classic(400019, line["catalogItemId"])


def _groups(lines: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for line in lines:
        found.setdefault(line["orderGroup"], []).append(line)
    return found


def _find(call: Call, number: str | None = None) -> Any:
    row = customers.find(call)
    wanted = (number or call.path["cart"]).lower()
    cart = call.tx.one("SELECT * FROM ms_cart WHERE id = ? AND customer = ?", wanted, row["id"])
    if cart is None:
        raise classic(800008, wanted)
    return cart


def _lines(call: Call, customer: str) -> list[dict[str, Any]]:
    given = received(call.body).get("lineitems")
    if not isinstance(given, list) or not given:
        raise classic(800002, "lineItems")
    lines = [_line(call, place, one) for place, one in enumerate(given)]
    return [line | _error(call, customer, line, lines) for line in lines]


def _line(call: Call, place: int, given: Any) -> dict[str, Any]:
    if (
        not isinstance(given, dict)
        or not isinstance(given.get("quantity"), int)
        or isinstance(given["quantity"], bool)
    ):
        raise classic(800002, "lineItems")
    line: dict[str, Any] = {
        "id": place,
        "catalogItemId": str(given.get("catalogitemid", "")),
        "quantity": given["quantity"],
        "currencyCode": own(call.tx)["currency"],
        "billingCycle": str(given.get("billingcycle", "")).lower(),
        "termDuration": str(given.get("termduration", "")).upper(),
        "provisioningContext": given.get("provisioningcontext") or {},
        "orderGroup": str(given.get("ordergroup") or "0"),
    }
    extra = {name: given[name.lower()] for name in _OPTIONAL if given.get(name.lower()) is not None}
    product = products.find(line["catalogItemId"].upper().rpartition(":")[0])
    terms = products.terms(product) if product is not None else ()
    if product is None or (line["termDuration"], line["billingCycle"]) not in terms:
        return line | extra
    return line | extra | {"pricing": pricing(call.tx, product, line)}


def pricing(tx: Tx, product: Product, line: dict[str, Any]) -> dict[str, float]:
    """Give the prices of a line: of one licence and one bill, and of the whole line over its whole term."""
    unit = products.price(tx, product, line["billingCycle"])
    whole = unit * line["quantity"] * products.bills(line["termDuration"], line["billingCycle"])
    one = float(unit)
    plain = dict.fromkeys(("listPrice", "discountedPrice", "proratedPrice", "price"), one)
    return {**plain, "extendedPrice": float(whole.quantize(Decimal("0.01")))}


def _error(call: Call, customer: str, line: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    item, _, availability = line["catalogItemId"].upper().rpartition(":")
    product = products.find(item)
    if product is None or availability != products.availability(call.tx, product):
        return _wrong(10001, "CatalogItemIdIsNotValid")
    if (line["termDuration"], line["billingCycle"]) not in products.terms(product):
        return _wrong(10010, "The term duration and billing cycle are not offered")
    if not 1 <= line["quantity"] <= product.most:
        return _wrong(10015, "MaxAllowedSeatsPerSubscriptionExceeded", availableQuantity=product.most)
    if product.trial and _tried(call.tx, customer, product):
        return _wrong(10002, "One trial of an offer for each customer", availableQuantity=0)
    if product.needs and not _has_base(call.tx, customer, product, lines):
        return _wrong(400041, "The add-on has no base in the cart or at the customer")
    return {}


def _wrong(code: int, text: str, **more: int) -> dict[str, Any]:
    error: dict[str, Any] = {"errorCode": code, "errorDescription": text}
    return {"error": {**error, "additionalInformation": more} if more else error}


def _tried(tx: Tx, customer: str, product: Product) -> bool:
    sql = "SELECT 1 FROM ms_subscription WHERE customer = ? AND item = ?"
    return tx.one(sql, customer, product.id) is not None


def _has_base(tx: Tx, customer: str, product: Product, lines: list[dict[str, Any]]) -> bool:
    here = {line["catalogItemId"].upper().rpartition(":")[0] for line in lines}
    sql = "SELECT item FROM ms_subscription WHERE customer = ? AND status = 'active'"
    return bool(set(product.needs) & (here | set(tx.column(sql, customer))))


def _show(call: Call, row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "creationTimestamp": stamp(row["created"]),
        "lastModifiedTimestamp": stamp(row["changed"]),
        "expirationTimestamp": stamp(row["expires"]),
        "lastModifiedUser": named("person", call.caller["client"]),
        "status": row["status"],
        "lineItems": json.loads(row["lines"]),
        # Some links of Partner Center carry the version, most do not.
        "links": {"self": link(f"/v1/customers/{row['customer']}/carts/{row['id']}")},
        "attributes": {"objectType": "Cart"},
    }
