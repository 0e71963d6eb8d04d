"""Graph: people and their licences, the bin, domains, batches, and what a caller may ask how often."""

from typing import Any

import pytest

from reconciler.sandbox.microsoft.wire import named
from reconciler.sandbox.world import World
from tests.sandbox.makers import Answer, Clock
from tests.sandbox.microsoft.makers import ACME, E3, PREMIUM, SUBSCRIPTION, Cloud

DAY = 86400
ADA = "ada@acme.example"
BOB = "bob@acme.example"
CY = "cy@acme.example"


def person(login: str = "dee@acme.example", **more: Any) -> dict[str, Any]:
    known = {
        "accountEnabled": True,
        "displayName": "Dee D",
        "mailNickname": "dee",
        "userPrincipalName": login,
        "passwordProfile": {"password": "not-kept", "forceChangePasswordNextSignIn": True},
    }
    return {**known, **more}


def assign(graph: Cloud, login: str, *add: str, remove: tuple[str, ...] = ()) -> Answer:
    body = {
        "addLicenses": [{"skuId": sku, "disabledPlans": []} for sku in add],
        "removeLicenses": list(remove),
    }
    return graph.post(f"/users/{login}/assignLicense", body)


def said(answer: Answer) -> str:
    return str(answer.body["error"]["message"])


def consumed(graph: Cloud) -> int:
    return int(graph.get("/subscribedSkus").body["value"][0]["consumedUnits"])


def test_a_user_is_created_read_changed_and_deleted(world: World, graph: Cloud) -> None:
    created = graph.post("/users", person(usageLocation="LT"))
    number = created.body["id"]
    path = f"/users/{number}"

    assert created.status == 201
    assert created.headers["Location"].endswith(path)
    assert "passwordProfile" not in created.body
    assert graph.patch(path, {"givenName": "Dee", "userPrincipalName": "dd@acme.example"}).status == 204
    found = graph.get("/users/DD@acme.example", select="id,givenName,usageLocation,accountEnabled").body
    assert (found["id"], found["givenName"], found["usageLocation"], found["accountEnabled"]) == (
        number,
        "Dee",
        "LT",
        True,
    )
    assert graph.delete(path).status == 204
    assert graph.get(path).body["error"]["code"] == "Request_ResourceNotFound"
    whats = [entry["what"] for entry in world.ledger()]
    assert whats == ["graph-user-created", "graph-user-changed", "graph-user-deleted"]
    assert "not-kept" not in str(world.ledger())


def test_what_was_not_selected_is_not_told(graph: Cloud) -> None:
    plain = graph.get(f"/users/{ADA}").body
    chosen = graph.get(f"/users/{ADA}", select="usageLocation,assignedLicenses,userPrincipalName").body

    assert not {"usageLocation", "assignedLicenses", "accountEnabled"} & set(plain)
    assert chosen["usageLocation"] == "LT"
    assert chosen["assignedLicenses"] == [{"disabledPlans": [], "skuId": PREMIUM.sku}]
    assert "nonsense" in said(graph.get("/users", select="nonsense"))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            person(login=ADA.upper()),
            "Another object with the same value for property userPrincipalName already exists",
        ),
        (person(login="dee@stranger.example"), "The domain portion of the userPrincipalName"),
        (person(login="dee"), "userPrincipalName is invalid"),
        (person(displayName=None), "A value is required for property 'displayName'"),
        (person(accountEnabled="yes"), "Invalid value specified for property 'accountEnabled'"),
        (person(usageLocation="Lithuania"), "Invalid value specified for property 'usageLocation'"),
        (person(assignedLicenses=[]), "assignedLicenses"),
        ([], "A value is required"),
    ],
)
def test_a_wrong_user_is_refused(world: World, graph: Cloud, body: object, message: str) -> None:
    answer = graph.post("/users", body)

    assert (answer.status, answer.body["error"]["code"]) == (400, "Request_BadRequest")
    assert message in said(answer)
    assert answer.body["error"]["innerError"]["request-id"] == answer.headers["request-id"]
    assert world.ledger() == []


def test_a_list_comes_in_pages(world: World, graph: Cloud) -> None:
    for number in range(7):
        world.change(f"directory-user-added {ACME} u{number}@acme.example lt")
    seen, sizes = [], []
    answer = graph.get("/users", top="4", select="userPrincipalName")
    while True:
        seen += [one["userPrincipalName"] for one in answer.body["value"]]
        sizes.append(len(answer.body["value"]))
        if "@odata.nextLink" not in answer.body:
            break
        answer = graph.follow(answer.body["@odata.nextLink"])

    assert sizes == [4, 4, 2]
    assert seen == [ADA, BOB, CY, *(f"u{number}@acme.example" for number in range(7))]
    assert said(graph.get("/users", top="1000"))
    assert graph.get("/users", skiptoken="nonsense").status == 400


def test_an_ordered_list_comes_in_pages_too(graph: Cloud) -> None:
    graph.patch(f"/users/{ADA}", {"displayName": "Zoe"})
    names, answer = [], graph.get("/users", orderby="displayName", top="1")
    while True:
        names += [one["displayName"] for one in answer.body["value"]]
        if "@odata.nextLink" not in answer.body:
            break
        answer = graph.follow(answer.body["@odata.nextLink"])

    assert names == ["Bob B", "Cy C", "Zoe"]
    assert graph.get("/users", orderby="shoes").status == 400
    both = {"orderby": "displayName", "filter": "accountEnabled eq true"}
    assert graph.get("/users", None, **both).body["error"]["code"] == "Request_UnsupportedQuery"
    assert graph.get("/users", {"ConsistencyLevel": "eventual"}, count="true", **both).status == 200


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"userPrincipalName eq '{BOB}'", [BOB]),
        (f"userPrincipalName eq '{BOB.upper()}'", [BOB]),
        (f"assignedLicenses/any(u:u/skuId eq {PREMIUM.sku})", [ADA]),
        (f"assignedLicenses/any(x:x/skuId eq {E3.sku})", []),
        ("startswith(displayName,'B')", [BOB]),
        ("startswith(displayName,'b')", [BOB]),
        ("accountEnabled eq true and usageLocation eq 'LT'", [ADA, BOB]),
        (f"userPrincipalName eq '{ADA}' or userPrincipalName eq '{CY}'", [ADA, CY]),
        (f"userPrincipalName in ('{ADA}', '{BOB}')", [ADA, BOB]),
        ("(usageLocation eq null)", [CY]),
    ],
)
def test_a_list_is_filtered(graph: Cloud, text: str, found: list[str]) -> None:
    answer = graph.get("/users", filter=text, select="userPrincipalName")

    assert [one["userPrincipalName"] for one in answer.body["value"]] == found


def test_harder_questions_need_to_be_asked_as_such(graph: Cloud) -> None:
    eventual = {"ConsistencyLevel": "eventual"}
    plain = graph.get("/users", filter="usageLocation ne 'LT'")
    asked = graph.get("/users", eventual, filter="assignedLicenses/$count ne 0", count="true")

    assert plain.body["error"]["code"] == "Request_UnsupportedQuery"
    assert (asked.body["@odata.count"], len(asked.body["value"])) == (1, 1)
    assert graph.get("/users", filter="contains(mail,'x')").status == 400
    assert graph.get("/users/$count", eventual).reply.raw == b"3"
    assert graph.get("/users/$count").status == 400


def test_a_location_must_have_gone_round_before_a_licence(world: World, graph: Cloud, clock: Clock) -> None:
    world.set("delay_usage_location", "60")
    assert "invalid usage location" in said(assign(graph, CY, PREMIUM.sku))

    graph.patch(f"/users/{CY}", {"usageLocation": "LT"})
    assert "invalid usage location" in said(assign(graph, CY, PREMIUM.sku))
    clock.sleep(60)

    assert assign(graph, CY, PREMIUM.sku).status == 200
    assert consumed(graph) == 2


def test_licences_run_out(world: World, graph: Cloud) -> None:
    assert assign(graph, BOB, PREMIUM.sku).status == 200
    assert assign(graph, BOB, PREMIUM.sku).status == 200
    world.change(f"directory-user-added {ACME} eve@acme.example lt")
    world.change(f"directory-user-added {ACME} fay@acme.example lt")
    assert assign(graph, "eve@acme.example", PREMIUM.sku).status == 200

    answer = assign(graph, "fay@acme.example", PREMIUM.sku)

    assert answer.status == 400
    assert said(answer) == f"Subscription with SKU {PREMIUM.sku} does not have any available licenses."
    assert consumed(graph) == 3
    given = [entry for entry in world.ledger() if entry["what"] == "graph-licences-changed"]
    assert len(given) == 3


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"addLicenses": []}, "removeLicenses"),
        ({"removeLicenses": []}, "addLicenses"),
        (None, "addLicenses, removeLicenses"),
        ({"addLicenses": [{"skuId": "SPB"}], "removeLicenses": []}, "Edm.Guid"),
        ({"addLicenses": [{"skuId": E3.sku}], "removeLicenses": []}, "valid company License"),
        ({"addLicenses": [], "removeLicenses": [E3.sku]}, "corresponding license"),
    ],
)
def test_a_wrong_assignment_is_refused(graph: Cloud, body: object, message: str) -> None:
    answer = graph.post(f"/users/{BOB}/assignLicense", body)

    assert answer.status == 400
    assert message in said(answer)


def test_one_call_swaps_licences_or_does_nothing(
    partner: Cloud, graph: Cloud, acme: str, clock: Clock
) -> None:
    assert assign(graph, ADA, E3.sku, remove=(PREMIUM.sku,)).status == 400
    assert consumed(graph) == 1
    partner.buy(acme, 1)
    clock.sleep(10)

    answer = assign(graph, ADA, E3.sku, remove=(PREMIUM.sku,))

    assert [one["skuId"] for one in answer.body["assignedLicenses"]] == [E3.sku]
    details = graph.get(f"/users/{ADA}/licenseDetails").body["value"]
    assert [one["skuPartNumber"] for one in details] == [E3.part]
    assert graph.post(f"/users/{ADA}/reprocessLicenseAssignment").status == 200


def test_what_a_group_gave_is_taken_at_the_group(world: World, graph: Cloud, acme: str) -> None:
    group = named("group", acme, "sales")
    world.change(f"licence-given {ACME} {BOB} SPB {group}")
    states = graph.get(f"/users/{BOB}", select="licenseAssignmentStates").body["licenseAssignmentStates"]
    assert [(one["assignedByGroup"], one["state"]) for one in states] == [(group, "Active")]

    assert "inherited from a group" in said(assign(graph, BOB, remove=(PREMIUM.sku,)))
    assert assign(graph, BOB, PREMIUM.sku).status == 200
    assert consumed(graph) == 2
    assert assign(graph, BOB, remove=(PREMIUM.sku,)).status == 200
    world.change(f"group-licence-ended {ACME} {group}")

    assert consumed(graph) == 1


def test_the_bin_frees_licences_and_gives_a_person_back(world: World, graph: Cloud, clock: Clock) -> None:
    number = graph.get(f"/users/{ADA}").body["id"]
    graph.delete(f"/users/{ADA}")
    assert consumed(graph) == 0
    listed = graph.get("/directory/deletedItems/microsoft.graph.user").body["value"]
    assert [(one["id"], bool(one["deletedDateTime"])) for one in listed] == [(number, True)]
    # Microsoft's own SDK leaves out the first word of the type.
    assert graph.get("/directory/deletedItems/graph.user").body["value"] == listed
    assert graph.get(f"/directory/deletedItems/{number}").body["userPrincipalName"] == ADA

    assert graph.post(f"/directory/deletedItems/{number}/restore").body["id"] == number

    assert consumed(graph) == 1
    graph.delete(f"/users/{ADA}")
    clock.sleep(30 * DAY)
    assert graph.get(f"/directory/deletedItems/{number}").status == 404
    assert world.ledger()[-1]["what"] == "graph-user-purged"


def test_a_person_comes_back_without_the_licence_that_somebody_else_has(world: World, graph: Cloud) -> None:
    number = graph.get(f"/users/{ADA}").body["id"]
    graph.delete(f"/users/{ADA}")
    world.change(f"subscription-resized {SUBSCRIPTION} 1")
    assign(graph, BOB, PREMIUM.sku)

    graph.post(f"/directory/deletedItems/{number}/restore")

    assert graph.get(f"/users/{ADA}", select="assignedLicenses").body["assignedLicenses"] == []


def test_a_login_is_free_again_but_blocks_a_restore(graph: Cloud) -> None:
    number = graph.get(f"/users/{ADA}").body["id"]
    graph.delete(f"/users/{ADA}")
    assert graph.post("/users", person(login=ADA)).status == 201

    assert "already exists" in said(graph.post(f"/directory/deletedItems/{number}/restore"))
    assert graph.delete(f"/directory/deletedItems/{number}").status == 204
    assert graph.get("/directory/deletedItems/microsoft.graph.user").body["value"] == []


def test_more_seats_are_used_than_are_left_after_a_decrease(world: World, graph: Cloud) -> None:
    assign(graph, BOB, PREMIUM.sku)

    world.change(f"subscription-resized {SUBSCRIPTION} 1")

    row = graph.get("/subscribedSkus").body["value"][0]
    assert (row["prepaidUnits"]["enabled"], row["consumedUnits"]) == (1, 2)


def test_a_directory_tells_what_it_is_and_what_was_sold_to_it(graph: Cloud, acme: str) -> None:
    found = graph.get("/organization").body["value"][0]
    assert (found["id"], found["countryLetterCode"]) == (acme, "LT")
    assert {one["name"] for one in found["verifiedDomains"]} == {ACME, "acme.example"}
    assert graph.get(f"/organization/{acme}").body["id"] == acme
    assert graph.get("/organization/other").status == 404

    lot = graph.get("/directory/subscriptions").body["value"][0]

    assert (lot["commerceSubscriptionId"], lot["totalLicenses"], lot["status"]) == (
        SUBSCRIPTION,
        3,
        "Enabled",
    )
    assert graph.get(f"/directory/subscriptions/{lot['id']}").body["skuPartNumber"] == PREMIUM.part
    by_number = graph.get(f"/directory/subscriptions(commerceSubscriptionId='{SUBSCRIPTION}')")
    assert by_number.body["id"] == lot["id"]
    sku = graph.get("/subscribedSkus").body["value"][0]
    assert graph.get(f"/subscribedSkus/{sku['id']}").body["skuId"] == PREMIUM.sku
    assert graph.get("/subscribedSkus/x").status == 404
    assert graph.get(f"/directory/subscriptions/{acme}").status == 404


def test_the_partner_sees_its_contracts_and_other_tenants(world: World, acme: str) -> None:
    own = Cloud(world, "/graph/v1.0")

    assert [one["customerId"] for one in own.get("/contracts").body["value"]] == [acme]
    path = "/tenantRelationships/findTenantInformationByDomainName(domainName='ACME.example')"
    assert own.get(path).body["tenantId"] == acme
    assert (
        own.get(f"/tenantRelationships/findTenantInformationByTenantId(tenantId='{acme}')").body[
            "displayName"
        ]
        == "Acme UAB"
    )
    assert own.get(path.replace("ACME", "nobody")).status == 404
    assert own.get("/organization").body["value"][0]["displayName"] == "Sandbox Partner"
    names = [one["displayName"] for one in own.get("/directoryRoleTemplates").body["value"]]
    assert "License Administrator" in names


def test_a_domain_is_verified_only_after_its_record_was_published(world: World, graph: Cloud) -> None:
    assert graph.post("/domains", {"id": "new.example"}).body["isVerified"] is False
    assert graph.get("/domains/new.example/serviceConfigurationRecords").body["value"] == []
    refused = graph.post("/domains/new.example/verify")
    assert (refused.status, "was not found" in said(refused)) == (400, True)
    records = graph.get("/domains/new.example/verificationDnsRecords").body["value"]
    text = next(one["text"] for one in records if one["recordType"] == "Txt")
    world.change("dns-published new.example TXT MS=ms00000000")
    assert graph.post("/domains/new.example/verify").status == 400

    world.change(f"dns-published new.example txt {text}")

    assert graph.post("/domains/new.example/verify").body["isVerified"] is True
    kinds = {
        one["recordType"]
        for one in graph.get("/domains/new.example/serviceConfigurationRecords").body["value"]
    }
    assert kinds == {"Mx", "Txt", "CName"}
    assert graph.post("/users", person(login="dee@new.example")).status == 201
    whats = [entry["what"] for entry in world.ledger()]
    assert [one for one in whats if one.startswith("graph-domain")] == [
        "graph-domain-added",
        "graph-domain-verified",
    ]


def test_a_domain_is_deleted_once_nobody_uses_it(world: World, graph: Cloud) -> None:
    refused = graph.delete("/domains/acme.example")
    assert (refused.status, "referenced" in said(refused)) == (400, True)
    users = graph.get("/domains/acme.example/domainNameReferences").body["value"]
    assert len(users) == 3
    for user in users:
        graph.delete(f"/users/{user['id']}")

    assert graph.delete("/domains/acme.example").status == 204
    assert graph.get("/domains/acme.example").status == 404
    assert graph.delete(f"/domains/{ACME}").status == 400
    graph.post("/domains", {"id": "other.example"})
    world.change("domain-published other.example")
    assert graph.patch("/domains/other.example", {"isDefault": True}).status == 400
    graph.post("/domains/other.example/verify")
    assert graph.patch("/domains/other.example", {"isDefault": True}).status == 204
    defaults = [one["id"] for one in graph.get("/domains").body["value"] if one["isDefault"]]
    assert defaults == ["other.example"]


@pytest.mark.parametrize(
    "body", [{"id": "acme.example"}, {"id": "elsewhere.onmicrosoft.com"}, {"id": "x"}, {}, []]
)
def test_a_domain_that_cannot_be_added_is_refused(graph: Cloud, body: object) -> None:
    assert graph.post("/domains", body).status == 400


def test_a_batch_answers_each_of_its_calls(world: World, graph: Cloud) -> None:
    world.fault("throttle", method="GET", path="/graph/v1.0/subscribedSkus", seconds=7)
    requests = [
        {"id": "1", "method": "GET", "url": f"/users/{ADA}?$select=id"},
        {"id": "2", "method": "GET", "url": "/users/nobody"},
        {"id": "3", "method": "GET", "url": "/organization", "dependsOn": ["2"]},
        {
            "id": "4",
            "method": "POST",
            "url": "/users",
            "body": person(),
            "headers": {"Content-Type": "application/json"},
        },
        {
            "id": "5",
            "method": "PATCH",
            "url": "/users/dee@acme.example",
            "body": {"surname": "D"},
            "dependsOn": ["4"],
        },
        {"id": "6", "method": "GET", "url": "/subscribedSkus"},
    ]

    answer = graph.post("/$batch", {"requests": requests})

    assert answer.status == 200
    found = {one["id"]: one for one in answer.body["responses"]}
    assert {key: one["status"] for key, one in found.items()} == {
        "1": 200, "2": 404, "3": 424, "4": 201, "5": 204, "6": 429,
    }  # fmt: skip
    assert set(found["1"]["body"]) == {"@odata.context", "id"}
    assert found["6"]["headers"]["Retry-After"] == "7"
    assert [one["id"] for one in answer.body["responses"]] != list("123456")


def test_part_of_a_batch_may_be_turned_away(world: World, graph: Cloud) -> None:
    world.fault("partial-batch", method="POST", path="/graph/v1.0/$batch")
    requests = [{"id": str(number), "method": "GET", "url": "/organization"} for number in range(4)]

    found = graph.post("/$batch", {"requests": requests}).body["responses"]

    assert sorted((one["id"], one["status"]) for one in found) == [
        ("0", 429),
        ("1", 200),
        ("2", 429),
        ("3", 200),
    ]


@pytest.mark.parametrize(
    "requests",
    [None, [], [{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)], [{"method": "GET"}]],
)
def test_a_batch_that_is_none_is_refused(graph: Cloud, requests: object) -> None:
    assert graph.post("/$batch", {"requests": requests}).status == 400


def test_resource_units_are_told_and_may_run_out(world: World, graph: Cloud, clock: Clock) -> None:
    assert graph.get("/subscribedSkus").headers["x-ms-resource-unit"] == "3"
    assert graph.get("/users", select="id", top="5").headers["x-ms-resource-unit"] == "1"
    world.set("graph_units", "10")
    answers = [graph.get("/subscribedSkus") for _ in range(4)]

    assert [one.status for one in answers] == [200, 200, 200, 429]
    assert float(answers[2].headers["x-ms-throttle-limit-percentage"]) == 0.9
    assert answers[3].body["error"]["code"] == "TooManyRequests"
    assert answers[3].headers["Retry-After"] == "10"
    clock.sleep(10)
    assert graph.get("/subscribedSkus").status == 200


def test_the_rate_of_requests_may_be_limited(world: World, partner: Cloud, graph: Cloud) -> None:
    partner.get("/customers")
    graph.get("/users")
    world.set("rate", "2")
    partner.get("/customers")
    refused = partner.get("/customers")

    assert (refused.status, refused.body["statusCode"]) == (429, 429)
    assert int(refused.headers["Retry-After"]) > 0
    graph.get("/users")
    assert graph.get("/users").body["error"]["code"] == "TooManyRequests"


def test_what_graph_does_not_have_is_refused(graph: Cloud) -> None:
    assert graph.get("/nonsense").body["error"]["code"] == "BadRequest"
    assert graph.get("/users/nobody").status == 404
