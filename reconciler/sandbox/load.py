"""A world out of a document: account, prices, groups, people, seats, subscriptions and orders on their way."""

import json
from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from reconciler.sandbox.clock import span
from reconciler.sandbox.document import in_full, only, time
from reconciler.sandbox.microsoft import load as microsoft
from reconciler.sandbox.ovh import gate, me, orders, renewal, seats, usage
from reconciler.sandbox.ovh.account import store, stored
from reconciler.sandbox.ovh.catalog import PLANS, plan_of
from reconciler.sandbox.settings import changed
from reconciler.sandbox.store import Tx

LICENCES = {
    "business": "officeBusiness",
    "pro-plus": "officeProPlus",
    "officeBusiness": "officeBusiness",
    "officeProPlus": "officeProPlus",
}

# Ids and limits are the sandbox's own; the real ones are not published.
CSP2_LICENCES: tuple[dict[str, Any], ...] = (
    {"id": 11, "name": "Microsoft 365 Business Basic", "limit": 300},
    {"id": 12, "name": "Microsoft 365 Business Standard", "limit": 300},
    {"id": 13, "name": "Microsoft 365 Business Premium", "limit": 300},
    {"id": 14, "name": "Microsoft 365 Apps for business", "limit": 300},
    {"id": 15, "name": "Microsoft 365 Apps for enterprise"},
    {"id": 16, "name": "Office 365 E1"},
    {"id": 17, "name": "Office 365 E3"},
    {"id": 18, "name": "Exchange Online (Plan 1)"},
    {"id": 19, "name": "Microsoft Defender for Office 365 (Plan 1)", "addon": True},
    {"id": 20, "name": "Office 365 K1", "new_subscriptions": False},
)


def load(tx: Tx, document: Mapping[str, Any]) -> None:
    """Add everything that a document describes."""
    known = {
        "account",
        "settings",
        "prices",
        "credentials",
        "payg",
        "prepaid",
        "csp2",
        "microsoft",
        "orders",
        "directories",
    }
    only(document, known, "a world")
    _account(tx, document.get("account") or {})
    for key, value in (document.get("settings") or {}).items():
        store(tx, "settings", asdict(changed(tx.settings, str(key), _text(value))))
        tx = Tx(tx.db, tx.now, changed(tx.settings, str(key), _text(value)))
    if document.get("prices"):
        store(tx, "prices", stored(tx, "prices") | dict(document["prices"]))
    for given in document.get("credentials") or ():
        _credential(tx, given)
    for given in document.get("payg") or ():
        _payg(tx, given)
    for given in document.get("prepaid") or ():
        _prepaid(tx, given)
    if document.get("microsoft"):
        microsoft.load(tx, document["microsoft"])
    for given in document.get("csp2") or ():
        _csp2(tx, given)
    for given in document.get("orders") or ():
        _order(tx, given)
    for given in document.get("directories") or ():
        only(given, {"name", "office_tenant"}, "a directory")
        tx.run(
            "INSERT INTO directory (name, office_tenant) VALUES (?, ?)",
            given["name"],
            given.get("office_tenant"),
        )


def _credential(tx: Tx, given: Mapping[str, Any]) -> None:
    if "client_id" in given:
        only(given, {"client_id", "client_secret", "rules"}, "a service account")
        gate.add_client(tx, dict(given))
        return
    only(given, {"application_key", "application_secret", "consumer_key", "rules"}, "a credential")
    gate.add_credential(tx, dict(given))


def _account(tx: Tx, given: Mapping[str, Any]) -> None:
    only(given, {"nichandle", "subsidiary", "currency", "email", "default_payment"}, "account")
    plain = {key: str(value) for key, value in given.items() if key != "default_payment"}
    store(tx, "account", stored(tx, "account") | plain)
    if "default_payment" in given:
        me.pay_by_default(tx, wanted=bool(given["default_payment"]))


def _payg(tx: Tx, given: Mapping[str, Any]) -> None:
    only(
        given, {"service", "display_name", "domains", "mca", "users", "expiration", "ending"}, "a payg group"
    )
    name = _tenant(tx, given, "payg")
    for person in given.get("users") or ():
        only(person, {"login", "first_name", "last_name", "country", "licence"}, "a user")
        tx.run(
            "INSERT INTO user (tenant, email, first, last, country, licence) VALUES (?, ?, ?, ?, ?, ?)",
            *(name, _login(person, name), person.get("first_name", ""), person.get("last_name", "")),
            *(person.get("country", "fr"), _licence(person.get("licence", "officeBusiness"))),
        )
    usage.touch(tx, "payg", name)


def _prepaid(tx: Tx, given: Mapping[str, Any]) -> None:
    only(given, {"service", "display_name", "domains", "mca", "seats"}, "a prepaid group")
    name = _tenant(tx, given, "prepaid")
    for lot in given.get("seats") or ():
        only(lot, {"licence", "empty", "people", "expiration", "ending"}, "a lot of seats")
        licence = _licence(lot.get("licence", "officeBusiness"))
        people = list(lot.get("people") or ())
        for person in people + [None] * int(lot.get("empty", 0)):
            merged = {**lot, **(person or {})}
            seat = seats.add(
                tx,
                name,
                licence,
                plan=plan_of(licence),
                expiration=time(merged.get("expiration")),
                ending=bool(merged.get("ending", False)),
            )
            if person is not None:
                _sit(tx, seat, person, name)
    usage.touch(tx, "prepaid", name)


def _sit(tx: Tx, seat: str, person: Mapping[str, Any], tenant: str) -> None:
    only(person, {"login", "first_name", "last_name", "country", "expiration", "ending"}, "a person")
    seats.settle_on(
        tx,
        seat,
        login=_login(person, tenant),
        first=person.get("first_name", ""),
        last=person.get("last_name", ""),
        country=person.get("country"),
    )


def _csp2(tx: Tx, given: Mapping[str, Any]) -> None:
    keys = {
        "service",
        "display_name",
        "domains",
        "mca",
        "mpn_id",
        "licences",
        "subscriptions",
        "expiration",
        "ending",
        "directory",
    }
    only(given, keys, "a csp2 tenant")
    name = _tenant(tx, given, "csp2")
    directory = microsoft.directory(tx, given["directory"]) if given.get("directory") else None
    sql = "UPDATE tenant SET mpn_id = ?, directory = ? WHERE name = ?"
    tx.run(sql, given.get("mpn_id", "1234567"), directory, name)
    for one in given.get("licences") or CSP2_LICENCES:
        _orderable(tx, name, one)
    for one in given.get("subscriptions") or ():
        _subscription(tx, name, one)
    usage.touch(tx, "csp2", name)


def _orderable(tx: Tx, tenant: str, one: Mapping[str, Any]) -> None:
    only(one, {"id", "name", "limit", "addon", "new_seats", "new_subscriptions"}, "a licence")
    tx.run(
        "INSERT INTO licence VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(
            tenant,
            one["id"],
            one["name"],
            "ADDON" if one.get("addon") else "NON-SPECIFIC",
            one.get("limit"),
        ),
        *(int(one.get("new_seats", True)), int(one.get("new_subscriptions", True))),
    )


def _subscription(tx: Tx, tenant: str, one: Mapping[str, Any]) -> None:
    only(one, {"id", "licence", "quantity", "status"}, "a subscription")
    number = one.get("id") or tx.serial("subscription", 501)
    tx.reserve("subscription", int(number))
    licence = tx.column("SELECT id FROM licence WHERE tenant = ? AND ? IN (id, name)", tenant, one["licence"])
    if not licence:
        raise ValueError(f"{tenant} has no licence {one['licence']!r}")
    tx.run(
        "INSERT INTO subscription (id, tenant, licence, quantity, granted, created, status)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(number, tenant, licence[0], one["quantity"], one["quantity"], tx.now, one.get("status", "ok")),
    )


def _tenant(tx: Tx, given: Mapping[str, Any], kind: str) -> str:
    name = seats.group(tx, given["service"], display=given.get("display_name", ""), kind=kind)
    tx.run(
        "UPDATE tenant SET domains = ?, mca = ? WHERE name = ?",
        *(json.dumps(given.get("domains") or []), int(given.get("mca", True)), name),
    )
    if kind != "prepaid":
        expiration = time(given.get("expiration"))
        renewal.create(tx, name, kind, expiration=expiration, ending=bool(given.get("ending", False)))
    return name


def _order(tx: Tx, given: Mapping[str, Any]) -> None:
    only(given, {"licence", "quantity", "service", "status", "age"}, "an order")
    state = given.get("status", "checking")
    if state not in orders.OPEN:
        raise ValueError(f"an order on its way is {', '.join(orders.OPEN)}, not {state!r}")
    plan = PLANS[plan_of(_licence(given.get("licence", "officeBusiness")))]
    placed = tx.now - span(str(given.get("age", "1h"))).total_seconds()
    number = orders.foreign(tx, plan, int(given.get("quantity", 1)), given.get("service"), date=placed)
    # It stays as it is until somebody pays, hands in documents or turns it with `sandbox pay`.
    paid = None if state == "notPaid" else placed
    tx.run("UPDATE purchase SET status = ?, paid = ? WHERE id = ?", state, paid, number)


def _login(person: Mapping[str, Any], tenant: str) -> str:
    return in_full(str(person["login"]), tenant)


def _licence(name: str) -> str:
    if name not in LICENCES:
        raise ValueError(f"{name!r} is no licence; there are: {', '.join(LICENCES)}")
    return LICENCES[name]


def _text(value: object) -> str:
    match value:
        case bool():
            return "on" if value else "off"
    return str(value)
