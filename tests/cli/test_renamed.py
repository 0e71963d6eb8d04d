"""A tenant under another name is the same tenant: what was known of it, what it may do, and who holds it."""

import json
from typing import Any

import pytest

from reconciler.store.journal import open_journal
from tests.cli.place import ACME, Place

ADA_AND_BOB = """\
account: {nichandle: xx0000-ovh, subsidiary: FR, currency: EUR, default_payment: true}
prepaid:
  - service: acme.o365.ovh.com
    seats:
      - licence: business
        people:
          - {login: ada, first_name: Ada, last_name: Lovelace, country: lt}
          - {login: bob, first_name: Bob, last_name: Builder, country: lt}
"""
BOB = "  - {login: bob, first_name: Bob, last_name: Builder, country: lt, licenses: [office]}\n"
KEY = "tenant/key/office/ACME_KEY"
PARTNER = "tenant/partner-of-record"


def rename(place: Place) -> None:
    place.edit("tenants/acme.yaml", "tenant: acme\n", "tenant: apex\npreviously: acme\n")


def addresses(place: Place) -> list[str]:
    return [one["address"] for one in place.tenant("apex")["actions"]]


def policy(place: Place, text: str) -> None:
    place.edit("reconciler.yaml", "version: 1\n", f"version: 1\npolicy: {text}\n")


def test_what_was_confirmed_for_the_tenant_itself_is_not_asked_for_again(acme: Place) -> None:
    acme.write(
        "tenants/acme.yaml",
        ACME + "partner_of_record: '1234567'\nproduct_keys: [{group: office, key: env://ACME_KEY}]\n",
    )
    assert acme.run("apply --yes").code == 4
    acme.ok(f"confirm acme {PARTNER} --by eve")
    acme.ok(f"confirm acme {KEY} --by eve")
    rename(acme)

    acme.ok("apply --yes")

    assert addresses(acme) == []


def test_what_waits_for_a_person_is_confirmed_under_the_new_name(acme: Place) -> None:
    acme.write("tenants/acme.yaml", ACME + "partner_of_record: '1234567'\n")
    assert acme.run("apply --yes").code == 4
    rename(acme)

    acme.ok(f"confirm apex {PARTNER} --by eve")

    assert addresses(acme) == []
    assert acme.tenant("apex")["pending"] == []
    assert acme.run("confirm apex seat/office/ada --by eve").code == 1


def test_an_apply_that_was_refused_under_the_new_name_forgets_nothing(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2, service: acme.o365.ovh.com", "seats: 3")
    acme.edit("tenants/acme.yaml", "account: ovh-main\n", "account: ovh-main\nservice: acme.o365.ovh.com\n")
    assert acme.run("apply --yes --wait 0").code == 4
    rename(acme)
    acme.edit("tenants/acme.yaml", "ada, first_name: Ada", "ada, first_name: Adele")
    policy(acme, "{max_tenants_changed: 0}")
    assert acme.run("apply --yes --wait 0").code == 5

    assert acme.tenant("apex")["pending"][0]["address"] == "group/office"
    assert "pending" in acme.ok("status")
    assert [one["what"] for one in acme.effects()].count("order-placed") == 1


def test_a_plan_under_the_new_name_is_counted_on_from_those_before(acme: Place) -> None:
    acme.world(ADA_AND_BOB)
    acme.ok("apply --yes")
    acme.edit("tenants/acme.yaml", "users:\n", "users:\n" + BOB)
    acme.ok("apply --yes")
    acme.edit("tenants/acme.yaml", "Ada", "Adele")
    acme.ok("sandbox set delay=0")
    acme.ok("apply --yes --wait 1m")
    rename(acme)
    acme.ok("apply --yes")
    events: Any = json.loads(acme.ok("history apex --format json"))["events"]

    (kept,) = (one["data"]["kept"] for one in events if one["data"].get("kept"))

    assert kept["begun"] == 1


def test_a_protected_tenant_is_protected_under_its_new_name(acme: Place) -> None:
    acme.world(ADA_AND_BOB)
    acme.edit("tenants/acme.yaml", "users:\n", "users:\n" + BOB)
    acme.ok("apply --yes")
    policy(acme, "{protected: [acme]}")
    rename(acme)
    acme.edit("tenants/acme.yaml", BOB, "")

    refused = acme.run("apply --yes")

    assert refused.code == 5
    assert "--allow protected=acme" in refused.err
    assert "seat-freed" not in [one["what"] for one in acme.effects()]
    assert acme.run("plan --allow protected=acme").code == 0


def test_the_service_of_a_protected_tenant_is_protected_whoever_claims_it(acme: Place) -> None:
    acme.ok("apply --yes")
    policy(acme, "{protected: [acme]}")
    (acme.root / "tenants" / "acme.yaml").unlink()
    groups = ACME.partition("users:")[0].replace("tenant: acme\n", "tenant: other\n")
    acme.write("tenants/other.yaml", groups.replace("seats: 2", "seats: 1"))

    refused = acme.run("apply --yes")

    assert refused.code == 5, refused.out + refused.err
    assert "protected" in refused.err


def test_nobody_goes_on_under_the_new_name_while_the_old_one_is_applied(acme: Place) -> None:
    acme.ok("apply --yes")
    rename(acme)
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    journal = open_journal("sqlite:///.reconciler/journal.db", root=acme.root, create=True, env={})
    journal.acquire("acme", holder="somebody", about="apply")
    try:
        held = acme.run("apply --yes --wait 0")
    finally:
        journal.close()

    assert held.code == 7
    assert "order-placed" not in [one["what"] for one in acme.effects()]


def test_a_name_that_another_tenant_had_forgets_nothing_of_the_old_one(acme: Place) -> None:
    """Both are known, so `previously` does nothing and says so: what is open under the old name stays open."""
    acme.write("tenants/other.yaml", ACME.partition("users:")[0].replace("tenant: acme", "tenant: apex"))
    acme.edit("tenants/other.yaml", "business", "pro-plus")
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    assert acme.run("apply --yes --wait 0").code == 4
    (acme.root / "tenants" / "other.yaml").unlink()
    rename(acme)

    refused = acme.run("apply --yes --wait 0")

    assert refused.code == 3
    assert "the journal knows acme and apex as two tenants" in " ".join(refused.out.split())
    assert "acme has no file any more, and is not done: resize group/office" in acme.run("resume").out
    assert [one["what"] for one in acme.effects()].count("order-placed") == 2


@pytest.fixture
def desk(acme: Place) -> Place:
    """The group `office` was renamed to `desk`, an apply knows it, and the file says no more of it."""
    acme.ok("apply --yes")
    acme.edit("tenants/acme.yaml", "name: office", "name: desk, previously: office")
    acme.edit("tenants/acme.yaml", "[office]", "[desk]")
    acme.edit("tenants/acme.yaml", ", service: acme.o365.ovh.com", "")
    acme.ok("apply --yes")
    acme.edit("tenants/acme.yaml", ", previously: office", "")
    assert acme.run("plan --detailed-exitcode").code == 0
    return acme


def again(place: Place) -> dict[str, Any]:
    """Plan a new group with the name that another had."""
    place.edit("tenants/acme.yaml", "users:", "  - {name: office, product: business, seats: 1}\nusers:")
    tenant: dict[str, Any] = place.tenant("acme")
    return tenant


def test_the_old_name_of_a_renamed_group_is_free_for_another(desk: Place) -> None:
    tenant = again(desk)

    assert [(one["verb"], one["address"]) for one in tenant["actions"]] == [("order", "group/office")]
    assert tenant["blocked"] == []
    assert desk.run("apply --yes --wait 0").code == 4
    desk.ok("sandbox advance 4h")
    assert desk.run("resume").code == 0
    assert desk.run("plan --detailed-exitcode").code == 0
    assert sum(row["what"] == "order-placed" for row in desk.ledger()) == 1


def test_the_people_of_a_renamed_group_stay_ours(desk: Place) -> None:
    desk.edit("tenants/acme.yaml", "licenses: [desk]", "licenses: []")

    actions = desk.tenant("acme")["actions"]

    assert [(one["verb"], one["address"]) for one in actions] == [("deactivate", "seat/desk/ada")]


def test_a_rename_that_is_taken_back_buys_nothing(desk: Place) -> None:
    desk.edit("tenants/acme.yaml", "name: desk", "name: office")
    desk.edit("tenants/acme.yaml", "[desk]", "[office]")

    assert [one["address"] for one in desk.tenant("acme")["blocked"]][:1] == ["group/office"]
    assert desk.tenant("acme")["actions"] == []
    desk.edit("tenants/acme.yaml", "name: office", "name: office, previously: desk")
    assert desk.run("plan --detailed-exitcode").code == 0


def test_a_name_that_an_older_journal_remembers_is_told_so(acme: Place) -> None:
    acme.ok("apply --yes")
    acme.edit("tenants/acme.yaml", "name: office", "name: desk")
    acme.edit("tenants/acme.yaml", "[office]", "[desk]")
    acme.ok("apply --yes")

    (blocked,) = again(acme)["blocked"]

    assert "which the journal remembers as this group, is group desk of tenant acme" in blocked["reason"]
    assert "give it a name that no group had" in blocked["reason"]


def test_what_is_pending_names_the_file_and_the_line_of_today(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    assert acme.run("apply --yes --wait 0").code == 4
    was = acme.tenant("acme")["pending"][0]["source"]
    (acme.root / "tenants/acme.yaml").rename(acme.root / "tenants/renamed.yaml")
    acme.edit("tenants/renamed.yaml", "license_groups:\n", "# a line more\nlicense_groups:\n")

    now = acme.tenant("acme")["pending"][0]["source"]

    assert (was["file"], now["file"]) == ("tenants/acme.yaml", "tenants/renamed.yaml")
    assert now["line"] == was["line"] + 1
    assert "(tenants/renamed.yaml:7)" in acme.ok("plan")


def test_what_is_pending_and_written_no_more_names_the_file_of_today(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    acme.edit("tenants/acme.yaml", "account: ovh-main\n", "account: ovh-main\nservice: acme.o365.ovh.com\n")
    assert acme.run("apply --yes --wait 0").code == 4
    (acme.root / "tenants/acme.yaml").rename(acme.root / "tenants/renamed.yaml")
    text = (acme.root / "tenants/renamed.yaml").read_text()
    acme.write("tenants/renamed.yaml", text.partition("license_groups:")[0] + "license_groups: []\n")

    assert acme.tenant("acme")["pending"][0]["source"] == {
        "file": "tenants/renamed.yaml",
        "line": 1,
        "column": 1,
    }


def order_one_more(acme: Place) -> None:
    acme.edit("tenants/acme.yaml", "seats: 2, service: acme.o365.ovh.com", "seats: 3")
    acme.edit("tenants/acme.yaml", "account: ovh-main\n", "account: ovh-main\nservice: acme.o365.ovh.com\n")


def test_what_was_done_under_the_new_name_is_not_open_under_the_old_one_for_ever(acme: Place) -> None:
    order_one_more(acme)
    assert acme.run("apply --yes --wait 0").code == 4
    rename(acme)
    acme.ok("sandbox advance 1h")
    acme.ok("resume")
    acme.edit("tenants/acme.yaml", "previously: acme\n", "")

    assert "no file any more" not in acme.ok("status")
    assert acme.run("resume").code == 0


def test_what_is_still_open_under_the_new_name_alone_is_not_told_of_the_old_one(acme: Place) -> None:
    order_one_more(acme)
    assert acme.run("apply --yes --wait 0").code == 4
    rename(acme)
    assert acme.run("apply --yes --wait 0").code == 4
    acme.edit("tenants/acme.yaml", "previously: acme\n", "")

    assert "no file any more" not in acme.ok("status")
    assert acme.tenant("apex")["pending"][0]["address"] == "group/office"


LOST = "sandbox fault lose-reply-after --method POST --path '/order/cart/{}/checkout'"
BLIND = "sandbox fault error-before --method GET --path '/order/cart/{}' --times 50 --after 2"
"""The cart is read when it is priced and before it is bought; from then on nobody can look at it."""


@pytest.mark.parametrize("first", ["plan", "resume"], ids=["in one run", "in the next run"])
def test_a_purchase_that_was_confirmed_under_the_new_name_holds_up_no_other(acme: Place, first: str) -> None:
    bolt = ACME.partition("users:")[0].replace("acme", "bolt")
    acme.world(
        "prepaid:\n  - {service: acme.o365.ovh.com, seats: [{licence: business, empty: 2}]}\n"
        "  - {service: bolt.o365.ovh.com, seats: [{licence: business, empty: 2}]}\n"
    )
    acme.write("tenants/acme.yaml", ACME.partition("users:")[0])
    acme.write("tenants/bolt.yaml", bolt)
    acme.ok("sandbox set delay=0")
    acme.ok("apply --yes")
    order_one_more(acme)
    acme.ok(LOST)
    acme.ok(BLIND)
    assert acme.run("apply --yes --wait 0").code == 4
    acme.ok("sandbox fault clear")
    rename(acme)
    acme.ok(first)

    acme.write("tenants/bolt.yaml", bolt.replace("seats: 2", "seats: 3"))
    acme.ok("apply --yes --wait 1m")

    assert [one["what"] for one in acme.effects()].count("order-placed") == 2
