"""What a person tells the journal: confirm, resolve, adopt, release, lease."""

import re
import subprocess
import sys
import textwrap

import pytest

from tests.cli.place import ACME, Place
from tests.cli.test_standing import doubtful

__all__ = ["doubtful"]

UNPAID = """\
account: {nichandle: xx0000-ovh, subsidiary: FR, currency: EUR, default_payment: false}
prepaid:
  - service: acme.o365.ovh.com
    seats:
      - licence: business
        people:
          - {login: ada, first_name: Ada, last_name: Lovelace, country: lt}
          - {login: eve, first_name: Eve, last_name: Nobody, country: lt}
csp2:
  - service: contoso
    subscriptions: [{id: 501, licence: 11, quantity: 10}]
"""


@pytest.fixture
def seated(place: Place) -> Place:
    """Somebody sits there whom nobody ever wrote."""
    place.world(UNPAID.replace("default_payment: false", "default_payment: true"))
    return place


def unmanaged(place: Place) -> list[str]:
    return [one["address"] for one in place.tenant("acme")["unmanaged"]]


EVE = "seat/office/eve@acme.o365.ovh.com"


def test_who_was_adopted_and_is_not_written_loses_the_seat(seated: Place) -> None:
    assert unmanaged(seated) == [EVE]
    assert seated.tenant("acme")["actions"] == []

    said = seated.ok(f"adopt acme {EVE}")

    assert said == f"acme {EVE}: ours\n"
    assert unmanaged(seated) == []
    assert [(one["verb"], one["address"]) for one in seated.tenant("acme")["actions"]] == [
        ("deactivate", EVE)
    ]


def test_everybody_is_adopted_when_nobody_is_named_and_released_again(seated: Place) -> None:
    adopted = seated.ok("adopt acme").splitlines()
    released = seated.ok("release acme").splitlines()

    assert len(adopted) == len(released) == 2
    assert unmanaged(seated) == [EVE]


def test_a_terminal_is_asked_before_everybody_is_released(seated: Place) -> None:
    seated.ok("adopt acme")

    declined, asked = seated.at_terminal("release acme", b"n\n")

    assert (declined, unmanaged(seated)) == (1, [])
    assert (
        "Release 2 seats of acme, all that are ours? `reconciler adopt acme` takes them back. [y/N]" in asked
    )
    assert seated.at_terminal("release acme", b"y\n")[0] == 0
    assert unmanaged(seated) == [EVE]


def test_without_a_terminal_it_is_said_how_many_are_released_and_how_that_is_undone(seated: Place) -> None:
    seated.ok("adopt acme")

    named, everybody, again = (seated.run(f"release acme {words}") for words in (EVE, "", ""))

    assert "released without an address" not in named.err
    said = "released without an address: 1 seat; `reconciler adopt acme` takes them back"
    assert said in everybody.err
    assert again.out == "acme: nobody is ours\n"
    assert "released without" not in again.err
    seated.ok("adopt acme")
    assert "released without" not in seated.run("release acme --yes").err


def test_one_is_released_by_address(seated: Place) -> None:
    seated.ok("adopt acme")

    assert seated.ok(f"release acme {EVE}") == f"acme {EVE}: not ours any more\n"

    assert unmanaged(seated) == [EVE]


def test_nobody_is_adopted_or_released_who_is_not_there(seated: Place) -> None:
    for line in (
        "adopt acme seat/office/zoe",
        "release acme seat/office/zoe",
        "adopt nobody",
        "release nobody",
    ):
        done = seated.run(line)
        assert (done.code, done.out) == (1, ""), line
        assert "\nerror: " in f"\n{done.err}"


def test_an_order_that_waits_for_a_person_is_asked_about_and_not_confirmed(place: Place) -> None:
    place.world(UNPAID)
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    done = place.run("apply --yes --wait 0 --format json")
    action = done.json["tenants"][0]["actions"][0]

    assert done.code == 4
    assert action["state"] == "by-hand"
    refused = place.run("confirm acme group/office --by ada")
    assert refused.code == 1
    assert action["ref"] in refused.err
    place.ok(f"sandbox pay {action['ref']}")
    place.ok("sandbox advance 4h")
    assert place.run("resume").code == 0
    assert place.plan()["summary"]["resize"] == 0


def test_nothing_is_confirmed_or_resolved_that_is_not_open(place: Place) -> None:
    for line in (
        "confirm acme group/office --by ada",
        "confirm nobody group/office --by ada",
        "resolve acme group/office --did-not-happen",
        "resolve nobody group/office --happened 4711",
    ):
        done = place.run(line)
        assert (done.code, done.out) == (1, ""), line
        assert "\nerror: " in f"\n{done.err}"


def test_what_did_not_happen_is_planned_again(doubtful: Place) -> None:
    assert [one["verb"] for one in doubtful.tenant("resell")["actions"]] == []

    doubtful.ok("resolve resell group/mail --did-not-happen")

    assert [(one["verb"], one["address"]) for one in doubtful.tenant("resell")["actions"]] == [
        ("order", "group/mail")
    ]
    assert doubtful.run("apply --yes --wait 0").code == 4


def test_a_mistyped_order_can_be_corrected(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 4")
    place.ok("sandbox fault order-cancelled")
    assert place.run("apply --yes --wait 0 --tenant acme").code == 4
    place.ok("sandbox advance 1h")
    assert place.run("apply --yes --wait 0 --tenant acme").code == 3
    place.ok("resolve acme group/office --happened 999")
    for _ in range(2):
        assert place.run("resume --wait 0").code == 4  # nobody can read such an order

    place.ok("resolve acme group/office --did-not-happen")

    assert [one["address"] for one in place.tenant()["actions"]] == ["group/office"]
    assert place.run("apply --yes --wait 0 --tenant acme").code == 4
    assert place.run("resolve acme group/office --did-not-happen").code == 1
    assert [one["what"] for one in place.effects()].count("order-placed") == 2


def test_an_empty_word_of_a_script_ends_nothing(doubtful: Place) -> None:
    for line in ("resolve resell group/mail --happened ''", "confirm resell group/mail --by ' '"):
        assert doubtful.run(line).code == 64

    assert doubtful.run("status --detailed-exitcode").code == 8


def test_what_happened_is_remembered_under_its_number_and_not_ordered_again(doubtful: Place) -> None:
    doubtful.ok("resolve resell group/mail --happened 501")  # a number as a person may find it

    assert doubtful.run("status --detailed-exitcode").code == 0
    history = doubtful.run("history resell group/mail --json").json["events"]
    assert history[-1]["kind"] == "finished"
    assert history[-1]["data"]["ref"] == "501"


def test_leases_are_listed_and_taken_away(place: Place) -> None:
    assert place.ok("lease list") == "nobody holds a lease\n"
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    holder = hold(place, "acme")
    try:
        listed = place.ok("lease list")
        blocked = place.run("apply --yes --wait 0 --tenant acme --format json")
        adopting = place.run("adopt acme")
        freed = place.ok("lease release acme")
        done = place.run("apply --yes --wait 0 --tenant acme")
    finally:
        holder.kill()
        holder.communicate()

    assert listed.startswith("acme  another team  apply  since ")
    assert blocked.code == 7
    assert "another team" in blocked.json["tenants"][0]["error"]["message"]
    assert adopting.code == 1
    assert freed == "the lease of acme is free\n"
    assert done.code == 4
    assert place.run("lease release acme").code == 1


def hold(place: Place, tenant: str) -> subprocess.Popen[str]:
    """A process of somebody else that holds the lease of a tenant and does nothing."""
    program = textwrap.dedent(
        f"""
        import os, sys
        from pathlib import Path
        from reconciler.store.journal import open_journal

        url = "sqlite:///.reconciler/journal.db"
        journal = open_journal(url, root=Path({str(place.root)!r}), create=True, env={{}})
        journal.acquire({tenant!r}, holder="another team", about="apply")
        print("held", flush=True)
        sys.stdin.read()
        """
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def test_a_login_without_its_domain_names_the_same_person(seated: Place) -> None:
    said = seated.ok("adopt acme seat/office/Eve")

    assert said == f"acme {EVE}: ours\n"
    assert unmanaged(seated) == []


@pytest.mark.parametrize(
    "line", ["adopt acme", "release acme", "lease list", "history", "history --format json"]
)
def test_what_is_told_to_or_by_the_journal_says_that_the_account_is_a_sandbox(
    seated: Place, line: str
) -> None:
    done = seated.run(line)

    assert "ovh-main is a sandbox" in done.out + done.err


PEOPLE = """\
version: 1
tenant: nova
provider: ovh-prepaid
account: ovh-main
license_groups: [{name: office, product: pro-plus, seats: 2}]
users:
  - {login: ada, first_name: Ada, last_name: Lovelace, country: lt, licenses: [office]}
"""


def test_who_waits_for_seats_is_not_forgotten_by_another_apply_before_they_come(place: Place) -> None:
    place.world(UNPAID)
    place.write("tenants/nova.yaml", PEOPLE)
    assert place.run("apply --tenant nova --yes --wait 0").code == 4
    assert place.run("apply --tenant nova --yes --wait 0").code == 4
    place.ok("sandbox pay 210000001")
    place.ok("sandbox advance 1h")

    assert "seat/office/ada" in place.ok("resume --tenant nova --wait 20s")

    assert place.tenant("nova")["status"] == "in_sync"


def test_who_was_written_while_seats_were_on_their_way_is_not_called_in_sync(place: Place) -> None:
    place.world(UNPAID)
    place.write("tenants/nova.yaml", PEOPLE)
    assert place.run("apply --tenant nova --yes --wait 0").code == 4
    place.write("tenants/nova.yaml", PEOPLE + PEOPLE.splitlines()[-1].replace("ada", "eva") + "\n")
    assert place.run("apply --tenant nova --yes --wait 0").code == 4
    place.ok("sandbox pay 210000001")
    place.ok("sandbox advance 1h")
    place.ok("resume --tenant nova --wait 20s")

    assert "nova (ovh-prepaid, ovh-main, SANDBOX): changes" in place.ok("status nova")


PAYG = """\
version: 1
tenant: zoo
provider: ovh-payg
account: ovh-main
license_groups:
  - {name: office, product: business}
users:
  - {login: ada, first_name: Ada, last_name: Lovelace, country: lt, licenses: [office]}
"""


@pytest.fixture
def bought_by_hand(place: Place) -> Place:
    """A person has ordered a group, and nobody has written which service it is."""
    place.write("tenants/zoo.yaml", PAYG)
    assert place.run("apply --yes --wait 0 --tenant zoo").code == 4
    said = place.ok("confirm zoo group/office --by ada --evidence 4711")
    assert "Next: write `service:` in group/office of tenants/zoo.yaml" in said
    return place


def test_whoever_confirms_is_told_back_in_one_line(place: Place) -> None:
    place.write("tenants/zoo.yaml", PAYG)
    assert place.run("apply --yes --wait 0 --tenant zoo").code == 4

    said = place.ok("confirm zoo group/office --by 'ada\n\x1b[2J' --evidence 4711")

    assert "confirmed by ada\\n\\x1b[2J\n" in said


def test_what_was_ordered_by_hand_is_not_ordered_again_while_it_has_no_pin(bought_by_hand: Place) -> None:
    planned = bought_by_hand.tenant("zoo")

    assert planned["actions"] == []
    (blocked,) = [one for one in planned["blocked"] if one["address"] == "group/office"]
    assert "as ada confirmed" in blocked["reason"]
    assert "write `service:`" in blocked["reason"]
    assert "seat/office/ada" in {one["address"] for one in planned["blocked"] + planned["pending"]}


def test_a_pin_is_all_that_an_order_by_hand_needs_to_go_on(bought_by_hand: Place) -> None:
    place = bought_by_hand
    place.world("payg: [{service: group7.o365.ovh.com}]")
    place.edit("tenants/zoo.yaml", "product: business", "product: business, service: group7.o365.ovh.com")

    planned = place.tenant("zoo")

    assert (planned["blocked"], [one["address"] for one in planned["actions"]]) == ([], ["seat/office/ada"])
    assert place.run("apply --yes --tenant zoo").code == 0
    assert place.tenant("zoo")["status"] == "in_sync"


def test_an_order_by_hand_that_was_none_is_planned_again(bought_by_hand: Place) -> None:
    bought_by_hand.ok("resolve zoo group/office --did-not-happen")

    assert bought_by_hand.tenant("zoo")["actions"][0]["verb"] == "order"


def test_a_service_that_is_written_already_is_learnt_by_confirming(place: Place) -> None:
    place.write("tenants/zoo.yaml", PAYG)
    assert place.run("apply --yes --wait 0 --tenant zoo").code == 4
    place.world("payg: [{service: group7.o365.ovh.com}]")
    place.edit("tenants/zoo.yaml", "product: business", "product: business, service: group7.o365.ovh.com")

    said = place.ok("confirm zoo group/office --by ada")
    assert said == "zoo group/office: confirmed by ada\nNext: reconciler resume\n"

    assert place.run("resume").code == 0
    assert place.tenant("zoo")["status"] == "in_sync"


def test_a_login_without_its_domain_is_released_too(seated: Place) -> None:
    seated.ok("adopt acme")

    assert seated.ok("release acme seat/office/EVE") == f"acme {EVE}: not ours any more\n"


@pytest.mark.parametrize("address", ["user/eve", "user/eve@acme.o365.ovh.com", "group/office"])
def test_a_person_or_a_whole_group_is_adopted_and_released(seated: Place, address: str) -> None:
    adopted = seated.ok(f"adopt acme {address}")
    released = seated.ok(f"release acme {address}")

    assert f"acme {EVE}: ours\n" in adopted
    assert f"acme {EVE}: not ours any more\n" in released
    assert len(adopted.splitlines()) == len(released.splitlines()) == (2 if address == "group/office" else 1)
    assert unmanaged(seated) == [EVE]


@pytest.mark.parametrize("said", ["acme.o365.ovh.com-1003", "acme.o365.ovh.com"])
def test_whatever_a_person_calls_seats_that_came_the_group_stays_the_service_they_went_into(
    acme: Place, said: str
) -> None:
    acme.world("prepaid: [{service: acme.o365.ovh.com, seats: [{licence: business, empty: 2}]}]\n")
    groups = ACME.partition("users:")[0].replace(", service: acme.o365.ovh.com", "")
    owned = groups.replace("account: ovh-main\n", "account: ovh-main\nservice: acme.o365.ovh.com\n")
    acme.write("tenants/acme.yaml", owned.replace("seats: 2", "seats: 3"))
    acme.ok("sandbox set delay=0")
    acme.ok("sandbox fault order-cancelled")
    assert acme.run("apply --yes --wait 0").code == 4
    assert acme.run("resume").code == 3
    acme.ok("sandbox change seats-added acme.o365.ovh.com business 1")  # bought by somebody else instead

    acme.ok(f"resolve acme group/office --happened {said}")

    assert acme.tenant()["status"] == "in_sync"
    assert [one["what"] for one in acme.effects()].count("order-placed") == 1


DIRECTORY = """\
settings: {delay: 0}
csp2: [{service: contoso, directory: contoso.example, subscriptions: [{id: 501, licence: 11, quantity: 10}]}]
microsoft: {tenants: [{domain: contoso.example, name: Contoso, country: LT, consent: true}]}
"""
PARTNER = "  partner: {api: microsoft, endpoint: sandbox}\n"
CYD = """\
domain: contoso.example
directory: {provider: graph, account: partner, tenant_id: %s}
users: [{login: cyd, first_name: Cyd, last_name: Low, country: lt, licenses: [basic]}]
"""


def test_who_is_released_is_not_deleted_from_the_directory_once_others_take_the_licence(place: Place) -> None:
    (place.root / "tenants" / "acme.yaml").unlink()
    place.world(DIRECTORY)
    place.edit("reconciler.yaml", "endpoint: sandbox}\n", "endpoint: sandbox}\n" + PARTNER)
    place.edit("tenants/resell.yaml", "service: contoso\n", "service: contoso\n" + CYD % "contoso.example")
    (refused,) = (one for one in place.plan()["tenants"])
    directory = re.search(r"open (\S{36})", refused["error"])
    assert directory is not None
    place.edit("tenants/resell.yaml", "tenant_id: contoso.example", f"tenant_id: {directory[1]}")
    place.ok("apply --yes --wait 1m")

    place.ok("release resell user/cyd")
    place.edit(
        "tenants/resell.yaml", "users: [{login: cyd, first_name: Cyd, last_name: Low", "users: []  # {cyd"
    )
    kept = place.tenant("resell")
    place.ok("sandbox change licence-taken contoso.example cyd@contoso.example O365_BUSINESS_ESSENTIALS")

    assert (kept["pending"], kept["actions"]) == ([], [])
    assert place.tenant("resell")["actions"] == []
