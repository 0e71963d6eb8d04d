# ruff: noqa: D103 - the route above a handler says what it answers
"""Delegated administration: a relationship is drafted, locked, approved by the customer, used, and ended."""

import json
import re
from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.call import ApiError, Call, Reply
from reconciler.sandbox.events import event
from reconciler.sandbox.microsoft.directory import ROLES
from reconciler.sandbox.microsoft.errors import bad_request, denied, not_found, odd
from reconciler.sandbox.microsoft.keys import partner
from reconciler.sandbox.microsoft.query import context
from reconciler.sandbox.microsoft.routes import graph
from reconciler.sandbox.microsoft.wire import fresh, instant, mapping, weak
from reconciler.sandbox.store import Tx

ROOT = "/tenantRelationships/delegatedAdminRelationships"
ONE = ROOT + "/{relation}"
_DURATION = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)D)?")
_LONGEST = 731
_FIELDS = {"displayName", "duration", "customer", "accessDetails", "autoExtendDuration"}
_KIND = "#microsoft.graph.delegatedAdmin"


@graph("GET", ROOT)
def listed(call: Call) -> dict[str, Any]:
    may(call)
    rows = call.tx.all("SELECT * FROM ms_relation ORDER BY seq")
    return {
        "@odata.context": _context(call, "delegatedAdminRelationships"),
        "value": [_show(row) for row in rows],
    }


@graph("POST", ROOT)
def create(call: Call) -> Reply:
    may(call, write=True)
    data = _read(call.tx, call.body)
    number = f"{fresh(call.tx, 'relation')}-{fresh(call.tx, 'relation')}"
    call.tx.run(
        "INSERT INTO ms_relation (id, status, data, created, changed) VALUES (?, 'created', ?, ?, ?)",
        *(number, json.dumps(data), call.tx.now, call.tx.now),
    )
    call.tx.record("graph-relationship-created", id=number, name=data["displayName"])
    shown = {
        "@odata.context": _context(call, "delegatedAdminRelationships/$entity"),
        **_show(find(call, number)),
    }
    return Reply(201, shown, located(call, number))


@graph("GET", ONE)
def read(call: Call) -> dict[str, Any]:
    may(call)
    return {"@odata.context": _context(call, "delegatedAdminRelationships/$entity"), **_show(find(call))}


@graph("PATCH", ONE)
def change(call: Call) -> dict[str, Any]:
    may(call, write=True)
    row = matched(call, find(call))
    if row["status"] != "created":
        raise odd("Conflict", "The relationship can only be changed while its status is created.", 409)
    data = _read(call.tx, {**json.loads(row["data"]), **mapping(call.body)}, but=row["id"])
    sql = "UPDATE ms_relation SET data = ?, changed = ?, version = version + 1 WHERE id = ?"
    call.tx.run(sql, json.dumps(data), call.tx.now, row["id"])
    return {"@odata.context": _context(call, "delegatedAdminRelationships/$entity"), **_show(find(call))}


@graph("DELETE", ONE)
def delete(call: Call) -> None:
    may(call, write=True)
    row = matched(call, find(call))
    if row["status"] != "created":
        raise odd("Conflict", "The relationship can only be deleted while its status is created.", 409)
    call.tx.run("DELETE FROM ms_relation WHERE id = ?", row["id"])
    call.tx.record("graph-relationship-deleted", id=row["id"])


@graph("GET", ONE + "/requests")
def requests(call: Call) -> dict[str, Any]:
    return parts(call, "request")


@graph("POST", ONE + "/requests")
def request(call: Call) -> Reply:
    may(call, write=True)
    row, action = find(call), mapping(call.body).get("action")
    match action, row["status"]:
        case "lockForApproval", "created":
            _step(call.tx, row["id"], "approvalPending")
        case "terminate", "active" | "expiring":
            _step(call.tx, row["id"], "terminationRequested")
            _later(call.tx, row["id"], "terminating")
        case (("lockForApproval" | "terminate"), status):
            raise odd("Conflict", f"The action is not possible while the status is {status}.", 409)
        case _:
            raise bad_request("The action is lockForApproval or terminate.")
    number = add(call.tx, "request", row["id"], "created", {"action": action})
    return Reply(201, part(find_part(call, "request", number)), located(call, row["id"], "requests", number))


@graph("GET", ONE + "/requests/{part}")
def request_one(call: Call) -> dict[str, Any]:
    return part(find_part(call, "request"))


def located(call: Call, *parts: str) -> dict[str, str]:
    """The header that says where what was made stands, below the relationships."""
    return {"Location": "/".join((f"{call.base}/graph/v1.0{ROOT}", *parts))}


def approve(tx: Tx, word: str) -> str:
    """Play the customer's administrator who approves a relationship, given by id or name."""
    row = named(tx, word)
    if row["status"] != "approvalPending":
        raise ValueError(f"the relationship is {row['status']}: there is nothing to approve")
    _step(tx, row["id"], "approved")
    _later(tx, row["id"], "activating")
    return str(row["id"])


def named(tx: Tx, word: str) -> Any:
    """Give the relationship of an id or name."""
    row = tx.one(
        "SELECT * FROM ms_relation WHERE id = ? OR json_extract(data, '$.displayName') = ?", word, word
    )
    if row is None:
        raise ValueError(f"there is no relationship {word!r}")
    return row


def load(tx: Tx, given: Mapping[str, Any], customer: str) -> str:
    """Add a relationship that its customer has approved; gives the id."""
    roles = [{"roleDefinitionId": ROLES.get(str(one), str(one))} for one in given["roles"]]
    data: dict[str, Any] = {
        "displayName": str(given["name"]),
        "duration": str(given.get("duration", "P730D")),
        "customer": {"tenantId": customer},
        "accessDetails": {"unifiedRoles": roles},
        "autoExtendDuration": "PT0S",
    }
    number = f"{fresh(tx, 'relation')}-{fresh(tx, 'relation')}"
    end = tx.now + _days(data["duration"]) * 86400
    tx.run(
        "INSERT INTO ms_relation (id, status, data, created, changed, activated, ends)"
        " VALUES (?, 'active', ?, ?, ?, ?, ?)",
        *(number, json.dumps(data), tx.now, tx.now, tx.now, end),
    )
    tx.later(end, "graph-relationship", id=number, status="expiring")
    return number


_NEXT = {"activating": "active", "terminating": "terminated", "expiring": "expired"}


@event("graph-relationship")
def _moved(tx: Tx, data: Mapping[str, Any]) -> None:
    row = tx.one("SELECT * FROM ms_relation WHERE id = ?", data["id"])
    if row is None or (data["status"] == "expiring" and row["status"] != "active"):
        return
    _step(tx, row["id"], data["status"])
    if data["status"] == "active":
        end = tx.now + _days(json.loads(row["data"])["duration"]) * 86400
        tx.run("UPDATE ms_relation SET activated = ?, ends = ? WHERE id = ?", tx.now, end, row["id"])
        tx.later(end, "graph-relationship", id=row["id"], status="expiring")
    following = _NEXT.get(data["status"])
    if following is not None:
        _later(tx, row["id"], following)


@event("graph-part")
def moved_part(tx: Tx, data: Mapping[str, Any]) -> None:
    sql = "UPDATE ms_relation_part SET status = ?, changed = ?, version = version + 1 WHERE id = ?"
    tx.run(sql, data["status"], tx.now, data["id"])
    if data["status"] == "error":
        tx.record("graph-access-assignment-failed", id=data["id"])


def _later(tx: Tx, number: str, status: str) -> None:
    tx.later(tx.now + tx.settings.delay_gdap, "graph-relationship", id=number, status=status)


def _step(tx: Tx, number: str, status: str) -> None:
    sql = "UPDATE ms_relation SET status = ?, changed = ?, version = version + 1 WHERE id = ?"
    tx.run(sql, status, tx.now, number)
    tx.record(f"graph-relationship-{status}", id=number)


def may(call: Call, *, write: bool = False) -> None:
    if call.caller["tenant"] != partner(call.tx)["tenant_id"]:
        raise denied("The relationships belong to the partner's directory.")
    if write and call.caller["kind"] == "app" and not call.tx.settings.gdap_app_only:
        raise denied("Application permissions are not supported here.")


def _read(tx: Tx, given: Any, *, but: str = "") -> dict[str, Any]:
    body = given if isinstance(given, dict) else {}
    if set(body) - _FIELDS or not {"displayName", "duration", "accessDetails"} <= set(body):
        raise bad_request(
            "displayName, duration and accessDetails are required; other properties are unknown."
        )
    name = str(body["displayName"])
    if not 0 < len(name) <= 50 or not 1 <= _days(str(body["duration"])) <= _LONGEST:
        raise bad_request("displayName has 1 to 50 letters, duration is P1D to P2Y.")
    roles(body["accessDetails"])
    if body.get("autoExtendDuration", "PT0S") not in {"P0D", "PT0S", "P180D"}:
        raise bad_request("autoExtendDuration is P0D, PT0S or P180D.")
    sql = "SELECT id FROM ms_relation WHERE json_extract(data, '$.displayName') = ? AND id != ?"
    if tx.one(sql, name, but) is not None:
        raise odd("Conflict", "A relationship with this displayName exists already.", 409)
    return {"autoExtendDuration": "PT0S", **body}


def roles(details: Any) -> set[str]:
    roles = details.get("unifiedRoles") if isinstance(details, dict) else None
    if not isinstance(roles, list) or not all(
        isinstance(one, dict) and one.get("roleDefinitionId") for one in roles
    ):
        raise bad_request("accessDetails needs unifiedRoles, each with a roleDefinitionId.")
    return {str(one["roleDefinitionId"]) for one in roles}


def _days(text: str) -> int:
    found = _DURATION.fullmatch(text)
    years, months, days = (int(part or 0) for part in found.groups()) if found is not None else (0, 0, 0)
    return years * 365 + months * 30 + days


def find(call: Call, number: str | None = None) -> Any:
    wanted = number or call.path["relation"]
    row = call.tx.one("SELECT * FROM ms_relation WHERE id = ?", wanted)
    if row is None:
        raise not_found(wanted)
    return row


def find_part(call: Call, kind: str, number: str | None = None) -> Any:
    wanted = number or call.path["part"]
    sql = "SELECT * FROM ms_relation_part WHERE id = ? AND kind = ? AND relation = ?"
    row = call.tx.one(sql, wanted, kind, call.path["relation"])
    if row is None:
        raise not_found(wanted)
    return row


def matched(call: Call, row: Any) -> Any:
    sent = call.request.headers.get("if-match", "") if call.request is not None else ""
    if not sent:
        raise bad_request("The If-Match header is required.")
    if sent not in {weak(row["id"], row["version"]), "*"}:
        raise ApiError(412, {"error": {"code": "PreconditionFailed", "message": "The object was changed."}})
    return row


def add(tx: Tx, kind: str, relation: str, status: str, data: dict[str, Any]) -> str:
    number = fresh(tx, kind)
    tx.run(
        "INSERT INTO ms_relation_part (id, kind, relation, status, data, created, changed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        *(number, kind, relation, status, json.dumps(data), tx.now, tx.now),
    )
    return number


def parts(call: Call, kind: str) -> dict[str, Any]:
    may(call)
    row = find(call)
    sql = "SELECT * FROM ms_relation_part WHERE relation = ? AND kind = ? ORDER BY seq"
    return {
        "@odata.context": _context(call, kind),
        "value": [part(one) for one in call.tx.all(sql, row["id"], kind)],
    }


def part(row: Any) -> dict[str, Any]:
    kinds = {
        "request": "RelationshipRequest",
        "assignment": "AccessAssignment",
        "operation": "RelationshipOperation",
    }
    return {
        "@odata.type": _KIND + kinds[row["kind"]],
        "@odata.etag": weak(row["id"], row["version"]),
        "id": row["id"],
        **json.loads(row["data"]),
        "status": row["status"],
        "createdDateTime": instant(row["created"]),
        "lastModifiedDateTime": instant(row["changed"]),
    }


def _show(row: Any) -> dict[str, Any]:
    end = row["ends"] or row["created"] + _days(json.loads(row["data"])["duration"]) * 86400
    return {
        "@odata.type": _KIND + "Relationship",
        "@odata.etag": weak(row["id"], row["version"]),
        "id": row["id"],
        **json.loads(row["data"]),
        "status": row["status"],
        "createdDateTime": instant(row["created"]),
        "lastModifiedDateTime": instant(row["changed"]),
        "activatedDateTime": None if row["activated"] is None else instant(row["activated"]),
        "endDateTime": instant(end),
    }


def _context(call: Call, what: str) -> str:
    return context(call, f"tenantRelationships/{what}")
