# ruff: noqa: D103 - the route above a handler says what it answers
"""`/license/officePrepaid`: prepaid groups, where each seat is a service of its own."""

import uuid
from typing import Any

from reconciler.sandbox.call import Call, bad, missing
from reconciler.sandbox.events import event
from reconciler.sandbox.ovh import mail, renewal, tasks, tenants, usage
from reconciler.sandbox.ovh.account import account
from reconciler.sandbox.ovh.routes import get, post, put
from reconciler.sandbox.ovh.seats import VACANT, blank
from reconciler.sandbox.store import Tx

ROOT = "/license/officePrepaid"
SEAT = ROOT + "/{serviceName}"
REASONS = (
    "FEATURES_DONT_SUIT_ME|LACK_OF_PERFORMANCES|MIGRATED_TO_ANOTHER_OVH_PRODUCT|MIGRATED_TO_COMPETITOR"
    "|NOT_ENOUGH_RECOGNITION|NOT_NEEDED_ANYMORE|NOT_RELIABLE|NO_ANSWER|OTHER|PRODUCT_DIMENSION_DONT_SUIT_ME"
    "|PRODUCT_TOOLS_DONT_SUIT_ME|TOO_EXPENSIVE|TOO_HARD_TO_USE|UNSATIFIED_BY_CUSTOMER_SUPPORT"
)
USES = (
    "NOT_REPLACING_SERVICE|OTHER|SUBSCRIBE_AN_OTHER_SERVICE|SUBSCRIBE_OTHER_KIND_OF_SERVICE_WITH_COMPETITOR"
    "|SUBSCRIBE_SIMILAR_SERVICE_WITH_COMPETITOR"
)


@get(ROOT)
def seats(call: Call) -> list[str]:
    return call.tx.column("SELECT name FROM seat ORDER BY tenant, number")


@get(SEAT)
def seat(call: Call) -> dict[str, Any]:
    row = _seat(call)
    return {
        "activationEmail": row["email"],
        "firstName": row["first"],
        "iam": tenants.iam("prepaid", row["name"], row["name"]),
        "isVirtual": bool(row["virtual"]),
        "lastName": row["last"],
        "licences": [row["licence"]],
        "serviceName": row["name"],
        "status": row["status"],
        "taskPendingId": row["task"],
        "tenantServiceName": row["tenant"],
        "usageLocation": row["country"],
    }


@put(SEAT, "activationEmail firstName lastName usageLocation:country")
def seat_update(call: Call) -> None:
    row, body = _seat(call), call.body
    tasks.free(call, row["task"])
    email = body.get("activationEmail", row["email"])
    if not tenants.login(email):
        raise bad("The input provided isn't valid: 'activationEmail' is not an email")
    tenants.unclaimed(call.tx, email, but=row["name"])
    answer = tasks.start(
        call, row["tenant"], "configureOffice365UserNCE", "seat-configured", seat=row["name"], body=body
    )
    call.tx.run(
        "UPDATE seat SET task = ?, pending_email = ? WHERE name = ?", answer["id"], email, row["name"]
    )


@post(SEAT + "/changePassword", "notifyEmail? password? shouldSendMail!:boolean")
def password(call: Call) -> dict[str, Any]:
    row = _seat(call)
    tasks.free(call, row["task"])
    if row["virtual"]:
        raise bad("This seat is not configured")
    return mail.password(call, row["tenant"], row["email"], "changePasswordOffice365UserNCE")


@post(SEAT + "/unconfigure")
def unconfigure(call: Call) -> dict[str, Any]:
    row = _seat(call)
    tasks.free(call, row["task"])
    if row["virtual"]:
        raise bad("This seat is not configured")
    answer = tasks.start(
        call, row["tenant"], "unconfigureOffice365UserNCE", "seat-unconfigured", seat=row["name"]
    )
    call.tx.run("UPDATE seat SET task = ? WHERE name = ?", answer["id"], row["name"])
    return answer


@post(SEAT + "/terminate")
def terminate(call: Call) -> str:
    return ask_to_end(call.tx, _seat(call)["name"])


@post(SEAT + "/confirmTermination", f"commentary futureUse:{USES} reason:{REASONS} token!")
def confirm(call: Call) -> str:
    return confirm_end(call.tx, _seat(call)["name"], call.body["token"])


@get(SEAT + "/parentTenant")
def parent(call: Call) -> dict[str, Any]:
    return tenants.office(_parent(call))


@put(SEAT + "/parentTenant", "displayName serviceName")
def parent_update(call: Call) -> None:
    tenants.change(call.tx, _parent(call), call.body, ())


@post(SEAT + "/parentTenant/acceptAgreement")
def agree(call: Call) -> None:
    row = _parent(call)
    call.tx.run("UPDATE tenant SET mca = 1 WHERE name = ?", row["name"])
    call.tx.record("agreement-accepted", tenant=row["name"])


@post(
    SEAT + "/parentTenant/createAttestation",
    "companyName country:COUNTRY emailAddress language phoneNumber signatoryFirstName signatoryLastName",
)
def attest(call: Call) -> dict[str, str]:
    name = _parent(call)["name"]
    number = str(uuid.uuid5(uuid.NAMESPACE_URL, f"attestation:{name}"))
    return {"attestationId": number, "attestationLink": f"https://attestation.sandbox.example/{number}"}


@get(SEAT + "/serviceInfos")
def infos(call: Call) -> dict[str, Any]:
    return renewal.infos(call.tx, _seat(call)["name"], account(call.tx)["nichandle"])


@put(SEAT + "/serviceInfos", renewal.SERVICE)
def infos_update(call: Call) -> None:
    renewal.update(call, _seat(call)["name"])


@get(SEAT + "/tenantPendingTask")
def pending(call: Call) -> list[int]:
    return tasks.pending(call.tx, _seat(call)["tenant"])


@get(SEAT + "/tenantPendingTask/{id}")
def task(call: Call) -> dict[str, Any]:
    return tasks.read(call.tx, _seat(call)["tenant"], call.number("id"))


@get(SEAT + "/tenantUsageStatistics")
def statistics(call: Call) -> list[dict[str, Any]]:
    return usage.office(call, _seat(call)["tenant"])


def ask_to_end(tx: Tx, name: str) -> str:
    """Send the admin contact a token that ends a service."""
    row = renewal.find(tx, name)
    if row["ending"]:
        return ""
    token = uuid.uuid4().hex
    tx.run("UPDATE service SET token = ? WHERE id = ?", token, row["id"])
    link = f"https://www.ovh.com/manager/#/billing/confirmTerminate?id={row['id']}&token={token}"
    mail.send(
        tx, f"Termination of {name}", f"To end {name}, confirm it: {link}", delay=tx.settings.delay_mail
    )
    tx.record("termination-asked", service=name)
    return "We sent a mail with a confirmation link to the admin contact"


def confirm_end(tx: Tx, name: str, token: str) -> str:
    """End a service at its expiration, for who has the token of the mail."""
    row = renewal.find(tx, name)
    if not row["token"] or token != row["token"]:
        raise bad("This token is not valid")
    tx.run("UPDATE service SET token = NULL WHERE id = ?", row["id"])
    renewal.end(tx, row["id"], ending=True)
    return "The service ends at its expiration"


@event("seat-configured")
def _configured(tx: Tx, data: dict[str, Any]) -> None:
    tx.run("UPDATE seat SET task = 0, pending_email = NULL WHERE name = ?", data["seat"])
    row = tx.one("SELECT * FROM seat WHERE name = ?", data["seat"])
    if row is None or not data["ok"]:
        return
    body = data["body"]
    email = body.get("activationEmail", row["email"])
    tx.run(
        "UPDATE seat SET virtual = 0, email = ?, first = ?, last = ?, country = ? WHERE name = ?",
        *(email, body.get("firstName", row["first"]), body.get("lastName", row["last"])),
        *(body.get("usageLocation", row["country"]), row["name"]),
    )
    what = "seat-configured" if row["virtual"] else "seat-updated"
    tx.record(what, seat=row["name"], tenant=row["tenant"], login=email, licence=row["licence"])
    usage.touch(tx, "prepaid", row["tenant"])


def vacate(tx: Tx, name: str) -> None:
    """Empty a seat; it stays paid."""
    row = tx.one("SELECT * FROM seat WHERE name = ?", name)
    if row is None:
        return
    tx.run(
        "UPDATE seat SET virtual = 1, email = ?, first = ?, last = ? WHERE name = ?",
        *(blank(row["tenant"], row["number"]), VACANT, VACANT, name),
    )
    tx.record(
        "seat-unconfigured", seat=name, tenant=row["tenant"], login=row["email"], licence=row["licence"]
    )
    usage.touch(tx, "prepaid", row["tenant"])


@event("seat-unconfigured")
def _unconfigured(tx: Tx, data: dict[str, Any]) -> None:
    tx.run("UPDATE seat SET task = 0 WHERE name = ?", data["seat"])
    if data["ok"]:
        vacate(tx, data["seat"])


def _seat(call: Call) -> Any:
    row = call.tx.one("SELECT * FROM seat WHERE name = ?", call.path["serviceName"])
    if row is None or row["readable_at"] > call.tx.now:
        raise missing()
    tenants.check_alive(call.tx, row["name"])
    return row


def _parent(call: Call) -> Any:
    return tenants.find(call.tx, _seat(call)["tenant"], "prepaid")
