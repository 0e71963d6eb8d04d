# ruff: noqa: D103 - the route above a handler says what it answers
"""`/services`: the newer view of the same service records."""

from typing import Any

from reconciler.sandbox.call import Call, bad, missing
from reconciler.sandbox.clock import moment
from reconciler.sandbox.ovh import prepaid, renewal
from reconciler.sandbox.ovh.account import account
from reconciler.sandbox.ovh.routes import get, post, put
from reconciler.sandbox.shape import Shape

ROOT = "/services"
SERVICE = ROOT + "/{serviceId}"
_PATHS = {
    "payg": "/license/office/{serviceName}",
    "prepaid": "/license/officePrepaid/{serviceName}",
    "csp2": "/saas/csp2/{serviceName}",
}
_RENEW = Shape.of("mode!:automatic|manual period:duration")


@get(ROOT)
def services(call: Call) -> list[int]:
    rows = call.tx.all(
        "SELECT id, route FROM service WHERE name = coalesce(?, name) ORDER BY id",
        call.query.get("resourceName"),
    )
    routes = call.query.get("routes")
    wanted = None if routes is None else set(routes.split(","))
    return [row["id"] for row in rows if wanted is None or _PATHS[row["route"]] in wanted]


@get(SERVICE)
def service(call: Call) -> dict[str, Any]:
    row = _service(call)
    ends = moment(row["expiration"])
    return {
        "billing": {
            "engagement": None,
            "engagementRequest": None,
            "expirationDate": ends,
            "group": None,
            "lifecycle": _lifecycle(row, ends),
            "nextBillingDate": None if row["ending"] else ends,
            "plan": {"code": row["plan"], "invoiceName": row["plan"]} if row["plan"] else None,
            "pricing": None,
            "renew": {
                "capacities": {"mode": ["automatic", "manual"]},
                "current": {
                    "mode": "automatic" if row["automatic"] else "manual",
                    "nextDate": None if row["ending"] else ends,
                    "period": "P1M",
                },
            },
        },
        "customer": {
            "contacts": [
                {"customerCode": account(call.tx)["nichandle"], "type": kind}
                for kind in ("administrator", "billing", "technical")
            ]
        },
        "parentServiceId": None,
        "resource": {
            "displayName": row["display_name"],
            "name": row["name"],
            "product": None,
            "resellingProvider": None,
            "state": "active" if row["state"] == "ok" else "suspended",
        },
        "route": {
            "path": _PATHS[row["route"]],
            "url": _PATHS[row["route"]].replace("{serviceName}", row["name"]),
            "vars": [{"key": "serviceName", "value": row["name"]}],
        },
        "serviceId": row["id"],
        "tags": [],
    }


@put(
    SERVICE,
    "displayName? renew?:object terminationPolicy?:empty|terminateAtEngagementDate|terminateAtExpirationDate",
)
def service_update(call: Call) -> None:
    row, body = _service(call), call.body
    if body.get("terminationPolicy") == "terminateAtEngagementDate":
        raise bad("This service has no engagement")
    if body.get("displayName") is not None:
        call.tx.run("UPDATE service SET display_name = ? WHERE id = ?", body["displayName"], row["id"])
    if body.get("renew") is not None:
        mode = _RENEW.check(body["renew"])["mode"]
        call.tx.run("UPDATE service SET automatic = ? WHERE id = ?", int(mode == "automatic"), row["id"])
    if body.get("renew") is not None or body.get("terminationPolicy") is not None:
        policy = body.get("terminationPolicy")
        ending = bool(row["ending"]) if policy is None else policy == "terminateAtExpirationDate"
        renewal.end(call.tx, row["id"], ending=ending)


@get(SERVICE + "/options")
def options(call: Call) -> list[dict[str, Any]]:
    _service(call)
    return []


@get(SERVICE + "/renewPeriodCapacities")
def periods(call: Call) -> list[str]:
    _service(call)
    return ["P1M"]


@post(SERVICE + "/terminate")
def terminate(call: Call) -> dict[str, str]:
    return {"message": prepaid.ask_to_end(call.tx, _service(call)["name"])}


@post(SERVICE + "/terminate/confirm", "token!")
def confirm(call: Call) -> dict[str, str]:
    return {"message": prepaid.confirm_end(call.tx, _service(call)["name"], call.body["token"])}


def _service(call: Call) -> Any:
    row = call.tx.one("SELECT * FROM service WHERE id = ?", call.number("serviceId"))
    if row is None:
        raise missing()
    return row


def _lifecycle(row: Any, ends: str) -> dict[str, Any]:
    return {
        "capacities": {"actions": ["terminate", "terminateAtExpirationDate"]},
        "current": {
            "creationDate": moment(row["created"]),
            "pendingActions": ["terminateAtExpirationDate"] if row["ending"] else [],
            "state": "active" if row["state"] == "ok" else "unrenewed",
            "terminationDate": ends if row["ending"] else None,
        },
    }
