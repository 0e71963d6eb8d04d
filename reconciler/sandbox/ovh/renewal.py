"""The service record of a tenant or a seat: renewal, ending, and what its expiration brings."""

from typing import Any

from reconciler.sandbox.call import Call, bad, missing
from reconciler.sandbox.clock import day, months_later, parse
from reconciler.sandbox.events import event
from reconciler.sandbox.ovh import usage
from reconciler.sandbox.shape import Shape
from reconciler.sandbox.store import Tx

SERVICE = (
    "canDeleteAtExpiration:boolean contactAdmin contactBilling contactTech creation domain engagedUpTo? expiration"
    " possibleRenewPeriod?:array renew?:object renewalType serviceId:long status"
)
_RENEW = Shape.of(
    "automatic:boolean deleteAtExpiration:boolean forced:boolean manualPayment?:boolean period?:long"
)


def create(
    tx: Tx, name: str, route: str, *, plan: str = "", expiration: float | None = None, ending: bool = False
) -> int:
    """Give a tenant or a seat its service record; it runs for a month unless told."""
    number = tx.serial("service", 12001)
    ends = parse(day(months_later(tx.now, 1))) if expiration is None else expiration
    tx.run(
        "INSERT INTO service (id, name, route, created, expiration, ending, display_name, plan)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        *(number, name, route, tx.now, ends, int(ending), name, plan),
    )
    return number


def infos(tx: Tx, name: str, nichandle: str) -> dict[str, Any]:
    """Answer serviceInfos."""
    row = find(tx, name)
    return {
        "canDeleteAtExpiration": True,
        "contactAdmin": nichandle,
        "contactBilling": nichandle,
        "contactTech": nichandle,
        "creation": day(row["created"]),
        "domain": row["name"],
        "engagedUpTo": None,
        "expiration": day(row["expiration"]),
        "possibleRenewPeriod": [1],
        "renew": {
            "automatic": bool(row["automatic"]),
            "deleteAtExpiration": bool(row["ending"]),
            "forced": bool(row["forced"]),
            "manualPayment": None if row["manual_payment"] is None else bool(row["manual_payment"]),
            "period": row["period"],
        },
        "renewalType": "automaticV2016" if row["automatic"] else "manual",
        "serviceId": row["id"],
        "status": row["state"],
    }


def update(call: Call, name: str) -> None:
    """Take a changed serviceInfos; only `renew` is writable."""
    row = find(call.tx, name)
    if not isinstance(call.body.get("renew"), dict):
        return
    renew = _RENEW.check(call.body["renew"])
    if renew.get("period") not in {None, 1}:
        raise bad("The input provided isn't valid: 'period' is not one of the possible renew periods")
    call.tx.run(
        "UPDATE service SET automatic = ?, ending = ?, forced = ?, manual_payment = ?, period = ? WHERE id = ?",
        int(renew.get("automatic", row["automatic"])),
        int(renew.get("deleteAtExpiration", row["ending"])),
        int(renew.get("forced", row["forced"])),
        renew.get("manualPayment", row["manual_payment"]),
        renew.get("period", row["period"]),
        row["id"],
    )
    _recorded(call.tx, row["id"])


def end(tx: Tx, number: int, *, ending: bool) -> None:
    """Let a service end at its expiration, or no longer."""
    tx.run("UPDATE service SET ending = ? WHERE id = ?", int(ending), number)
    _recorded(tx, number)


def find(tx: Tx, name: str) -> Any:
    """Give the service record of a name."""
    row = tx.one("SELECT * FROM service WHERE name = ?", name)
    if row is None:
        raise missing()
    return row


def remove(tx: Tx, name: str) -> None:
    """Take a seat or a tenant out of the world, with all that hangs on it."""
    row = tx.one("SELECT route FROM service WHERE name = ?", name)
    if row is None:
        return
    tx.run("DELETE FROM service WHERE name = ?", name)
    if row["route"] == "prepaid":
        seat = tx.one("DELETE FROM seat WHERE name = ? RETURNING tenant, licence, email", name)
        if seat is not None:
            tx.record(
                "seat-ended", seat=name, tenant=seat["tenant"], licence=seat["licence"], login=seat["email"]
            )
            usage.touch(tx, "prepaid", seat["tenant"])
        return
    for table in ("user", "subscription", "licence"):
        tx.run(f"DELETE FROM {table} WHERE tenant = ?", name)  # noqa: S608 - table names of this line
    tx.run("DELETE FROM tenant WHERE name = ?", name)
    tx.record("tenant-ended", tenant=name)


@event("expiration")
def _expire(tx: Tx, data: dict[str, Any]) -> None:
    row = tx.one("SELECT * FROM service WHERE id = ?", data["service"])
    if row is None:
        return
    if row["ending"]:
        remove(tx, row["name"])
        return
    if not row["automatic"]:
        tx.run("UPDATE service SET state = 'expired' WHERE id = ?", row["id"])
        tx.record("service-expired", service=row["name"])
        return
    ends = months_later(row["expiration"], row["period"] or 1)
    tx.run("UPDATE service SET expiration = ? WHERE id = ?", ends, row["id"])
    for login in tx.column("DELETE FROM user WHERE tenant = ? AND ending = 1 RETURNING email", row["name"]):
        tx.record("user-deleted", tenant=row["name"], login=login, reason="it ended at the expiration")
    tx.record("renewed", service=row["name"], until=day(ends))


def _recorded(tx: Tx, number: int) -> None:
    row = tx.one("SELECT * FROM service WHERE id = ?", number)
    assert row is not None  # noqa: S101 - just written
    tx.record(
        "renewal-changed",
        service=row["name"],
        automatic=bool(row["automatic"]),
        delete_at_expiration=bool(row["ending"]),
        expiration=day(row["expiration"]),
    )
