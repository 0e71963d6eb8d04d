# ruff: noqa: D103 - the route above a handler says what it answers
"""`/order/cart/{cartId}/checkout` and `summary`: what a cart costs, and the moment it becomes an order."""

from collections import Counter
from typing import Any

from reconciler.sandbox.call import Call, bad
from reconciler.sandbox.ovh import orders
from reconciler.sandbox.ovh.account import money
from reconciler.sandbox.ovh.carts import CART, find, writable
from reconciler.sandbox.ovh.catalog import PLANS, unit
from reconciler.sandbox.ovh.routes import get, post
from reconciler.sandbox.store import Tx

_FORTNIGHT = 14 * 24 * 3600.0
_CONTRACTS = (
    ("Microsoft 365 specific conditions", "https://contract.sandbox.example/microsoft-365.pdf"),
    ("Microsoft Customer Agreement", "https://contract.sandbox.example/mca.pdf"),
)


@get(CART + "/summary", anonymous=True)
def summary(call: Call) -> dict[str, Any]:
    return _order(call.tx, find(call.tx, call.path["cartId"]), contracts=False)


@get(CART + "/checkout")
def dry_run(call: Call) -> dict[str, Any]:
    cart = _valid(call)
    return _order(call.tx, cart, contracts=True)


@post(CART + "/checkout", "autoPayWithPreferredPaymentMethod:boolean waiveRetractationPeriod:boolean")
def checkout(call: Call) -> dict[str, Any]:
    tx, cart = call.tx, _valid(call)
    automatic = bool(call.body.get("autoPayWithPreferredPaymentMethod"))
    if automatic and tx.one("SELECT 1 FROM payment_method WHERE is_default = 1") is None:
        raise bad("There is no default payment method to pay this order with")
    waived = bool(call.body.get("waiveRetractationPeriod"))
    number = _place(call, cart["id"], waived=waived)
    tx.run("UPDATE cart SET read_only = 1 WHERE id = ?", cart["id"])
    _record(tx, number, cart)
    if automatic:
        orders.paid(tx, number)
    shown = _order(tx, cart, contracts=True)
    return {**shown, "orderId": number, "url": orders.url(tx, number)}


def _place(call: Call, cart: str, *, waived: bool) -> int:
    tx = call.tx
    waits = "cancel" if call.faults.take("order-cancelled") is not None else None
    waits = "documents" if call.faults.take("order-documents") is not None else waits
    slow = call.faults.take("late-delivery")
    unreadable = call.faults.take("delivered-then-404")
    number = orders.create(
        tx,
        retraction=None if waived else tx.now + _FORTNIGHT,
        waits=waits,
        slow=0.0 if slow is None else float(slow.get("seconds", 4 * 3600)),
        unreadable=0.0 if unreadable is None else float(unreadable.get("seconds", 1200)),
    )
    for item in _items(tx, cart):
        orders.add_lines(tx, number, item, _configured(tx, item["id"]), unit(tx, PLANS[item["plan"]]))
    return number


def _record(tx: Tx, number: int, cart: Any) -> None:
    lines = [
        {"plan": line["plan"], "quantity": line["quantity"], "target": line["service"]}
        for line in tx.all("SELECT * FROM line WHERE purchase = ? ORDER BY id", number)
    ]
    tx.record("order-placed", order=number, cart=cart["id"], description=cart["description"], lines=lines)


def _valid(call: Call) -> Any:
    cart = writable(call)
    if not cart["owned"]:
        raise bad("This cart must be assigned before it can be checked out")
    items = _items(call.tx, cart["id"])
    if not items:
        raise bad("This cart is empty")
    problems = [problem for item in items for problem in _problems(call.tx, item)]
    if problems:
        raise bad("\n".join(problems))
    _within_limit(call.tx, items)
    return cart


def _problems(tx: Tx, item: Any) -> list[str]:
    pairs = tx.all("SELECT label, value FROM configuration WHERE item = ?", item["id"])
    counts = Counter(pair["label"] for pair in pairs)
    problems = [
        f"Custom field {label} is duplicated for product {item['plan']}"
        for label, count in counts.items()
        if count > 1
    ]
    target = orders.target(item, {pair["label"]: pair["value"] for pair in pairs})
    if target and tx.one("SELECT 1 FROM tenant WHERE name = ? AND kind = 'prepaid'", target) is None:
        problems.append(f"The service {target} does not exist")
    return problems


def _within_limit(tx: Tx, items: list[Any]) -> None:
    wanted: Counter[str] = Counter()
    for item in items:
        if PLANS[item["plan"]].licence == "officeBusiness":
            wanted[
                orders.target(item, _configured(tx, item["id"])) or f"new {item['parent'] or item['id']}"
            ] += item["quantity"]
    for name, count in wanted.items():
        present = tx.column(
            "SELECT count(*) FROM seat WHERE tenant = ? AND licence = 'officeBusiness'", name
        )[0]
        if present + orders.coming(tx, name, "officeBusiness") + count > tx.settings.business_limit:
            limit = int(tx.settings.business_limit)
            raise bad(f"A service cannot have more than {limit} officeBusiness licences")


def _order(tx: Tx, cart: Any, *, contracts: bool) -> dict[str, Any]:
    items = _items(tx, cart["id"])
    total = sum(unit(tx, PLANS[item["plan"]]) * item["quantity"] for item in items)
    tax = int(total * tx.settings.tax / 100)
    texts = [
        {"content": f"{name}: the sandbox's own text", "name": name, "url": link} for name, link in _CONTRACTS
    ]
    return {
        "contracts": texts if contracts else [],
        "details": [_detail(tx, item, place) for place, item in enumerate(items, 1)],
        "orderId": None,
        "prices": {
            "originalWithoutTax": money(tx, total),
            "reduction": money(tx, 0),
            "tax": money(tx, tax),
            "withTax": money(tx, total + tax),
            "withoutTax": money(tx, total),
        },
        "url": None,
    }


def _detail(tx: Tx, item: Any, place: int) -> dict[str, Any]:
    plan = PLANS[item["plan"]]
    each = unit(tx, plan)
    return {
        "cartItemID": item["id"],
        "description": plan.name,
        "detailType": "DURATION",
        "domain": f"*{place:03d}",
        "originalTotalPrice": money(tx, each * item["quantity"]),
        "quantity": item["quantity"],
        "reductionTotalPrice": money(tx, 0),
        "reductions": [],
        "totalPrice": money(tx, each * item["quantity"]),
        "unitPrice": money(tx, each),
    }


def _items(tx: Tx, cart: str) -> list[Any]:
    return tx.all("SELECT * FROM item WHERE cart = ? ORDER BY id", cart)


def _configured(tx: Tx, item: int) -> dict[str, str]:
    return {row["label"]: row["value"] for row in tx.all("SELECT * FROM configuration WHERE item = ?", item)}
