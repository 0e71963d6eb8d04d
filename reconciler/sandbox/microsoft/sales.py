"""The life of a subscription: delivered, provisioned, renewed or ended, all by the world's clock."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from reconciler.sandbox.clock import months_later
from reconciler.sandbox.events import event
from reconciler.sandbox.microsoft import products
from reconciler.sandbox.microsoft.wire import fresh
from reconciler.sandbox.store import Tx

WINDOW = 168 * 3600
"""Seconds after a purchase or renewal in which it can be taken back (Microsoft's new commerce rules, 2023-10)."""
DAY = 86400
EXPIRED = 30 * DAY
DISABLED = 90 * DAY
"""How long a subscription that ended stays expired, and then disabled, before it is gone."""


def deliver(tx: Tx, order: Any, line: Mapping[str, Any], *, hidden: float = 0, failing: bool = False) -> str:
    """Let what a line of an order bought come to be; gives the subscription's id."""
    product, _, _ = str(line["offerId"]).rpartition(":")
    number = create(
        tx,
        {
            "customer": order["customer"],
            "order": order["id"],
            "line": line["lineItemNumber"],
            "item": product,
            "offer": line["offerId"],
            "friendly": line["friendlyName"],
            "quantity": line["quantity"],
            "term": line["termDuration"],
            "billing": line["billingCycle"],
            "hidden": tx.now + hidden if hidden else 0,
        },
    )
    about = {
        "customer": order["customer"],
        "order": order["id"],
        "item": product,
        "quantity": line["quantity"],
    }
    tx.record("partner-subscription-created", id=number, **about)
    provision(tx, number, failing=failing)
    return number


def create(tx: Tx, given: Mapping[str, Any], *, started: float | None = None) -> str:
    """Create a subscription whose term began at `started`, else now; gives its id."""
    product = products.find(given["item"])
    assert product is not None  # noqa: S101 - who calls has looked it up
    begin = tx.now if started is None else started
    number = given.get("id") or fresh(tx, "subscription")
    tx.run(
        "INSERT INTO ms_subscription (id, customer, order_id, line, item, offer, sku, name, friendly, quantity, status,"
        " term, billing, renew, trial, created, started, ends, closes, changed, hidden)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, 0, ?, ?)",
        *(number, given["customer"], given.get("order", ""), given.get("line", 0), given["item"]),
        *(
            given["offer"],
            product.sku,
            product.title,
            given.get("friendly") or product.title,
            given["quantity"],
        ),
        *(given["term"], given["billing"], int(given.get("renew", True)), int(product.trial), begin, begin),
        *(term_end(begin, given["term"]), tx.now, given.get("hidden", 0)),
    )
    tranche(tx, number, given["quantity"], begin + WINDOW)
    _wait_for_end(tx, number)
    return str(number)


def provision(tx: Tx, number: str, *, failing: bool = False) -> None:
    """Let the directory see how many units there are, after a while."""
    tx.run("UPDATE ms_subscription SET provisioning = 'pending' WHERE id = ?", number)
    wait = tx.settings.delay_provisioning
    data = {"id": number, "failing": failing}
    if wait <= 0:
        _provisioned(tx, data)
        return
    tx.later(tx.now + wait, "partner-provisioned", **data)


def tranche(tx: Tx, number: str, quantity: int, until: float) -> None:
    """Note seats that can be taken back until a time."""
    tx.run("INSERT INTO ms_tranche (subscription, quantity, until) VALUES (?, ?, ?)", number, quantity, until)


def tranches(tx: Tx, number: str) -> list[Any]:
    """Give the seats that can still be taken back, the last bought first."""
    sql = "SELECT * FROM ms_tranche WHERE subscription = ? AND until > ? AND quantity > 0 ORDER BY until DESC, id DESC"
    return tx.all(sql, number, tx.now)


def take_back(tx: Tx, number: str, quantity: int) -> None:
    """Use up seats that can be taken back, the last bought first; which goes first is not published."""
    left = quantity
    for row in tranches(tx, number):
        used = min(left, row["quantity"])
        tx.run("UPDATE ms_tranche SET quantity = quantity - ? WHERE id = ?", used, row["id"])
        left -= used


def move(tx: Tx, row: Any, status: str, **data: object) -> None:
    """Change the state of a subscription and write it down."""
    tx.run("UPDATE ms_subscription SET status = ?, changed = ? WHERE id = ?", status, tx.now, row["id"])
    about = {"customer": row["customer"], "id": row["id"], "quantity": row["quantity"]}
    tx.record(f"partner-subscription-{status}", **about, **data)


def end(tx: Tx, number: str) -> None:
    """Take a subscription away at once; the directory sees it at once too."""
    tx.run("UPDATE ms_subscription SET granted = 0, step = step + 1 WHERE id = ?", number)


def term_end(begin: float, term: str) -> float:
    """Give the moment after the last day of a term: midnight UTC."""
    when = datetime.fromtimestamp(months_later(begin, products.MONTHS[term]), UTC)
    return when.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _wait_for_end(tx: Tx, number: str) -> None:
    row = tx.one("UPDATE ms_subscription SET step = step + 1 WHERE id = ? RETURNING step, ends", number)
    if row is not None:
        tx.later(row["ends"], "partner-term-ended", id=number, step=row["step"])


def _then(tx: Tx, row: Any, wait: float, what: str) -> None:
    sql = "UPDATE ms_subscription SET step = step + 1, closes = ? WHERE id = ? RETURNING step"
    step = tx.column(sql, tx.now + wait, row["id"])[0]
    tx.later(tx.now + wait, what, id=row["id"], step=step)


def _due(tx: Tx, data: Mapping[str, Any]) -> Any:
    return tx.one("SELECT * FROM ms_subscription WHERE id = ? AND step = ?", data["id"], data["step"])


@event("partner-provisioned")
def _provisioned(tx: Tx, data: Mapping[str, Any]) -> None:
    if data["failing"]:
        tx.run("UPDATE ms_subscription SET provisioning = 'failed' WHERE id = ?", data["id"])
        tx.record("partner-provisioning-failed", id=data["id"])
        return
    tx.run(
        "UPDATE ms_subscription SET provisioning = 'success', granted = CASE status WHEN 'deleted' THEN 0"
        " ELSE quantity END WHERE id = ?",
        data["id"],
    )


@event("partner-term-ended")
def _ended(tx: Tx, data: Mapping[str, Any]) -> None:
    row = _due(tx, data)
    if row is None:
        return
    if row["status"] == "suspended":
        # A page contradicts itself here; its detailed paragraph has 30 days and then 90, all of them disabled.
        move(tx, row, "disabled")
        _then(tx, row, EXPIRED + DISABLED, "partner-deleted")
    elif row["renew"]:
        tx.run("UPDATE ms_subscription SET renewing = 1 WHERE id = ?", row["id"])
        _then(tx, row, tx.settings.delay_renewal, "partner-renewed")
    else:
        move(tx, row, "expired")
        _then(tx, row, EXPIRED, "partner-disabled")


@event("partner-renewed")
def _renewed(tx: Tx, data: Mapping[str, Any]) -> None:
    row = _due(tx, data)
    if row is None:
        return
    new = _next_term(tx, row)
    tx.run(
        "UPDATE ms_subscription SET renewing = 0, scheduled = NULL, started = ends, trial = 0, version = version + 1,"
        " item = ?, offer = ?, sku = ?, name = ?, quantity = ?, term = ?, billing = ?, ends = ?, changed = ?"
        " WHERE id = ?",
        *new,
        tx.now,
        row["id"],
    )
    tx.run("DELETE FROM ms_tranche WHERE subscription = ?", row["id"])
    # The window opens again at the moment the renewal is done.
    tranche(tx, row["id"], new.quantity, tx.now + WINDOW)
    tx.record(
        "partner-subscription-renewed",
        customer=row["customer"],
        id=row["id"],
        before=row["quantity"],
        quantity=new.quantity,
    )
    provision(tx, row["id"])
    _wait_for_end(tx, row["id"])


class _Term(NamedTuple):
    """What a subscription is in one term, by its columns."""

    item: str
    offer: str
    sku: str
    name: str
    quantity: int
    term: str
    billing: str
    ends: float


def _next_term(tx: Tx, row: Any) -> _Term:
    """What was scheduled for the renewal; where nothing was, it goes on as it is."""
    planned = json.loads(row["scheduled"] or "{}")
    product = planned.get("product") or {}
    item = f"{product['productId']}:{product['skuId']}" if product else row["item"]
    new = products.find(item)
    assert new is not None  # noqa: S101 - a plan for another product is looked up when it is made
    term = product.get("termDuration", row["term"])
    return _Term(
        item=item,
        offer=row["offer"] if item == row["item"] else f"{item}:{products.availability(tx, new)}",
        sku=new.sku,
        name=new.title,
        quantity=planned.get("quantity", row["quantity"]),
        term=term,
        billing=product.get("billingCycle", row["billing"]),
        ends=term_end(row["ends"], term),
    )


@event("partner-disabled")
def _disabled(tx: Tx, data: Mapping[str, Any]) -> None:
    row = _due(tx, data)
    if row is not None:
        move(tx, row, "disabled")
        _then(tx, row, DISABLED, "partner-deleted")


@event("partner-deleted")
def _deleted(tx: Tx, data: Mapping[str, Any]) -> None:
    row = _due(tx, data)
    if row is not None:
        move(tx, row, "deleted")
        end(tx, row["id"])
