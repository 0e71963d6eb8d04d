# ruff: noqa: D103 - the route above a handler says what it answers
"""Graph's users: list, create, change, delete, and the bin from which they come back for 30 days."""

import json
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from reconciler.sandbox.call import Call, Reply
from reconciler.sandbox.events import event
from reconciler.sandbox.microsoft import assigned, skus
from reconciler.sandbox.microsoft.errors import bad_request, not_found, odd
from reconciler.sandbox.microsoft.query import after, context, eventual, fields, next_link, test, top
from reconciler.sandbox.microsoft.routes import graph
from reconciler.sandbox.microsoft.wire import fresh, instant
from reconciler.sandbox.store import Tx

USUAL = (
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
)
WRITABLE = {
    "accountEnabled": bool, "businessPhones": list, "city": str, "companyName": str, "country": str,
    "department": str, "displayName": str, "employeeId": str, "givenName": str, "jobTitle": str,
    "mailNickname": str, "mobilePhone": str, "officeLocation": str, "passwordPolicies": str, "postalCode": str,
    "preferredLanguage": str, "state": str, "streetAddress": str, "surname": str, "usageLocation": str,
    "userPrincipalName": str, "passwordProfile": dict, "userType": str, "otherMails": list,
}  # fmt: skip
KNOWN = (
    *USUAL,
    *(name for name in WRITABLE if name not in USUAL),
    "assignedLicenses",
    "assignedPlans",
    "createdDateTime",
    "deletedDateTime",
    "licenseAssignmentStates",
    "proxyAddresses",
)
_NEEDED = ("accountEnabled", "displayName", "mailNickname", "userPrincipalName", "passwordProfile")
_LIVE = "SELECT * FROM ms_user WHERE tenant = ? AND deleted IS NULL"
BIN = 30 * 86400
"""Seconds a deleted user can be had back."""
_LOGIN = re.compile(r"userPrincipalName\s+eq\s+'((?:[^']|'')*)'")
_UPN = re.compile(r"[^@\s'\"]+@[^@\s'\"]+")


@graph("GET", "/users")
def listed(call: Call) -> dict[str, Any]:
    return page(call, deleted=False, what="users")


@graph("GET", "/users/$count")
def count(call: Call) -> Reply:
    header = call.request.headers.get("consistencylevel", "") if call.request is not None else ""
    if header.lower() != "eventual":
        raise bad_request("$count is not currently supported without ConsistencyLevel: eventual.")
    passes = test(call.query.get("$filter", ""), advanced=True)
    every = (show(call.tx, row, KNOWN) for row in call.tx.all(_LIVE, call.caller["tenant"]))
    return Reply(raw=str(sum(passes(one) for one in every)).encode(), media_type="text/plain")


@graph("POST", "/users")
def create(call: Call) -> Reply:
    body = call.body if isinstance(call.body, dict) else {}
    missing = [name for name in _NEEDED if body.get(name) is None or body[name] == ""]
    if missing:
        raise bad_request(f"A value is required for property '{missing[0]}' of resource 'User'.")
    _check(body)
    tenant = call.caller["tenant"]
    _free(call.tx, tenant, str(body["userPrincipalName"]))
    number = add(call.tx, tenant, body)
    call.tx.record("graph-user-created", tenant=tenant, id=number, upn=body["userPrincipalName"])
    shown = show(call.tx, find(call.tx, tenant, number), USUAL)
    where = f"{call.base}/graph/v1.0/users/{number}"
    return Reply(201, {"@odata.context": context(call, "users/$entity"), **shown}, {"Location": where})


@graph("GET", "/users/{user}")
def read(call: Call) -> dict[str, Any]:
    row = find(call.tx, call.caller["tenant"], call.path["user"])
    shown = show(call.tx, row, fields(call, KNOWN, USUAL))
    return {"@odata.context": context(call, "users/$entity"), **shown}


@graph("PATCH", "/users/{user}")
def change(call: Call) -> None:
    row = find(call.tx, call.caller["tenant"], call.path["user"])
    body = call.body if isinstance(call.body, dict) else {}
    _check(body)
    upn = body.get("userPrincipalName", row["upn"])
    if upn.lower() != row["upn"].lower():
        _free(call.tx, row["tenant"], upn)
    write(call.tx, row, body, wait=call.tx.settings.delay_usage_location)
    names = sorted(set(body) - {"passwordProfile"})
    call.tx.record("graph-user-changed", tenant=row["tenant"], id=row["id"], upn=upn, fields=names)


@graph("DELETE", "/users/{user}")
def delete(call: Call) -> None:
    row = find(call.tx, call.caller["tenant"], call.path["user"])
    call.tx.run("UPDATE ms_user SET deleted = ? WHERE id = ?", call.tx.now, row["id"])
    call.tx.later(call.tx.now + BIN, "graph-user-purge", id=row["id"], deleted=call.tx.now)
    call.tx.record("graph-user-deleted", tenant=row["tenant"], id=row["id"], upn=row["upn"])


@graph("GET", "/directory/deletedItems/graph.user")
@graph("GET", "/directory/deletedItems/microsoft.graph.user")
def binned(call: Call) -> dict[str, Any]:
    return page(call, deleted=True, what="directory/deletedItems/microsoft.graph.user")


@graph("GET", "/directory/deletedItems/{item}")
def binned_one(call: Call) -> dict[str, Any]:
    shown = show(call.tx, _binned(call), (*USUAL, "deletedDateTime"))
    return {
        "@odata.context": context(call, "directoryObjects/$entity"),
        "@odata.type": "#microsoft.graph.user",
    } | shown


@graph("POST", "/directory/deletedItems/{item}/restore")
def restore(call: Call) -> dict[str, Any]:
    row, tx = _binned(call), call.tx
    _free(tx, row["tenant"], row["upn"])
    held = skus.held(tx, row["tenant"])
    for sku in tx.column("SELECT DISTINCT sku FROM ms_licence WHERE user = ?", row["id"]):
        if held[sku].free < 1 if sku in held else True:
            tx.run("DELETE FROM ms_licence WHERE user = ? AND sku = ?", row["id"], sku)
    tx.run("UPDATE ms_user SET deleted = NULL WHERE id = ?", row["id"])
    tx.record("graph-user-restored", tenant=row["tenant"], id=row["id"], upn=row["upn"])
    shown = show(tx, row, USUAL)
    return {
        "@odata.context": context(call, "directoryObjects/$entity"),
        "@odata.type": "#microsoft.graph.user",
    } | shown


@graph("DELETE", "/directory/deletedItems/{item}")
def purge(call: Call) -> None:
    _purge(call.tx, _binned(call))


def page(call: Call, *, deleted: bool, what: str) -> dict[str, Any]:
    """Give one page of the users who are there, or in the bin."""
    size = top(call, 100, 999)
    names = fields(call, KNOWN, (*USUAL, "deletedDateTime") if deleted else USUAL)
    result: dict[str, Any] = {"@odata.context": context(call, _selected(call, what))}
    if eventual(call):
        result["@odata.count"] = sum(1 for _ in _matching(call, deleted=deleted, start=0))
    start, ordered = after(call), "$orderby" in call.query
    # A page of an ordered list begins at a place in it; of any other, behind the last one that was seen.
    rows = _matching(call, deleted=deleted, start=0 if ordered else start)
    found = list(islice(rows, start if ordered else 0, (start if ordered else 0) + size + 1))
    if len(found) > size:
        result["@odata.nextLink"] = next_link(call, start + size if ordered else found[size - 1]["seq"])
    result["value"] = [show(call.tx, row, names) for row in found[:size]]
    return result


def find(tx: Tx, tenant: str, name: str) -> Any:
    """Give a user by id or login, or say that there is none."""
    row = tx.one(f"{_LIVE} AND (id = ? OR upn = ?)", tenant, name.lower(), name)
    if row is None:
        raise not_found(name)
    return row


def add(tx: Tx, tenant: str, body: dict[str, Any], *, number: str | None = None) -> str:
    """Put a user into a directory; gives the id."""
    chosen = number or fresh(tx, "user")
    tx.run(
        "INSERT INTO ms_user (id, tenant, upn, created, data) VALUES (?, ?, ?, ?, '{}')",
        *(chosen, tenant, body["userPrincipalName"], tx.now),
    )
    row = tx.one("SELECT * FROM ms_user WHERE id = ?", chosen)
    write(tx, row, body, wait=tx.settings.delay_usage_location)
    return chosen


def write(tx: Tx, row: Any, body: dict[str, Any], *, wait: float) -> None:
    """Change a user; a new location can be used once it has gone round, after `wait` seconds."""
    data = json.loads(row["data"])
    data |= {
        key: one
        for key, one in body.items()
        if key not in {"passwordProfile", "userPrincipalName", "usageLocation"}
    }
    location, located = row["location"], row["located"]
    if "usageLocation" in body and body["usageLocation"] != location:
        location, located = body["usageLocation"], tx.now + wait
    tx.run(
        "UPDATE ms_user SET upn = ?, location = ?, located = ?, data = ? WHERE id = ?",
        *(body.get("userPrincipalName", row["upn"]), location, located, json.dumps(data), row["id"]),
    )


def show(tx: Tx, row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    """Show some fields of a user."""
    data = json.loads(row["data"])
    known: dict[str, Any] = {
        "id": row["id"],
        "userPrincipalName": row["upn"],
        "usageLocation": row["location"],
        "businessPhones": [],
        "otherMails": [],
        "createdDateTime": instant(row["created"]),
        "deletedDateTime": None if row["deleted"] is None else instant(row["deleted"]),
        "proxyAddresses": [f"SMTP:{row['upn']}"],
        "accountEnabled": True,
        "userType": "Member",
        "assignedPlans": [],
        "mail": row["upn"],
        **data,
    }
    if "assignedLicenses" in names or "licenseAssignmentStates" in names:
        known |= assigned.shown(tx, row["id"])
    return {name: known.get(name) for name in names}


def _matching(call: Call, *, deleted: bool, start: int) -> Iterator[Any]:
    text = call.query.get("$filter", "")
    passes = test(text, advanced=eventual(call))
    state = "deleted IS NOT NULL" if deleted else "deleted IS NULL"
    order = _order(call)
    # Whoever asks for one login, the commonest question, need not wait for everybody to be looked at.
    one = _LOGIN.fullmatch(text.strip())
    login, narrow = ("", "") if one is None else (one[1].replace("''", "'"), " AND upn = ?")
    sql = f"SELECT * FROM ms_user WHERE tenant = ? AND {state} AND seq > ?{narrow} ORDER BY {order}"  # noqa: S608 - words of this file
    asked = (call.caller["tenant"], start, *([login] if narrow else []))
    # Licences are in a table of their own: they are looked at only where they are asked about.
    names = KNOWN if "icense" in text else tuple(name for name in KNOWN if "icense" not in name)
    for row in call.tx.db.execute(sql, asked):
        if not text or passes(show(call.tx, row, names)):
            yield row


def _order(call: Call) -> str:
    wanted = call.query.get("$orderby", "")
    if wanted and "$filter" in call.query and not eventual(call):
        raise odd("Request_UnsupportedQuery", "Sorting not supported for current query.")
    known = {
        "": "seq",
        "displayName": "json_extract(data, '$.displayName') COLLATE NOCASE",
        "userPrincipalName": "upn",
    }
    if wanted not in known:
        raise odd("Request_UnsupportedQuery", f"Sorting by '{wanted}' is not supported.")
    return known[wanted]


def _selected(call: Call, what: str) -> str:
    names = call.query.get("$select", "")
    return f"{what}({names})" if names else what


def _check(body: dict[str, Any]) -> None:
    for name, value in body.items():
        if name.startswith("@"):
            continue
        kind = WRITABLE.get(name)
        if kind is None:
            raise bad_request(f"Property '{name}' is read-only or does not exist and cannot be set.")
        if value is not None and not isinstance(value, kind):
            raise bad_request(f"Invalid value specified for property '{name}' of resource 'User'.")
    location = body.get("usageLocation")
    if location is not None and re.fullmatch(r"[A-Za-z]{2}", location) is None:
        raise bad_request("Invalid value specified for property 'usageLocation' of resource 'User'.")
    upn = body.get("userPrincipalName")
    if upn is not None and _UPN.fullmatch(upn) is None:
        raise bad_request("Property userPrincipalName is invalid.")


def _free(tx: Tx, tenant: str, upn: str) -> None:
    domain = upn.rpartition("@")[2]
    if tx.one("SELECT 1 FROM ms_domain WHERE tenant = ? AND name = ? AND verified", tenant, domain) is None:
        raise bad_request(
            "The domain portion of the userPrincipalName property is invalid. You must use one of the verified "
            "domain names in your organization."
        )
    if tx.one(f"{_LIVE} AND upn = ?", tenant, upn) is not None:
        raise bad_request("Another object with the same value for property userPrincipalName already exists.")


def _binned(call: Call) -> Any:
    sql = "SELECT * FROM ms_user WHERE tenant = ? AND id = ? AND deleted IS NOT NULL"
    row = call.tx.one(sql, call.caller["tenant"], call.path["item"].lower())
    if row is None:
        raise not_found(call.path["item"])
    return row


@event("graph-user-purge")
def _purge_late(tx: Tx, data: dict[str, Any]) -> None:
    row = tx.one("SELECT * FROM ms_user WHERE id = ? AND deleted = ?", data["id"], data["deleted"])
    if row is not None:
        _purge(tx, row)


def _purge(tx: Tx, row: Any) -> None:
    tx.run("DELETE FROM ms_licence WHERE user = ?", row["id"])
    tx.run("DELETE FROM ms_user WHERE id = ?", row["id"])
    tx.record("graph-user-purged", tenant=row["tenant"], id=row["id"], upn=row["upn"])
