# ruff: noqa: D103 - the route above a handler says what it answers
"""Partner Center's customers: list, read, create with a first administrator, profiles, validation, the end."""

import json
import secrets
from typing import Any

from reconciler.sandbox.call import ApiError, Call, Reply
from reconciler.sandbox.microsoft import rules, tenants
from reconciler.sandbox.microsoft.errors import classic
from reconciler.sandbox.microsoft.keys import partner as own
from reconciler.sandbox.microsoft.paging import page
from reconciler.sandbox.microsoft.routes import partner
from reconciler.sandbox.microsoft.wire import fresh, guid, instant, link, mapping, named, received
from reconciler.sandbox.store import Tx

ONE = "/customers/{customer}"
_ADDRESS = (
    "country", "region", "city", "state", "addressLine1", "addressLine2", "postalCode", "firstName", "lastName",
    "phoneNumber",
)  # fmt: skip
_STATES = ("Unknown", "UnderReview", "Allowed", "NotAllowed", "Not Ready")


@partner("GET", "/customers")
def listed(call: Call) -> dict[str, Any]:
    rows = call.tx.all("SELECT * FROM ms_customer WHERE relationship = 'reseller' ORDER BY seq")
    found = [row for row in rows if _passes(call, row)]
    return page(call, [_short(row) for row in found])


@partner("POST", "/customers")
def create(call: Call) -> Reply:
    profile, billing = _wanted(call.body)
    if tenants.taken(call.tx, profile["domain"]):
        raise classic(3000, "domain", text="The domain name is not available")
    number = fresh(call.tx, "customer")
    name, country = billing["companyName"], billing["defaultAddress"]["country"]
    tenants.add(call.tx, number, domain=profile["domain"], name=name, country=country, new=True)
    row = add(call.tx, number, profile=profile, billing=billing)
    call.tx.record("partner-customer-created", customer=number, domain=profile["domain"], company=name)
    # The password is shown here and never again, but to whoever repeats this very request.
    shown = _full(call.tx, row) | {
        "relationshipToPartner": "none",
        "userCredentials": {"userName": "admin", "password": secrets.token_urlsafe(9)},
    }
    tenants.admin(call.tx, number, profile["domain"], billing["defaultAddress"], country=country)
    return Reply(201, shown)


@partner("GET", ONE)
def read(call: Call) -> dict[str, Any]:
    return _full(call.tx, find(call))


@partner("PATCH", ONE)
def leave(call: Call) -> dict[str, Any]:
    row, body = find(call), received(call.body)
    if str(body.get("relationshiptopartner", "")).lower() != "none":
        raise classic(900126, "relationshipToPartner")
    live = "SELECT 1 FROM ms_subscription WHERE customer = ? AND status IN ('active', 'pending') LIMIT 1"
    if call.tx.one(live, row["id"]) is not None:
        raise classic(3000, "relationshipToPartner", text="Every subscription must be suspended first")
    call.tx.run("UPDATE ms_customer SET relationship = 'none' WHERE id = ?", row["id"])
    call.tx.record("partner-relationship-ended", customer=row["id"])
    return {"Id": None, "RelationshipToPartner": "none", "Attributes": {"ObjectType": "Customer"}}


@partner("DELETE", ONE)
def delete(call: Call) -> None:
    row = find(call)
    call.tx.run("DELETE FROM ms_customer WHERE id = ?", row["id"])
    call.tx.record("partner-customer-deleted", customer=row["id"])


@partner("GET", ONE + "/profiles/company")
def company(call: Call) -> dict[str, Any]:
    return _company(find(call))


@partner("GET", ONE + "/profiles/billing")
def billing_profile(call: Call) -> dict[str, Any]:
    return _billing(find(call))


@partner("PUT", ONE + "/profiles/billing")
def change_billing(call: Call) -> dict[str, Any]:
    row = find(call)
    sent = call.request.headers.get("if-match", "") if call.request is not None else ""
    if not sent:
        raise ApiError(
            412, {"code": 2055, "description": "If-Match is required", "data": [], "source": "PartnerFD"}
        )
    if sent != _tag(row):
        raise classic(2055)
    billing = _billing_of(received(call.body))
    call.tx.run(
        "UPDATE ms_customer SET billing = ?, version = version + 1 WHERE id = ?",
        json.dumps(billing),
        row["id"],
    )
    call.tx.record("partner-billing-changed", customer=row["id"])
    return _billing(find(call))


@partner("GET", ONE + "/validationStatus", user=True)
def validation(call: Call) -> dict[str, Any]:
    row = find(call)
    if not row["validation"]:
        raise classic(600074)
    status = standing(call.tx, row)
    when = instant(row["validated"]).removesuffix("Z")
    return {"type": call.query.get("type", "account"), "status": status, "lastUpdateDateTime": when}


@partner("POST", ONE + "/applicationconsents", user=True)
def consent(call: Call) -> Reply:
    row = find(call)
    call.tx.run("UPDATE ms_tenant SET consent = 1 WHERE id = ?", row["id"])
    call.tx.record("partner-consent-given", customer=row["id"])
    return Reply(201, call.body)


@partner("GET", "/customers/relationshiprequests")
def invitation(call: Call) -> dict[str, Any]:
    root = "https://admin.microsoft.com/Adminportal/Home?invType=ResellerRelationship"
    query = f"&partnerId={own(call.tx)['tenant_id']}&msppId=0&DAP=false#/BillingAccounts/partner-invitation"
    return {"url": root + query, "attributes": {"objectType": "RelationshipRequest"}}


@partner("GET", "/profiles/mpn")
def mpn(call: Call) -> dict[str, Any]:
    asked = call.query.get("mpnId") or own(call.tx)["mpn_id"]
    if not asked.isdigit() or asked.startswith("0"):
        raise classic(1000, asked)
    return {
        "partnerName": own(call.tx)["name"],
        "mpnId": asked,
        "profileType": "MpnProfile",
        "links": {"self": link("/profiles/mpn")},
        "attributes": {"objectType": "MpnProfile"},
    }


@partner("HEAD", "/domains/{domain}")
def domain(call: Call) -> Reply:
    return Reply(200 if tenants.taken(call.tx, call.path["domain"]) else 404, raw=b"")


def find(call: Call) -> Any:
    """Give the customer that the path names, or say that it is none of ours."""
    number = call.path["customer"].lower()
    if not guid(number):
        raise classic(900118, number)
    row = call.tx.one("SELECT * FROM ms_customer WHERE id = ?", number)
    if row is None or row["relationship"] == "none":
        raise classic(20002, own(call.tx)["tenant_id"], number)
    return row


def standing(tx: Tx, row: Any) -> str:
    """Give how far the review of a new customer is."""
    return "UnderReview" if row["validated"] > tx.now else str(row["validation"])


def add(tx: Tx, number: str, *, profile: dict[str, Any], billing: dict[str, Any], known: bool = False) -> Any:
    """Make a directory a customer of the partner; one that is not `known` yet is reviewed first."""
    validated = tx.now + (0 if known else tx.settings.delay_validation)
    tx.run(
        "INSERT INTO ms_customer (id, relationship, validation, validated, profile, billing)"
        " VALUES (?, 'reseller', 'Allowed', ?, ?, ?)",
        *(number, validated, json.dumps(profile), json.dumps(billing)),
    )
    return tx.one("SELECT * FROM ms_customer WHERE id = ?", number)


def validate(tx: Tx, number: str, status: str) -> None:
    """Let Microsoft's review of a customer end so."""
    if status not in _STATES and status:
        raise ValueError(f"{status!r} is none of {', '.join(_STATES)}")
    sql = "UPDATE ms_customer SET validation = ?, validated = ? WHERE id = ?"
    tx.run(sql, status, tx.now, number)


def _wanted(given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    body = received(given)
    company_, billing = mapping(body.get("companyprofile")), _billing_of(mapping(body.get("billingprofile")))
    if not company_.get("domain"):
        raise classic(3000, "companyProfile.domain", text="The property companyProfile.domain is required")
    registration = company_.get("organizationregistrationnumber")
    rules.check_customer(billing, registration)
    profile = {"domain": str(company_["domain"]).lower(), "companyName": billing["companyName"]}
    if registration:
        profile["organizationRegistrationNumber"] = registration
    return profile, billing


def _billing_of(given: dict[str, Any]) -> dict[str, Any]:
    for name in ("email", "culture", "language", "companyName", "defaultAddress"):
        if not given.get(name.lower()):
            raise classic(
                3000, f"billingProfile.{name}", text=f"The property billingProfile.{name} is required"
            )
    address = mapping(given["defaultaddress"])
    shown = {name: address[name.lower()] for name in _ADDRESS if address.get(name.lower()) is not None}
    rules.check_address(shown)
    plain = {name: given[name.lower()] for name in ("email", "culture", "language", "companyName")}
    return {**plain, "defaultAddress": shown | {"country": str(shown["country"]).upper()}}


def _passes(call: Call, row: Any) -> bool:
    text = call.query.get("filter", "")
    if not text:
        return True
    try:
        asked = received(json.loads(text))
    except ValueError:
        raise classic(800002, text="The filter is no JSON") from None
    field = {"companyname": "companyName", "domain": "domain"}.get(str(asked.get("field", "")).lower())
    if field is None or str(asked.get("operator", "")).lower() != "starts_with":
        raise classic(900126, str(asked.get("field")))
    value = str(json.loads(row["profile"]).get(field, ""))
    return value.lower().startswith(str(asked.get("value", "")).lower())


def _short(row: Any) -> dict[str, Any]:
    profile = json.loads(row["profile"])
    return {
        "id": row["id"],
        "companyProfile": {
            "tenantId": row["id"],
            "domain": profile["domain"],
            "companyName": profile["companyName"],
            "attributes": {"objectType": "CustomerCompanyProfile"},
        },
        "relationshipToPartner": row["relationship"],
        "attributes": {"objectType": "Customer"},
    }


def _full(tx: Tx, row: Any) -> dict[str, Any]:
    domains = tx.column("SELECT name FROM ms_domain WHERE tenant = ? AND verified ORDER BY name", row["id"])
    return {
        "id": row["id"],
        "commerceId": named("commerce", row["id"]),
        "companyProfile": _company(row),
        "billingProfile": _billing(row),
        "relationshipToPartner": row["relationship"],
        "allowDelegatedAccess": True,
        "customDomains": domains,
        "links": {"self": link(f"/customers/{row['id']}")},
        "attributes": {"objectType": "Customer"},
    }


def _company(row: Any) -> dict[str, Any]:
    uri = f"/customers/{row['id']}/profiles/company"
    attributes = {"objectType": "CustomerCompanyProfile"}
    return {
        "tenantId": row["id"],
        **json.loads(row["profile"]),
        "links": {"self": link(uri)},
        "attributes": attributes,
    }


def _billing(row: Any) -> dict[str, Any]:
    billing = json.loads(row["billing"])
    person = {name: billing.get("defaultAddress", {}).get(name, "") for name in ("firstName", "lastName")}
    return {
        "id": named("billing", row["id"]),
        **person,
        **billing,
        "links": {"self": link(f"/customers/{row['id']}/profiles/billing")},
        "attributes": {"etag": _tag(row), "objectType": "CustomerBillingProfile"},
    }


def _tag(row: Any) -> str:
    # Shown as a signed number, unlike the tags of subscriptions.
    return str(int(named("tag", row["id"], row["version"])[:8], 16))
