"""Tasks: what a write answers with, and how its effect comes later."""

import json
from typing import Any

from reconciler.sandbox.call import Call, conflict, missing, service
from reconciler.sandbox.clock import moment
from reconciler.sandbox.events import event
from reconciler.sandbox.store import Tx


def start(call: Call, tenant: str, function: str, effect: str, /, **data: object) -> dict[str, Any]:
    """Begin a task; when it is done, the named event happens with the data, `ok` and the task's number."""
    tx = call.tx
    outcome = "error" if call.faults.take("task-error") is not None else "done"
    begin, finish = tx.now + tx.settings.delay_task / 2, tx.now + tx.settings.delay_task
    number = tx.serial("task", 581001)
    tx.run(
        "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        *(number, tenant, function, tx.now, begin, finish, outcome, json.dumps(data)),
    )
    tx.later(finish, "task", task=number, effect=effect, data=data)
    return {
        "id": number,
        "function": function,
        "status": "todo",
        "todoDate": moment(tx.now),
        "finishDate": None,
    }


def free(call: Call, task: int) -> None:
    """Refuse a write to what another task is still changing."""
    if call.tx.settings.busy == "off" or not task:
        return
    message = "A task is already pending on this object"
    if call.tx.settings.busy == "conflict":
        raise conflict(message)
    raise service(403, "Client::Forbidden::Busy", message)


def pending(tx: Tx, tenant: str) -> list[int]:
    """List the unfinished tasks of a tenant, or all where finished ones stay listed."""
    after = 0.0 if tx.settings.finished_tasks == "listed" else tx.now
    return tx.column("SELECT id FROM task WHERE tenant = ? AND finish > ? ORDER BY id", tenant, after)


def read(tx: Tx, tenant: str, number: int) -> dict[str, Any]:
    """Show a task."""
    row = tx.one("SELECT * FROM task WHERE id = ? AND tenant = ?", number, tenant)
    if row is None or (row["finish"] <= tx.now and tx.settings.finished_tasks == "gone"):
        raise missing("The requested object (id = " + str(number) + ") does not exist")
    status = "todo" if tx.now < row["start"] else "doing" if tx.now < row["finish"] else row["outcome"]
    return {
        "id": row["id"],
        "function": row["function"],
        "status": status,
        "todoDate": moment(row["todo"]),
        "finishDate": moment(row["finish"]) if tx.now >= row["finish"] else None,
    }


@event("task")
def _finish(tx: Tx, data: dict[str, Any]) -> None:
    row = tx.one("SELECT tenant, outcome FROM task WHERE id = ?", data["task"])
    if row is None:
        return
    ok = row["outcome"] == "done"
    if not ok:
        tx.record("task-failed", task=data["task"], tenant=row["tenant"], effect=data["effect"])
    # The effect is due at this very moment, so it is done in the same look at the world.
    tx.later(tx.now, data["effect"], **data["data"], ok=ok, task=data["task"])
