"""A cancelled group until its end: with people in no list, and taken out of the file."""

import pytest

from tests.cli.place import ACME, Place

CANCELLED = "service: acme.o365.ovh.com, state: cancelled, reason: they left}"


def cancel(place: Place) -> None:
    """Cancel the group, and write no people any more."""
    place.write("tenants/acme.yaml", ACME.partition("users:")[0])
    place.edit("tenants/acme.yaml", "service: acme.o365.ovh.com}", CANCELLED)


def test_who_is_ours_may_stay_until_the_end_without_a_list_of_people(acme: Place) -> None:
    acme.ok("apply --yes")
    cancel(acme)

    plan = acme.tenant("acme")

    assert [(one["verb"], one["address"]) for one in plan["actions"]] == [("cancel", "group/office")]
    assert [one["address"] for one in plan["leaving"]] == ["seat/office/ada"]
    assert (plan["blocked"], plan["unmanaged"]) == ([], [])
    acme.ok("apply --yes")
    assert acme.tenant("acme")["status"] == "in_sync"


def test_whom_nobody_ever_wrote_still_holds_it_up(acme: Place) -> None:
    cancel(acme)

    plan = acme.tenant("acme")

    assert plan["actions"] == []
    assert "nobody wrote ada@acme.o365.ovh.com" in plan["blocked"][0]["reason"]


@pytest.mark.parametrize("known", ["apply --yes", "adopt acme"])
def test_taken_out_of_the_file_it_is_still_shown_until_it_ends(acme: Place, known: str) -> None:
    acme.ok(known)
    cancel(acme)
    acme.ok("apply --yes")
    before = acme.tenant("acme")["leaving"]
    acme.write("tenants/acme.yaml", ACME.partition("license_groups:")[0] + "license_groups: []\n")

    plan = acme.tenant("acme")

    seats = {(one["address"], one["ref"], one["on"]) for one in plan["leaving"]}
    assert seats == {
        (one["address"], one["ref"], one["on"]) for one in before if one["address"] == "group/office"
    }
    assert len(seats) == 2
    assert plan["unmanaged"][0]["address"] == "group/office"
    assert acme.run("plan --detailed-exitcode").code == 0


def test_a_renamed_tenant_still_shows_what_ends(acme: Place) -> None:
    acme.ok("apply --yes")
    cancel(acme)
    acme.ok("apply --yes")
    acme.edit("tenants/acme.yaml", "tenant: acme\n", "tenant: apex\npreviously: acme\n")
    before = acme.tenant("apex")["leaving"]
    acme.ok("apply --yes")
    acme.write(
        "tenants/acme.yaml",
        ACME.partition("license_groups:")[0].replace("tenant: acme\n", "tenant: apex\n")
        + "license_groups: []\n",
    )

    plan = acme.tenant("apex")

    assert {one["on"] for one in plan["leaving"]} == {one["on"] for one in before} != set()
    assert {one["address"] for one in plan["leaving"]} == {"group/office"}
