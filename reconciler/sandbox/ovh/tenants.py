"""What the three families share: the tenant's record, its IAM block, its contact, who holds a login."""

import json
import re
import uuid
from typing import Any

from reconciler.sandbox.call import bare, conflict, missing
from reconciler.sandbox.clock import moment
from reconciler.sandbox.events import event
from reconciler.sandbox.store import Tx

CONTACT = {
    "address": "1 rue du Bac a Sable",
    "city": "Lille",
    "firstName": "Sandbox",
    "lastName": "Owner",
    "phone": "0033123456789",
    "zipCode": "59000",
}

_ROUTES = {"payg": "licenseOffice", "prepaid": "licenseOfficePrepaid", "csp2": "cspReseller"}


def find(tx: Tx, name: str, kind: str) -> Any:
    """Give a tenant's row, or say that there is no such service."""
    row = tx.one("SELECT * FROM tenant WHERE name = ? AND kind = ?", name, kind)
    if row is None:
        raise missing()
    check_alive(tx, name)
    return row


def check_alive(tx: Tx, name: str) -> None:
    """Refuse a service that expired without being renewed."""
    row = tx.one("SELECT state FROM service WHERE name = ?", name)
    if row is not None and row["state"] == "expired":
        raise bare(460, "This Service is expired")


def iam(kind: str, name: str, display: str) -> dict[str, Any]:
    """Build the IAM block that `...WithIAM` answers carry."""
    resource = _ROUTES[kind]
    urn = f"urn:v1:eu:resource:{resource}:{name}"
    return {
        "displayName": display,
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, urn)),
        "state": "OK",
        "tags": {},
        "urn": urn,
    }


def office(row: Any) -> dict[str, Any]:
    """Show a tenant of one of the two office families."""
    return {
        **CONTACT,
        **{key: value for key, value in json.loads(row["contact"]).items() if key in CONTACT},
        "creationDate": moment(row["created"]),
        "displayName": row["display_name"],
        "mcaAgreed": bool(row["mca"]),
        "serviceName": row["name"],
        "serviceType": "prepaid" if row["kind"] == "prepaid" else "payAsYouGo",
        "status": row["status"],
    }


def change(
    tx: Tx, row: Any, body: dict[str, Any], writable: tuple[str, ...], *, shown_at: float = 0.0
) -> None:
    """Take the writable part of a tenant that was sent back, and leave the rest; the name may show later."""
    contact = json.loads(row["contact"]) | {key: body[key] for key in writable if key in body}
    display = body.get("displayName") or row["display_name"]
    tx.run("UPDATE tenant SET contact = ? WHERE name = ?", json.dumps(contact), row["name"])
    tx.record("tenant-changed", tenant=row["name"], display_name=display)
    if display != row["display_name"]:
        tx.later(max(shown_at, tx.now), "tenant-named", tenant=row["name"], display_name=display)


@event("tenant-named")
def _named(tx: Tx, data: dict[str, Any]) -> None:
    tx.run("UPDATE tenant SET display_name = ? WHERE name = ?", data["display_name"], data["tenant"])


def login(email: str) -> bool:
    """Say whether a text can be a login: one @, nothing that a batch or a path would trip over."""
    return re.fullmatch(r"[^@\s,/]+@[^@\s,/]+", email) is not None


def unclaimed(tx: Tx, email: str, *, but: str = "") -> None:
    """Refuse a login that somebody holds or is about to hold, anywhere in the account; `but` is who asks."""
    users = "SELECT tenant || '/' || email FROM user WHERE {} = ?"
    seats = "SELECT name FROM seat WHERE {} = ?"
    for sql in (
        users.format("email"),
        users.format("pending_email"),
        seats.format("email"),
        seats.format("pending_email"),
    ):
        for holder in tx.column(sql, email):
            if holder != but:
                raise conflict(f"The activation email {email} is already used")
