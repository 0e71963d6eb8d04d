"""Somebody else at work in the same OVHcloud account: changes made at once and without a task."""

from reconciler.sandbox.document import in_full
from reconciler.sandbox.interference import CHANGES
from reconciler.sandbox.ovh import orders, prepaid, renewal, seats, usage
from reconciler.sandbox.ovh.catalog import PLANS, plan_of
from reconciler.sandbox.store import Tx

_LICENCES = {"business": "officeBusiness", "pro-plus": "officeProPlus"}


def _seats_added(tx: Tx, tenant: str, licence: str, count: str = "1") -> None:
    kind = _LICENCES.get(licence, licence)
    for _ in range(int(count)):
        seats.add(tx, tenant, kind, plan=plan_of(kind))


def _seat_removed(tx: Tx, seat: str) -> None:
    renewal.remove(tx, seat)


def _seat_taken(tx: Tx, seat: str, login: str, first: str = "Somebody", last: str = "Else") -> None:
    seats.settle_on(tx, seat, login=in_full(login, seat.rpartition("-")[0]), first=first, last=last)


def _seat_freed(tx: Tx, seat: str) -> None:
    prepaid.vacate(tx, seat)


def _user_added(tx: Tx, tenant: str, login: str, licence: str = "officeBusiness") -> None:
    tx.run(
        "INSERT INTO user (tenant, email, first, last, country, licence) VALUES (?, ?, 'Somebody', 'Else', 'fr', ?)",
        *(tenant, in_full(login, tenant), _LICENCES.get(licence, licence)),
    )
    usage.touch(tx, "payg", tenant)


def _user_removed(tx: Tx, tenant: str, login: str) -> None:
    tx.run("DELETE FROM user WHERE tenant = ? AND email = ?", tenant, in_full(login, tenant))
    usage.touch(tx, "payg", tenant)


def _user_renamed(tx: Tx, tenant: str, login: str, new: str) -> None:
    names = in_full(new, tenant), tenant, in_full(login, tenant)
    tx.run("UPDATE user SET email = ? WHERE tenant = ? AND email = ?", *names)


def _quantity_changed(tx: Tx, subscription: str, quantity: str) -> None:
    tx.run(
        "UPDATE subscription SET quantity = ?, granted = ?, updated = ? WHERE id = ?",
        *(int(quantity), int(quantity), tx.now, int(subscription)),
    )


def _subscription_removed(tx: Tx, subscription: str) -> None:
    tx.run("DELETE FROM subscription WHERE id = ?", int(subscription))


def _order_placed(tx: Tx, tenant: str, licence: str, count: str = "1") -> None:
    kind = _LICENCES.get(licence, licence)
    number = orders.foreign(tx, PLANS[plan_of(kind)], int(count), None if tenant == "new" else tenant)
    orders.paid(tx, number)


def _renewal_changed(tx: Tx, service: str, ending: str = "on") -> None:
    renewal.end(tx, renewal.find(tx, service)["id"], ending=ending == "on")


CHANGES |= {
    "seats-added": _seats_added,
    "seat-removed": _seat_removed,
    "seat-taken": _seat_taken,
    "seat-freed": _seat_freed,
    "user-added": _user_added,
    "user-removed": _user_removed,
    "user-renamed": _user_renamed,
    "quantity-changed": _quantity_changed,
    "subscription-removed": _subscription_removed,
    "order-placed": _order_placed,
    "ending": _renewal_changed,
}
