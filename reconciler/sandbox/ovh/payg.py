# ruff: noqa: D103 - the route above a handler says what it answers
"""`/license/office`: pay-as-you-go groups, where each user is a licence."""

import json
import zlib
from typing import Any

from reconciler.sandbox.call import Call, bad, missing
from reconciler.sandbox.events import event
from reconciler.sandbox.ovh import mail, renewal, tasks, tenants, usage
from reconciler.sandbox.ovh.account import account
from reconciler.sandbox.ovh.routes import delete, get, post, put
from reconciler.sandbox.store import Tx

ROOT = "/license/office"
TENANT = ROOT + "/{serviceName}"
USER = TENANT + "/user/{activationEmail}"
LICENCE = "officeBusiness|officeProPlus"
_WRITABLE = ("address", "city", "firstName", "lastName", "phone", "zipCode")


@get(ROOT)
def tenants_list(call: Call) -> list[str]:
    return call.tx.column("SELECT name FROM tenant WHERE kind = 'payg' ORDER BY name")


@get(TENANT)
def tenant(call: Call) -> dict[str, Any]:
    row = _tenant(call)
    return {**tenants.office(row), "iam": tenants.iam("payg", row["name"], row["display_name"])}


@put(
    TENANT,
    "address city creationDate displayName firstName lastName mcaAgreed:boolean phone serviceName serviceType"
    " status zipCode",
)
def tenant_update(call: Call) -> None:
    tx = call.tx
    tenants.change(tx, _tenant(call), call.body, _WRITABLE, shown_at=tx.now + tx.settings.delay_readable)


@get(TENANT + "/domain")
def domains(call: Call) -> list[str]:
    return _domains(_tenant(call))


@get(TENANT + "/domain/{domainName}")
def domain(call: Call) -> dict[str, Any]:
    row, name = _tenant(call), call.path["domainName"]
    if name not in _domains(row):
        raise missing("This domain does not exist")
    return {"domainName": name, "status": "ok", "txtEntry": f"MS=ms{zlib.crc32(name.encode()) % 10**8:08d}"}


@get(TENANT + "/pendingTask")
def pending(call: Call) -> list[int]:
    return tasks.pending(call.tx, _tenant(call)["name"])


@get(TENANT + "/pendingTask/{id}")
def task(call: Call) -> dict[str, Any]:
    return tasks.read(call.tx, _tenant(call)["name"], call.number("id"))


@get(TENANT + "/serviceInfos")
def infos(call: Call) -> dict[str, Any]:
    return renewal.infos(call.tx, _tenant(call)["name"], account(call.tx)["nichandle"])


@put(TENANT + "/serviceInfos", renewal.SERVICE)
def infos_update(call: Call) -> None:
    renewal.update(call, _tenant(call)["name"])


@get(TENANT + "/usageStatistics")
def statistics(call: Call) -> list[dict[str, Any]]:
    return usage.office(call, _tenant(call)["name"])


@get(TENANT + "/user")
def users(call: Call) -> list[str]:
    name = _tenant(call)["name"]
    sql, values = "SELECT email FROM user WHERE tenant = ?", [name]
    for key, column in (("activationEmail", "email"), ("firstName", "first"), ("lastName", "last")):
        if key in call.query:
            sql, values = f"{sql} AND {column} LIKE ?", [*values, call.query[key]]
    if "licences" in call.query:
        sql, values = f"{sql} AND licence = ?", [*values, call.query["licences"]]
    return call.tx.column(f"{sql} ORDER BY email", *values)


@post(TENANT + "/user", f"domain! firstName lastName licence:{LICENCE} login! usageLocation:country")
def user_create(call: Call) -> dict[str, Any]:
    row, body = _tenant(call), call.body
    if body["domain"] not in _domains(row):
        raise bad(f"The domain {body['domain']} does not belong to this service")
    email = f"{body['login']}@{body['domain']}"
    if not tenants.login(email):
        raise bad("The input provided isn't valid: 'login' is not a login")
    licence = body.get("licence", "officeBusiness")
    tenants.unclaimed(call.tx, email)
    _room(call.tx, row["name"], licence)
    answer = tasks.start(
        call, row["name"], "addOffice365UserPaygNCE", "user-created", tenant=row["name"], email=email
    )
    call.tx.run(
        "INSERT INTO user (tenant, email, first, last, country, licence, status, task) VALUES (?,?,?,?,?,?,?,?)",
        *(row["name"], email, body.get("firstName", ""), body.get("lastName", "")),
        *(
            body.get("usageLocation", account(call.tx)["subsidiary"].lower()),
            licence,
            "creating",
            answer["id"],
        ),
    )
    call.tx.record("user-created", tenant=row["name"], login=email, licence=licence)
    usage.touch(call.tx, "payg", row["name"])
    return answer


@get(USER)
def user(call: Call) -> dict[str, Any]:
    row = _user(call)
    return {
        "activationEmail": row["email"],
        "deleteAtExpiration": bool(row["ending"]),
        "firstName": row["first"],
        "isVirtual": False,
        "lastName": row["last"],
        "licences": [row["licence"]],
        "status": row["status"],
        "taskPendingId": row["task"],
        "usageLocation": row["country"],
    }


@put(USER, "activationEmail deleteAtExpiration:boolean firstName lastName usageLocation:country")
def user_update(call: Call) -> None:
    row, body = _user(call), call.body
    tasks.free(call, row["task"])
    email = body.get("activationEmail", row["email"])
    if email.lower() != row["email"].lower():
        if not tenants.login(email):
            raise bad("The input provided isn't valid: 'activationEmail' is not an email")
        tenants.unclaimed(call.tx, email)
    answer = tasks.start(
        call,
        row["tenant"],
        "updateOffice365UserPaygNCE",
        "user-updated",
        tenant=row["tenant"],
        email=row["email"],
        body=body,
    )
    call.tx.run(
        "UPDATE user SET task = ?, pending_email = ?, ending = ? WHERE tenant = ? AND email = ?",
        *(
            answer["id"],
            email,
            int(body.get("deleteAtExpiration", row["ending"])),
            row["tenant"],
            row["email"],
        ),
    )


@delete(USER)
def user_delete(call: Call) -> dict[str, Any]:
    row = _user(call)
    tasks.free(call, row["task"])
    answer = tasks.start(
        call,
        row["tenant"],
        "deleteOffice365UserPaygNCE",
        "user-deleted",
        tenant=row["tenant"],
        email=row["email"],
    )
    call.tx.run(
        "UPDATE user SET task = ?, status = 'deleting' WHERE tenant = ? AND email = ?",
        *(answer["id"], row["tenant"], row["email"]),
    )
    return answer


@post(USER + "/changePassword", "notifyEmail? password? shouldSendMail!:boolean")
def password(call: Call) -> dict[str, Any]:
    row = _user(call)
    tasks.free(call, row["task"])
    return mail.password(call, row["tenant"], row["email"], "changePasswordOffice365UserPaygNCE")


@event("user-created")
def _created(tx: Tx, data: dict[str, Any]) -> None:
    key = (data["tenant"], data["email"])
    if data["ok"]:
        tx.run("UPDATE user SET status = 'ok', task = 0 WHERE tenant = ? AND email = ?", *key)
        return
    tx.run("DELETE FROM user WHERE tenant = ? AND email = ?", *key)
    tx.record("user-deleted", tenant=key[0], login=key[1], reason="its creation failed")
    usage.touch(tx, "payg", key[0])


@event("user-updated")
def _updated(tx: Tx, data: dict[str, Any]) -> None:
    key = (data["tenant"], data["email"])
    if not data["ok"]:
        tx.run("UPDATE user SET task = 0, pending_email = NULL WHERE tenant = ? AND email = ?", *key)
        return
    body = data["body"]
    tx.run(
        "UPDATE user SET task = 0, pending_email = NULL, email = coalesce(?, email), first = coalesce(?, first),"
        " last = coalesce(?, last), country = coalesce(?, country) WHERE tenant = ? AND email = ?",
        *(
            body.get("activationEmail"),
            body.get("firstName"),
            body.get("lastName"),
            body.get("usageLocation"),
            *key,
        ),
    )
    tx.record("user-updated", tenant=key[0], login=key[1], now=body)


@event("user-deleted")
def _deleted(tx: Tx, data: dict[str, Any]) -> None:
    key = (data["tenant"], data["email"])
    if not data["ok"]:
        tx.run("UPDATE user SET task = 0, status = 'ok' WHERE tenant = ? AND email = ?", *key)
        return
    tx.run("DELETE FROM user WHERE tenant = ? AND email = ?", *key)
    tx.record("user-deleted", tenant=key[0], login=key[1])
    usage.touch(tx, "payg", key[0])


def _tenant(call: Call) -> Any:
    return tenants.find(call.tx, call.path["serviceName"], "payg")


def _user(call: Call) -> Any:
    name = _tenant(call)["name"]
    row = call.tx.one("SELECT * FROM user WHERE tenant = ? AND email = ?", name, call.path["activationEmail"])
    if row is None:
        raise missing(
            "The requested object (activationEmail = " + call.path["activationEmail"] + ") does not exist"
        )
    return row


def _domains(row: Any) -> list[str]:
    return [row["name"], *json.loads(row["domains"])]


def _room(tx: Tx, name: str, licence: str) -> None:
    if licence != "officeBusiness":
        return
    count = tx.column("SELECT count(*) FROM user WHERE tenant = ? AND licence = ?", name, licence)[0]
    if count >= tx.settings.business_limit:
        raise bad(f"This service cannot have more than {int(tx.settings.business_limit)} {licence} licences")
