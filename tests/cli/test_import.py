"""Importing: what is there becomes manifests that are valid and canonical, and whose plan says no changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cli.place import Place, Ran

WORKSPACE = """\
version: 1
accounts:
  ovh-main: {api: ovh, endpoint: sandbox}
  partner: {api: microsoft, endpoint: sandbox}
  home: {api: manual}
"""
ACME = "8f5c0000-0000-4000-8000-00000000ac3e"
ALFA = "8f5c0000-0000-4000-8000-00000000a1fa"


def person(login: str, first: str = "Ada", last: str = "Lovelace", **more: Any) -> dict[str, Any]:
    return {"login": login, "first_name": first, "last_name": last, "country": "lt", **more}


ODD = [
    person("no", "no", "on"),
    person("012", "012", "1e3"),
    person("Mary.Ann", "Žaneta", "Łukasiewicz-Øst"),
    person("o'neil", "Shaun", "O'Neil: #1"),
    person("yi", "山田", "太郎"),
    person("zoe", "~", "null", country="NO"),
    person("smile", "😀", '"quoted" \\ back', country="gb"),
]
PREPAID: list[dict[str, Any]] = [
    {
        "service": "acme.o365.ovh.com",
        "display_name": "Acme: UAB",
        "seats": [
            {"licence": "business", "people": ODD, "empty": 2},
            {"licence": "pro-plus", "people": [person("no", "no", "on"), person("bob")], "empty": 1},
        ],
    },
    {
        "service": "big.o365.ovh.com",
        "seats": [{"licence": "pro-plus", "people": [person(f"p{n}") for n in range(301)], "empty": 20}],
    },
    {
        "service": "leaving.o365.ovh.com",
        "seats": [{"licence": "business", "people": [person("eve")], "empty": 1, "ending": True}],
    },
    {
        "service": "mixed.o365.ovh.com",
        "seats": [
            {"licence": "business", "people": [person("stays")]},
            {"licence": "business", "people": [person("goes")], "empty": 1, "ending": True},
        ],
    },
]
PAYG: list[dict[str, Any]] = [
    {
        "service": "pays.o365.ovh.com",
        "display_name": "no",
        "users": [person("Ada"), person("pro", licence="officeProPlus")],
    },
    {"service": "ends.o365.ovh.com", "users": [person("ada")], "ending": True},
    {"service": "empty.o365.ovh.com"},
    {
        "service": "elsewhere.o365.ovh.com",
        "domains": ["one.example", "two.example"],
        "users": [person("ada@one.example"), person("bob@two.example"), person("cy@two.example")],
    },
]
CSP2: list[dict[str, Any]] = [
    {
        "service": "contoso",
        "display_name": "Contoso Kft.",
        "mpn_id": None,
        "subscriptions": [
            {"id": 501, "licence": 11, "quantity": 3},
            {"id": 502, "licence": 11, "quantity": 305},
            {"id": 503, "licence": 18, "quantity": 2},
        ],
        "directory": ALFA,
    },
]
MICROSOFT: dict[str, Any] = {
    "customers": [
        {
            "id": ACME,
            "domain": "012.onmicrosoft.com",
            "name": "Acme “Ünï” UAB",
            "country": "LT",
            "domains": ["acme.example"],
            "subscriptions": [
                {"product": "SPB", "quantity": 4, "bought": "90d"},
                {"product": "O365_BUSINESS_ESSENTIALS", "quantity": 2, "bought": "40d", "renew": False},
                {"product": "SPB", "quantity": 1, "bought": "3d", "term": "P1M"},
            ],
            "users": [
                person("Ada@acme.example", licences=["SPB", "O365_BUSINESS_ESSENTIALS"]),
                person("no@acme.example", "on", "off", licences=["SPB"]),
                person("nameless@acme.example", "", "", licences=["SPB"]),
                person("nobody@acme.example"),
            ],
        }
    ],
    "tenants": [
        {
            "id": ALFA,
            "domain": "alfa.onmicrosoft.com",
            "name": "Alfa",
            "country": "PT",
            "users": [person(f"u{n}", licences=["O365_BUSINESS_ESSENTIALS"], country="pt") for n in range(5)],
        }
    ],
}
WORLD: dict[str, Any] = {
    "account": {"nichandle": "xx0000-ovh", "subsidiary": "FR", "currency": "EUR", "default_payment": True},
    "prepaid": PREPAID,
    "payg": PAYG,
    "microsoft": MICROSOFT,
    "csp2": CSP2,
}


@pytest.fixture
def live(tmp_path: Path) -> Place:
    """A workspace without a tenant, and a world that is full."""
    made = Place(tmp_path)
    made.write("reconciler.yaml", WORKSPACE)
    made.world(json.dumps(WORLD, ensure_ascii=False))
    return made


def written(place: Place, name: str) -> Any:
    return YAML(typ="safe").load(place.root / f"tenants/{name}.yaml")


def in_sync(place: Place, said: list[str] | None = None) -> Any:
    """Check that what stands there is valid and canonical, and that nothing would be done."""
    assert "no errors" in place.ok("validate")
    place.ok("fmt --check")
    done = place.run("plan --format json --detailed-exitcode")
    assert done.code == 0, done.out
    states = {one["tenant"]: one["status"] for one in done.json["tenants"]}
    assert set(states.values()) == {"in_sync"}, states
    assert said is None or sorted(states) == sorted(said)
    return done.json


def test_everything_of_an_ovh_account_becomes_manifests_whose_plan_says_no_changes(live: Place) -> None:
    said = live.ok(f"import --account ovh-main --directory partner --tenant-id contoso={ALFA}")

    names = ["acme", "big", "contoso", "elsewhere", "empty", "ends", "leaving", "mixed", "pays"]
    in_sync(live, names)
    assert "tenants/acme.yaml: 2 groups, 8 people (acme.o365.ovh.com)\n" in said
    assert "is a sandbox" in said
    assert "reconciler adopt" in said


def test_whose_directory_is_missing_is_told_with_the_way_to_name_it(live: Place) -> None:
    without = live.ok("import --account ovh-main --out one contoso")
    with_directory = live.ok("import --account ovh-main --out two --directory partner contoso")

    assert "nobody tells who they are; --directory ACCOUNT reads them" in without
    assert "--tenant-id contoso=ID says which directory is theirs" in with_directory


def test_odd_names_stand_as_they_are(live: Place) -> None:
    live.ok("import --account ovh-main acme.o365.ovh.com")

    acme = written(live, "acme")

    assert acme["name"] == "Acme: UAB"
    assert {one["name"]: (one["seats"], one["service"]) for one in acme["license_groups"]} == {
        "business": (9, "acme.o365.ovh.com"),
        "pro-plus": (3, "acme.o365.ovh.com"),
    }
    people = {one["login"]: one for one in acme["users"]}
    for given in ODD:
        found = people[given["login"].lower()]
        assert (found["first_name"], found["last_name"]) == (given["first_name"], given["last_name"])
        assert found["country"] == given["country"].lower()
    assert people["no"]["licenses"] == ["business", "pro-plus"]
    assert people["bob"]["licenses"] == ["pro-plus"]
    assert '- login: "no"\n' in (live.root / "tenants/acme.yaml").read_text()
    assert in_sync(live)["tenants"][0]["unmanaged"] == []


def test_what_ends_is_written_as_ending_and_who_sits_there_is_told(live: Place) -> None:
    said = live.ok("import --account ovh-main")

    assert written(live, "leaving")["license_groups"][0]["renewal"] == "off"
    assert written(live, "leaving")["license_groups"][0]["seats"] == 2
    mixed = written(live, "mixed")
    assert "renewal" not in mixed["license_groups"][0]
    assert mixed["license_groups"][0]["seats"] == 1
    assert [one["login"] for one in mixed["users"]] == ["stays"]
    assert "left out: goes@mixed.o365.ovh.com in business:" in said
    assert written(live, "ends")["license_groups"][0]["renewal"] == "off"
    assert written(live, "empty")["users"] == []


def test_a_domain_is_written_where_it_is_not_the_services_own(live: Place) -> None:
    live.ok("import --account ovh-main --provider ovh-payg")

    elsewhere = written(live, "elsewhere")

    assert elsewhere["domain"] == "two.example"
    assert [one["login"] for one in elsewhere["users"]] == ["ada@one.example", "bob", "cy"]
    assert "domain" not in written(live, "pays")
    assert written(live, "pays")["name"] == "no"
    assert not (live.root / "tenants/acme.yaml").exists()


def test_a_directory_tells_who_sits_in_a_resellers_subscriptions(live: Place) -> None:
    live.ok(f"import --account ovh-main --directory partner --tenant-id {ALFA} contoso")

    contoso = written(live, "contoso")

    groups = {one["subscription"]: one for one in contoso["license_groups"]}
    assert groups[502]["seats"] == 305
    assert groups[501]["product"] == "Microsoft 365 Business Basic"
    # The directory shows the sum of both: the larger one has them.
    assert {name for one in contoso["users"] for name in one["licenses"]} == {groups[502]["name"]}
    assert len(contoso["users"]) == 5
    assert contoso["directory"]["tenant_id"] == ALFA
    assert contoso["name"] == "Contoso Kft."
    assert "mpn_id" not in contoso
    in_sync(live, ["contoso"])


def test_customers_of_partner_center_are_read_with_their_people(live: Place) -> None:
    said = live.ok("import --account partner --directory partner")

    acme = written(live, "012")

    assert acme["name"] == "Acme “Ünï” UAB"
    assert acme["service"] == acme["directory"]["tenant_id"] == ACME
    assert acme["domain"] == "acme.example"
    assert sorted((one["seats"], one["term"], one.get("renewal")) for one in acme["license_groups"]) == [
        (1, "P1M", None),
        (2, "P1Y", "off"),
        (4, "P1Y", None),
    ]
    people = {one["login"]: one["licenses"] for one in acme["users"]}
    assert set(people) == {"ada", "no"}
    assert len(people["ada"]) == 2
    assert "left out: nameless: " in said
    in_sync(live, ["012"])


def test_what_the_renewal_takes_away_is_not_written_any_more(live: Place) -> None:
    live.ok("import --account partner")
    live.edit("tenants/012.yaml", "seats: 4", "seats: 3")
    live.ok("apply --yes --wait 0")
    for one in ("tenants/012.yaml", ".reconciler/journal.db"):
        (live.root / one).unlink()

    live.ok("import --account partner")

    assert "seats: 3" in (live.root / "tenants/012.yaml").read_text()
    assert in_sync(live, ["012"])["tenants"][0]["leaving"]


def test_without_a_directory_people_are_not_managed_and_that_is_said(live: Place) -> None:
    said = live.ok("import --account partner")

    assert "users" not in written(live, "012")
    assert "--directory ACCOUNT" in said
    in_sync(live, ["012"])


def test_what_cannot_be_read_is_told_and_the_others_are_written(live: Place) -> None:
    live.ok("sandbox fault expired --path /license/office/*pays.o365.ovh.com*/domain --times 1000")
    live.ok("sandbox fault expired --path /saas/csp2 --times 1000")

    done = live.run("import --account ovh-main")

    assert done.code == 1
    assert "error: pays.o365.ovh.com: " in done.err
    assert "error: ovh-csp2: " in done.err
    assert "--provider" in done.err
    assert not (live.root / "tenants/pays.yaml").exists()
    live.ok("sandbox fault clear")
    in_sync(live, ["acme", "big", "elsewhere", "empty", "ends", "leaving", "mixed"])


def test_nothing_is_overwritten(live: Place) -> None:
    mine = live.write(
        "tenants/acme.yaml", "# mine\nversion: 1\ntenant: other\nprovider: home-pl\naccount: home\n"
    )

    done = live.run("import --account ovh-main")

    assert (done.code, done.out) == (1, "")
    assert "tenants/acme.yaml: exists" in done.err
    assert "--merge" in done.err
    assert mine.read_text().startswith("# mine")
    assert [one.name for one in (live.root / "tenants").iterdir()] == ["acme.yaml"]
    live.ok("import --account ovh-main --provider ovh-prepaid --merge")
    assert mine.read_text().startswith("# mine")
    assert written(live, "acme-o365-ovh-com")["service"] == "acme.o365.ovh.com"


def test_importing_again_says_what_is_there_and_adds_nothing(live: Place) -> None:
    live.ok("import --account ovh-main")
    before = {one: one.read_bytes() for one in (live.root / "tenants").iterdir()}

    again = live.run("import --account ovh-main")
    elsewhere = live.ok("import --account ovh-main --out imported")
    merged = live.ok("import --account ovh-main --merge")

    assert again.code == 1
    assert "acme.o365.ovh.com: is tenant acme already (tenants/acme.yaml)" in elsewhere
    assert "nothing to import" in elsewhere
    assert "tenants/acme.yaml: says all of it already" in merged
    assert before == {one: one.read_bytes() for one in (live.root / "tenants").iterdir()}
    assert not (live.root / "imported").exists()


PART = """\
# The first customer. Do not touch.
version: 1
tenant: first
provider: ovh-prepaid
account: ovh-main
service: acme.o365.ovh.com
license_groups:
  # what the office has
  - name: office # Business
    product: business
    seats: 9
  # the end of the groups
users:
  - login: mary.ann
    first_name: Mary
    last_name: Ann
    country: lt
    licenses: [office]
  # who came later
  - {login: "NO", first_name: "no", last_name: "on", country: lt, licenses: [office]}
"""


def test_merging_adds_what_is_missing_and_keeps_comments_order_and_words(live: Place) -> None:
    live.write("tenants/first.yaml", PART)

    said = live.ok("import --account ovh-main acme.o365.ovh.com --merge")

    text = (live.root / "tenants/first.yaml").read_text()
    first = written(live, "first")
    assert "added group/pro-plus, pin of group/office, user/012" in said
    for comment in PART.splitlines():
        if "#" in comment:
            assert comment.strip() in text
    assert text.index("# what the office has") < text.index("name: office") < text.index("# the end of the")
    assert text.index("mary.ann") < text.index("# who came later") < text.index('"NO"') < text.index('"012"')
    assert [one["name"] for one in first["license_groups"]] == ["office", "pro-plus"]
    assert first["license_groups"][0]["service"] == "acme.o365.ovh.com"
    people = {one["login"]: one for one in first["users"]}
    assert people["NO"]["licenses"] == ["office", "pro-plus"]
    assert (people["mary.ann"]["first_name"], people["bob"]["licenses"]) == ("Mary", ["pro-plus"])
    assert not (live.root / "tenants/acme.yaml").exists()
    place = live.run("plan --format json").json["tenants"][0]
    assert [(one["verb"], one["address"]) for one in place["actions"]] == [("update", "user/mary.ann")]


def test_merging_never_fills_a_group_beyond_its_seats(live: Place) -> None:
    live.write("tenants/first.yaml", PART.replace("seats: 9", "seats: 3"))

    said = live.ok("import --account ovh-main acme.o365.ovh.com --merge")

    office = [one["login"] for one in written(live, "first")["users"] if "office" in one["licenses"]]
    assert len(office) == 3
    assert said.count("it has no seat for them that stays") == 4
    assert "no errors" in live.ok("validate")


def test_people_are_added_to_a_manifest_that_knew_no_directory(live: Place) -> None:
    live.ok("import --account ovh-main contoso")
    assert "users" not in written(live, "contoso")

    said = live.ok(f"import --account ovh-main --directory partner --tenant-id {ALFA} contoso --merge")

    assert "directory" in said
    assert len(written(live, "contoso")["users"]) == 5
    in_sync(live, ["contoso"])


def test_a_service_that_an_unpinned_group_may_be_is_not_taken_from_it(live: Place) -> None:
    live.write(
        "tenants/waits.yaml",
        "version: 1\ntenant: waits\nprovider: ovh-prepaid\naccount: ovh-main\n"
        "license_groups: [{name: staff, product: pro-plus, seats: 321}]\n",
    )

    done = live.run("import --account ovh-main --provider ovh-prepaid big.o365.ovh.com leaving.o365.ovh.com")

    assert done.code == 1
    assert "big.o365.ovh.com: could be group/staff of tenant waits" in done.err
    assert not (live.root / "tenants/big.yaml").exists()
    assert (live.root / "tenants/leaving.yaml").exists()


def test_an_example_that_is_on_hold_keeps_nothing_from_being_imported(live: Place) -> None:
    live.write(
        "tenants/example.yaml",
        "version: 1\ntenant: example\nprovider: ovh-prepaid\naccount: ovh-main\nhold: an example\n"
        "license_groups: [{name: staff, product: pro-plus, seats: 2}]\n",
    )

    live.ok("import --account ovh-main big.o365.ovh.com")

    assert live.tenant("big")["status"] == "in_sync"


def test_a_group_that_is_not_clear_keeps_its_own_service_from_being_added(live: Place) -> None:
    live.write(
        "tenants/contoso.yaml",
        "version: 1\ntenant: contoso\nprovider: ovh-csp2\naccount: ovh-main\nservice: contoso\n"
        "license_groups: [{name: basic, product: Microsoft 365 Business Basic, seats: 3}]\n",
    )

    said = live.ok("import --account ovh-main contoso --merge")

    assert "501: may be group/basic" in said
    assert [one["name"] for one in written(live, "contoso")["license_groups"]] == [
        "basic",
        "exchange-online-plan-1",
    ]


def test_a_person_belongs_to_one_tenant(live: Place) -> None:
    world = dict(WORLD)
    world["payg"] = [
        {
            "service": "one.o365.ovh.com",
            "domains": ["shared.example"],
            "users": [person("ada@shared.example")],
        },
        {
            "service": "two.o365.ovh.com",
            "domains": ["shared.example"],
            "users": [person("ada@shared.example")],
        },
    ]
    live.world(json.dumps(world, ensure_ascii=False))

    said = live.ok("import --account ovh-main --provider ovh-payg")

    assert "left out: ada: the login `ada@shared.example` stands in tenants/one.yaml too" in said
    in_sync(live, ["one", "two"])


def test_two_seats_of_one_person_are_one_person_as_the_plan_sees_them(live: Place) -> None:
    twice = [
        {"licence": "business", "people": [person("ada", "Ada", "King")], "ending": True},
        {"licence": "business", "people": [person("ada", "Ada", "Lovelace")], "empty": 1},
        {"licence": "pro-plus", "people": [person("ada", "Augusta", "King")]},
    ]
    live.world(json.dumps({"prepaid": [{"service": "acme.o365.ovh.com", "seats": twice}]}))

    said = live.ok("import --account ovh-main")

    assert [(one["last_name"], one["licenses"]) for one in written(live, "acme")["users"]] == [
        ("King", ["business"])
    ]
    assert "ada@acme.o365.ovh.com in pro-plus: is called Augusta King on " in said
    in_sync(live, ["acme"])
    assert "added" not in live.ok("import --account ovh-main --merge")


def test_who_was_imported_is_ours_after_the_first_apply_and_not_before(live: Place) -> None:
    live.ok("import --account ovh-main pays.o365.ovh.com")
    text = (live.root / "tenants/pays.yaml").read_text()
    without = text[: text.index("  - login: ada")] + text[text.index("  - login: pro") :]

    live.write("tenants/pays.yaml", without)
    assert live.plan()["tenants"][0]["actions"] == []
    live.write("tenants/pays.yaml", text)
    live.ok("apply --yes")
    live.write("tenants/pays.yaml", without)

    assert [one["verb"] for one in live.plan()["tenants"][0]["actions"]] == ["deactivate"]


@pytest.mark.parametrize("where", ["ovh-main", "partner"])
def test_people_of_a_directory_are_adopted_and_released_as_others_are(live: Place, where: str) -> None:
    live.world(
        json.dumps(
            {**WORLD, "csp2": [{**CSP2[0], "subscriptions": CSP2[0]["subscriptions"][1:]}]},
            ensure_ascii=False,
        )
    )
    tenant = "contoso" if where == "ovh-main" else "012"
    at = f"--tenant-id contoso={ALFA} contoso" if where == "ovh-main" else ""
    live.ok(f"import --account {where} --directory partner {at}")
    text = (live.root / f"tenants/{tenant}.yaml").read_text()
    people = text[text.index("users:") :].count("login:")

    adopted = live.ok(f"adopt {tenant}").splitlines()
    live.write(f"tenants/{tenant}.yaml", text[: text.index("users:")] + "users: []\n")
    taken = [one["verb"] for one in live.tenant(tenant)["actions"]]
    released = live.ok(f"release {tenant}").splitlines()

    assert people > 1
    assert taken == ["deactivate"] * len(adopted)
    assert len(released) == len(adopted) >= people
    assert live.tenant(tenant)["actions"] == []


def refused(done: Ran) -> str:
    assert done.code in {1, 64}, done.out
    assert done.out == ""
    return done.err


def test_what_cannot_be_imported_is_said(live: Place) -> None:
    assert "nothing to read" in refused(live.run("import --account home"))
    assert "there is no account 'nobody'" in refused(live.run("import --account nobody"))
    assert "api: microsoft" in refused(live.run("import --account ovh-main --directory home"))
    assert "--provider ovh-csp2" in refused(live.run("import --account partner --provider ovh-csp2"))
    assert "say whose it is" in refused(live.run("import --account ovh-main --tenant-id x"))
    assert (
        "nowhere.ovh.com: is not in account ovh-main"
        in live.run("import --account ovh-main nowhere.ovh.com").err
    )
    assert not (live.root / "tenants").exists()
