# ruff: noqa: D103 - the route above a handler says what it answers
"""Partner Center's users and licences of a customer: the same people as Graph's, for an application with a person."""

import json
from typing import Any

from reconciler.sandbox.call import Call, Reply
from reconciler.sandbox.microsoft import assigned, customers, products, skus
from reconciler.sandbox.microsoft.errors import classic
from reconciler.sandbox.microsoft.paging import page
from reconciler.sandbox.microsoft.routes import partner
from reconciler.sandbox.microsoft.wire import link, mapping, received

USERS = customers.ONE + "/users"


@partner("GET", USERS, user=True)
def listed(call: Call) -> dict[str, Any]:
    number = customers.find(call)["id"]
    state = "NOT NULL" if _inactive(call) else "NULL"
    sql = f"SELECT * FROM ms_user WHERE tenant = ? AND deleted IS {state} ORDER BY seq"  # noqa: S608 - words of this file
    return page(call, [_show(row) for row in call.tx.all(sql, number)])


@partner("GET", USERS + "/{user}", user=True)
def read(call: Call) -> dict[str, Any]:
    return _show(_find(call))


@partner("GET", USERS + "/{user}/licenses", user=True)
def licences(call: Call) -> dict[str, Any]:
    row = _find(call)
    rows = call.tx.column("SELECT DISTINCT sku FROM ms_licence WHERE user = ? ORDER BY sku", row["id"])
    return page(call, [{"productSku": _sku(sku), "attributes": {"objectType": "License"}} for sku in rows])


@partner("POST", USERS + "/{user}/licenseupdates", user=True)
def update(call: Call) -> Reply:
    row, body = _find(call), received(call.body)
    for sku in _many(body, "licensestoremove"):
        sql = "DELETE FROM ms_licence WHERE user = ? AND sku = ? AND via = ''"
        call.tx.run(sql, row["id"], str(sku).lower())
    added = [str(mapping(one).get("skuid", "")).lower() for one in _many(body, "licensestoassign")]
    for sku in added:
        _give(call, row, sku)
    call.tx.record("partner-licences-changed", tenant=row["tenant"], user=row["id"], add=added)
    return Reply(201, {**mapping(call.body), "attributes": {"objectType": "LicenseUpdate"}})


@partner("GET", customers.ONE + "/subscribedskus", user=True)
def subscribed(call: Call) -> dict[str, Any]:
    held = skus.held(call.tx, customers.find(call)["id"])
    return page(call, [_held(one) for one in held.values()])


def _give(call: Call, row: Any, sku: str) -> None:
    if not row["location"] or row["located"] > call.tx.now:
        raise classic(3000, "usageLocation", text="The usage location of the user is not set")
    held = skus.held(call.tx, row["tenant"]).get(sku)
    if held is None or held.free < 1:
        raise classic(60012, sku)
    assigned.give(call.tx, row, sku)


def _many(body: dict[str, Any], name: str) -> list[Any]:
    found = body.get(name)
    return found if isinstance(found, list) else []


def _inactive(call: Call) -> bool:
    text = call.query.get("filter", "")
    try:
        asked = received(json.loads(text)) if text else {}
    except ValueError:
        raise classic(800002, text="The filter is no JSON") from None
    return (
        str(asked.get("field", "")).lower() == "userstate"
        and str(asked.get("value", "")).lower() == "inactive"
    )


def _find(call: Call) -> Any:
    number = customers.find(call)["id"]
    sql = "SELECT * FROM ms_user WHERE tenant = ? AND deleted IS NULL AND (id = ? OR upn = ?)"
    row = call.tx.one(sql, number, call.path["user"].lower(), call.path["user"])
    if row is None:
        raise classic(1000, call.path["user"], text="User not found")
    return row


def _show(row: Any) -> dict[str, Any]:
    data = json.loads(row["data"])
    found = {
        "usageLocation": row["location"],
        "id": row["id"],
        "userPrincipalName": row["upn"],
        "firstName": data.get("givenName"),
        "lastName": data.get("surname"),
        "displayName": data.get("displayName"),
        "userDomainType": "none",
        "state": "active" if row["deleted"] is None else "inactive",
        "links": {"self": link(f"/customers/{row['tenant']}/users/{row['id']}")},
        "attributes": {"objectType": "CustomerUser"},
    }
    return {key: value for key, value in found.items() if value is not None}


def _sku(sku: str) -> dict[str, Any]:
    name = products.part(sku)
    return {"id": sku, "name": name, "skuPartNumber": name, "targetType": "User", "licenseGroupId": "group1"}


def _held(one: skus.Held) -> dict[str, Any]:
    active, warning = one.units["enabled"], one.units["warning"]
    return {
        "availableUnits": active + warning - one.consumed,
        "activeUnits": active,
        "consumedUnits": one.consumed,
        "suspendedUnits": one.units["suspended"],
        "totalUnits": active + warning,
        "warningUnits": warning,
        "productSku": _sku(one.sku),
        "servicePlans": [],
        "capabilityStatus": one.status,
        "attributes": {"objectType": "SubscribedSku"},
    }
