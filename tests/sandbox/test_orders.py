"""Carts, checkouts and what becomes of orders."""

import json

import pytest

from reconciler.sandbox.world import World
from tests.sandbox.makers import ACME, BUSINESS, ENTERPRISE, Api, Clock


def placed(world: World) -> list[dict[str, object]]:
    return [entry for entry in world.ledger() if entry["what"] == "order-placed"]


def statuses(api: Api, clock: Clock, number: int, *, steps: int = 4) -> list[str]:
    seen = []
    for _ in range(steps):
        seen.append(api.get(f"/me/order/{number}/status").body)
        clock.sleep(1)
    return seen


def test_an_order_is_checked_delivering_and_delivered(api: Api, clock: Clock) -> None:
    number = api.order()

    assert statuses(api, clock, number) == ["checking", "delivering", "delivering", "delivered"]


def test_seats_are_added_to_the_group_that_was_named(api: Api, clock: Clock, world: World) -> None:
    number = api.order(quantity=2)
    clock.sleep(4)

    assert api.get("/license/officePrepaid").body[-2:] == [f"{ACME}-1004", f"{ACME}-1005"]
    assert placed(world)[0]["lines"] == [{"plan": BUSINESS, "quantity": 2, "target": ACME}]
    assert [entry["order"] for entry in world.ledger() if entry["what"] == "order-delivered"] == [number]


def test_an_order_that_names_no_group_makes_a_new_one(api: Api, clock: Clock) -> None:
    number = api.order(tenant=None, plan=ENTERPRISE)
    clock.sleep(4)

    detail = api.get(f"/me/order/{number}/details").body[0]
    service = api.get(f"/me/order/{number}/details/{detail}").body["domain"]
    seat = api.get(f"/license/officePrepaid/{service}").body
    assert seat["tenantServiceName"].endswith(".o365.ovh.com")
    assert seat["tenantServiceName"] != ACME
    assert (seat["licences"], seat["isVirtual"]) == (["officeProPlus"], True)


def test_a_detail_names_its_service_only_once_it_is_delivered(api: Api, clock: Clock) -> None:
    number = api.order()
    path = f"/me/order/{number}/details/{api.get(f'/me/order/{number}/details').body[0]}"
    before = api.get(path).body["domain"]
    clock.sleep(3)

    extension = api.get(path + "/extension").body["order"]
    assert before == "*001"
    assert api.get(path).body["domain"] == f"{ACME}-1004"
    assert extension["plan"]["code"] == BUSINESS
    assert extension["configurations"] == [{"label": "existing_tenant_service_name", "value": ACME}]


def test_details_may_come_one_a_seat(api: Api, clock: Clock, world: World) -> None:
    world.set("details", "per-seat")
    number = api.order(quantity=3)
    clock.sleep(3)

    details = [
        api.get(f"/me/order/{number}/details/{one}").body
        for one in api.get(f"/me/order/{number}/details").body
    ]
    assert [(one["domain"], one["quantity"]) for one in details] == [
        (f"{ACME}-1004", "1"),
        (f"{ACME}-1005", "1"),
        (f"{ACME}-1006", "1"),
    ]


def test_a_delivered_seat_is_listed_before_it_can_be_read(api: Api, clock: Clock) -> None:
    api.order()
    clock.sleep(3)
    seat = api.get("/license/officePrepaid").body[-1]

    early = api.get(f"/license/officePrepaid/{seat}").status
    clock.sleep(1)

    assert (early, api.get(f"/license/officePrepaid/{seat}").status) == (404, 200)


def test_a_checkout_closes_the_cart(api: Api, world: World) -> None:
    cart = api.cart()
    api.post(f"/order/cart/{cart}/checkout", autoPayWithPreferredPaymentMethod=True)

    again = api.post(f"/order/cart/{cart}/checkout", autoPayWithPreferredPaymentMethod=True)

    assert again.status == 400
    assert api.get(f"/order/cart/{cart}").body["readOnly"]
    assert api.delete(f"/order/cart/{cart}").status == 400
    assert len(placed(world)) == 1


def test_a_dry_run_orders_nothing_and_names_the_contracts(api: Api, world: World) -> None:
    answer = api.get(f"/order/cart/{api.cart(quantity=2)}/checkout").body

    assert (answer["orderId"], answer["url"]) == (None, None)
    assert answer["prices"]["withoutTax"]["value"] == 21.0
    assert answer["prices"]["withTax"]["value"] == 25.2
    assert all(contract["url"] for contract in answer["contracts"])
    assert placed(world) == []


def test_carts_are_found_by_their_description_until_they_expire(api: Api, clock: Clock) -> None:
    cart = api.cart(description="plan 7f3a")
    found = api.get("/order/cart", description="plan 7f3a").body
    clock.sleep(24 * 3600)

    assert found == [cart]
    assert api.get("/order/cart", description="plan 7f3").body == []
    assert api.get(f"/order/cart/{cart}").status == 404


def test_a_cart_must_be_assigned_before_its_checkout(api: Api) -> None:
    cart = api.post("/order/cart", ovhSubsidiary="FR").body["cartId"]
    api.post(
        f"/order/cart/{cart}/officePrepaid",
        planCode=BUSINESS,
        duration="P1M",
        pricingMode="default",
        quantity=1,
    )

    assert api.get(f"/order/cart/{cart}/checkout").status == 400
    assert api.get("/order/cart").body == []


@pytest.mark.parametrize(
    "terms",
    [
        {"planCode": "bogus"},
        {"duration": "P1Y"},
        {"duration": "1 month"},
        {"pricingMode": "upfront"},
        {"quantity": 0},
    ],
)
def test_terms_that_are_not_sold_are_refused(api: Api, terms: dict[str, object]) -> None:
    cart = api.post("/order/cart", ovhSubsidiary="FR").body["cartId"]
    good = {"planCode": BUSINESS, "duration": "P1M", "pricingMode": "default", "quantity": 1}

    assert api.post(f"/order/cart/{cart}/officePrepaid", **good | terms).status == 400


def test_an_unknown_group_is_found_out_at_the_checkout(api: Api) -> None:
    answer = api.get(f"/order/cart/{api.cart(tenant='nobody.o365.ovh.com')}/checkout")

    assert answer.status == 400
    assert "nobody.o365.ovh.com" in answer.body["message"]


def test_a_label_set_twice_is_found_out_at_the_checkout(api: Api) -> None:
    cart = api.cart()
    item = api.get(f"/order/cart/{cart}/item").body[0]
    api.post(
        f"/order/cart/{cart}/item/{item}/configuration", label="existing_tenant_service_name", value=ACME
    )

    message = api.get(f"/order/cart/{cart}/checkout").body["message"]

    assert message == f"Custom field existing_tenant_service_name is duplicated for product {BUSINESS}"


def test_the_business_seat_beyond_the_limit_is_refused_with_what_is_coming(api: Api, world: World) -> None:
    world.set("business_limit", "5")
    api.order(quantity=2)

    assert api.get(f"/order/cart/{api.cart(quantity=1)}/checkout").status == 400
    assert api.get(f"/order/cart/{api.cart(quantity=1, plan=ENTERPRISE)}/checkout").status == 200


def test_paying_by_itself_needs_a_default_payment_method(api: Api, world: World) -> None:
    world.load({"account": {"default_payment": False}})
    cart = api.cart()

    refused = api.post(f"/order/cart/{cart}/checkout", autoPayWithPreferredPaymentMethod=True)

    assert api.get("/me/payment/method", default="true").body == []
    assert refused.status == 400
    assert not api.get(f"/order/cart/{cart}").body["readOnly"]
    assert placed(world) == []


def test_an_order_that_is_not_paid_waits_for_a_person(api: Api, clock: Clock, world: World) -> None:
    number = api.post(f"/order/cart/{api.cart()}/checkout").body["orderId"]
    clock.sleep(3600)
    before = api.get(f"/me/order/{number}/status").body

    world.pay(number)
    clock.sleep(3)

    assert (before, api.get(f"/me/order/{number}/status").body) == ("notPaid", "delivered")


def test_an_order_is_paid_with_a_registered_method(api: Api) -> None:
    number = api.post(f"/order/cart/{api.cart()}/checkout").body["orderId"]

    unknown = api.post(f"/me/order/{number}/pay", paymentMethod={"id": 5})
    wrong = api.post(f"/me/order/{number}/payWithRegisteredPaymentMean", paymentMean="bankAccount")
    right = api.post(f"/me/order/{number}/payWithRegisteredPaymentMean", paymentMean="creditCard")

    assert (unknown.status, wrong.status, right.status) == (404, 403, 200)
    assert wrong.body == {"message": "This order can't be paid with 'bankAccount'"}
    assert api.get(f"/me/order/{number}/status").body == "checking"


def test_orders_are_listed_by_date(api: Api, clock: Clock) -> None:
    first = api.order()
    clock.sleep(3600)
    second = api.order()

    since = clock().isoformat()
    assert api.get("/me/order").body == [second, first]
    assert api.get("/me/order", None, **{"date.from": since}).body == [second]
    assert api.get("/me/order", None, **{"date.from": "2026-04-01T00:00:00Z"}).body == []


def test_the_secret_of_an_order_is_in_its_links(api: Api) -> None:
    number = api.order()
    order = api.get(f"/me/order/{number}").body

    assert "orderPassword=" in order["url"]
    assert order["url"] in order["pdfUrl"]
    assert order["password"]


def test_waived_orders_cannot_be_withdrawn_from(api: Api, clock: Clock) -> None:
    waived = api.post(
        f"/order/cart/{api.cart()}/checkout",
        autoPayWithPreferredPaymentMethod=True,
        waiveRetractationPeriod=True,
    ).body["orderId"]
    kept = api.order()
    clock.sleep(4)

    assert api.post(f"/me/order/{waived}/retraction", reason="other").status == 400
    assert api.post(f"/me/order/{kept}/retraction", reason="other").status == 200
    assert api.get(f"/me/order/{kept}/status").body == "cancelled"
    assert len(api.get("/license/officePrepaid").body) == 4


def test_seats_are_added_through_the_service_option_route(api: Api, clock: Clock) -> None:
    cart = api.post("/order/cart", ovhSubsidiary="FR").body["cartId"]
    api.post(f"/order/cart/{cart}/assign")
    terms = {"duration": "P1M", "pricingMode": "default", "quantity": 1, "planCode": BUSINESS, "cartId": cart}
    api.post(f"/order/cartServiceOption/officePrepaid/{ACME}", **terms)
    api.post(f"/order/cart/{cart}/checkout", autoPayWithPreferredPaymentMethod=True)
    clock.sleep(4)

    assert api.get("/license/officePrepaid").body[-1] == f"{ACME}-1004"


def test_office_attach_delivers_seats_with_people_on_them(api: Api, clock: Clock) -> None:
    cart = api.post("/order/cart", ovhSubsidiary="FR").body["cartId"]
    api.post(f"/order/cart/{cart}/assign")
    terms = {"duration": "P1M", "pricingMode": "default", "quantity": 1}
    tenant = api.post(f"/order/cart/{cart}/office365Prepaid", **terms, planCode="office-tenant").body[
        "itemId"
    ]
    option = {**terms, "planCode": "office-business-pp", "itemId": tenant}
    seat = api.post(f"/order/cart/{cart}/office365Prepaid/options", **option).body["itemId"]
    for label, value in (("firstName", "Ada"), ("lastName", "Lovelace"), ("login", "ada")):
        api.post(f"/order/cart/{cart}/item/{seat}/configuration", label=label, value=value)
    api.post(f"/order/cart/{cart}/checkout", autoPayWithPreferredPaymentMethod=True)
    clock.sleep(4)

    found = api.get(f"/license/officePrepaid/{api.get('/license/officePrepaid').body[-1]}").body
    assert (found["firstName"], found["isVirtual"]) == ("Ada", False)
    assert found["activationEmail"] == f"ada@{found['tenantServiceName']}"


def test_an_order_of_somebody_else_stays_on_its_way_until_it_is_set_going(
    api: Api, clock: Clock, world: World
) -> None:
    world.load({"orders": [{"licence": "business", "quantity": 2, "service": ACME, "status": "delivering"}]})
    number = api.get("/me/order").body[0]
    clock.sleep(24 * 3600)
    before = api.get(f"/me/order/{number}/status").body

    world.pay(number)

    assert (before, api.get(f"/me/order/{number}/status").body) == ("delivering", "delivered")
    assert len(api.get("/license/officePrepaid").body) == 5


def test_realistic_orders_take_hours(api: Api, clock: Clock, world: World) -> None:
    world.set("realistic", "on")
    number = api.order()
    clock.sleep(3 * 3600)
    before = api.get(f"/me/order/{number}/status").body
    clock.sleep(3600)

    assert (before, api.get(f"/me/order/{number}/status").body) == ("delivering", "delivered")


def test_catalogue_prices_are_whole_numbers_of_hundred_millionths(api: Api) -> None:
    catalog = api.get("/order/catalog/public/officePrepaid", ovhSubsidiary="FR").body

    price = catalog["plans"][1]["pricings"][0]
    assert (price["price"], price["tax"]) == (1705000000, 341000000)
    assert json.dumps(price["price"]) == "1705000000"
