"""Subscriptions of Partner Center: the whole document that a change needs, the windows, and the life by the clock."""

from typing import Any

import pytest

from reconciler.sandbox.microsoft.products import PRODUCTS
from reconciler.sandbox.world import World
from tests.sandbox.makers import Answer, Clock
from tests.sandbox.microsoft.makers import ACME, BASIC, E3, PREMIUM, SUBSCRIPTION, Cloud

DAY = 86400
TRIAL = next(one for one in PRODUCTS if one.trial)


def one(partner: Cloud, acme: str, number: str = SUBSCRIPTION) -> dict[str, Any]:
    found: dict[str, Any] = partner.get(f"/customers/{acme}/subscriptions/{number}").body
    return found


def change(partner: Cloud, acme: str, number: str = SUBSCRIPTION, **fields: Any) -> Answer:
    """Read, change, send the whole back: the way that is told."""
    document = {**one(partner, acme, number), **fields}
    return partner.patch(f"/customers/{acme}/subscriptions/{number}", document)


def bought(partner: Cloud, acme: str, clock: Clock, quantity: int = 5) -> str:
    order = partner.buy(acme, quantity)
    clock.sleep(2)
    found = partner.get(f"/customers/{acme}/orders/{order}").body["lineItems"][0]["subscriptionId"]
    return str(found)


def schedule(quantity: int = 2, **product: str) -> dict[str, Any]:
    known = {
        "productId": PREMIUM.product,
        "skuId": PREMIUM.variant,
        "termDuration": "P1Y",
        "billingCycle": "monthly",
    }
    return {"product": {**known, **product}, "quantity": quantity}


def test_a_document_that_leaves_something_out_switches_it_off(partner: Cloud, acme: str) -> None:
    change(partner, acme, scheduledNextTermInstructions=schedule())
    assert one(partner, acme)["scheduledNextTermInstructions"]["quantity"] == 2

    answer = partner.patch(f"/customers/{acme}/subscriptions/{SUBSCRIPTION}", {"friendlyName": "Office"})

    assert answer.status == 200
    found = one(partner, acme)
    assert (found["friendlyName"], found["quantity"], found["autoRenewEnabled"]) == ("Office", 3, False)
    assert "scheduledNextTermInstructions" not in found


def test_names_are_read_in_any_case(partner: Cloud, acme: str) -> None:
    document = {key[0].upper() + key[1:]: value for key, value in one(partner, acme).items()}

    partner.patch(f"/customers/{acme}/subscriptions/{SUBSCRIPTION}", {**document, "Quantity": 4})

    assert (one(partner, acme)["quantity"], one(partner, acme)["autoRenewEnabled"]) == (4, True)


@pytest.mark.parametrize("where", ["body", "header"])
def test_a_stale_tag_is_refused(partner: Cloud, acme: str, where: str) -> None:
    before = one(partner, acme)
    change(partner, acme, quantity=4)
    path = f"/customers/{acme}/subscriptions/{SUBSCRIPTION}"

    if where == "body":
        answer = partner.patch(path, {**before, "quantity": 5})
    else:
        plain = {key: value for key, value in before.items() if key != "attributes"}
        answer = partner.patch(path, plain, {"If-Match": before["attributes"]["etag"]})

    assert (answer.status, answer.body["code"]) == (400, 2055)
    assert one(partner, acme)["quantity"] == 4


def test_tags_may_be_missing(world: World, partner: Cloud, acme: str) -> None:
    world.set("etags", "off")

    assert "etag" not in one(partner, acme)["attributes"]
    assert change(partner, acme, quantity=4).status == 200


def test_seats_go_up_at_any_time_and_each_lot_has_its_own_window(
    partner: Cloud, acme: str, clock: Clock
) -> None:
    assert one(partner, acme)["refundableQuantity"]["totalQuantity"] == 0

    change(partner, acme, quantity=5)
    clock.sleep(3 * DAY)
    change(partner, acme, quantity=6)

    found = one(partner, acme)["refundableQuantity"]
    assert found["totalQuantity"] == 3
    assert [lot["quantity"] for lot in found["details"]] == [1, 2]
    clock.sleep(4 * DAY + 1)
    assert one(partner, acme)["refundableQuantity"]["totalQuantity"] == 1


def test_seats_go_down_only_as_far_as_their_window_reaches(
    world: World, partner: Cloud, acme: str, clock: Clock
) -> None:
    change(partner, acme, quantity=5)

    assert change(partner, acme, quantity=2).body["code"] == 800090
    assert change(partner, acme, quantity=4).status == 200
    clock.sleep(7 * DAY + 1)
    refused = change(partner, acme, quantity=3)

    assert (refused.status, refused.body["code"], refused.body["source"]) == (400, 800090, "PartnerFD")
    changes = [entry for entry in world.ledger() if entry["what"] == "partner-quantity-changed"]
    assert [(entry["before"], entry["quantity"]) for entry in changes] == [(3, 5), (5, 4)]


def test_a_change_of_seats_drops_the_plan_for_the_renewal(world: World, partner: Cloud, acme: str) -> None:
    change(partner, acme, scheduledNextTermInstructions=schedule())

    change(partner, acme, quantity=4)

    assert "scheduledNextTermInstructions" not in one(partner, acme)
    world.set("keep_schedule", "on")
    change(partner, acme, scheduledNextTermInstructions=schedule())
    change(partner, acme, quantity=5)
    assert one(partner, acme)["scheduledNextTermInstructions"]["quantity"] == 2


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"quantity": 301}, 400, 2002),
        ({"quantity": 0}, 400, 2002),
        ({"quantity": "4"}, 400, 3000),
        ({"status": "sleeping"}, 400, 900126),
        ({"billingCycle": "annual"}, 400, 2054),
        ({"termDuration": "P1M"}, 400, 800122),
        ({"termDuration": "P3Y"}, 400, 800121),
        ({"autoRenewEnabled": False, "scheduledNextTermInstructions": schedule()}, 400, 900280),
        ({"scheduledNextTermInstructions": schedule(quantity=301)}, 400, 2002),
        ({"scheduledNextTermInstructions": schedule(termDuration="P1W")}, 400, 3000),
        ({"status": "deleted"}, 400, 900213),
        ({"status": "expired"}, 400, 900280),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_happens(
    world: World, partner: Cloud, acme: str, fields: dict[str, Any], status: int, code: int
) -> None:
    before = one(partner, acme)

    answer = change(partner, acme, **fields)

    assert (answer.status, answer.body["code"]) == (status, code)
    assert one(partner, acme) == before
    assert world.ledger() == []


def test_the_twelve_hundredth_update_is_the_last(world: World, partner: Cloud, acme: str) -> None:
    world.change(f"subscription-updates {SUBSCRIPTION} 1199")
    assert change(partner, acme, quantity=4).status == 200

    assert change(partner, acme, quantity=5).body["code"] == 900311


def test_a_purchase_is_taken_back_within_a_week_and_gone_at_once(
    world: World, partner: Cloud, graph: Cloud, acme: str, clock: Clock
) -> None:
    number = bought(partner, acme, clock)
    clock.sleep(10)
    assert E3.sku in {row["skuId"] for row in graph.get("/subscribedSkus").body["value"]}

    assert change(partner, acme, number, status="deleted").body["status"] == "deleted"

    assert E3.sku not in {row["skuId"] for row in graph.get("/subscribedSkus").body["value"]}
    assert change(partner, acme, number, quantity=6).body["code"] == 2011
    last = world.ledger()[-1]
    assert (last["what"], last["id"], last["cancelled"]) == ("partner-subscription-deleted", number, True)


def test_a_suspended_subscription_takes_no_change_and_comes_back_without_renewal(
    partner: Cloud, graph: Cloud, acme: str
) -> None:
    assert change(partner, acme, status="suspended").body["autoRenewEnabled"] is False
    units = graph.get("/subscribedSkus").body["value"][0]
    assert (units["capabilityStatus"], units["prepaidUnits"]["suspended"]) == ("Suspended", 3)

    assert change(partner, acme, quantity=4).body["code"] == 2001
    assert change(partner, acme, autoRenewEnabled=True).body["code"] == 800091
    answer = change(partner, acme, status="active")

    assert (answer.body["status"], answer.body["autoRenewEnabled"]) == ("active", False)


def test_a_term_ends_in_expired_disabled_deleted_where_it_does_not_renew(
    world: World, partner: Cloud, graph: Cloud, acme: str, clock: Clock
) -> None:
    change(partner, acme, autoRenewEnabled=False)
    clock.sleep(334 * DAY)
    assert one(partner, acme)["status"] == "active"

    clock.sleep(2 * DAY)
    assert one(partner, acme)["status"] == "expired"
    row = graph.get("/subscribedSkus").body["value"][0]
    assert (row["capabilityStatus"], row["prepaidUnits"]["warning"]) == ("Warning", 3)
    assert change(partner, acme, autoRenewEnabled=True).body["code"] == 900279
    clock.sleep(30 * DAY)
    assert one(partner, acme)["status"] == "disabled"
    clock.sleep(90 * DAY)
    assert one(partner, acme)["status"] == "deleted"

    whats = [entry["what"].rpartition("-")[2] for entry in world.ledger()]
    assert whats == ["changed", "expired", "disabled", "deleted"]


def test_a_suspended_one_is_disabled_at_its_end(
    world: World, partner: Cloud, acme: str, clock: Clock
) -> None:
    change(partner, acme, status="suspended")
    clock.sleep(336 * DAY)

    assert one(partner, acme)["status"] == "disabled"
    clock.sleep(117 * DAY)
    assert world.ledger()[-1]["what"] == "partner-subscription-disabled"
    clock.sleep(3 * DAY)
    assert one(partner, acme)["status"] == "deleted"


def test_a_renewal_does_what_was_planned_and_opens_the_window_again(
    world: World, partner: Cloud, graph: Cloud, acme: str, clock: Clock
) -> None:
    world.set("delay_renewal", "3600")
    change(partner, acme, scheduledNextTermInstructions=schedule(termDuration="P1M", quantity=2))
    end = one(partner, acme)["commitmentEndDate"]
    clock.sleep(334 * DAY + 15 * 3600)
    busy = change(partner, acme, quantity=9)
    assert (busy.status, busy.body["code"]) == (409, 800082)

    clock.sleep(3600)

    found = one(partner, acme)
    assert (found["status"], found["quantity"], found["termDuration"]) == ("active", 2, "P1M")
    assert "scheduledNextTermInstructions" not in found
    assert found["refundableQuantity"]["totalQuantity"] == 2
    assert end[:10] < found["effectiveStartDate"][:10] < found["commitmentEndDate"][:10]
    assert change(partner, acme, quantity=1).status == 200
    clock.sleep(10)
    assert graph.get("/subscribedSkus").body["value"][0]["prepaidUnits"]["enabled"] == 1


def test_a_renewal_may_change_the_product(partner: Cloud, graph: Cloud, acme: str, clock: Clock) -> None:
    plan = schedule(quantity=4, productId=BASIC.product, skuId=BASIC.variant)
    change(partner, acme, scheduledNextTermInstructions=plan)

    clock.sleep(336 * DAY)

    found = one(partner, acme)
    assert (found["offerName"], found["offerId"].rpartition(":")[0], found["quantity"]) == (
        BASIC.title,
        BASIC.id,
        4,
    )
    rows = graph.get("/subscribedSkus").body["value"]
    assert [(row["skuPartNumber"], row["prepaidUnits"]["enabled"]) for row in rows] == [
        (BASIC.part, 4),
        (PREMIUM.part, 0),
    ]


def test_a_trial_is_as_it_is(partner: Cloud, acme: str, clock: Clock) -> None:
    order = partner.buy(acme, 5, TRIAL, termDuration="P1M", billingCycle="none")
    clock.sleep(2)
    number = partner.get(f"/customers/{acme}/orders/{order}").body["lineItems"][0]["subscriptionId"]

    assert one(partner, acme, number)["isTrial"] is True
    assert change(partner, acme, number, quantity=6).body["code"] == 900280
    assert change(partner, acme, number, status="suspended").body["code"] == 900280
    assert change(partner, acme, number, termDuration="P1Y").body["code"] == 800107
    again = partner.fill(acme, 1, TRIAL, termDuration="P1M", billingCycle="none")
    assert again.body["lineItems"][0]["error"]["errorCode"] == 10002


def test_a_failed_provisioning_says_so_and_gives_no_units(
    world: World, partner: Cloud, graph: Cloud, acme: str, clock: Clock
) -> None:
    world.fault("task-error", method="PATCH")
    change(partner, acme, quantity=9)
    clock.sleep(10)

    found = partner.get(f"/customers/{acme}/subscriptions/{SUBSCRIPTION}/provisioningstatus").body

    assert (found["status"], found["quantity"]) == ("failed", 3)
    assert graph.get("/subscribedSkus").body["value"][0]["prepaidUnits"]["enabled"] == 3


def test_somebody_else_changes_a_subscription(world: World, partner: Cloud, acme: str) -> None:
    before = one(partner, acme)
    world.change(f"subscription-resized {SUBSCRIPTION} 7")
    world.change(f"subscription-renewal {SUBSCRIPTION} off")
    world.change(f"subscription-bought {ACME} {BASIC.part} 4")

    found = one(partner, acme)
    assert (found["quantity"], found["autoRenewEnabled"]) == (7, False)
    assert found["attributes"]["etag"] != before["attributes"]["etag"]
    listed = partner.get(f"/customers/{acme}/subscriptions").body["items"]
    assert [row["quantity"] for row in listed] == [7, 4]
    world.change(f"subscription-status {SUBSCRIPTION} deleted")
    assert one(partner, acme)["status"] == "deleted"


def test_a_subscription_of_nobody_is_not_found(partner: Cloud, acme: str) -> None:
    answer = partner.get(f"/customers/{acme}/subscriptions/{acme}")

    assert (answer.status, answer.body["code"]) == (404, 20003)
