"""Somebody else at work on the Microsoft side: the customer, an administrator in a portal, Microsoft itself."""

from typing import Any

from reconciler.sandbox.interference import CHANGES
from reconciler.sandbox.microsoft import (
    access,
    agreements,
    assigned,
    customers,
    domains,
    gdap,
    products,
    sales,
    users,
)
from reconciler.sandbox.microsoft.load import directory
from reconciler.sandbox.store import Tx


def _approve(tx: Tx, relation: str) -> None:
    gdap.approve(tx, relation)


def _access_given(tx: Tx, relation: str, group: str, role: str) -> None:
    access.give(tx, relation, group, role)


def _access_taken(tx: Tx, relation: str, group: str, role: str = "") -> None:
    access.take(tx, relation, group, role)


def _publish(tx: Tx, name: str, kind: str, value: str) -> None:
    domains.publish(tx, name, kind, value)


def _publish_verification(tx: Tx, name: str) -> None:
    rows = tx.column("SELECT code FROM ms_domain WHERE name = ?", name)
    if not rows:
        raise ValueError(f"no directory has the domain {name!r}")
    for code in rows:
        domains.publish(tx, name, "TXT", code)


def _sign(tx: Tx, customer: str) -> None:
    tx.run("UPDATE ms_customer SET signed = 1 WHERE id = ?", directory(tx, customer))


def _attest(tx: Tx, customer: str) -> None:
    agreements.attest(tx, directory(tx, customer))


def _validate(tx: Tx, customer: str, status: str) -> None:
    customers.validate(tx, directory(tx, customer), status)


def _user_added(tx: Tx, tenant: str, login: str, country: str = "") -> None:
    body: dict[str, Any] = {
        "userPrincipalName": login,
        "displayName": "Somebody Else",
        "givenName": "Somebody",
        "surname": "Else",
        "mailNickname": login.partition("@")[0],
        "accountEnabled": True,
    }
    number = users.add(
        tx, directory(tx, tenant), body | ({"usageLocation": country.upper()} if country else {})
    )
    tx.run("UPDATE ms_user SET located = 0 WHERE id = ?", number)


def _user_removed(tx: Tx, tenant: str, login: str) -> None:
    sql = "UPDATE ms_user SET deleted = ? WHERE id = ?"
    tx.run(sql, tx.now, users.find(tx, directory(tx, tenant), login)["id"])


def _licence_given(tx: Tx, tenant: str, login: str, product: str, group: str = "") -> None:
    row = users.find(tx, directory(tx, tenant), login)
    assigned.give(tx, row, products.chosen(product).sku, via=group)


def _licence_taken(tx: Tx, tenant: str, login: str, product: str) -> None:
    row = users.find(tx, directory(tx, tenant), login)
    tx.run("DELETE FROM ms_licence WHERE user = ? AND sku = ?", row["id"], products.chosen(product).sku)


def _seats_changed(tx: Tx, subscription: str, quantity: str) -> None:
    row, wanted = _subscription(tx, subscription), int(quantity)
    if wanted > row["quantity"]:
        sales.tranche(tx, row["id"], wanted - row["quantity"], tx.now + sales.WINDOW)
    else:
        sales.take_back(tx, row["id"], row["quantity"] - wanted)
    tx.run(
        "UPDATE ms_subscription SET quantity = ?, granted = ?, scheduled = NULL, version = version + 1,"
        " changed = ? WHERE id = ?",
        *(wanted, wanted, tx.now, row["id"]),
    )


def _renewal(tx: Tx, subscription: str, renew: str = "off") -> None:
    row = _subscription(tx, subscription)
    sql = "UPDATE ms_subscription SET renew = ?, scheduled = ?, version = version + 1 WHERE id = ?"
    tx.run(sql, int(renew == "on"), row["scheduled"] if renew == "on" else None, row["id"])


def _status(tx: Tx, subscription: str, status: str) -> None:
    if status not in {"active", "suspended", "deleted"}:
        raise ValueError(f"a subscription becomes active, suspended or deleted, not {status!r}")
    row = _subscription(tx, subscription)
    tx.run("UPDATE ms_subscription SET status = ?, version = version + 1 WHERE id = ?", status, row["id"])
    if status == "deleted":
        sales.end(tx, row["id"])


def _updates(tx: Tx, subscription: str, number: str) -> None:
    tx.run(
        "UPDATE ms_subscription SET updates = ? WHERE id = ?",
        int(number),
        _subscription(tx, subscription)["id"],
    )


def _bought(tx: Tx, customer: str, product: str, quantity: str = "1") -> None:
    one = products.chosen(product)
    given = {
        "customer": directory(tx, customer),
        "item": one.id,
        "offer": f"{one.id}:{products.availability(tx, one)}",
        "quantity": int(quantity),
        "term": "P1Y",
        "billing": "monthly",
    }
    sales.provision(tx, sales.create(tx, given))


def _consent(tx: Tx, tenant: str, given: str = "on") -> None:
    tx.run("UPDATE ms_tenant SET consent = ? WHERE id = ?", int(given == "on"), directory(tx, tenant))


def _subscription(tx: Tx, number: str) -> Any:
    row = tx.one("SELECT * FROM ms_subscription WHERE id = ?", number.lower())
    if row is None:
        raise ValueError(f"there is no subscription {number}")
    return row


def _group_licence_ended(tx: Tx, tenant: str, group: str) -> None:
    tx.run("DELETE FROM ms_licence WHERE tenant = ? AND via = ?", directory(tx, tenant), group)


CHANGES |= {
    "relationship-approved": _approve,
    "access-given": _access_given,
    "access-taken": _access_taken,
    "dns-published": _publish,
    "domain-published": _publish_verification,
    "agreement-signed": _sign,
    "agreement-attested": _attest,
    "customer-validated": _validate,
    "application-consented": _consent,
    "directory-user-added": _user_added,
    "directory-user-removed": _user_removed,
    "licence-given": _licence_given,
    "licence-taken": _licence_taken,
    "group-licence-ended": _group_licence_ended,
    "subscription-bought": _bought,
    "subscription-resized": _seats_changed,
    "subscription-renewal": _renewal,
    "subscription-status": _status,
    "subscription-updates": _updates,
}
