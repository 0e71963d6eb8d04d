"""Whatever is printed of a tenant in a sandbox says so: every command that shows tenants, in every form it has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.place import ACME, WORLD, Place

EVERY = ("text", "markdown", "json", "html")
SHOWN = {
    "plan": EVERY,
    "drift": EVERY,
    "status": EVERY,
    "renewals": ("text", "json", "html"),
    "history": ("text", "json"),
    "apply --yes --wait 0": EVERY,
    "resume --wait 0": EVERY,
    "show plan.json": EVERY,
    "show report.json": EVERY,
    "outputs --plan plan.json": ("",),
    "outputs --report report.json": ("",),
}
BY_HAND = """\
version: 1
tenant: mazur
provider: home-pl
account: home
domain: mazur.example
directory: {provider: graph, account: partner, tenant_id: 7b2e9c15-48d0-4f6a-a3b8-1c5e0f7d9a36}
license_groups:
  - {name: office, product: Office 365 Business, seats: 3}
users:
  - {login: zofia, first_name: Zofia, last_name: Mazur, country: pl, licenses: [office]}
"""
DIRECTORY = """\
microsoft:
  tenants:
    - id: 7b2e9c15-48d0-4f6a-a3b8-1c5e0f7d9a36
      domain: mazur.onmicrosoft.com
      name: Mazur
      country: PL
      domains: [mazur.example]
"""


@pytest.fixture
def sold(tmp_path: Path) -> Place:
    """A tenant at OVHcloud, in a sandbox, with an order on its way."""
    place = Place(tmp_path)
    place.write("reconciler.yaml", "version: 1\naccounts:\n  ovh-main: {api: ovh, endpoint: sandbox}\n")
    place.write("tenants/acme.yaml", ACME.replace("seats: 2", "seats: 3"))
    place.world(WORLD)
    return begun(place)


@pytest.fixture
def bought_by_hand(tmp_path: Path) -> Place:
    """A tenant for which a person buys at home.pl, and whose directory is a sandbox."""
    place = Place(tmp_path)
    accounts = "accounts:\n  home: {api: manual}\n  partner: {api: microsoft, endpoint: sandbox}\n"
    place.write("reconciler.yaml", f"version: 1\n{accounts}")
    place.write("tenants/mazur.yaml", BY_HAND)
    place.world(DIRECTORY)
    return begun(place)


def begun(place: Place) -> Place:
    place.run("plan --out plan.json")
    assert place.run("apply --yes --wait 0 --report report.json").code == 4
    return place


@pytest.mark.parametrize(("command", "form"), [(one, form) for one, forms in SHOWN.items() for form in forms])
def test_an_account_in_a_sandbox_is_said_to_be_one(sold: Place, command: str, form: str) -> None:
    done = sold.run(f"{command} --format {form}" if form else command)

    if form == "json" and "tenants" in done.json:
        assert [tenant["sandbox"] for tenant in done.json["tenants"]] == [True]
    else:
        assert re.search("SANDBOX|a sandbox: nothing is bought|sandbox=1", done.out), done


@pytest.mark.parametrize("command", ["plan", "drift", "status", "apply --yes --wait 0", "resume --wait 0"])
@pytest.mark.parametrize("form", EVERY)
def test_a_tenant_is_marked_that_a_person_buys_for_while_its_directory_is_a_sandbox(
    bought_by_hand: Place, command: str, form: str
) -> None:
    done = bought_by_hand.run(f"{command} --format {form}")

    if form == "json":
        assert [tenant["sandbox"] for tenant in done.json["tenants"]] == [True]
    else:
        assert "SANDBOX" in done.out


def test_what_is_not_real_is_told_of_sellers_and_of_directories(bought_by_hand: Place) -> None:
    said = " ".join(bought_by_hand.ok("status").split())

    assert said.startswith(
        "Note: account partner is a sandbox: nobody really gets or loses anything there mazur"
    )
