"""The Microsoft part of a world document: the partner, its keys, customers, directories, people, subscriptions."""

from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.clock import span
from reconciler.sandbox.document import in_full, only, time
from reconciler.sandbox.microsoft import (
    access,
    agreements,
    assigned,
    customers,
    gdap,
    groups,
    keys,
    products,
    sales,
    tenants,
    users,
)
from reconciler.sandbox.microsoft.login import tenant_of
from reconciler.sandbox.microsoft.wire import guid, named
from reconciler.sandbox.ovh.account import store, stored
from reconciler.sandbox.store import Tx

_TENANT = {"id", "domain", "name", "country", "domains", "users", "skus", "consent", "admin"}
_CUSTOMER = {"agreement", "validation", "registration_number", "email", "subscriptions", "address"}


def load(tx: Tx, document: Mapping[str, Any]) -> None:
    """Add everything that a document describes."""
    only(document, {"partner", "keys", "customers", "tenants", "groups", "relationships"}, "microsoft")
    if document.get("partner"):
        _partner(tx, document["partner"])
    for given in document.get("groups") or ():
        only(given, {"id", "name"}, "a security group of the partner")
        groups.add(tx, keys.partner(tx)["tenant_id"], str(given["id"]), str(given["name"]))
    for given in document.get("keys") or ():
        only(given, {"tenant_id", "client_id", "client_secret", "refresh_token"}, "a key")
        keys.add(tx, dict(given))
    for given in document.get("customers") or ():
        only(given, _TENANT | _CUSTOMER, "a customer")
        _customer(tx, given)
    for given in document.get("tenants") or ():
        only(given, _TENANT, "a tenant")
        _tenant(tx, given)
    for given in document.get("relationships") or ():
        _relationship(tx, given)


def _relationship(tx: Tx, given: Mapping[str, Any]) -> None:
    only(given, {"name", "customer", "duration", "roles", "access"}, "a relationship")
    number = gdap.load(tx, given, directory(tx, str(given["customer"])))
    for group, roles in (given.get("access") or {}).items():
        for role in roles:
            access.give(tx, number, str(group), str(role))


def directory(tx: Tx, word: str) -> str:
    """Give the id of the directory that is named by its id or a domain."""
    found = tenant_of(tx, str(word))
    if found is None:
        raise ValueError(f"there is no directory {word!r}: name it by its id or one of its domains")
    return found


def _partner(tx: Tx, given: Mapping[str, Any]) -> None:
    only(given, set(keys.PARTNER), "the partner")
    before = keys.partner(tx)["tenant_id"]
    store(tx, "partner", stored(tx, "partner") | {key: str(value) for key, value in given.items()})
    tx.run("UPDATE ms_key SET tenant = ? WHERE tenant = ?", keys.partner(tx)["tenant_id"], before)


def _tenant(tx: Tx, given: Mapping[str, Any]) -> str:
    domain = str(given["domain"]).lower()
    number = str(given.get("id") or named("tenant", domain)).lower()
    if not guid(number):
        raise ValueError(f"{number!r} is no GUID, as the id of a directory is")
    name = str(given.get("name") or domain.partition(".")[0])
    tenants.add(tx, number, domain=domain, name=name, country=str(given.get("country", "FR")))
    if given.get("consent") is False:
        tx.run("UPDATE ms_tenant SET consent = 0 WHERE id = ?", number)
    for other in given.get("domains") or ():
        tenants.own(tx, number, str(other))
    for place, lot in enumerate(given.get("skus") or ()):
        _elsewhere(tx, number, lot, place)
    if given.get("admin"):
        tenants.admin(tx, number, domain, {}, country=str(given.get("country", "FR")))
    for person in given.get("users") or ():
        _person(tx, number, domain, person)
    return number


def _elsewhere(tx: Tx, tenant: str, given: Mapping[str, Any], place: int) -> None:
    only(given, {"sku", "units", "status"}, "a SKU of a directory")
    word = str(given["sku"])
    sku = word.lower() if guid(word) else products.chosen(word).sku
    status = str(given.get("status", "active"))
    if status not in {"active", "expired", "suspended", "disabled"}:
        raise ValueError(f"a SKU of a directory is active, expired, suspended or disabled, not {status!r}")
    number = named("elsewhere", tenant, sku, place)
    tx.run(
        "INSERT INTO ms_grant VALUES (?, ?, ?, ?, ?, ?)",
        number,
        tenant,
        sku,
        int(given["units"]),
        status,
        tx.now,
    )


def _person(tx: Tx, tenant: str, domain: str, given: Mapping[str, Any]) -> None:
    known = {"login", "first_name", "last_name", "country", "licences", "group_licences", "enabled", "id"}
    only(given, known, "a user")
    login = str(given["login"])
    upn = in_full(login, domain)
    first, last = str(given.get("first_name", "")), str(given.get("last_name", ""))
    body = {
        "userPrincipalName": upn,
        "displayName": f"{first} {last}".strip() or login,
        "givenName": first,
        "surname": last,
        "mailNickname": upn.partition("@")[0],
        "accountEnabled": bool(given.get("enabled", True)),
        "usageLocation": str(given["country"]).upper() if given.get("country") else None,
    }
    number = users.add(tx, tenant, body, number=given.get("id") or named("user", tenant, upn.lower()))
    tx.run("UPDATE ms_user SET located = 0 WHERE id = ?", number)
    row = users.find(tx, tenant, number)
    for word in given.get("licences") or ():
        assigned.give(tx, row, products.chosen(str(word)).sku)
    for group, words in (given.get("group_licences") or {}).items():
        via = named("group", tenant, group)
        groups.add(tx, tenant, via, str(group))
        for word in words:
            assigned.give(tx, row, products.chosen(str(word)).sku, via=via)


def _customer(tx: Tx, given: Mapping[str, Any]) -> None:
    number = _tenant(tx, {key: value for key, value in given.items() if key in _TENANT})
    row = tx.one("SELECT * FROM ms_tenant WHERE id = ?", number)
    assert row is not None  # noqa: S101 - it was created two lines above
    profile = {"domain": row["domain"], "companyName": row["name"]}
    if given.get("registration_number"):
        profile["organizationRegistrationNumber"] = str(given["registration_number"])
    address = {
        "country": row["country"],
        "city": "Sandbox",
        "addressLine1": "1 Sandbox Street",
        "postalCode": "00000",
    }
    address |= {"firstName": "Sandbox", "lastName": "Owner", **(given.get("address") or {})}
    billing = {"culture": "en-US", "language": "en", "companyName": row["name"], "defaultAddress": address}
    billing["email"] = str(given.get("email", f"billing@{row['domain']}"))
    customers.add(tx, number, profile=profile, billing=billing, known=True)
    _standing(tx, number, given)
    for one in given.get("subscriptions") or ():
        _subscription(tx, number, one)


def _standing(tx: Tx, number: str, given: Mapping[str, Any]) -> None:
    match given.get("agreement", "attested"):
        case "attested":
            agreements.attest(tx, number)
        case "signed":
            tx.run("UPDATE ms_customer SET signed = 1 WHERE id = ?", number)
        case "none":
            pass
        case other:
            raise ValueError(f"an agreement is attested, signed or none, not {other!r}")
    if "validation" in given:
        customers.validate(tx, number, str(given["validation"] or ""))


def _subscription(tx: Tx, customer: str, given: Mapping[str, Any]) -> None:
    known = {"id", "product", "quantity", "term", "billing", "renew", "bought", "name", "status"}
    only(given, known, "a subscription")
    product = products.chosen(str(given["product"]))
    term, billing = str(given.get("term", "P1Y")), str(given.get("billing", "monthly"))
    if (term, billing) not in products.terms(product):
        raise ValueError(f"{product.part} is not sold for {term}, billed {billing}")
    what = {
        "id": given.get("id"),
        "customer": customer,
        "item": product.id,
        "offer": f"{product.id}:{products.availability(tx, product)}",
        "friendly": given.get("name"),
        "quantity": int(given.get("quantity", 1)),
        "term": term,
        "billing": billing,
        "renew": bool(given.get("renew", True)),
    }
    number = sales.create(tx, what, started=_began(tx, given.get("bought")))
    sql = "UPDATE ms_subscription SET granted = quantity, provisioning = 'success' WHERE id = ?"
    tx.run(sql, number)
    if given.get("status") == "suspended":
        tx.run("UPDATE ms_subscription SET status = 'suspended', renew = 0 WHERE id = ?", number)
    elif given.get("status", "active") != "active":
        raise ValueError(
            "a subscription is active or suspended; `bought` long ago and `renew: false` make it end"
        )


def _began(tx: Tx, value: object) -> float | None:
    # A day, or how long ago: 30d.
    if isinstance(value, str) and value[-1:] in "smhdw":
        return tx.now - span(value).total_seconds()
    return time(value)
