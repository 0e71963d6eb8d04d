# ruff: noqa: D103 - the route above a handler says what it answers
"""`/order/cart`: carts, their items, and what is configured on them."""

import uuid
from typing import Any

from reconciler.sandbox.call import Call, bad, missing
from reconciler.sandbox.clock import moment, parse
from reconciler.sandbox.ovh.account import account, money
from reconciler.sandbox.ovh.catalog import PLANS, PRODUCTS, SUBSIDIARIES, Plan, definition, option, sold, unit
from reconciler.sandbox.ovh.routes import delete, get, post, put
from reconciler.sandbox.store import Tx

ROOT = "/order/cart"
CART = ROOT + "/{cartId}"
ITEM = CART + "/item/{itemId}"
_LINE = "duration!:duration planCode! pricingMode! quantity!:long"
MOST = 100_000
DAY = 24 * 3600.0


@get(ROOT)
def carts(call: Call) -> list[str]:
    sql, values = "SELECT id FROM cart WHERE owned = 1 AND expire > ?", [call.tx.now]
    if "description" in call.query:
        return call.tx.column(f"{sql} AND description = ? ORDER BY id", *values, call.query["description"])
    return call.tx.column(f"{sql} ORDER BY id", *values)


@post(ROOT, f"description expire:datetime ovhSubsidiary!:{'|'.join(SUBSIDIARIES)}", anonymous=True)
def create(call: Call) -> dict[str, Any]:
    tx, body = call.tx, call.body
    if body["ovhSubsidiary"] != account(tx)["subsidiary"]:
        raise bad("The input provided isn't valid: 'ovhSubsidiary' is not the one of this account")
    number = str(uuid.uuid4())
    expire = parse(body["expire"]) if "expire" in body else tx.now + DAY
    tx.run(
        "INSERT INTO cart (id, description, expire, subsidiary) VALUES (?, ?, ?, ?)",
        *(number, body.get("description", ""), expire, body["ovhSubsidiary"]),
    )
    tx.record("cart-created", cart=number, description=body.get("description", ""))
    return show(tx, find(tx, number))


@get(CART, anonymous=True)
def one(call: Call) -> dict[str, Any]:
    return show(call.tx, find(call.tx, call.path["cartId"]))


@put(CART, "description expire:datetime", anonymous=True)
def update(call: Call) -> dict[str, Any]:
    row, body = writable(call), call.body
    expire = parse(body["expire"]) if "expire" in body else row["expire"]
    call.tx.run(
        "UPDATE cart SET description = ?, expire = ? WHERE id = ?",
        *(body.get("description", row["description"]), expire, row["id"]),
    )
    return one(call)


@delete(CART)
def remove(call: Call) -> None:
    row = writable(call)
    for number in call.tx.column("SELECT id FROM item WHERE cart = ?", row["id"]):
        _remove(call.tx, number)
    call.tx.run("DELETE FROM cart WHERE id = ?", row["id"])
    call.tx.record("cart-deleted", cart=row["id"], description=row["description"])


@post(CART + "/assign")
def assign(call: Call) -> None:
    call.tx.run("UPDATE cart SET owned = 1 WHERE id = ?", writable(call)["id"])


@get(CART + "/coupon", anonymous=True)
def coupons(call: Call) -> list[str]:
    find(call.tx, call.path["cartId"])
    return []


@get(CART + "/item", anonymous=True)
def items(call: Call) -> list[int]:
    cart = find(call.tx, call.path["cartId"])
    return call.tx.column("SELECT id FROM item WHERE cart = ? ORDER BY id", cart["id"])


@get(ITEM, anonymous=True)
def item(call: Call) -> dict[str, Any]:
    return show_item(call.tx, _item(call))


@put(ITEM, "duration:duration quantity:long", anonymous=True)
def item_update(call: Call) -> dict[str, Any]:
    row, body = _item(call), call.body
    writable(call)
    quantity = body.get("quantity", row["quantity"])
    _terms(body.get("duration", row["duration"]), row["mode"], quantity)
    call.tx.run("UPDATE item SET quantity = ? WHERE id = ?", quantity, row["id"])
    return item(call)


@delete(ITEM, anonymous=True)
def item_remove(call: Call) -> None:
    row = _item(call)
    writable(call)
    _remove(call.tx, row["id"])


@get(ITEM + "/configuration", anonymous=True)
def configurations(call: Call) -> list[int]:
    sql, number = "SELECT id FROM configuration WHERE item = ?", _item(call)["id"]
    if "label" in call.query:
        return call.tx.column(f"{sql} AND label = ? ORDER BY id", number, call.query["label"])
    return call.tx.column(f"{sql} ORDER BY id", number)


@post(ITEM + "/configuration", "label! value!", anonymous=True)
def configure(call: Call) -> dict[str, Any]:
    row, body = _item(call), call.body
    writable(call)
    if body["label"] not in PLANS[row["plan"]].labels:
        raise bad(f"Custom field {body['label']} is unknown for product {row['plan']}")
    number = call.tx.serial("configuration", 70001)
    call.tx.run(
        "INSERT INTO configuration VALUES (?, ?, ?, ?)", number, row["id"], body["label"], body["value"]
    )
    return {"id": number, "label": body["label"], "value": body["value"]}


@get(ITEM + "/configuration/{configurationId}", anonymous=True)
def configuration(call: Call) -> dict[str, Any]:
    return _configuration(call)


@delete(ITEM + "/configuration/{configurationId}", anonymous=True)
def unconfigure(call: Call) -> None:
    writable(call)
    call.tx.run("DELETE FROM configuration WHERE id = ?", _configuration(call)["id"])


@get(ITEM + "/requiredConfiguration", anonymous=True)
def required(call: Call) -> list[dict[str, Any]]:
    return [
        {"fields": None, "label": label, "required": False, "type": "String"}
        for label in PLANS[_item(call)["plan"]].labels
    ]


def _product(name: str) -> None:
    @get(f"{CART}/{name}", anonymous=True)
    def products(call: Call) -> list[dict[str, Any]]:
        find(call.tx, call.path["cartId"])
        return [definition(call.tx, plan) for plan in sold(name, options=False)]

    @post(f"{CART}/{name}", _LINE, anonymous=True)
    def put_in(call: Call) -> dict[str, Any]:
        plan = _sold(name, call.body["planCode"], options=False)
        return put_item(call, writable(call), plan)

    @get(f"{CART}/{name}/options", anonymous=True)
    def options(call: Call) -> list[dict[str, Any]]:
        find(call.tx, call.path["cartId"])
        if call.query.get("planCode") not in {plan.code for plan in sold(name, options=False)}:
            return []
        return [option(call.tx, plan) for plan in sold(name, options=True)]

    @post(f"{CART}/{name}/options", _LINE + " itemId!:long", anonymous=True)
    def add_option(call: Call) -> dict[str, Any]:
        cart = writable(call)
        plan = _sold(name, call.body["planCode"], options=True)
        parent = call.tx.one("SELECT id FROM item WHERE id = ? AND cart = ?", call.body["itemId"], cart["id"])
        if parent is None:
            raise missing("This item does not exist")
        return put_item(call, cart, plan, parent=parent["id"])


for _name in PRODUCTS:
    _product(_name)


def _service_option(name: str) -> None:
    root = f"/order/cartServiceOption/{name}"

    @get(root)
    def services(call: Call) -> list[str]:
        return call.tx.column("SELECT name FROM tenant WHERE kind = 'prepaid' ORDER BY name")

    @get(root + "/{serviceName}")
    def offers(call: Call) -> list[dict[str, Any]]:
        _prepaid(call)
        return [option(call.tx, plan) for plan in _offers(name)]

    @post(root + "/{serviceName}", _LINE + " cartId!")
    def add(call: Call) -> dict[str, Any]:
        service = _prepaid(call)
        plan = next((plan for plan in _offers(name) if plan.code == call.body["planCode"]), None)
        if plan is None:
            raise bad(f"The plan {call.body['planCode']} is not available")
        cart = find(call.tx, call.body["cartId"])
        return put_item(call, _open(cart), plan, service=service)


def _offers(name: str) -> list[Plan]:
    return sold(name, options=True) or sold(name, options=False)


for _name in ("office365Prepaid", "officePrepaid"):
    _service_option(_name)


def show(tx: Tx, row: Any) -> dict[str, Any]:
    """Show a cart."""
    return {
        "cartId": row["id"],
        "description": row["description"],
        "expire": moment(row["expire"]),
        "items": tx.column("SELECT id FROM item WHERE cart = ? ORDER BY id", row["id"]),
        "readOnly": bool(row["read_only"]),
    }


def show_item(tx: Tx, row: Any) -> dict[str, Any]:
    """Show an item of a cart."""
    total = unit(tx, PLANS[row["plan"]]) * row["quantity"]
    return {
        "cartId": row["cart"],
        "configurations": tx.column("SELECT id FROM configuration WHERE item = ? ORDER BY id", row["id"]),
        "duration": row["duration"],
        "itemId": row["id"],
        "offerId": None,
        "options": tx.column("SELECT id FROM item WHERE parent = ? ORDER BY id", row["id"]),
        "parentItemId": row["parent"],
        "prices": [{"label": "TOTAL", "price": money(tx, total), "promotions": None}],
        "productId": row["product"],
        "settings": {"planCode": row["plan"], "pricingMode": row["mode"], "quantity": row["quantity"]},
    }


def find(tx: Tx, number: str) -> Any:
    """Give a cart that is there and has not expired."""
    row = tx.one("SELECT * FROM cart WHERE id = ? AND expire > ?", number, tx.now)
    if row is None:
        raise missing("This cart does not exist")
    return row


def writable(call: Call) -> Any:
    """Give the cart of a request that wants to change it."""
    return _open(find(call.tx, call.path["cartId"]))


def put_item(
    call: Call, cart: Any, plan: Plan, *, parent: int | None = None, service: str | None = None
) -> dict[str, Any]:
    """Put a plan into a cart."""
    body = call.body
    _terms(body["duration"], body["pricingMode"], body["quantity"])
    number = call.tx.serial("item", 109074001)
    call.tx.run(
        "INSERT INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        *(number, cart["id"], parent, plan.product, plan.code),
        *(body["duration"], body["pricingMode"], body["quantity"], service),
    )
    return show_item(call.tx, call.tx.one("SELECT * FROM item WHERE id = ?", number))


def _open(cart: Any) -> Any:
    if cart["read_only"]:
        raise bad("This cart is read only")
    return cart


def _sold(product: str, code: str, *, options: bool) -> Plan:
    for plan in sold(product, options=options):
        if plan.code == code:
            return plan
    raise bad(f"The plan {code} is not available")


def _terms(duration: str, mode: str, quantity: int) -> None:
    if duration != "P1M" or mode != "default":
        raise bad(f"No price for duration {duration} and pricing mode {mode}")
    if not 1 <= quantity <= MOST:
        raise bad(f"The input provided isn't valid: 'quantity' is not between 1 and {MOST}")


def _item(call: Call) -> Any:
    cart = find(call.tx, call.path["cartId"])
    row = call.tx.one("SELECT * FROM item WHERE id = ? AND cart = ?", call.number("itemId"), cart["id"])
    if row is None:
        raise missing("This item does not exist")
    return row


def _configuration(call: Call) -> dict[str, Any]:
    row = call.tx.one(
        "SELECT id, label, value FROM configuration WHERE id = ? AND item = ?",
        *(call.number("configurationId"), _item(call)["id"]),
    )
    if row is None:
        raise missing("This configuration does not exist")
    return dict(row)


def _remove(tx: Tx, number: int) -> None:
    tx.run(
        "DELETE FROM configuration WHERE item IN (SELECT id FROM item WHERE id = ? OR parent = ?)",
        number,
        number,
    )
    tx.run("DELETE FROM item WHERE id = ? OR parent = ?", number, number)


def _prepaid(call: Call) -> str:
    name = call.path["serviceName"]
    if call.tx.one("SELECT 1 FROM tenant WHERE name = ? AND kind = 'prepaid'", name) is None:
        raise missing()
    return name
