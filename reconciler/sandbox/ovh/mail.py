# ruff: noqa: D103 - the route above a handler says what it answers
"""The mails of the account: what OVHcloud would have sent to the admin contact."""

import secrets
from typing import Any

from reconciler.sandbox.call import Call, missing
from reconciler.sandbox.clock import moment
from reconciler.sandbox.events import event
from reconciler.sandbox.ovh import tasks
from reconciler.sandbox.ovh.routes import get
from reconciler.sandbox.store import Tx

HISTORY = "/me/notification/email/history"


def send(tx: Tx, subject: str, body: str, *, delay: float = 0.0) -> None:
    """Let a mail arrive."""
    tx.run("INSERT INTO mail (at, subject, body) VALUES (?, ?, ?)", tx.now + delay, subject, body)


def password(call: Call, tenant: str, login: str, function: str) -> dict[str, Any]:
    """Begin the task that sets a person's password; the mail with a generated one follows."""
    given = call.body.get("password")
    new = given or secrets.token_urlsafe(9)
    text = f"The new password of {login} is {new}" if call.body["shouldSendMail"] or not given else ""
    return tasks.start(call, tenant, function, "password", tenant=tenant, login=login, text=text)


@get(HISTORY)
def history(call: Call) -> list[int]:
    return call.tx.column("SELECT id FROM mail WHERE at <= ? ORDER BY id DESC", call.tx.now)


@get(HISTORY + "/{id}")
def one(call: Call) -> dict[str, Any]:
    row = call.tx.one("SELECT * FROM mail WHERE id = ? AND at <= ?", call.number("id"), call.tx.now)
    if row is None:
        raise missing("This mail does not exist")
    return {"id": row["id"], "date": moment(row["at"]), "subject": row["subject"], "body": row["body"]}


@event("password")
def _changed(tx: Tx, data: dict[str, Any]) -> None:
    if not data["ok"]:
        return
    tx.record("password-changed", tenant=data["tenant"], login=data["login"])
    if data["text"]:
        send(tx, f"Your password for {data['login']}", data["text"])
