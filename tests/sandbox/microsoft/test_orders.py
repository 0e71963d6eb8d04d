"""Catalogue, carts and orders of Partner Center: prices, line errors, and one order for one cart whatever happens."""

from typing import Any

import pytest

from reconciler.sandbox.microsoft import products
from reconciler.sandbox.world import World
from tests.sandbox.makers import Clock
from tests.sandbox.microsoft.makers import BASIC, E3, NEWCO, PREMIUM, Cloud

DAY = 86400
AUDIO = products.chosen("MCOMEETADV")


def whats(world: World) -> list[str]:
    return [entry["what"] for entry in world.ledger()]


def test_the_catalogue_leads_from_a_product_to_something_to_buy(partner: Cloud, acme: str) -> None:
    found = partner.get("/products", country="LT", targetView="OnlineServices").body
    basic = next(one for one in found["items"] if one["id"] == BASIC.product)
    skus = partner.get(f"/products/{basic['id']}/skus", country="LT").body["items"]
    offers = partner.get(f"/products/{basic['id']}/skus/{skus[0]['id']}/availabilities", country="LT").body[
        "items"
    ]

    assert basic["productType"]["id"] == "OnlineServicesNCE"
    assert (skus[0]["dynamicAttributes"]["provisioningId"], skus[0]["maximumQuantity"]) == (BASIC.sku, 300)
    assert [sku["isTrial"] for sku in skus] == [False, True]
    assert offers[0]["catalogItemId"] == f"{BASIC.id}:{offers[0]['id']}"
    assert {(term["duration"], term["billingCycle"]) for term in offers[0]["terms"]} >= {("P1Y", "Monthly")}
    same = partner.get(f"/customers/{acme}/products/{BASIC.product}/skus/0001/availabilities").body["items"]
    assert same == offers
    one = f"/products/{BASIC.product}/skus/0001/availabilities/{offers[0]['id']}"
    assert partner.get(one, country="LT").body == offers[0]
    assert partner.get(f"/customers/{acme}/products", targetView="OnlineServices").body["totalCount"] == len(
        found["items"]
    )
    assert partner.get("/products", country="LT", targetView="Azure").body["items"] == []
    assert partner.get(f"/products/{BASIC.product}/skus/0001", country="LT").body == skus[0]
    assert partner.get(f"/products/{BASIC.product}", country="LT").body == basic


@pytest.mark.parametrize(
    ("path", "country", "status", "code"),
    [
        ("/products/NOTHING/skus", "LT", 404, "400013"),
        (f"/products/{BASIC.product}/skus/9999/availabilities", "LT", 404, "400018"),
        (f"/products/{BASIC.product}/skus/0001/availabilities/OLD", "LT", 404, "400019"),
        ("/products", "KP", 400, 3000),
        ("/products", "", 400, 3000),
    ],
)
def test_what_is_not_sold_is_not_found(
    partner: Cloud, path: str, country: str, status: int, code: object
) -> None:
    answer = partner.get(path, country=country)

    assert (answer.status, answer.body["code"]) == (status, code)


def test_what_can_be_bought_is_called_otherwise_after_a_while(
    world: World, partner: Cloud, acme: str, clock: Clock
) -> None:
    world.set("catalog_days", "5")
    before, cart = partner.item(BASIC), partner.cart(acme, 1, BASIC)
    clock.sleep(5 * DAY)

    answer = partner.fill(acme, 1, BASIC, catalogItemId=before)

    assert partner.item(BASIC) != before
    assert answer.status == 201
    assert answer.body["lineItems"][0]["error"]["errorCode"] == 10001
    gone = partner.checkout(acme, cart)
    assert (gone.status, gone.body["code"]) == (404, "400019")
    assert "partner-order-placed" not in whats(world)


def test_a_cart_tells_what_it_would_cost(world: World, partner: Cloud, acme: str) -> None:
    world.load({"prices": {"microsoft": {E3.part: "23.50"}}})

    monthly = partner.fill(acme, 2).body["lineItems"][0]["pricing"]
    annual = partner.fill(acme, 2, billingCycle="annual").body["lineItems"][0]["pricing"]

    assert (monthly["listPrice"], monthly["extendedPrice"]) == (23.5, 564.0)
    assert (annual["listPrice"], annual["extendedPrice"]) == (282.0, 564.0)


@pytest.mark.parametrize(
    ("product", "line", "code"),
    [
        (BASIC, {"catalogItemId": "CFQ7TTC0LH18:0001:NOTHING"}, 10001),
        (BASIC, {"catalogItemId": "nonsense"}, 10001),
        (BASIC, {"quantity": 301}, 10015),
        (BASIC, {"quantity": 0}, 10015),
        (BASIC, {"termDuration": "P1M", "billingCycle": "annual"}, 10010),
        (AUDIO, {}, 400041),
    ],
)
def test_a_wrong_line_is_told_in_the_cart_and_refused_at_the_checkout(
    world: World, partner: Cloud, product: products.Product, line: dict[str, Any], code: int
) -> None:
    number = _without_premium(world, partner)

    answer = partner.fill(number, **{"product": product, **line})

    assert answer.status == 201
    assert answer.body["lineItems"][0]["error"]["errorCode"] == code
    refused = partner.checkout(number, answer.body["id"])
    assert (refused.status, refused.body["code"]) == (400, 800009)
    assert "partner-order-placed" not in whats(world)


def _without_premium(world: World, partner: Cloud) -> str:
    world.load({"microsoft": {"customers": [{"domain": NEWCO, "country": "LT"}]}})
    return str(partner.get("/customers").body["items"][1]["id"])


def test_an_add_on_finds_its_base_at_the_customer(partner: Cloud, acme: str) -> None:
    assert "error" not in partner.fill(acme, 1, AUDIO).body["lineItems"][0]


@pytest.mark.parametrize(
    "body", [None, {}, {"lineItems": []}, {"lineItems": [{"quantity": "1"}]}, {"lineItems": [1]}]
)
def test_a_cart_without_lines_is_refused(partner: Cloud, acme: str, body: object) -> None:
    answer = partner.post(f"/customers/{acme}/carts", body)

    assert (answer.status, answer.body["code"]) == (400, 800002)


def test_a_cart_can_be_filled_anew_until_it_was_ordered(partner: Cloud, acme: str) -> None:
    cart = partner.cart(acme, 1)
    path = f"/customers/{acme}/carts/{cart}"
    line = {
        "CatalogItemId": partner.item(E3),
        "Quantity": 7,
        "TermDuration": "P1M",
        "BillingCycle": "Monthly",
    }

    answer = partner.call("PUT", path, {"LineItems": [line]})

    assert answer.body["lineItems"][0]["quantity"] == 7
    assert partner.get(path).body == answer.body
    partner.checkout(acme, cart)
    assert partner.get(path).body["status"] == "Ordered"
    assert partner.call("PUT", path, {"LineItems": [line]}).body["code"] == 800065


def test_a_checkout_is_done_once_for_its_cart(world: World, partner: Cloud, acme: str, clock: Clock) -> None:
    cart = partner.cart(acme, 4)

    first = partner.checkout(acme, cart)
    clock.sleep(5)
    second = partner.checkout(acme, cart)

    assert (first.status, second.status) == (201, 201)
    assert [order["id"] for order in first.body["orders"]] == [order["id"] for order in second.body["orders"]]
    assert whats(world).count("partner-order-placed") == 1
    assert whats(world).count("partner-subscription-created") == 1


def test_an_order_gets_its_subscription_later_and_is_listed_later_still(
    world: World, partner: Cloud, acme: str, clock: Clock
) -> None:
    world.set("delay_subscription", "60")
    world.set("delay_order_list", "900")
    order = partner.buy(acme, 2)
    path = f"/customers/{acme}/orders/{order}"

    placed = partner.get(path).body
    assert (placed["status"], "subscriptionId" in placed["lineItems"][0]) == ("pending", False)
    assert partner.get(f"/customers/{acme}/orders").body["items"] == []
    clock.sleep(60)
    done = partner.get(path).body
    number = done["lineItems"][0]["subscriptionId"]
    assert done["status"] == "completed"
    assert partner.get(f"/customers/{acme}/orders").body["items"] == []
    clock.sleep(840)

    assert [one["id"] for one in partner.get(f"/customers/{acme}/orders").body["items"]] == [order]
    by_order = partner.get(f"/customers/{acme}/subscriptions", order_id=order).body["items"]
    assert [one["id"] for one in by_order] == [number]


def test_units_are_provisioned_after_the_order_is_complete(
    world: World, partner: Cloud, graph: Cloud, acme: str, clock: Clock
) -> None:
    world.set("delay_provisioning", "900")
    order = partner.buy(acme, 2)
    clock.sleep(2)
    path = f"/customers/{acme}/orders/{order}/provisioningstatus"
    number = partner.get(f"/customers/{acme}/orders/{order}").body["lineItems"][0]["subscriptionId"]

    def seen() -> list[int]:
        rows = graph.get("/subscribedSkus").body["value"]
        return [row["prepaidUnits"]["enabled"] for row in rows if row["skuId"] == E3.sku]

    assert (partner.get(path).body["items"][0]["status"], seen()) == ("unfulfilled", [])
    clock.sleep(900)

    assert (partner.get(path).body["items"][0]["status"], seen()) == ("fulfilled", [2])
    status = partner.get(f"/customers/{acme}/subscriptions/{number}/provisioningstatus").body
    assert (status["status"], status["quantity"], status["skuId"].lower()) == ("success", 2, E3.sku)


def test_nothing_is_sold_without_an_agreement(world: World, partner: Cloud) -> None:
    world.load({"microsoft": {"customers": [{"domain": NEWCO, "country": "LT", "agreement": "none"}]}})
    number = partner.get("/customers").body["items"][1]["id"]
    cart = partner.cart(number, 1)

    refused = partner.checkout(number, cart)
    assert (refused.status, refused.body["code"]) == (403, 13605)
    world.change(f"agreement-signed {NEWCO}")

    assert partner.checkout(number, cart).status == 201


@pytest.mark.parametrize(
    ("validation", "code"), [("UnderReview", 800073), ("NotAllowed", 800075), ("Not Ready", 800073)]
)
def test_nothing_is_sold_to_whom_microsoft_has_not_allowed(
    world: World, partner: Cloud, validation: str, code: int
) -> None:
    world.load({"microsoft": {"customers": [{"domain": NEWCO, "country": "LT", "validation": validation}]}})
    number = partner.get("/customers").body["items"][1]["id"]

    refused = partner.checkout(number, partner.cart(number, 1))

    assert (refused.status, refused.body["code"]) == (403, code)


def test_one_cart_becomes_an_order_for_each_group(world: World, partner: Cloud, acme: str) -> None:
    known = {"quantity": 1, "termDuration": "P1Y", "billingCycle": "monthly"}
    lines = [
        {**known, "catalogItemId": partner.item(E3), "orderGroup": "1"},
        {**known, "catalogItemId": partner.item(PREMIUM), "orderGroup": "2"},
    ]
    cart = partner.post(f"/customers/{acme}/carts", {"lineItems": lines}).body["id"]
    world.fault("order-error")

    first = partner.checkout(acme, cart).body
    assert [error["orderGroupId"] for error in first["orderErrors"]] == ["1"]
    second = partner.checkout(acme, cart).body

    assert "orderErrors" not in second
    assert len(first["orders"]) == 1
    assert len(second["orders"]) == 2
    assert whats(world).count("partner-order-placed") == 2


def test_an_expired_cart_is_gone(partner: Cloud, acme: str, clock: Clock) -> None:
    cart = partner.cart(acme)
    clock.sleep(8 * DAY)

    answer = partner.checkout(acme, cart)

    assert (answer.status, answer.body["code"]) == (404, 800008)


@pytest.mark.parametrize(("kind", "code"), [("carts", 800008), ("orders", 20000)])
def test_what_is_not_there_is_not_found(partner: Cloud, acme: str, kind: str, code: int) -> None:
    answer = partner.get(f"/customers/{acme}/{kind}/{acme}")

    assert (answer.status, answer.body["code"]) == (404, code)


def test_an_order_may_wait_for_documents_or_be_cancelled(
    world: World, partner: Cloud, acme: str, clock: Clock
) -> None:
    world.fault("order-documents")
    waiting = partner.buy(acme, 1)
    world.fault("order-cancelled")
    cancelled = partner.buy(acme, 1)
    clock.sleep(10)

    def status(order: str) -> str:
        return str(partner.get(f"/customers/{acme}/orders/{order}").body["status"])

    assert (status(waiting), status(cancelled)) == ("pending po upload", "cancelled")
    assert world.pay(waiting) == "pending"
    clock.sleep(2)
    assert status(waiting) == "completed"
    assert whats(world).count("partner-subscription-created") == 1
    with pytest.raises(ValueError, match="nothing for a person"):
        world.pay(waiting)
    with pytest.raises(ValueError, match="no order"):
        world.pay("nothing")


def test_an_order_may_come_late_and_its_subscription_stay_hidden(
    world: World, partner: Cloud, acme: str, clock: Clock
) -> None:
    world.fault("late-delivery", seconds=600)
    world.fault("delivered-then-404", seconds=300)
    order = partner.buy(acme, 1)
    clock.sleep(599)
    assert partner.get(f"/customers/{acme}/orders/{order}").body["status"] == "pending"
    clock.sleep(5)
    number = partner.get(f"/customers/{acme}/orders/{order}").body["lineItems"][0]["subscriptionId"]

    assert partner.get(f"/customers/{acme}/subscriptions/{number}").status == 404
    clock.sleep(300)

    assert partner.get(f"/customers/{acme}/subscriptions/{number}").status == 200


def test_a_write_that_is_sent_again_under_its_id_is_answered_not_done(
    world: World, partner: Cloud, acme: str
) -> None:
    number = "7d5a5c61-4d6a-4e43-9ab8-0d6b7e3b4c11"
    world.fault("lose-reply-after", path="/partner-center/v1/customers/{}/carts")
    line = {
        "catalogItemId": partner.item(E3),
        "quantity": 1,
        "termDuration": "P1Y",
        "billingCycle": "monthly",
    }

    def send(quantity: int) -> Any:
        body = {"lineItems": [{**line, "quantity": quantity}]}
        return partner.post(f"/customers/{acme}/carts", body, {"MS-RequestId": number})

    assert send(1).reply.lost == "after"
    again = send(1)

    assert (again.status, again.headers["MS-RequestId"]) == (201, number)
    assert whats(world) == ["partner-cart-created"]
    other = send(2)
    assert (other.status, other.body["code"]) == (400, 3000)


def test_a_request_id_is_forgotten_after_a_while(
    world: World, partner: Cloud, acme: str, clock: Clock
) -> None:
    world.set("request_memory", "60")
    line = {
        "catalogItemId": partner.item(E3),
        "quantity": 1,
        "termDuration": "P1Y",
        "billingCycle": "monthly",
    }
    for wait in (0, 59, 2):
        clock.sleep(wait)
        partner.post(f"/customers/{acme}/carts", {"lineItems": [line]}, {"MS-RequestId": "x"})

    assert whats(world) == ["partner-cart-created"] * 2
