# ruff: noqa: D103 - the route above a handler says what it answers
"""Graph's view of the directory itself: the organization, the partner's contracts, role templates, other tenants."""

from typing import Any

from reconciler.sandbox.call import Call
from reconciler.sandbox.microsoft.errors import not_found
from reconciler.sandbox.microsoft.keys import partner
from reconciler.sandbox.microsoft.login import tenant_of
from reconciler.sandbox.microsoft.query import context
from reconciler.sandbox.microsoft.routes import graph
from reconciler.sandbox.microsoft.wire import instant, named

# The ids that these roles have in every directory.
ROLES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "User Administrator": "fe930be7-5e62-47db-91af-98c3a49a38b1",
    "License Administrator": "4d6ac14f-3453-41d0-bef9-a3e0c569773a",
    "Directory Readers": "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    "Directory Writers": "9360feb5-f418-4baa-8175-e2a00bac4301",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
    "Helpdesk Administrator": "729827e3-9c14-49f7-bb1b-9608f156bbb8",
    "Privileged Authentication Administrator": "7be44c8a-adaf-4e2a-84d6-ab2649e08a13",
    "Service Support Administrator": "f023fd81-a637-4b56-95fd-791ac0226033",
    "Domain Name Administrator": "8329153b-31d0-4727-b945-745eb3bc5f31",
}


@graph("GET", "/organization")
def organization(call: Call) -> dict[str, Any]:
    return {"@odata.context": context(call, "organization"), "value": [_organization(call)]}


@graph("GET", "/organization/{tenant}")
def organization_one(call: Call) -> dict[str, Any]:
    if call.path["tenant"].lower() != call.caller["tenant"]:
        raise not_found(call.path["tenant"])
    return {"@odata.context": context(call, "organization/$entity"), **_organization(call)}


@graph("GET", "/contracts")
def contracts(call: Call) -> dict[str, Any]:
    found = []
    if call.caller["tenant"] == partner(call.tx)["tenant_id"]:
        found = call.tx.all(
            "SELECT ms_tenant.* FROM ms_customer JOIN ms_tenant ON ms_tenant.id = ms_customer.id"
            " WHERE relationship = 'reseller' ORDER BY seq"
        )
    shown = [
        {
            "id": named("contract", row["id"]),
            "contractType": "ResellerPartnerContract",
            "customerId": row["id"],
            "defaultDomainName": row["domain"],
            "deletedDateTime": None,
            "displayName": row["name"],
        }
        for row in found
    ]
    return {"@odata.context": context(call, "contracts"), "value": shown}


@graph("GET", "/directoryRoleTemplates")
def roles(call: Call) -> dict[str, Any]:
    shown = [
        {"id": number, "deletedDateTime": None, "description": name, "displayName": name}
        for name, number in ROLES.items()
    ]
    return {"@odata.context": context(call, "directoryRoleTemplates"), "value": shown}


@graph("GET", "/tenantRelationships/findTenantInformationByDomainName()/{name}")
def by_domain(call: Call) -> dict[str, Any]:
    return _found(call, call.path["name"])


@graph("GET", "/tenantRelationships/findTenantInformationByTenantId()/{name}")
def by_id(call: Call) -> dict[str, Any]:
    return _found(call, call.path["name"])


def _found(call: Call, name: str) -> dict[str, Any]:
    number = tenant_of(call.tx, name)
    row = None if number is None else call.tx.one("SELECT * FROM ms_tenant WHERE id = ?", number)
    if row is None:
        raise not_found(name)
    return {
        "@odata.context": context(call, "microsoft.graph.tenantInformation"),
        "tenantId": row["id"],
        "federationBrandName": None,
        "displayName": row["name"],
        "defaultDomainName": row["domain"],
    }


def _organization(call: Call) -> dict[str, Any]:
    tenant, own = call.caller["tenant"], partner(call.tx)
    row = call.tx.one("SELECT * FROM ms_tenant WHERE id = ?", tenant)
    domains = call.tx.all("SELECT * FROM ms_domain WHERE tenant = ? AND verified ORDER BY name", tenant)
    return {
        "id": tenant,
        "displayName": own["name"] if row is None else row["name"],
        "countryLetterCode": own["country"] if row is None else row["country"],
        "country": None,
        "city": None,
        "businessPhones": [],
        "assignedPlans": [],
        "createdDateTime": instant(call.tx.now if row is None else row["created"]),
        "verifiedDomains": [_domain(one) for one in domains],
    }


def _domain(row: Any) -> dict[str, Any]:
    return {
        "capabilities": "Email, OfficeCommunicationsOnline",
        "isDefault": bool(row["standard"]),
        "isInitial": bool(row["initial"]),
        "name": row["name"],
        "type": "Managed",
    }
