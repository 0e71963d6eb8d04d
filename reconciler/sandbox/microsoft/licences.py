# ruff: noqa: D103 - the route above a handler says what it answers
"""Graph's licences of a user: assign and remove in one call, what is in them, and how they came."""

from typing import Any

from reconciler.sandbox.call import Call
from reconciler.sandbox.microsoft import products, skus, users
from reconciler.sandbox.microsoft.assigned import give
from reconciler.sandbox.microsoft.errors import bad_request
from reconciler.sandbox.microsoft.query import context
from reconciler.sandbox.microsoft.routes import graph
from reconciler.sandbox.microsoft.wire import guid, named
from reconciler.sandbox.store import Tx


@graph("POST", "/users/{user}/assignLicense")
def assign(call: Call) -> dict[str, Any]:
    row = users.find(call.tx, call.caller["tenant"], call.path["user"])
    add, remove = _asked(call.body)
    for sku in remove:
        _remove(call.tx, row, sku)
    if add:
        _located(call.tx, row)
    for one in add:
        _add(call.tx, row, str(one["skuId"]).lower(), one.get("disabledPlans") or [])
    added = [str(one["skuId"]).lower() for one in add]
    call.tx.record(
        "graph-licences-changed",
        tenant=row["tenant"],
        user=row["id"],
        upn=row["upn"],
        add=added,
        remove=remove,
    )
    return _user(call, row)


@graph("GET", "/users/{user}/licenseDetails")
def details(call: Call) -> dict[str, Any]:
    row = users.find(call.tx, call.caller["tenant"], call.path["user"])
    rows = call.tx.all("SELECT DISTINCT sku FROM ms_licence WHERE user = ? ORDER BY sku", row["id"])
    return {
        "@odata.context": context(call, f"users('{row['id']}')/licenseDetails"),
        "value": [
            {
                "id": named("details", row["id"], one["sku"]),
                "skuId": one["sku"],
                "skuPartNumber": products.part(one["sku"]),
                "servicePlans": products.plans(one["sku"]),
            }
            for one in rows
        ],
    }


@graph("POST", "/users/{user}/reprocessLicenseAssignment")
def reprocess(call: Call) -> dict[str, Any]:
    return _user(call, users.find(call.tx, call.caller["tenant"], call.path["user"]))


def _asked(body: Any) -> tuple[list[dict[str, Any]], list[str]]:
    given = body if isinstance(body, dict) else {}
    lacking = [name for name in ("addLicenses", "removeLicenses") if not isinstance(given.get(name), list)]
    if lacking:
        raise bad_request(
            "One or more parameters of the operation 'assignLicense' are missing from the request payload. "
            f"The missing parameters are: {', '.join(lacking)}."
        )
    add, remove = given["addLicenses"], [str(sku).lower() for sku in given["removeLicenses"]]
    ids = [str(one.get("skuId")) if isinstance(one, dict) else "" for one in add] + remove
    for number in ids:
        if not guid(number):
            raise bad_request(f"Cannot convert the literal '{number}' to the expected type 'Edm.Guid'.")
    return add, remove


def _remove(tx: Tx, row: Any, sku: str) -> None:
    ways = tx.column("SELECT via FROM ms_licence WHERE user = ? AND sku = ?", row["id"], sku)
    if not ways:
        raise bad_request("User does not have a corresponding license.")
    if "" not in ways:
        raise bad_request(
            "User license is inherited from a group membership and it cannot be removed directly from the user."
        )
    tx.run("DELETE FROM ms_licence WHERE user = ? AND sku = ? AND via = ''", row["id"], sku)


def _located(tx: Tx, row: Any) -> None:
    # A location that was only just written has not gone round yet, and is refused the same way.
    if not row["location"] or row["located"] > tx.now:
        raise bad_request("License assignment cannot be done for user with invalid usage location.")


def _add(tx: Tx, row: Any, sku: str, disabled: list[str]) -> None:
    held = skus.held(tx, row["tenant"]).get(sku)
    if held is None or not held.lots:
        raise bad_request(f"License {sku} does not correspond to a valid company License.")
    known = tx.one("SELECT 1 FROM ms_licence WHERE user = ? AND sku = ?", row["id"], sku) is not None
    if not known and held.free < 1:
        raise bad_request(f"Subscription with SKU {sku} does not have any available licenses.")
    give(tx, row, sku, disabled=disabled)


def _user(call: Call, row: Any) -> dict[str, Any]:
    names = (*users.USUAL, "accountEnabled", "usageLocation", "assignedLicenses", "assignedPlans")
    return {"@odata.context": context(call, "users/$entity"), **users.show(call.tx, row, names)}
