"""Services that renew only when somebody pays, and what happens when nobody does."""

from __future__ import annotations

import pytest

from reconciler.core.plan import Plan
from tests.engine.conftest import Make
from tests.engine.harness import Bench, planned

ACME = "acme.o365.ovh.com"
DAY = 86400
HEAD = "version: 1\ntenant: acme\naccount: ovh-main\n"
PREPAID = (
    f"{HEAD}provider: ovh-prepaid\nlicense_groups:\n- {{name: office, product: business, service: {ACME}, "
)
PAYG = (
    f"{HEAD}provider: ovh-payg\nservice: {ACME}\n"
    "license_groups: [{name: office, product: business, renewal: auto}]\n"
)


def switched_off(one: Bench, service: str) -> None:
    """Somebody switches a service's automatic renewal off at the provider."""
    with one.world.transaction() as tx:
        tx.run("UPDATE service SET automatic = 0 WHERE name = ?", service)


def shown(one: Bench) -> Plan:
    return planned(one.plan())


@pytest.fixture
def seats(bench: Make) -> Bench:
    """Three seats that the journal knows, one of which renews by hand."""
    one = bench(f"prepaid: [{{service: {ACME}, seats: [{{empty: 3}}]}}]", acme=PREPAID + "seats: 3}\n")
    assert one.apply().exit_code == 0
    switched_off(one, f"{ACME}-1002")
    return one


def test_seats_that_somebody_has_to_pay_for_are_told(seats: Bench) -> None:
    plan = shown(seats)

    assert plan.actions == ()
    assert [one.message for one in plan.findings] == [
        "automatic renewal of 1 of 3 seats is off at OVHcloud: somebody has to pay before 2027-02-15"
    ]


def test_a_group_that_somebody_has_to_pay_for_is_told(bench: Make) -> None:
    one = bench(f"payg: [{{service: {ACME}, users: []}}]", acme=PAYG)
    switched_off(one, ACME)

    assert [each.message for each in shown(one).findings] == [
        "automatic renewal is off at OVHcloud: somebody has to pay before 2027-02-15"
    ]


def test_a_seat_that_expired_unpaid_is_not_bought_a_second_time(seats: Bench) -> None:
    """Whoever pays its renewal late has it back."""
    seats.time.at += 40 * DAY

    plan = shown(seats)

    assert plan.actions == ()
    (item,) = plan.blocked
    assert item.reason.startswith(f"{ACME}-1002 expired: pay the renewal")
    assert f"{ACME}-1002 expired, and is not counted" in [one.message for one in plan.findings]


def test_what_is_left_of_a_group_goes_on_without_the_expired_seat(seats: Bench) -> None:
    seats.time.at += 40 * DAY
    seats.write(acme=PREPAID + "seats: 1}\n")

    (action,) = shown(seats).actions

    assert action.summary.startswith("2 -> 1 seats")
