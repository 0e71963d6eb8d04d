# ruff: noqa: D103 - the route above a handler says what it answers
"""Security groups of a directory, to be read: nothing here changes one."""

from typing import Any

from reconciler.sandbox.call import Call
from reconciler.sandbox.microsoft.errors import not_found
from reconciler.sandbox.microsoft.query import after, context, eventual, fields, next_link, test, top
from reconciler.sandbox.microsoft.routes import graph
from reconciler.sandbox.microsoft.wire import guid, instant
from reconciler.sandbox.store import Tx

KNOWN = (
    "id",
    "deletedDateTime",
    "classification",
    "createdDateTime",
    "description",
    "displayName",
    "groupTypes",
    "mail",
    "mailEnabled",
    "mailNickname",
    "securityEnabled",
    "visibility",
)


@graph("GET", "/groups")
def listed(call: Call) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT * FROM ms_group WHERE tenant = ? AND seq > ? ORDER BY seq", call.caller["tenant"], after(call)
    )
    passes = test(call.query.get("$filter", ""), advanced=eventual(call))
    found = [(row["seq"], one) for row in rows if passes(one := _show(row))]
    shown, size = fields(call, KNOWN, KNOWN, kind="group"), top(call, 100, 999)
    answer = {
        "@odata.context": context(call, "groups"),
        "value": [{name: one[name] for name in shown} for _, one in found[:size]],
    }
    if len(found) > size:
        answer["@odata.nextLink"] = next_link(call, found[size - 1][0])
    return answer


@graph("GET", "/groups/{group}")
def read(call: Call) -> dict[str, Any]:
    row = find(call.tx, call.caller["tenant"], call.path["group"])
    if row is None:
        raise not_found(call.path["group"])
    one = _show(row)
    shown = {name: one[name] for name in fields(call, KNOWN, KNOWN, kind="group")}
    return {"@odata.context": context(call, "groups/$entity"), **shown}


def add(tx: Tx, tenant: str, number: str, name: str) -> None:
    """Note a security group of a directory; one that is there keeps its name."""
    if not guid(number):
        raise ValueError(f"{number!r} is no GUID, as the id of a group is")
    sql = "INSERT OR IGNORE INTO ms_group (id, tenant, name, created) VALUES (?, ?, ?, ?)"
    tx.run(sql, number.lower(), tenant, name, tx.now)


def find(tx: Tx, tenant: str, number: str) -> Any:
    """Give a group of a directory, or None."""
    return tx.one("SELECT * FROM ms_group WHERE id = ? AND tenant = ?", number.lower(), tenant)


def _show(row: Any) -> dict[str, Any]:
    return {
        "id": row["id"],
        "deletedDateTime": None,
        "classification": None,
        "createdDateTime": instant(row["created"]),
        "description": None,
        "displayName": row["name"],
        "groupTypes": [],
        "mail": None,
        "mailEnabled": False,
        "mailNickname": row["name"],
        "securityEnabled": True,
        "visibility": None,
    }
