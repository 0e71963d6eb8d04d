"""Customers of Partner Center, their agreements and addresses, and the delegated administration of Graph."""

import json
from typing import Any

import pytest

from reconciler.sandbox.microsoft.directory import ROLES
from reconciler.sandbox.world import World
from tests.sandbox.makers import Answer, Clock
from tests.sandbox.microsoft.makers import ACME, CUSTOMER, NEWCO, SUBSCRIPTION, Cloud

RELATIONS = "/tenantRelationships/delegatedAdminRelationships"


def customer(country: str = "LT", **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(CUSTOMER))
    found["billingProfile"]["defaultAddress"] |= {"country": country, "postalCode": "01103", **more}
    return found


def test_a_customer_is_created_with_a_directory_and_its_first_administrator(
    world: World, partner: Cloud
) -> None:
    assert partner.call("HEAD", f"/domains/{NEWCO}").status == 404

    made = partner.post("/customers", CUSTOMER)
    number = made.body["id"]

    assert made.status == 201
    assert (made.body["relationshipToPartner"], made.body["userCredentials"]["userName"]) == ("none", "admin")
    assert partner.call("HEAD", f"/domains/{NEWCO.upper()}").status == 200
    again = partner.get(f"/customers/{number}").body
    assert (again["relationshipToPartner"], "userCredentials" in again) == ("reseller", False)
    assert made.body["userCredentials"]["password"] not in str(world.ledger())
    inside = Cloud(world, "/graph/v1.0", tenant=NEWCO)
    assert inside.get("/organization").body["value"][0]["id"] == number
    users = inside.get("/users", select="userPrincipalName,assignedLicenses").body["value"]
    assert [(one["userPrincipalName"], one["assignedLicenses"]) for one in users] == [(f"admin@{NEWCO}", [])]
    refused = partner.post("/customers", CUSTOMER)
    assert (refused.status, refused.body["code"]) == (400, 3000)


def test_a_customer_is_made_once_whatever_is_lost(world: World, partner: Cloud) -> None:
    world.fault("lose-reply-after", path="/partner-center/v1/customers")
    sent = {"MS-RequestId": "2f6b0a0e-1111-4222-8333-944445555666"}
    assert partner.post("/customers", CUSTOMER, sent).reply.lost == "after"

    again = partner.post("/customers", CUSTOMER, sent)

    assert (again.status, bool(again.body["userCredentials"]["password"])) == (201, True)
    assert [entry["what"] for entry in world.ledger()] == ["partner-customer-created"]


def test_a_new_customer_is_reviewed_before_it_may_buy(world: World, partner: Cloud, clock: Clock) -> None:
    world.set("delay_validation", "600")
    number = partner.post("/customers", CUSTOMER).body["id"]
    path = f"/customers/{number}/validationStatus"
    assert partner.get(path, type="account").body["status"] == "UnderReview"

    clock.sleep(600)

    assert partner.get(path, type="account").body["status"] == "Allowed"
    world.change(f"customer-validated {NEWCO} NotAllowed")
    assert partner.get(path).body["status"] == "NotAllowed"
    world.change(f"customer-validated {NEWCO} ''")
    assert (partner.get(path).status, partner.get(path).body["code"]) == (404, 600074)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (customer("UA"), 600049),
        (
            customer("LT") | {"companyProfile": {"domain": NEWCO, "organizationRegistrationNumber": "1"}},
            600002,
        ),
        (customer("PL", postalCode="1"), 3000),
        (customer("US", postalCode="98052", state="XX"), 3000),
        (customer("KP"), 3000),
        (customer(phoneNumber="none"), 3000),
        (customer(city=""), 3000),
        ({"billingProfile": CUSTOMER["billingProfile"]}, 3000),
        ({"companyProfile": {"domain": NEWCO}}, 3000),
        ({}, 3000),
    ],
)
def test_a_customer_that_lacks_something_is_refused(
    world: World, partner: Cloud, body: dict[str, Any], code: int
) -> None:
    answer = partner.post("/customers", body)

    assert (answer.status, answer.body["code"]) == (400, code)
    assert world.ledger() == []


def test_a_registered_country_wants_number_and_phone(partner: Cloud) -> None:
    body = customer("UA") | {
        "companyProfile": {"Domain": NEWCO, "OrganizationRegistrationNumber": "12345678"}
    }
    refused = partner.post("/customers", body)
    assert (refused.body["code"], refused.body["errorMessageExtended"]) == (
        600051,
        "InternalErrorCode=600051",
    )

    body["billingProfile"]["defaultAddress"]["phoneNumber"] = "+380441234567"
    made = partner.post("/customers", body)

    assert made.body["companyProfile"]["organizationRegistrationNumber"] == "12345678"


def test_countries_have_rules_and_addresses_are_judged(partner: Cloud) -> None:
    rules = partner.get("/countryvalidationrules/us").body
    assert (rules["iso2Code"], rules["isStateRequired"], "WA" in rules["states"]["value"]) == (
        "US",
        True,
        True,
    )
    assert partner.get("/countryvalidationrules/UA").body["isRegistrationNumberSupported"] is True
    assert partner.get("/countryvalidationrules/KP").status == 404

    def status(**address: str) -> Answer:
        return partner.post(
            "/validations/address", {"City": "Vilnius", "Country": "LT", "PostalCode": "01103", **address}
        )

    assert status(AddressLine1="Gedimino 1").body["status"] == "VerifiedShippable"
    assert status(AddressLine1="Gedimino").body["status"] == "PremisesPartial"
    assert status(AddressLine1="Gedimino 1", PostalCode="x").body["validationMessage"]
    assert status().body["status"] == "None"
    assert status(Country="KP").status == 400


def test_an_agreement_is_confirmed_once(world: World, partner: Cloud) -> None:
    number = partner.post("/customers", CUSTOMER).body["id"]
    path = f"/customers/{number}/agreements"
    template = partner.get("/agreements", agreementType="MicrosoftCustomerAgreement").body["items"][0]
    contact = {"firstName": "Ada", "lastName": "L", "email": "ada@newco.example"}
    body = {
        "primaryContact": contact,
        "templateId": template["templateId"],
        "dateAgreed": "2026-03-01T00:00:00Z",
        "type": "MicrosoftCustomerAgreement",
    }
    assert partner.get(path, agreementType="MicrosoftCustomerAgreement").body["items"] == []
    assert partner.post(path, {**body, "templateId": "old"}).status == 400
    assert partner.post(path, {**body, "primaryContact": {}}).status == 400
    assert partner.post(path, {**body, "dateAgreed": "soon"}).status == 400
    assert partner.post(path, {**body, "type": "Other"}).body["code"] == 900126

    assert partner.post(path, body).status == 201

    again = partner.post(path, body)
    assert (again.status, again.body["code"], again.body["isRetryable"]) == (400, 600061, False)
    assert len(partner.get(path, agreementType="MicrosoftCustomerAgreement").body["items"]) == 1
    assert partner.get("/agreements").body["items"][0]["agreementType"] == "MicrosoftCloudAgreement"
    assert partner.get("/agreements", agreementType="Other").status == 400
    signed = f"/customers/{number}/directSignedMicrosoftCustomerAgreementStatus"
    assert partner.get(signed).body == {"isSigned": False}
    world.change(f"agreement-signed {NEWCO}")
    assert partner.get(signed).body == {"isSigned": True}


def test_customers_are_listed_in_pages_and_filtered(world: World, partner: Cloud) -> None:
    for number in range(4):
        world.load(
            {
                "microsoft": {
                    "customers": [{"domain": f"c{number}.onmicrosoft.com", "name": f"Client {number}"}]
                }
            }
        )
    names, answer = [], partner.get("/customers", size="2")
    while True:
        names += [one["companyProfile"]["companyName"] for one in answer.body["items"]]
        link = answer.body["links"].get("next")
        if link is None:
            break
        answer = partner.follow(link["uri"], {one["key"]: one["value"] for one in link["headers"]})

    assert names == ["Acme UAB", "Client 0", "Client 1", "Client 2", "Client 3"]
    by_offset = partner.get("/customers", size="2", offset="4").body
    assert (by_offset["totalCount"], len(by_offset["items"]), "next" in by_offset["links"]) == (5, 1, False)
    assert "offset=2" in partner.get("/customers", size="2", offset="0").body["links"]["next"]["uri"]
    text = json.dumps({"Field": "CompanyName", "Value": "client", "Operator": "starts_with"})
    assert partner.get("/customers", filter=text).body["totalCount"] == 4
    assert partner.get("/customers", filter="{").status == 400
    assert partner.get("/customers", filter='{"Field":"Shoe"}').body["code"] == 900126
    assert partner.get("/customers", size="0").status == 400
    assert partner.get("/customers", {"MS-ContinuationToken": "nonsense"}).status == 400


def test_profiles_are_read_and_the_billing_one_is_changed_whole(partner: Cloud, acme: str) -> None:
    path = f"/customers/{acme}/profiles/billing"
    before = partner.get(path).body
    assert partner.get(f"/customers/{acme}/profiles/company").body["domain"] == ACME
    assert partner.call("PUT", path, before).status == 412

    after = {**before, "email": "new@acme.example"}
    assert (
        partner.call("PUT", path, after, {"If-Match": before["attributes"]["etag"]}).body["email"]
        == "new@acme.example"
    )

    stale = partner.call("PUT", path, before, {"If-Match": before["attributes"]["etag"]})
    assert (stale.status, stale.body["code"]) == (400, 2055)


def test_a_relationship_ends_once_every_subscription_is_suspended(
    world: World, partner: Cloud, acme: str
) -> None:
    end = {"relationshipToPartner": "none", "attributes": {"objectType": "Customer"}}
    assert partner.patch(f"/customers/{acme}", end).status == 400
    world.change(f"subscription-status {SUBSCRIPTION} suspended")

    assert partner.patch(f"/customers/{acme}", end).body["RelationshipToPartner"] == "none"

    answer = partner.get(f"/customers/{acme}")
    assert (answer.status, answer.body["code"]) == (403, 20002)
    assert partner.get("/customers").body["items"] == []


def test_a_customer_that_is_none_of_ours_is_refused(partner: Cloud, acme: str) -> None:
    assert partner.get("/customers/not-a-guid").body["code"] == 900118
    assert partner.patch(f"/customers/{acme}", {"relationshipToPartner": "friend"}).body["code"] == 900126
    assert partner.delete(f"/customers/{acme}").status == 204
    assert partner.get(f"/customers/{acme}/subscriptions").body["code"] == 20002


def test_the_partner_knows_itself(partner: Cloud) -> None:
    assert partner.get("/profiles/mpn").body["mpnId"] == "1234567"
    assert partner.get("/profiles/mpn", mpnId="7654321").body["mpnId"] == "7654321"
    assert partner.get("/profiles/mpn", mpnId="0").status == 404
    assert "partnerId=" in partner.get("/customers/relationshiprequests").body["url"]
    assert partner.get("/nonsense").status == 404
    assert partner.post("/profiles/mpn").status == 405


def test_people_can_be_seen_and_licensed_at_partner_center_too(
    partner: Cloud, graph: Cloud, acme: str
) -> None:
    root = f"/customers/{acme}/users"
    users = partner.get(root).body["items"]
    skus = partner.get(f"/customers/{acme}/subscribedskus").body["items"]
    assert [one["firstName"] for one in users] == ["Ada", "Bob", "Cy"]
    assert (skus[0]["availableUnits"], skus[0]["productSku"]["licenseGroupId"]) == (2, "group1")
    sku = skus[0]["productSku"]["id"]

    assert (
        partner.post(f"{root}/{users[1]['id']}/licenseupdates", {"licensesToAssign": [{"skuId": sku}]}).status
        == 201
    )

    assert partner.get(f"{root}/{users[1]['id']}/licenses").body["items"][0]["productSku"]["id"] == sku
    assert (
        partner.post(f"{root}/{users[2]['id']}/licenseupdates", {"licensesToAssign": [{"skuId": sku}]}).status
        == 400
    )
    partner.post(f"{root}/{users[1]['id']}/licenseupdates", {"licensesToRemove": [sku]})
    none = partner.post(f"{root}/{users[1]['id']}/licenseupdates", {"licensesToAssign": [{"skuId": acme}]})
    assert none.body["code"] == 60012
    graph.delete(f"/users/{users[0]['id']}")
    inactive = json.dumps({"Field": "UserState", "Value": "Inactive", "Operator": "equals"})
    assert [one["state"] for one in partner.get(root, filter=inactive).body["items"]] == ["inactive"]
    assert partner.get(f"{root}/nobody").status == 404


def relation(**more: Any) -> dict[str, Any]:
    roles = [
        {"roleDefinitionId": ROLES["License Administrator"]},
        {"roleDefinitionId": ROLES["User Administrator"]},
    ]
    known = {"displayName": "Support", "duration": "P30D", "accessDetails": {"unifiedRoles": roles}}
    return {**known, **more}


@pytest.fixture
def own(world: World) -> Cloud:
    return Cloud(world, "/graph/v1.0")


def test_delegated_administration_goes_its_way_to_active_and_on_to_expired(
    world: World, own: Cloud, acme: str, clock: Clock
) -> None:
    made = own.post(RELATIONS, relation(customer={"tenantId": acme, "displayName": "Acme UAB"}))
    path = f"{RELATIONS}/{made.body['id']}"
    assert (made.status, made.body["status"], made.body["activatedDateTime"]) == (201, "created", None)
    tag = {"If-Match": made.body["@odata.etag"]}
    assert own.patch(path, {"duration": "P31D"}).status == 400
    assert own.patch(path, {"duration": "P31D"}, tag).body["duration"] == "P31D"
    assert own.patch(path, {"duration": "P32D"}, tag).status == 412

    asked = own.post(f"{path}/requests", {"action": "lockForApproval"})

    assert (asked.status, asked.body["action"]) == (201, "lockForApproval")
    assert own.get(f"{path}/requests/{asked.body['id']}").body["status"] == "created"
    assert own.get(path).body["status"] == "approvalPending"
    assert own.patch(path, {"duration": "P9D"}, {"If-Match": "*"}).status == 409
    assert own.delete(path, {"If-Match": "*"}).status == 409
    world.set("delay_gdap", "60")
    world.change("relationship-approved Support")
    seen = []
    for _ in range(3):
        seen.append(own.get(path).body["status"])
        clock.sleep(60)
    assert seen == ["approved", "activating", "active"]
    clock.sleep(31 * 86400)
    assert own.get(path).body["status"] in {"expiring", "expired"}
    clock.sleep(60)
    assert own.get(path).body["status"] == "expired"


def active(world: World, own: Cloud, clock: Clock) -> str:
    number = own.post(RELATIONS, relation()).body["id"]
    own.post(f"{RELATIONS}/{number}/requests", {"action": "lockForApproval"})
    world.change(f"relationship-approved {number}")
    clock.sleep(5)
    return f"{RELATIONS}/{number}"


HELPDESK = "869713c9-0b28-4d08-8949-ae07ae1bf528"
SALES = "3a4c07b1-7d58-4d3e-9b0f-0d4f4f1b7c55"


def access(group: str = HELPDESK, *roles: str) -> dict[str, Any]:
    chosen = [{"roleDefinitionId": ROLES[one]} for one in roles or ("License Administrator",)]
    container = {"accessContainerId": group, "accessContainerType": "securityGroup"}
    return {"accessContainer": container, "accessDetails": {"unifiedRoles": chosen}}


def test_access_is_assigned_changed_and_removed(world: World, own: Cloud, clock: Clock) -> None:
    path = active(world, own, clock)
    world.load({"microsoft": {"groups": [{"id": HELPDESK, "name": "Helpdesk"}]}})
    body = access()
    roles = body["accessDetails"]

    made = own.post(f"{path}/accessAssignments", body)
    one = f"{path}/accessAssignments/{made.body['id']}"
    assert (made.status, made.body["status"]) == (201, "pending")
    early = own.patch(one, {"accessDetails": roles}, {"If-Match": made.body["@odata.etag"]})
    assert early.status == 409
    clock.sleep(5)
    found = own.get(one).body
    assert found["status"] == "active"
    same = own.patch(one, {"accessDetails": roles}, {"If-Match": found["@odata.etag"]})
    assert same.status == 200
    more = {"unifiedRoles": [*roles["unifiedRoles"], {"roleDefinitionId": ROLES["User Administrator"]}]}
    changed = own.patch(one, {"accessDetails": more}, {"If-Match": found["@odata.etag"]})
    assert (changed.status, changed.headers["Retry-After"]) == (202, "10")
    operation = own.follow(changed.headers["Location"])
    assert operation.body["status"] == "running"
    assert own.get(one).body["accessDetails"] == roles
    clock.sleep(5)
    assert own.get(one).body["accessDetails"] == more
    assert own.follow(changed.headers["Location"]).body["status"] == "succeeded"
    assert len(own.get(f"{path}/operations").body["value"]) == 1
    wrong = {"unifiedRoles": [{"roleDefinitionId": ROLES["Global Reader"]}]}
    assert own.post(f"{path}/accessAssignments", {**body, "accessDetails": wrong}).status == 400
    assert own.delete(one, {"If-Match": "*"}).status == 204
    clock.sleep(5)
    assert [row["status"] for row in own.get(f"{path}/accessAssignments").body["value"]] == ["deleted"]
    assert own.get(f"{path}/accessAssignments/none").status == 404


def test_a_group_has_one_assignment_and_is_one_of_the_partners(
    world: World, own: Cloud, clock: Clock
) -> None:
    path = active(world, own, clock)
    world.load({"microsoft": {"groups": [{"id": HELPDESK, "name": "Helpdesk"}]}})

    first = own.post(f"{path}/accessAssignments", access())
    again = own.post(f"{path}/accessAssignments", access(HELPDESK.upper(), "User Administrator"))
    stranger = own.post(f"{path}/accessAssignments", access(SALES))
    early = own.post(RELATIONS, relation(displayName="Later"))

    assert (first.status, again.status, stranger.status) == (201, 409, 400)
    assert again.body["error"]["message"] == "The resource already exists."
    assert own.post(f"{RELATIONS}/{early.body['id']}/accessAssignments", access()).status == 409


def test_a_colleague_gives_and_takes_roles(world: World, own: Cloud, clock: Clock) -> None:
    path = active(world, own, clock)
    world.load({"microsoft": {"groups": [{"id": HELPDESK, "name": "Helpdesk"}]}})

    def held() -> list[tuple[str, int]]:
        rows = own.get(f"{path}/accessAssignments").body["value"]
        return [(one["status"], len(one["accessDetails"]["unifiedRoles"])) for one in rows]

    with pytest.raises(ValueError, match="no role"):
        world.change(f"access-taken Support {HELPDESK}")
    world.change(f"access-given Support {HELPDESK} 'License Administrator'")
    world.change(f"access-given Support {HELPDESK} 'User Administrator'")
    assert held() == [("active", 2)]
    world.change(f"access-taken Support {HELPDESK} 'User Administrator'")
    assert held() == [("active", 1)]
    world.change(f"access-taken Support {HELPDESK}")

    assert held() == [("deleted", 0)]


def test_a_world_may_begin_with_a_relationship_that_was_approved(
    world: World, own: Cloud, acme: str, clock: Clock
) -> None:
    both = ["License Administrator", "User Administrator"]
    given = {
        "name": "Old",
        "customer": acme,
        "duration": "P9D",
        "roles": both,
        "access": {HELPDESK: both[:1]},
    }
    before = len(world.ledger())

    world.load({"microsoft": {"groups": [{"id": HELPDESK, "name": "Helpdesk"}], "relationships": [given]}})

    (one,) = own.get(RELATIONS).body["value"]
    (there,) = own.get(f"{RELATIONS}/{one['id']}/accessAssignments").body["value"]
    assert (one["status"], one["customer"]["tenantId"]) == ("active", acme)
    assert there["accessDetails"]["unifiedRoles"] == [{"roleDefinitionId": ROLES[both[0]]}]
    assert len(world.ledger()) == before
    clock.sleep(9 * 86400)
    assert own.get(f"{RELATIONS}/{one['id']}").body["status"] == "expiring"


def test_security_groups_are_read_in_their_own_directory(world: World, own: Cloud, graph: Cloud) -> None:
    groups = [{"id": HELPDESK, "name": "Helpdesk"}, {"id": SALES, "name": "Sales"}]
    world.load({"microsoft": {"groups": groups}})

    first = own.get("/groups", top="1")
    rest = own.follow(first.body["@odata.nextLink"])
    named = own.get("/groups", filter="displayName eq 'Sales'", select="id")

    assert [one["displayName"] for one in (*first.body["value"], *rest.body["value"])] == [
        "Helpdesk",
        "Sales",
    ]
    assert "@odata.nextLink" not in rest.body
    assert named.body["value"] == [{"id": SALES}]
    assert own.get(f"/groups/{SALES}", select="displayName").body["displayName"] == "Sales"
    assert own.get("/groups", select="shoe").body["error"]["message"].endswith("'microsoft.graph.group'.")
    assert graph.get(f"/groups/{SALES}").status == 404
    with pytest.raises(ValueError, match="no GUID"):
        world.load({"microsoft": {"groups": [{"id": "helpdesk", "name": "Helpdesk"}]}})


def test_a_relationship_is_terminated(world: World, own: Cloud, clock: Clock) -> None:
    path = active(world, own, clock)
    assert own.post(f"{path}/requests", {"action": "lockForApproval"}).status == 409
    assert own.post(f"{path}/requests", {"action": "dance"}).status == 400

    assert own.post(f"{path}/requests", {"action": "terminate"}).status == 201
    clock.sleep(5)

    assert own.get(path).body["status"] == "terminated"
    assert [one["action"] for one in own.get(f"{path}/requests").body["value"]] == [
        "lockForApproval",
        "terminate",
    ]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (relation(duration="P3Y"), 400),
        (relation(duration="long"), 400),
        (relation(displayName="x" * 51), 400),
        (relation(accessDetails={}), 400),
        (relation(autoExtendDuration="P1D"), 400),
        (relation(shoe=42), 400),
        ({}, 400),
        (relation(), 409),
    ],
)
def test_a_relationship_that_cannot_be_is_refused(own: Cloud, body: dict[str, Any], status: int) -> None:
    own.post(RELATIONS, relation())

    assert own.post(RELATIONS, body).status == status


def test_relationships_belong_to_the_partner_and_want_a_person(
    world: World, own: Cloud, graph: Cloud
) -> None:
    alone = Cloud(world, "/graph/v1.0", user=False)
    made = own.post(RELATIONS, relation())

    assert graph.get(RELATIONS).status == 403
    assert len(alone.get(RELATIONS).body["value"]) == 1
    assert alone.post(RELATIONS, relation(displayName="Other")).status == 403
    world.set("gdap_app_only", "on")
    assert alone.post(RELATIONS, relation(displayName="Other")).status == 201
    assert own.delete(f"{RELATIONS}/{made.body['id']}", {"If-Match": made.body["@odata.etag"]}).status == 204
    assert own.get(f"{RELATIONS}/{made.body['id']}").status == 404
    with pytest.raises(ValueError, match="no relationship"):
        world.change("relationship-approved Nothing")
    with pytest.raises(ValueError, match="nothing to approve"):
        world.change("relationship-approved Other")


def test_an_active_relationship_lets_the_partner_in_where_consent_is_missing(
    world: World, own: Cloud, graph: Cloud, acme: str, clock: Clock
) -> None:
    world.change(f"application-consented {ACME} off")
    own.post(RELATIONS, relation(customer={"tenantId": acme}))
    number = own.get(RELATIONS).body["value"][0]["id"]
    own.post(f"{RELATIONS}/{number}/requests", {"action": "lockForApproval"})
    world.change("relationship-approved Support")

    clock.sleep(5)

    assert graph.get("/users").status == 200
