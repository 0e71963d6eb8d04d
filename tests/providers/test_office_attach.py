"""Office Attach: read before a person orders it, and only where a manifest writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.place import Place

EXCHANGE = "hosted-ab123-ovh-1"
WORLD = f"""\
settings: {{delay: 0}}
prepaid:
  - service: acme.o365.ovh.com
    seats: [{{licence: business, empty: 1}}]
directories:
  - {{name: {EXCHANGE}}}
"""
WORKSPACE = "version: 1\naccounts:\n  ovh-main: {api: ovh, endpoint: sandbox}\n"
TENANT = """\
version: 1
tenant: acme
provider: ovh-prepaid
account: ovh-main
license_groups:
  - {name: office, product: business, seats: 1, service: acme.o365.ovh.com}
"""
ATTACH = "office_attach: {exchange: NAME, accounts: [ada@acme.example, bob@acme.example]}\n"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.write("reconciler.yaml", WORKSPACE)
    made.write("tenants/acme.yaml", TENANT)
    made.world(WORLD)
    return made


def attach(place: Place, name: str = EXCHANGE) -> None:
    place.write("tenants/acme.yaml", TENANT + ATTACH.replace("NAME", name))


def asked(place: Place) -> list[str]:
    rows: list[dict[str, Any]] = place.run("sandbox requests --format json").json
    return [row["path"] for row in rows if row["path"].startswith("/msServices")]


def told(place: Place) -> str:
    return " ".join(one["message"] for one in place.tenant()["findings"])


def test_nothing_is_asked_where_nothing_is_written(place: Place) -> None:
    assert place.tenant()["findings"] == []

    assert asked(place) == []


def test_the_plan_tells_the_free_month_the_price_and_how_many(place: Place) -> None:
    attach(place)

    said = told(place)

    assert "2 of at most 25 accounts, the first month is free, then 10.50 EUR a month for each" in said
    assert asked(place) == [f"/msServices/{EXCHANGE}"]
    (action,) = place.tenant()["actions"]
    assert (action["how"], action["address"]) == ("by-hand", f"tenant/office-attach/{EXCHANGE}")


def test_a_service_that_has_office_already_says_where(place: Place) -> None:
    place.world(WORLD.replace("-ovh-1}", "-ovh-1, office_tenant: office9.o365.ovh.com}"))
    attach(place)

    assert f"{EXCHANGE} has Office already, in office9.o365.ovh.com: the offer is taken" in told(place)


def test_a_name_that_the_account_does_not_have_is_told(place: Place) -> None:
    attach(place, "hosted-zz999-ovh-9")

    assert "hosted-zz999-ovh-9 is no Exchange service of this account" in told(place)


def test_a_service_that_cannot_be_read_is_not_one_without_office(place: Place) -> None:
    attach(place)
    place.ok("sandbox fault error-before --method GET --path '/msServices/{}' --times 9")

    assert place.tenant()["status"] == "error"
