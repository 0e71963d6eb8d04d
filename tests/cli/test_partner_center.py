"""A customer of Partner Center from its account to its end, by commands alone; judged by what took effect."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.place import Place

WORKSPACE = """\
version: 1
accounts:
  partner: {api: microsoft, endpoint: sandbox}
"""
ACME = """\
version: 1
tenant: acme
provider: partner-center
account: partner
customer:
  domain: acme.onmicrosoft.com
  company: Acme UAB
  country: LT
  language: lt
  culture: lt-LT
  email: billing@acme.example
  address:
    {first_name: Ada, last_name: Lovelace, line1: Gedimino 1, city: Vilnius, postal_code: "01103"}
license_groups:
  - {name: office, product: SPB, seats: 3}
"""
FILE = "tenants/acme.yaml"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.write("reconciler.yaml", WORKSPACE)
    made.write(FILE, ACME)
    made.ok("sandbox set delay=0")
    return made


def did(place: Place) -> list[tuple[str, Any]]:
    """What took effect, with the seats it was about; a cart costs nothing."""
    rows = json.loads(place.ok("sandbox ledger --format json"))
    told = {"partner-cart-created", "interference"}
    return [(one["what"], one.get("quantity")) for one in rows if one["what"] not in told]


def bought(place: Place) -> Place:
    """A customer with its agreement accepted and three seats."""
    assert place.run("apply --yes").code == 4
    place.ok("sandbox change agreement-signed acme.onmicrosoft.com")
    place.ok("resume")
    return place


def apply(place: Place, old: str, new: str) -> Any:
    """Write something else and apply it; the plan that was applied."""
    place.edit(FILE, old, new)
    (tenant,) = place.plan()["tenants"]
    place.ok("apply --yes")
    assert place.plan()["tenants"][0]["actions"] == []
    return tenant


def test_a_customer_is_created_and_buys_once_its_agreement_is_accepted(place: Place) -> None:
    first = place.run("apply --yes")
    again = place.run("apply --yes")
    waits = place.plan()["tenants"][0]
    place.ok("sandbox change agreement-signed acme.onmicrosoft.com")
    place.ok("resume")

    assert (first.code, again.code) == (4, 4)
    assert [(one["address"], one["verb"]) for one in waits["pending"]] == [
        ("tenant/agreement", "update"),
        ("group/office", "order"),
    ]
    assert "Customer Agreement" in waits["pending"][0]["reason"]
    assert place.plan()["tenants"][0]["status"] == "in_sync"
    assert [what for what, _ in did(place)].count("partner-customer-created") == 1
    assert [what for what, _ in did(place)].count("partner-order-placed") == 1


def test_a_customer_that_may_buy_is_told_the_price(place: Place) -> None:
    place.write(FILE, ACME.replace("license_groups:", "license_groups: []\n_:").partition("_:")[0])
    place.ok("apply --yes")
    place.ok("sandbox change agreement-attested acme.onmicrosoft.com")
    place.write(FILE, ACME)

    price = place.plan()["tenants"][0]["actions"][0]["price"]

    assert (price["monthly"], price["currency"], price["source"]) == ("61.80", "EUR", "cart")


def test_seats_go_up_and_down_in_their_window_and_wait_for_the_renewal_after_it(place: Place) -> None:
    bought(place)

    apply(place, "seats: 3", "seats: 5")
    apply(place, "seats: 5", "seats: 4")
    place.ok("sandbox advance 8d")
    later = apply(place, "seats: 4", "seats: 2")

    changes = [one for one in did(place) if one[0] == "partner-quantity-changed"]
    assert changes == [("partner-quantity-changed", 5), ("partner-quantity-changed", 4)]
    (action,) = later["actions"]
    assert action["verb"] == "schedule"
    assert action["scheduled_for"]
    place.ok("sandbox advance 365d")
    assert ("partner-subscription-renewed", 2) in did(place)
    assert place.plan()["tenants"][0]["status"] == "in_sync"


def test_what_was_scheduled_gives_way_to_more_seats(place: Place) -> None:
    bought(place).ok("sandbox advance 8d")
    apply(place, "seats: 3", "seats: 2")

    tenant = apply(place, "seats: 2", "seats: 6")

    assert [one["verb"] for one in tenant["actions"]] == ["resize", "schedule"]
    place.ok("sandbox advance 366d")
    assert ("partner-subscription-renewed", 6) in did(place)


def test_the_renewal_is_switched_off_and_on_again(place: Place) -> None:
    bought(place)

    apply(place, "seats: 3}", "seats: 3, renewal: off}")
    apply(place, "renewal: off", "renewal: auto")

    assert [what for what, _ in did(place)].count("partner-renewal-changed") == 2
    assert "partner-subscription-deleted" not in dict(did(place))


def test_a_renewal_is_told_from_sixty_days_before_to_the_last(place: Place) -> None:
    """Microsoft sends its notices 60, 30, 7 and 1 days before; a schedule of this command has them all."""
    bought(place)
    (one,) = place.run("renewals --within 400d --format json").json["renewals"]
    told, left = {}, one["days"]

    for days in (61, 60, 30, 7, 1):
        place.ok(f"sandbox advance {left - days}d")
        left = days
        told[days] = [
            due["days"] for due in place.run("renewals --within 60d --format json").json["renewals"]
        ]

    assert told == {61: [], 60: [60], 30: [30], 7: [7], 1: [1]}


@pytest.mark.parametrize(
    ("days", "how", "effect"),
    [
        (0, "cancel: now, ", "partner-subscription-deleted"),
        (8, "cancel: now, ", "partner-renewal-changed"),
        (0, "", "partner-renewal-changed"),
    ],
    ids=["at once", "at once, too late", "at its end"],
)
def test_a_group_ends_at_once_only_when_that_is_asked_for_in_time(
    place: Place, days: int, how: str, effect: str
) -> None:
    bought(place).ok(f"sandbox advance {days}d")
    before = did(place)

    apply(place, "seats: 3}", f"seats: 3, state: cancelled, {how}reason: ticket 7}}")

    assert [what for what, _ in did(place)[len(before) :]] == [effect]


def test_a_lost_answer_to_a_checkout_is_found_and_nothing_is_bought_twice(place: Place) -> None:
    assert place.run("apply --yes").code == 4
    place.ok("sandbox change agreement-signed acme.onmicrosoft.com")
    place.ok("sandbox fault lose-reply-after --path '/partner-center/v1/customers/{}/carts/{}/checkout'")

    place.run("resume --wait 5s")
    place.run("resume --wait 5s")

    assert place.plan()["tenants"][0]["status"] == "in_sync"
    assert [what for what, _ in did(place)].count("partner-order-placed") == 1


def test_an_account_that_is_no_sandbox_needs_its_credentials(place: Place) -> None:
    keys = "{tenant_id: a, client_id: b, client_secret: env://NOT_THERE}"
    place.write("reconciler.yaml", WORKSPACE.replace("sandbox", f"public, credentials: {keys}"))

    done = place.run("plan")

    assert done.code == 1
    assert "NOT_THERE" in done.err


def test_seats_and_renewal_of_one_group_may_change_in_one_plan(place: Place) -> None:
    """Each change sends the whole subscription back, so two at the same moment would undo each other."""
    bought(place)

    tenant = apply(place, "seats: 3}", "seats: 5, renewal: off}")

    assert sorted(one["verb"] for one in tenant["actions"]) == ["resize", "update"]
    shown = [what for what, _ in did(place)]
    assert shown.count("partner-quantity-changed") == shown.count("partner-renewal-changed") == 1
