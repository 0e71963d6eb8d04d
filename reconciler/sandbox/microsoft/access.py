# ruff: noqa: D103 - the route above a handler says what it answers
"""Delegated administration in use: roles of a relationship that security groups of the partner are given."""

import json
from collections.abc import Mapping
from typing import Any

from reconciler.sandbox.call import Call, Reply
from reconciler.sandbox.events import event
from reconciler.sandbox.microsoft import groups
from reconciler.sandbox.microsoft.directory import ROLES
from reconciler.sandbox.microsoft.errors import bad_request, odd
from reconciler.sandbox.microsoft.gdap import (
    ONE,
    add,
    find,
    find_part,
    located,
    matched,
    may,
    moved_part,
    named,
    part,
    parts,
    roles,
)
from reconciler.sandbox.microsoft.keys import partner
from reconciler.sandbox.microsoft.routes import graph
from reconciler.sandbox.microsoft.wire import mapping
from reconciler.sandbox.store import Tx


@graph("GET", ONE + "/accessAssignments")
def assignments(call: Call) -> dict[str, Any]:
    return parts(call, "assignment")


@graph("POST", ONE + "/accessAssignments")
def assign(call: Call) -> Reply:
    may(call, write=True)
    row = find(call)
    if row["status"] != "active":
        raise odd("Conflict", "Access can only be assigned in an active relationship.", 409)
    data = _assignment(call.tx, row, call.body)
    if _of_group(call.tx, row["id"], data["accessContainer"]["accessContainerId"]) is not None:
        # So Microsoft's own migration tool is told (PartnerCenter-GDAPTransition, issue 13, 2022-08).
        raise odd("conflict", "The resource already exists.", 409)
    number = add(call.tx, "assignment", row["id"], "pending", data)
    ends = "error" if call.faults.take("task-error") is not None else "active"
    call.tx.later(call.tx.now + call.tx.settings.delay_gdap, "graph-part", id=number, status=ends)
    call.tx.record("graph-access-assigned", relation=row["id"], id=number)
    made = part(find_part(call, "assignment", number))
    return Reply(201, made, located(call, row["id"], "accessAssignments", number))


@graph("GET", ONE + "/accessAssignments/{part}")
def assignment(call: Call) -> dict[str, Any]:
    return part(find_part(call, "assignment"))


@graph("PATCH", ONE + "/accessAssignments/{part}")
def reassign(call: Call) -> object:
    may(call, write=True)
    row, there = find(call), matched(call, find_part(call, "assignment"))
    before = json.loads(there["data"])
    if there["status"] != "active":
        raise odd("Conflict", f"The access assignment is {there['status']}.", 409)
    data = _assignment(call.tx, row, {**before, **mapping(call.body)})
    if data == before:
        return part(there)
    text = json.dumps({"id": there["id"], **data, "status": there["status"]})
    about = {"operationType": "delegatedAdminAccessAssignmentUpdate", "data": text}
    number = add(call.tx, "operation", row["id"], "running", about)
    fails = call.faults.take("task-error") is not None
    call.tx.later(call.tx.now + call.tx.settings.delay_gdap, "graph-operation", id=number, fails=fails)
    call.tx.record("graph-access-changed", relation=row["id"], id=there["id"])
    return Reply(202, {}, {**located(call, row["id"], "operations", number), "Retry-After": "10"})


@graph("DELETE", ONE + "/accessAssignments/{part}")
def unassign(call: Call) -> None:
    may(call, write=True)
    there = matched(call, find_part(call, "assignment"))
    call.tx.run("UPDATE ms_relation_part SET status = 'deleting' WHERE id = ?", there["id"])
    call.tx.later(call.tx.now + call.tx.settings.delay_gdap, "graph-part", id=there["id"], status="deleted")
    call.tx.record("graph-access-removed", relation=there["relation"], id=there["id"])


@graph("GET", ONE + "/operations")
def operations(call: Call) -> dict[str, Any]:
    return parts(call, "operation")


@graph("GET", ONE + "/operations/{part}")
def operation(call: Call) -> dict[str, Any]:
    return part(find_part(call, "operation"))


def give(tx: Tx, word: str, group: str, role: str) -> None:
    """Play a colleague who gives a security group one more role of a relationship, named by id or name."""
    relation, wanted = named(tx, word)["id"], {"roleDefinitionId": ROLES.get(role, role)}
    there = _of_group(tx, relation, group)
    if there is None:
        container = {"accessContainerId": group, "accessContainerType": "securityGroup"}
        data = {"accessContainer": container, "accessDetails": {"unifiedRoles": [wanted]}}
        add(tx, "assignment", relation, "active", data)
        return
    data = json.loads(there["data"])
    data["accessDetails"]["unifiedRoles"].append(wanted)
    sql = "UPDATE ms_relation_part SET data = ?, version = version + 1 WHERE id = ?"
    tx.run(sql, json.dumps(data), there["id"])


def take(tx: Tx, word: str, group: str, role: str = "") -> None:
    """Play a colleague who takes a role, or all of them, from a security group."""
    there = _of_group(tx, named(tx, word)["id"], group)
    if there is None:
        raise ValueError(f"the group {group} has no role in the relationship")
    data = json.loads(there["data"])
    gone = {"roleDefinitionId": ROLES.get(role, role)}
    data["accessDetails"]["unifiedRoles"] = [
        one for one in data["accessDetails"]["unifiedRoles"] if role and one != gone
    ]
    sql = "UPDATE ms_relation_part SET data = ?, status = ?, version = version + 1 WHERE id = ?"
    tx.run(sql, json.dumps(data), "active" if role else "deleted", there["id"])


@event("graph-operation")
def _operated(tx: Tx, data: Mapping[str, Any]) -> None:
    row = tx.one("SELECT * FROM ms_relation_part WHERE id = ?", data["id"])
    assert row is not None  # noqa: S101 - nothing takes an operation away
    wanted = json.loads(json.loads(row["data"])["data"])
    if data["fails"]:
        moved_part(tx, {"id": row["id"], "status": "failed"})
        tx.record("graph-access-change-failed", id=wanted["id"])
        return
    about = json.dumps({key: wanted[key] for key in ("accessContainer", "accessDetails")})
    sql = "UPDATE ms_relation_part SET data = ?, changed = ?, version = version + 1 WHERE id = ?"
    tx.run(sql, about, tx.now, wanted["id"])
    moved_part(tx, {"id": row["id"], "status": "succeeded"})


def _assignment(tx: Tx, row: Any, given: Any) -> dict[str, Any]:
    body = given if isinstance(given, dict) else {}
    container = mapping(body.get("accessContainer"))
    if container.get("accessContainerType") != "securityGroup" or not container.get("accessContainerId"):
        raise bad_request("accessContainer names a securityGroup by its accessContainerId.")
    if groups.find(tx, partner(tx)["tenant_id"], str(container["accessContainerId"])) is None:
        raise bad_request("accessContainerId is no security group of the partner's directory.")
    if not roles(body.get("accessDetails")) <= roles(json.loads(row["data"])["accessDetails"]):
        raise bad_request("Only roles of the relationship can be assigned.")
    return {"accessContainer": container, "accessDetails": body["accessDetails"]}


def _of_group(tx: Tx, relation: str, group: str) -> Any:
    """Give a group's assignment in a relationship, of which there is one at most."""
    rows = tx.all(
        "SELECT * FROM ms_relation_part WHERE relation = ? AND kind = 'assignment' AND status != 'deleted'",
        relation,
    )
    return next((one for one in rows if _container(json.loads(one["data"])) == group.lower()), None)


def _container(data: dict[str, Any]) -> str:
    return str(data["accessContainer"]["accessContainerId"]).lower()
