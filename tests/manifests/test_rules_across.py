"""The rules between files: what may stand in one workspace only once."""

import pytest

from tests.manifests.place import Place


def tenant(name: str, *lines: str, provider: str = "ovh-prepaid") -> str:
    head = f"version: 1\ntenant: {name}\nprovider: {provider}\naccount: ovh-main\n"
    return head + "".join(f"{line}\n" for line in lines)


def group(name: str, pins: str, product: str = "business") -> str:
    return f"license_groups: [{{name: {name}, product: {product}, seats: 1, {pins}}}]"


def person(login: str) -> str:
    return f"users: [{{login: {login}, first_name: A, last_name: B}}]"


def test_a_tenants_name_is_its_own(place: Place) -> None:
    place.write("tenants/a.yaml", tenant("acme"))
    place.write("tenants/b/c.yaml", tenant("acme"))

    assert place.faults() == [
        (
            "tenants/b/c.yaml:2:9: error[RC2601]: the tenant `acme` stands in tenants/a.yaml too: "
            "give each tenant a name of its own"
        )
    ]


def test_an_old_name_is_no_tenant_any_more(place: Place) -> None:
    place.write("tenants/a.yaml", tenant("new", "previously: old"))
    place.write("tenants/b.yaml", tenant("old"))

    assert place.faults() == [
        (
            "tenants/a.yaml:5:13: error[RC2602]: the old name `old` is also written as a tenant, in tenants/b.yaml: "
            "delete `previously`, or the tenant of the old name"
        )
    ]


@pytest.mark.parametrize(
    ("provider", "service", "pin", "column"),
    [
        ("ovh-prepaid", "x.example", "service: S.example", 68),
        ("ovh-csp2", "x.example", "subscription: 4711", 73),
    ],
)
def test_a_service_or_subscription_is_one_group(
    place: Place, provider: str, service: str, pin: str, column: int
) -> None:
    place.write("tenants/a.yaml", tenant("a", f"service: {service}", group("one", pin), provider=provider))
    place.write(
        "tenants/b.yaml", tenant("b", f"service: {service}", group("two", pin.lower()), provider=provider)
    )

    claimed = pin.lower().partition(": ")[2]
    assert place.faults() == [
        (
            f"tenants/b.yaml:6:{column}: error[RC2603]: `{claimed}` with the product business is claimed by `one` in "
            "tenants/a.yaml too: one service or subscription is one group: delete one of the two"
        )
    ]


def test_business_and_pro_plus_may_share_a_service(place: Place) -> None:
    place.write("tenants/a.yaml", tenant("a", group("one", "service: s.example")))
    place.write("tenants/b.yaml", tenant("b", group("two", "service: s.example", product="pro-plus")))

    assert place.faults() == []


def test_several_groups_may_be_new(place: Place) -> None:
    place.write("tenants/a.yaml", tenant("a", group("one", "service: new")))
    place.write("tenants/b.yaml", tenant("b", group("two", "service: new, beside: [s.example]")))

    assert place.faults() == []


def test_two_pay_as_you_go_tenants_cannot_be_one_service(place: Place) -> None:
    groups = "license_groups: [{name: o, product: business}]"
    place.write("tenants/a.yaml", tenant("a", "service: s.example", groups, provider="ovh-payg"))
    place.write("tenants/b.yaml", tenant("b", "service: s.example", groups, provider="ovh-payg"))

    (fault,) = place.faults()

    assert fault.startswith(
        "tenants/b.yaml:6:18: error[RC2603]: `s.example` with the product business is claimed"
    )


def test_a_person_belongs_to_one_tenant_of_a_directory(place: Place) -> None:
    place.write("tenants/a.yaml", tenant("a", "domain: acme.example", person("ada")))
    place.write("tenants/b.yaml", tenant("b", person("Ada@ACME.example")))

    assert place.faults() == [
        (
            "tenants/b.yaml:5:17: error[RC2604]: the login `ada@acme.example` stands in tenants/a.yaml too, "
            "and both are one directory: a person belongs to one tenant: delete one of the two"
        )
    ]


@pytest.mark.parametrize(
    ("one", "other", "told"),
    [
        ("service: s.example", "service: s.example", 1),
        ("service: s.example", "service: t.example", 0),
        (
            "directory: {provider: graph, account: partner, tenant_id: 1}",
            "directory: {provider: graph, account: partner, tenant_id: 1}",
            1,
        ),
    ],
)
def test_a_login_without_a_domain_counts_within_its_own_directory(
    place: Place, one: str, other: str, told: int
) -> None:
    place.write("tenants/a.yaml", tenant("a", one, person("ada")))
    place.write("tenants/b.yaml", tenant("b", other, person("ada")))

    assert len(place.faults()) == told


def test_directories_that_are_known_to_differ_may_know_the_same_login(place: Place) -> None:
    directory = "directory: {{provider: graph, account: partner, tenant_id: {}}}"
    place.write("tenants/a.yaml", tenant("a", directory.format("aaaa"), person("ada@acme.example")))
    place.write("tenants/b.yaml", tenant("b", directory.format("bbbb"), person("ada@acme.example")))

    assert place.faults() == []


def test_the_order_of_errors_does_not_depend_on_the_order_of_paths(place: Place) -> None:
    for name in "cab":
        place.write(f"tenants/{name}.yaml", tenant(name, "domain: acme.example", person("ada"), "zebra: 1"))

    forwards = place.load("tenants/a.yaml", "tenants/b.yaml", "tenants/c.yaml").diagnostics
    backwards = place.load("tenants/c.yaml", "tenants/b.yaml", "tenants", "tenants/a.yaml").diagnostics

    assert forwards == backwards
    assert len(forwards) == 5


def test_two_tenants_cannot_have_been_one(place: Place) -> None:
    place.write("tenants/a.yaml", tenant("a", "previously: old"))
    place.write("tenants/b.yaml", tenant("b", "previously: old"))

    assert place.faults() == [
        "tenants/b.yaml:5:13: error[RC2602]: the tenant in tenants/a.yaml was previously `old` too: keep one of them"
    ]
