# ruff: noqa: D103 - the route above a handler says what it answers
"""Graph's domains: add one, show that it is yours by a DNS record, and take it away again."""

from typing import Any

from reconciler.sandbox.call import Call, Reply
from reconciler.sandbox.microsoft import tenants
from reconciler.sandbox.microsoft.errors import bad_request, not_found
from reconciler.sandbox.microsoft.query import context
from reconciler.sandbox.microsoft.routes import graph
from reconciler.sandbox.microsoft.wire import named
from reconciler.sandbox.store import Tx

ONE = "/domains/{domain}"
_SERVICES = ["Email", "OfficeCommunicationsOnline"]


@graph("GET", "/domains")
def listed(call: Call) -> dict[str, Any]:
    rows = call.tx.all(
        "SELECT * FROM ms_domain WHERE tenant = ? ORDER BY initial DESC, name", call.caller["tenant"]
    )
    return {"@odata.context": context(call, "domains"), "value": [_show(row) for row in rows]}


@graph("POST", "/domains")
def create(call: Call) -> Reply:
    name = str((call.body or {}).get("id", "")).lower() if isinstance(call.body, dict) else ""
    if "." not in name or not name.isascii() or any(sign in name for sign in " @/"):
        raise bad_request("Invalid value specified for property 'id' of resource 'Domain'.")
    tenant = call.caller["tenant"]
    if call.tx.one("SELECT 1 FROM ms_domain WHERE tenant = ? AND name = ?", tenant, name) is not None:
        raise bad_request("Another object with the same value for property id already exists.")
    if tenants.taken(call.tx, name):
        raise bad_request("Domain is already verified in another directory.")
    call.tx.run("INSERT INTO ms_domain VALUES (?, ?, 0, 0, 0, ?)", tenant, name, tenants.code(tenant, name))
    call.tx.record("graph-domain-added", tenant=tenant, domain=name)
    return Reply(201, {"@odata.context": context(call, "domains/$entity"), **_show(_find(call, name))})


@graph("GET", ONE)
def read(call: Call) -> dict[str, Any]:
    return {"@odata.context": context(call, "domains/$entity"), **_show(_find(call))}


@graph("PATCH", ONE)
def change(call: Call) -> None:
    row = _find(call)
    if not isinstance(call.body, dict) or set(call.body) - {"isDefault", "supportedServices"}:
        raise bad_request("Only isDefault and supportedServices of a domain can be changed.")
    if call.body.get("isDefault") is True:
        if not row["verified"]:
            raise bad_request("Only a verified domain can be the default domain.")
        sql = "UPDATE ms_domain SET standard = (name = ?) WHERE tenant = ?"
        call.tx.run(sql, row["name"], row["tenant"])
        call.tx.record("graph-domain-default", tenant=row["tenant"], domain=row["name"])


@graph("DELETE", ONE)
def delete(call: Call) -> None:
    row = _find(call)
    if row["initial"] or row["standard"]:
        raise bad_request("The initial or the default domain cannot be deleted.")
    if _users(call.tx, row):
        raise bad_request("Domain is referenced by users or groups and cannot be deleted.")
    call.tx.run("DELETE FROM ms_domain WHERE tenant = ? AND name = ?", row["tenant"], row["name"])
    call.tx.record("graph-domain-deleted", tenant=row["tenant"], domain=row["name"])


@graph("POST", ONE + "/verify")
def verify(call: Call) -> dict[str, Any]:
    row = _find(call)
    if not row["verified"]:
        _verify(call.tx, row)
    return {"@odata.context": context(call, "domains/$entity"), **_show(_find(call))}


@graph("GET", ONE + "/verificationDnsRecords")
def verification(call: Call) -> dict[str, Any]:
    row = _find(call)
    mx = f"{row['code'].replace('=', '')}.msv1.invalid".lower()
    records = [
        _record(row, "Txt", None, text=row["code"]),
        _record(row, "Mx", None, mailExchange=mx, preference=32767),
    ]
    return {
        "@odata.context": context(call, f"domains('{row['name']}')/verificationDnsRecords"),
        "value": records,
    }


@graph("GET", ONE + "/serviceConfigurationRecords")
def services(call: Call) -> dict[str, Any]:
    row = _find(call)
    host = f"{row['name'].replace('.', '-')}.mail.protection.outlook.com"
    spf = "v=spf1 include:spf.protection.outlook.com -all"
    records = [
        _record(row, "Mx", "Email", mailExchange=host, preference=0),
        _record(row, "Txt", "Email", text=spf),
        _record(
            row,
            "CName",
            "Email",
            label=f"autodiscover.{row['name']}",
            canonicalName="autodiscover.outlook.com",
        ),
    ]
    where = context(call, f"domains('{row['name']}')/serviceConfigurationRecords")
    return {"@odata.context": where, "value": records if row["verified"] else []}


@graph("GET", ONE + "/domainNameReferences")
def references(call: Call) -> dict[str, Any]:
    row = _find(call)
    found = [
        {"@odata.type": "#microsoft.graph.user", "id": one["id"], "userPrincipalName": one["upn"]}
        for one in _users(call.tx, row)
    ]
    return {"@odata.context": context(call, "directoryObjects"), "value": found}


def publish(tx: Tx, name: str, kind: str, value: str) -> None:
    """Play the owner of a domain who publishes a DNS record."""
    tx.run("INSERT OR REPLACE INTO ms_record VALUES (?, ?, ?)", name.lower(), kind.upper(), value)


def _verify(tx: Tx, row: Any) -> None:
    values = tx.column("SELECT value FROM ms_record WHERE name = ? AND kind = 'TXT'", row["name"])
    if row["code"] not in values:
        raise bad_request(
            f"Domain verification failed with the following error: 'The DNS record for {row['name']} was not found.'"
        )
    if tenants.taken(tx, row["name"]):
        raise bad_request("Domain is already verified in another directory.")
    tx.run("UPDATE ms_domain SET verified = 1 WHERE tenant = ? AND name = ?", row["tenant"], row["name"])
    tx.record("graph-domain-verified", tenant=row["tenant"], domain=row["name"])


def _find(call: Call, name: str | None = None) -> Any:
    wanted = name or call.path["domain"]
    row = call.tx.one("SELECT * FROM ms_domain WHERE tenant = ? AND name = ?", call.caller["tenant"], wanted)
    if row is None:
        raise not_found(wanted)
    return row


def _users(tx: Tx, row: Any) -> list[Any]:
    sql = "SELECT id, upn FROM ms_user WHERE tenant = ? AND deleted IS NULL AND upn LIKE ? ORDER BY seq"
    return tx.all(sql, row["tenant"], f"%@{row['name']}")


def _show(row: Any) -> dict[str, Any]:
    return {
        "id": row["name"],
        "authenticationType": "Managed",
        "availabilityStatus": None,
        "isAdminManaged": True,
        "isDefault": bool(row["standard"]),
        "isInitial": bool(row["initial"]),
        "isRoot": True,
        "isVerified": bool(row["verified"]),
        "supportedServices": _SERVICES if row["verified"] else [],
        "passwordValidityPeriodInDays": None,
        "passwordNotificationWindowInDays": None,
        "state": None,
    }


def _record(row: Any, kind: str, service: str | None, **more: object) -> dict[str, Any]:
    return {
        "@odata.type": f"#microsoft.graph.domainDns{kind.replace('CName', 'Cname')}Record",
        "id": named("record", row["tenant"], row["name"], kind, service),
        "isOptional": False,
        "label": row["name"],
        "recordType": kind,
        "supportedService": service or "Null",
        "ttl": 3600,
        **more,
    }
