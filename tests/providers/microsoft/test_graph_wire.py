"""Graph's answers as they are documented, and as they may come."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, TypeVar

import pytest

from reconciler.core.errors import Rejected
from reconciler.providers.microsoft import refusals
from reconciler.providers.microsoft.graph.look import Look
from reconciler.providers.microsoft.graph.skus import FORMER, bought, choose, known_ids
from reconciler.providers.microsoft.graph.wire import (
    DnsRecord,
    Domain,
    Made,
    Organization,
    Relationship,
    Sku,
    User,
)
from reconciler.providers.microsoft.names import KNOWN
from reconciler.providers.published import parse

T = TypeVar("T")

PUBLISHED = Path(__file__).parents[4] / "shared/specs/microsoft"


@pytest.fixture
def published() -> None:
    """Go on where the published examples are beside the project."""
    if not PUBLISHED.is_dir():
        wanted = os.environ.get("CI") and os.environ.get("RECONCILER_SPECS") != "absent"
        assert not wanted, "the published examples are missing"
        pytest.skip("the published examples are not beside the project")


E5 = "c7df2760-2c81-4ef7-b578-5b5392b571df"
BASIC, SMB_BASIC = "3b555118-da6a-4418-894f-7df1e2096870", "dab7782a-93b1-4074-8bb1-0e61318bea0b"


def example(name: str) -> Any:
    return json.loads((PUBLISHED / f"{name}.json").read_text())["response"]


def values(kind: type[T], name: str) -> list[T]:
    return [parse(kind, one) for one in example(name)["value"]]


def sku(part: str, number: str, **units: int) -> Sku:
    return parse(Sku, {"skuId": number, "skuPartNumber": part, "prepaidUnits": units})


@pytest.mark.usefixtures("published")
def test_the_documented_products_of_a_directory_are_read() -> None:
    skus = values(Sku, "graph-subscribed-skus")

    assert [(one.sku_part_number, one.prepaid_units.enabled) for one in skus] == [
        ("ENTERPRISEPREMIUM", 25),
        ("CRMSTANDARD", 0),
    ]
    assert bought(E5, skus) == 25
    assert bought(BASIC, skus) is None


@pytest.mark.usefixtures("published")
def test_the_documented_person_is_read() -> None:
    user = parse(User, example("graph-user-get"))

    assert (user.login, user.given_name, user.surname) == ("adelev@contoso.onmicrosoft.com", "Adele", "Vance")
    assert (user.country, user.assigned_licenses) == (None, ())


@pytest.mark.usefixtures("published")
def test_the_documented_holders_of_a_product_are_its_places() -> None:
    premium = "cbdc14ab-d96c-4c30-b9f4-6ada7cdc1d46"
    users = tuple(values(User, "graph-user-list-by-license"))

    places = Look(users=users).places(premium)

    assert [one.ref for one in places] == [one.id for one in users]
    assert all(one.ready and not one.via for one in places)


@pytest.mark.usefixtures("published")
def test_the_documented_answers_to_writes_are_read() -> None:
    assert parse(Made, example("graph-user-create")).id == "87d349ed-44d7-43e1-9a83-5f2406dee5bd"
    assert parse(Made, example("graph-domain-create")).id == "contoso.com"
    assert parse(Made, example("graph-deleted-restore")).id
    assert parse(Made, example("graph-gdap-lock-for-approval")).id
    made = parse(Relationship, example("graph-gdap-relationship-create"))
    assert (made.status, made.duration, made.alive) == ("created", "P730D", False)
    assert made.customer.tenant_id == "4b827261-d21f-4aa9-b7db-7fa1f56fb163"


@pytest.mark.usefixtures("published")
def test_the_documented_domains_and_their_records_are_read() -> None:
    (domain,) = values(Domain, "graph-domain-list")
    services = values(DnsRecord, "graph-domain-service-records")
    (proof,) = values(DnsRecord, "graph-domain-verification-records")

    assert (domain.id, domain.is_verified, domain.supported_services[0]) == ("contoso.com", None, "Email")
    assert [one.said for one in services] == [
        "MX contoso.com 0 contoso-com.mail.protection.outlook.com (TTL 3600)",
        'TXT contoso.com "v=spf1 include: spf.protection.outlook.com ~all" (TTL 3600)',
    ]
    assert (proof.record_type, proof.ttl) == ("Mx", 3600)


@pytest.mark.usefixtures("published")
def test_the_documented_organisation_is_read() -> None:
    (found,) = values(Organization, "graph-organization")

    assert (found.display_name, found.domain) == ("Contoso", "")


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("name", ["graph-error-duplicate-upn", "graph-error-usage-location", "graph-429"])
def test_the_documented_refusals_are_refusals(name: str) -> None:
    refusal = refusals.read(example(name))

    assert refusal is not None
    assert refusal.code in {"Request_BadRequest", "TooManyRequests"}
    assert refusal.message


@pytest.mark.usefixtures("published")
def test_every_known_product_is_a_published_one() -> None:
    table = json.loads((PUBLISHED / "sku-table.json").read_text())["skus"]
    skus = {one["skuPartNumber"]: one["skuId"] for one in table}

    assert {one.part: one.sku for one in KNOWN}.items() <= skus.items()
    assert {part for some in FORMER.values() for part in some} <= skus.keys()
    assert all(known_ids(name) for name in FORMER)


def test_a_record_is_told_as_a_person_types_it() -> None:
    cname = parse(
        DnsRecord, {"recordType": "CName", "label": "autodiscover.a.example", "ttl": 60, "canonicalName": "x"}
    )
    srv = parse(
        DnsRecord,
        {
            "recordType": "Srv",
            "label": "a.example",
            "service": "_sip",
            "protocol": "_tls",
            "priority": 100,
            "weight": 1,
            "port": 443,
            "nameTarget": "sipdir.online.lync.com",
        },
    )
    odd = parse(DnsRecord, {"recordType": "Caa", "label": "a.example", "text": "letsencrypt"})

    assert cname.said == "CNAME autodiscover.a.example x (TTL 60)"
    assert srv.said == "SRV _sip._tls.a.example 100 1 443 sipdir.online.lync.com"
    assert odd.said == "CAA a.example letsencrypt (TTL 0)"


def test_a_login_in_the_bin_is_the_one_before() -> None:
    user = parse(
        User,
        {
            "id": "87D349ED-44d7-43e1-9a83-5f2406dee5bd",
            "userPrincipalName": "87d349ed44d743e19a835f2406dee5bdAda@a.example",
        },
    )

    assert user.login == "ada@a.example"


def licensed(*states: dict[str, Any]) -> User:
    return parse(
        User,
        {
            "id": "u1",
            "userPrincipalName": "ada@a.example",
            "assignedLicenses": [{"skuId": E5.upper(), "disabledPlans": []}],
            "licenseAssignmentStates": [{"skuId": E5, **one} for one in states],
        },
    )


def test_a_licence_says_how_it_came() -> None:
    direct = licensed({"assignedByGroup": None, "state": "Active"})
    group = licensed({"assignedByGroup": "g1", "state": "Active"})
    both = licensed(
        {"assignedByGroup": "g1", "state": "Active"}, {"assignedByGroup": None, "state": "Active"}
    )
    nothing = licensed()
    names = {"g1": "Everybody"}

    places = [Look(users=(one,), groups=names).places(E5)[0] for one in (direct, group, both, nothing)]

    assert [one.via for one in places] == ["", "Everybody", "", ""]
    assert [one.directly(E5) for one in (direct, group, both, nothing)] == [True, False, True, True]
    assert Look(users=(group,)).places(E5)[0].via == "g1"
    assert Look(users=(group,)).places(BASIC) == ()


def test_a_licence_in_error_is_a_place_that_is_not_ready() -> None:
    broken = licensed({"state": "Error", "error": "CountViolation"})
    working = licensed({"state": "ActiveWithError"})

    assert [Look(users=(one,)).places(E5)[0].ready for one in (broken, working)] == [False, True]


def test_a_name_that_is_two_products_is_the_one_that_the_directory_has() -> None:
    name = "Microsoft 365 Business Basic"
    ours, others = sku("O365_BUSINESS_ESSENTIALS", BASIC), sku("SMB_BUSINESS_ESSENTIALS", SMB_BASIC)

    assert known_ids(name) == {BASIC, SMB_BASIC}
    assert choose([name], [ours], what="g") == BASIC
    assert choose([name], [others], what="g") == SMB_BASIC
    assert choose([name], [], what="g") is None
    with pytest.raises(Rejected, match="two products; the directory has O365_BUSINESS_ESSENTIALS, SMB"):
        choose([name], [ours, others], what="g")


def test_what_is_written_counts_before_what_is_known() -> None:
    there = [
        sku("O365_BUSINESS_ESSENTIALS", BASIC),
        sku("CONTOSO_PACK", "0a000000-0000-4000-8000-000000000001"),
    ]

    assert choose(["contoso_pack", "Office 365 E5"], there, what="g") == there[1].sku_id
    assert (
        choose(["", "11", "exchange online (plan 1)"], there, what="g")
        == "4b9405b0-7788-4568-add1-99614e613b69"
    )
    assert choose([E5.upper()], [], what="g") == E5
    with pytest.raises(Rejected, match="nothing of g names no known product; the directory has none"):
        choose([], [], what="g")
