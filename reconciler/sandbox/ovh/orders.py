"""Orders: from placed to paid, checked, delivering and delivered, and what the delivery brings into the world."""

import json
import secrets
from typing import Any

from reconciler.sandbox.clock import day
from reconciler.sandbox.events import event
from reconciler.sandbox.ovh import mail, seats, tenants, usage
from reconciler.sandbox.ovh.catalog import PLANS, Plan, unit
from reconciler.sandbox.store import Tx

OPEN = ("notPaid", "checking", "delivering", "documentsRequested")
_SITE = "https://order.sandbox.example/displayOrder"


def url(tx: Tx, number: int) -> str:
    """Give the address at which anybody may open the order: a secret."""
    row = get(tx, number)
    return f"{_SITE}?orderId={number}&orderPassword={row['token']}"


def get(tx: Tx, number: int) -> Any:
    """Give an order's row, or nothing."""
    return tx.one("SELECT * FROM purchase WHERE id = ?", number)


def target(item: Any, configured: dict[str, str]) -> str | None:
    """Give the group that an item adds seats to; None is a new group."""
    value: str | None = item["service"] or configured.get("existing_tenant_service_name")
    return value or None


def add_lines(tx: Tx, number: int, item: Any, configured: dict[str, str], each: int) -> None:
    """Write down what was ordered: one line an item, or one a seat."""
    licence = PLANS[item["plan"]].licence
    single = tx.settings.details == "per-seat" and licence
    lines = item["quantity"] if single else 1
    pairs = json.dumps([{"label": label, "value": value} for label, value in configured.items()])
    for _ in range(lines):
        place = tx.column("SELECT count(*) FROM line WHERE purchase = ?", number)[0] + 1
        tx.run(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(tx.serial("line", 9001), number, item["product"], item["plan"], item["duration"], item["mode"]),
            *(1 if single else item["quantity"], target(item, configured), f"*{place:03d}", pairs, each),
            item["parent"] or item["id"],
        )


def coming(tx: Tx, tenant: str, licence: str) -> int:
    """Count the seats that undelivered orders will add to a group."""
    rows = tx.all(
        "SELECT plan, quantity FROM line JOIN purchase ON purchase.id = line.purchase"
        " WHERE service = ? AND status IN ('notPaid', 'checking', 'delivering', 'documentsRequested')",
        tenant,
    )
    return sum(row["quantity"] for row in rows if PLANS[row["plan"]].licence == licence)


def foreign(tx: Tx, plan: Plan, quantity: int, tenant: str | None, *, date: float | None = None) -> int:
    """Place an order that no cart of ours led to; it is not paid yet."""
    number = create(tx, date=date)
    item = {
        "plan": plan.code,
        "quantity": quantity,
        "product": plan.product,
        "duration": "P1M",
        "mode": "default",
    }
    into = {"existing_tenant_service_name": tenant} if tenant else {}  # as a cart that adds seats says it
    add_lines(tx, number, {**item, "service": tenant, "parent": None, "id": number}, into, unit(tx, plan))
    lines = [{"plan": plan.code, "quantity": quantity, "target": tenant}]
    tx.record("order-placed", order=number, cart=None, description="", lines=lines)
    return number


def create(
    tx: Tx,
    *,
    date: float | None = None,
    retraction: float | None = None,
    waits: str | None = None,
    slow: float = 0.0,
    unreadable: float = 0.0,
) -> int:
    """Open an unpaid order without lines."""
    number = tx.serial("order", 210000001)
    tx.run(
        "INSERT INTO purchase (id, date, status, token, password, retraction, waits, slow, unreadable)"
        " VALUES (?, ?, 'notPaid', ?, ?, ?, ?, ?, ?)",
        *(number, tx.now if date is None else date, secrets.token_hex(8), secrets.token_hex(5)),
        *(retraction, waits, slow, unreadable),
    )
    note(tx, number, "ORDER_ACCEPTED")
    return number


def paid(tx: Tx, number: int) -> None:
    """Let the money arrive, and the order go its way."""
    row = get(tx, number)
    tx.run("UPDATE purchase SET status = 'checking', paid = ? WHERE id = ?", tx.now, number)
    note(tx, number, "PAYMENT_RECEIVED", "FRAUD_CHECK")
    tx.record("order-paid", order=number)
    stage = tx.settings.delay_order / 3
    if row["waits"] is not None:
        tx.later(tx.now + stage, f"order-{row['waits']}", order=number)
        return
    tx.later(tx.now + stage, "order-delivering", order=number)


def person(tx: Tx, number: int) -> str:
    """Do what a person would: pay an unpaid order, or hand in the documents; gives what was done."""
    row = get(tx, number)
    if row is None:
        raise ValueError(f"there is no order {number}")
    if row["status"] == "notPaid":
        paid(tx, number)
        return "paid"
    if row["status"] == "documentsRequested":
        tx.run("UPDATE purchase SET status = 'checking', waits = NULL WHERE id = ?", number)
        tx.later(tx.now + tx.settings.delay_order / 3, "order-delivering", order=number)
        return "documents handed in"
    if row["status"] in OPEN and not _moves(tx, number):
        tx.later(
            tx.now, f"order-{'delivering' if row['status'] == 'checking' else 'delivered'}", order=number
        )
        return "set going"
    raise ValueError(f"order {number} is {row['status']}: it waits for nobody")


def cancel(tx: Tx, number: int) -> None:
    """End an order; what it delivered goes with it."""
    tx.run("UPDATE purchase SET status = 'cancelled' WHERE id = ?", number)
    tx.record("order-cancelled", order=number)


def note(tx: Tx, number: int, *labels: str) -> None:
    """Add to the order's tracking."""
    for label in labels:
        tx.run("INSERT INTO history (purchase, at, label) VALUES (?, ?, ?)", number, tx.now, label)


def _moves(tx: Tx, number: int) -> bool:
    return tx.one("SELECT 1 FROM due WHERE json_extract(data, '$.order') = ?", number) is not None


@event("order-documents")
def _documents(tx: Tx, data: dict[str, Any]) -> None:
    _move(tx, data["order"], "checking", "documentsRequested")
    note(tx, data["order"], "FRAUD_DOCS_REQUESTED")


@event("order-cancel")
def _cancelled(tx: Tx, data: dict[str, Any]) -> None:
    if _move(tx, data["order"], "checking", "cancelled"):
        note(tx, data["order"], "FRAUD_REFUSED")
        tx.record("order-cancelled", order=data["order"])


@event("order-delivering")
def _delivering(tx: Tx, data: dict[str, Any]) -> None:
    if not _move(tx, data["order"], "checking", "delivering"):
        return
    note(tx, data["order"], "DELIVERY")
    slow = get(tx, data["order"])["slow"]
    tx.later(tx.now + tx.settings.delay_order * 2 / 3 + slow, "order-delivered", order=data["order"])


@event("order-delivered")
def _delivered(tx: Tx, data: dict[str, Any]) -> None:
    number = data["order"]
    if not _move(tx, number, "delivering", "delivered"):
        return
    row = get(tx, number)
    readable = tx.now + (row["unreadable"] or tx.settings.delay_readable)
    made: dict[int, str] = {}
    names: list[str] = []
    for line in tx.all("SELECT * FROM line WHERE purchase = ? ORDER BY id", number):
        names.extend(_deliver(tx, line, made, readable))
    note(tx, number, "INVOICE_SENT")
    tx.record("order-delivered", order=number, services=names)
    mail.send(tx, f"Order {number} is installed", f"Order {number} was installed on {day(tx.now)}.")


def _deliver(tx: Tx, line: Any, made: dict[int, str], readable: float) -> list[str]:
    plan = PLANS[line["plan"]]
    tenant = line["service"] or made.get(line["part"])
    if tenant is None or tx.one("SELECT 1 FROM tenant WHERE name = ?", tenant) is None:
        tenant = seats.group(tx, None)
    made[line["part"]] = tenant
    if not plan.licence:
        tx.run("UPDATE line SET domain = ? WHERE id = ?", tenant, line["id"])
        return []
    names = [
        seats.add(tx, tenant, plan.licence, plan=plan.code, readable_at=readable, order=line["purchase"])
        for _ in range(line["quantity"])
    ]
    tx.run("UPDATE line SET domain = ? WHERE id = ?", names[0], line["id"])
    given = {pair["label"]: pair["value"] for pair in json.loads(line["configurations"])}
    if "login" in given:
        login = f"{given['login']}@{tenant}"
        tenants.unclaimed(tx, login)
        seats.settle_on(
            tx, names[0], login=login, first=given.get("firstName", ""), last=given.get("lastName", "")
        )
    usage.touch(tx, "prepaid", tenant)
    return names


def _move(tx: Tx, number: int, before: str, after: str) -> bool:
    # An order that was cancelled meanwhile stays where it is.
    changed = tx.one(
        "UPDATE purchase SET status = ? WHERE id = ? AND status = ? RETURNING id", after, number, before
    )
    return changed is not None
