# ruff: noqa: D103 - the route above a handler says what it answers
"""`/saas/csp2`: reseller tenants, where a subscription is a licence id and a number of seats."""

import json
from datetime import date, timedelta
from typing import Any

from reconciler.sandbox.call import Call, bad, missing
from reconciler.sandbox.clock import day, moment
from reconciler.sandbox.events import event
from reconciler.sandbox.ovh import renewal, tasks, tenants, usage
from reconciler.sandbox.ovh.account import account
from reconciler.sandbox.ovh.routes import delete, get, post, put
from reconciler.sandbox.store import Tx

ROOT = "/saas/csp2"
TENANT = ROOT + "/{serviceName}"
SUBSCRIPTION = TENANT + "/subscription/{id}"
MOST = 100_000
_WRITABLE = ("address", "city", "email", "firstName", "lastName", "phone", "zipCode")
_PERIODS = {"lastWeek": 7, "lastMonth": 30, "lastQuarter": 91, "lastYear": 365}


@get(ROOT)
def tenants_list(call: Call) -> list[str]:
    return call.tx.column("SELECT name FROM tenant WHERE kind = 'csp2' ORDER BY name")


@get(TENANT)
def tenant(call: Call) -> dict[str, Any]:
    row = _tenant(call)
    return {
        **tenants.CONTACT,
        "email": account(call.tx)["email"],
        **json.loads(row["contact"]),
        "creationDate": moment(row["created"]),
        "displayName": row["display_name"],
        "hasAcceptedNewMCA": bool(row["mca"]),
        "iam": tenants.iam("csp2", row["name"], row["display_name"]),
        "mpnId": row["mpn_id"],
        "mpnIssueFlag": row["mpn_issue"],
        "serviceName": row["name"],
        "status": row["status"],
    }


@put(
    TENANT,
    "address city creationDate displayName email firstName hasAcceptedNewMCA:boolean lastName mpnId? mpnIssueFlag?"
    " phone serviceName status zipCode",
)
def tenant_update(call: Call) -> None:
    row = _tenant(call)
    tenants.change(call.tx, row, call.body, _WRITABLE)
    if "mpnId" in call.body:
        call.tx.run("UPDATE tenant SET mpn_id = ? WHERE name = ?", call.body["mpnId"], row["name"])


@get(TENANT + "/billingPeriodPeaks")
def peaks(call: Call) -> dict[str, Any]:
    name, last = _tenant(call)["name"], date.fromisoformat(day(call.tx.now))
    top: dict[str, int] = {}
    for _, lines in usage.days(call.tx, name, last.replace(day=1), last):
        for licence, (peak, _end) in lines.items():
            top[licence] = max(top.get(licence, 0), peak)
    end = (last.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return {
        "startDate": last.replace(day=1).isoformat(),
        "endDate": end.isoformat(),
        "lines": [
            {"licenceId": int(licence), "licenceName": _name(call.tx, name, int(licence)), "peakCount": peak}
            for licence, peak in sorted(top.items())
        ],
    }


@get(TENANT + "/orderableLicenses")
def licences(call: Call) -> list[int]:
    return call.tx.column("SELECT id FROM licence WHERE tenant = ? ORDER BY id", _tenant(call)["name"])


@get(TENANT + "/orderableLicenses/{id}")
def licence_one(call: Call) -> dict[str, Any]:
    row = _licence(call.tx, _tenant(call)["name"], call.number("id"))
    if row is None:
        raise missing("This license does not exist")
    return {
        "id": row["id"],
        "licenceType": row["kind"],
        "limit": row["maximum"],
        "name": row["name"],
        "newSeatsAllowed": bool(row["new_seats"]),
        "newSubscriptionsAllowed": bool(row["new_subscriptions"]),
    }


@get(TENANT + "/serviceInfos")
def infos(call: Call) -> dict[str, Any]:
    return renewal.infos(call.tx, _tenant(call)["name"], account(call.tx)["nichandle"])


@put(TENANT + "/serviceInfos", renewal.SERVICE)
def infos_update(call: Call) -> None:
    renewal.update(call, _tenant(call)["name"])


@get(TENANT + "/subscription")
def subscriptions(call: Call) -> list[int]:
    return call.tx.column("SELECT id FROM subscription WHERE tenant = ? ORDER BY id", _tenant(call)["name"])


@post(TENANT + "/subscription", "licenseId!:long quantity!:long")
def subscribe(call: Call) -> dict[str, Any]:
    row = _tenant(call)
    if call.tx.settings.mpn_required and not row["mpn_id"]:
        raise bad("This tenant has no MPN id: new subscriptions are not allowed")
    return _buy(call, row["name"], parent=None)


@get(SUBSCRIPTION)
def subscription(call: Call) -> dict[str, Any]:
    row = _subscription(call)
    return {
        "creationDate": moment(row["created"]),
        "id": row["id"],
        "lastUpdate": None if row["updated"] is None else moment(row["updated"]),
        "licenseId": row["licence"],
        "quantity": row["quantity"],
        "status": row["status"],
        "taskPendingId": row["task"],
    }


@delete(SUBSCRIPTION)
def cancel(call: Call) -> dict[str, Any]:
    row = _subscription(call)
    tasks.free(call, row["task"])
    answer = tasks.start(call, row["tenant"], "deleteSubscription", "subscription-deleted", id=row["id"])
    call.tx.run("UPDATE subscription SET task = ?, status = 'deleting' WHERE id = ?", answer["id"], row["id"])
    return answer


@get(SUBSCRIPTION + "/addonsSubscriptionIds")
def addons(call: Call) -> list[int]:
    return call.tx.column(
        "SELECT id FROM subscription WHERE parent = ? ORDER BY id", _subscription(call)["id"]
    )


@get(SUBSCRIPTION + "/availableAddonLicenses")
def addon_licences(call: Call) -> list[int]:
    tenant_name = _subscription(call)["tenant"]
    return call.tx.column(
        "SELECT id FROM licence WHERE tenant = ? AND kind = 'ADDON' ORDER BY id", tenant_name
    )


@post(SUBSCRIPTION + "/changeQuantity", "quantity!:long")
def change(call: Call) -> dict[str, Any]:
    row, quantity = _subscription(call), call.body["quantity"]
    tasks.free(call, row["task"])
    known = _licence(call.tx, row["tenant"], row["licence"])
    _fits(known, quantity)
    if quantity > row["quantity"] and known is not None and not known["new_seats"]:
        raise bad("New seats are not allowed for this license")
    answer = tasks.start(
        call,
        row["tenant"],
        "changeSubscriptionQuantity",
        "subscription-changed",
        id=row["id"],
        quantity=quantity,
    )
    call.tx.run("UPDATE subscription SET task = ? WHERE id = ?", answer["id"], row["id"])
    return answer


@post(SUBSCRIPTION + "/orderAddon", "licenseId!:long quantity!:long")
def addon(call: Call) -> dict[str, Any]:
    row = _subscription(call)
    return _buy(call, row["tenant"], parent=row["id"])


@get(TENANT + "/task")
def pending(call: Call) -> list[int]:
    return tasks.pending(call.tx, _tenant(call)["name"])


@get(TENANT + "/task/{id}")
def task(call: Call) -> dict[str, Any]:
    return tasks.read(call.tx, _tenant(call)["name"], call.number("id"))


@get(TENANT + "/usageStatistics")
def statistics(call: Call) -> list[dict[str, Any]]:
    name, period = _tenant(call)["name"], call.query.get("timePeriod", "")
    if period not in _PERIODS:
        raise bad("The input provided isn't valid: 'timePeriod' is a required property")
    last = date.fromisoformat(day(call.tx.now))
    return [
        {
            "date": when,
            "lines": [
                {
                    "licenceId": int(licence),
                    "licenceName": _name(call.tx, name, int(licence)),
                    "peakCount": peak,
                    "endOfDayCount": count,
                }
                for licence, (peak, count) in sorted(lines.items())
            ],
        }
        for when, lines in usage.days(call.tx, name, last - timedelta(days=_PERIODS[period]), last)
    ]


def _buy(call: Call, name: str, *, parent: int | None) -> dict[str, Any]:
    number, quantity = call.body["licenseId"], call.body["quantity"]
    known = _licence(call.tx, name, number)
    if known is None or (known["kind"] == "ADDON") != (parent is not None):
        raise bad(f"The license {number} cannot be ordered here")
    if not known["new_subscriptions"]:
        raise bad("New subscriptions are not allowed for this license")
    _fits(known, quantity)
    answer = tasks.start(call, name, "createSubscription", "subscription-ready", tenant=name)
    # The subscription shows up when its task begins, and is usable when it is done.
    call.tx.later(
        call.tx.now + call.tx.settings.delay_task / 2,
        "subscription-begun",
        tenant=name,
        licence=number,
        quantity=quantity,
        parent=parent,
        task=answer["id"],
    )
    return answer


@event("subscription-begun")
def _begun(tx: Tx, data: dict[str, Any]) -> None:
    number = tx.serial("subscription", 501)
    tx.run(
        "INSERT INTO subscription (id, tenant, licence, quantity, created, status, task, parent)"
        " VALUES (?, ?, ?, ?, ?, 'creating', ?, ?)",
        *(number, data["tenant"], data["licence"], data["quantity"], tx.now, data["task"], data["parent"]),
    )
    tx.record(
        "subscription-created",
        tenant=data["tenant"],
        id=number,
        licence=data["licence"],
        quantity=data["quantity"],
    )
    usage.touch(tx, "csp2", data["tenant"])


@event("subscription-ready")
def _ready(tx: Tx, data: dict[str, Any]) -> None:
    if data["ok"]:
        sql = "UPDATE subscription SET status = 'ok', task = 0 WHERE task = ? RETURNING id"
        for number in tx.column(sql, data["task"]):
            _grant(tx, number)
        return
    for number in tx.column("DELETE FROM subscription WHERE task = ? RETURNING id", data["task"]):
        tx.record("subscription-deleted", tenant=data["tenant"], id=number, reason="its creation failed")
    usage.touch(tx, "csp2", data["tenant"])


@event("subscription-changed")
def _changed(tx: Tx, data: dict[str, Any]) -> None:
    row = tx.one("UPDATE subscription SET task = 0 WHERE id = ? RETURNING *", data["id"])
    if row is None or not data["ok"]:
        return
    tx.run(
        "UPDATE subscription SET quantity = ?, updated = ? WHERE id = ?", data["quantity"], tx.now, row["id"]
    )
    tx.record(
        "subscription-changed",
        tenant=row["tenant"],
        id=row["id"],
        before=row["quantity"],
        quantity=data["quantity"],
    )
    _grant(tx, row["id"])
    usage.touch(tx, "csp2", row["tenant"])


def _grant(tx: Tx, number: int) -> None:
    # The customer's own directory sees the units later than OVHcloud does.
    tx.later(tx.now + tx.settings.delay_provisioning, "reseller-granted", id=number)


@event("subscription-deleted")
def _deleted(tx: Tx, data: dict[str, Any]) -> None:
    row = tx.one("UPDATE subscription SET task = 0, status = 'ok' WHERE id = ? RETURNING *", data["id"])
    if row is None or not data["ok"]:
        return
    tx.run("DELETE FROM subscription WHERE id = ? OR parent = ?", row["id"], row["id"])
    tx.record("subscription-deleted", tenant=row["tenant"], id=row["id"], quantity=row["quantity"])
    usage.touch(tx, "csp2", row["tenant"])


def _tenant(call: Call) -> Any:
    return tenants.find(call.tx, call.path["serviceName"], "csp2")


def _subscription(call: Call) -> Any:
    name = _tenant(call)["name"]
    row = call.tx.one("SELECT * FROM subscription WHERE id = ? AND tenant = ?", call.number("id"), name)
    if row is None:
        raise missing("This subscription does not exist")
    return row


def _licence(tx: Tx, tenant_name: str, number: int) -> Any:
    return tx.one("SELECT * FROM licence WHERE tenant = ? AND id = ?", tenant_name, number)


def _name(tx: Tx, tenant_name: str, number: int) -> str:
    row = _licence(tx, tenant_name, number)
    return str(number) if row is None else str(row["name"])


def _fits(licence: Any, quantity: int) -> None:
    if not 1 <= quantity <= MOST:
        raise bad(f"The input provided isn't valid: 'quantity' is not between 1 and {MOST}")
    if licence is not None and licence["maximum"] is not None and quantity > licence["maximum"]:
        raise bad(f"The quantity is above the limit of {licence['maximum']} for this license")
