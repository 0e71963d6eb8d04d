"""Partner Center's documented answers, read by the models; its samples lie beside the project."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from reconciler.core.model import Tranche
from reconciler.providers.microsoft import refusals
from reconciler.providers.microsoft.partner_center import holdings
from reconciler.providers.microsoft.partner_center.account import priced
from reconciler.providers.microsoft.partner_center.wire import (
    Address,
    Availability,
    Cart,
    Checkout,
    Country,
    Customer,
    Order,
    Signed,
    Sku,
    Subscription,
    Validation,
)
from reconciler.providers.microsoft.wire import Page
from reconciler.providers.published import parse
from tests.sandbox.microsoft import specs

NOW = datetime(2021, 1, 20, tzinfo=UTC)


def body(name: str) -> Any:
    specs.needed()
    return specs.sample(name)["response"]


def subscription(name: str, **changed: Any) -> Subscription:
    return parse(Subscription, {**body(name), **changed})


def test_a_new_commerce_subscription_is_read() -> None:
    found = holdings.holding(
        subscription("pc-subscription-get-nce-expired"), scope="acme", sku="sku", now=NOW
    )

    assert (found.ref, found.product) == ("a4c1340d-6911-4758-bba3-0c4c6007d161", "CFQ7TTC0LH18:0001")
    assert (found.seats, found.term, found.billing) == (15, "P1Y", "monthly")
    assert (found.status, found.renewal) == ("expired", "off")
    # 2022-01-13 is the last day of its term, included.
    assert (found.renews_on, found.ends_on) == (None, date(2022, 1, 14))
    until = datetime(2021, 1, 24, 20, 39, 17, 182697, UTC)
    assert found.refundable == (Tranche(10, until),)
    assert found.cancel_until == datetime(2021, 1, 15, tzinfo=UTC)
    assert "only bought anew" in found.frozen
    assert found.notices == ()


def test_what_may_be_given_back_ends_with_its_time() -> None:
    one = subscription("pc-subscription-quantity-nce-decrease")

    assert holdings.tranches(one, datetime(2021, 2, 1, tzinfo=UTC)) == ()
    assert [each.seats for each in holdings.tranches(one, NOW) or ()] == [1]


def test_what_is_scheduled_is_read_with_its_term_and_billing() -> None:
    one = subscription("pc-subscription-schedule-change")

    assert holdings.scheduled(one) == {"seats": 1, "term": "P3Y", "billing": "annual"}
    assert any(
        "DG7GMGF0DVSV:000P" in said for said in holdings.notices(one, datetime(2019, 1, 5, tzinfo=UTC))
    )


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("pc-subscription-autorenew-nce", "request"),
        ("pc-subscription-rename-nce", "request"),
        ("pc-subscription-suspend", "response"),
        ("pc-subscription-quantity-legacy", "response"),
    ],
)
def test_every_documented_subscription_is_read(name: str, part: str) -> None:
    specs.needed()
    one = parse(Subscription, specs.sample(name)[part])

    assert one.id
    assert one.quantity >= 1
    assert holdings.holding(one, scope="acme", sku="", now=NOW).seats == one.quantity


def test_what_was_sold_before_the_new_commerce_may_go_up_and_down() -> None:
    for raw in body("pc-subscription-list-legacy")["items"]:
        one = parse(Subscription, raw)

        assert not one.modern
        assert holdings.tranches(one, NOW) is None
        assert one.product == one.offer_id.upper()


def test_a_list_is_read() -> None:
    for name in ("pc-customer-list", "pc-order-list", "pc-subscription-list-legacy", "pc-skus-nce"):
        assert parse(Page, body(name)).items


def test_a_cart_is_priced_for_a_month_of_its_term() -> None:
    cart = parse(Cart, body("pc-cart-create-nce"))

    price = priced(cart).price

    assert cart.status == "active"
    assert cart.expiration_timestamp == datetime(2023, 7, 18, 21, 16, 17, 248048, UTC)
    assert price is not None
    # The sample's whole term costs 364.80, twelve months of 30.40.
    assert (price.monthly, price.currency, price.source) == (Decimal("30.40"), "USD", "cart")


def test_a_line_with_an_error_has_no_price() -> None:
    raw = body("pc-cart-create-nce")
    wrong = {"error": {"errorCode": 10001, "errorDescription": "CatalogItemIdIsNotValid"}}
    cart = parse(Cart, {**raw, "lineItems": [{**raw["lineItems"][0], **wrong}]})

    assert priced(cart).price is None
    assert cart.line_items[0].error is not None
    assert cart.line_items[0].error.error_code == "10001"


def test_a_checkout_gives_its_orders() -> None:
    made = parse(Checkout, body("pc-cart-checkout"))

    assert made.orders[0].id == "3c6f2530-1e31-4088-8230-dd1c31a18bce"
    assert made.order_errors == ()
    assert made.orders[1].line_items[0].subscription_id == ""


def test_an_order_is_read() -> None:
    one = parse(Order, body("pc-cart-checkout-nce-order"))

    assert (one.id, one.status) == ("a68736758d9c", "pending")
    line = one.line_items[0]
    assert (line.product, line.quantity, line.transaction_type) == ("CFQ7TTC0LF8S:0001", 1, "new")
    assert line.subscription_id == "0c353b8e-da9d-4007-d0d4-bca8bd5b5ce1"
    assert one.creation_date == datetime(2023, 4, 18, 22, 3, 45, 450513, UTC)


def test_the_directorys_name_of_a_product_is_in_the_catalogue() -> None:
    sku = parse(Sku, body("pc-skus-nce")["items"][0])

    assert (sku.id, sku.product_id, sku.maximum_quantity) == ("0001", "CFQ7TTC0LH18", 300)
    assert sku.directory == "3b555118-da6a-4418-894f-7df1e2096870"


def test_what_can_be_bought_says_for_how_long_and_how_it_is_billed() -> None:
    one = parse(Availability, body("pc-availabilities-nce"))

    assert one.catalog_item_id == "CFQ7TTC0LH18:0001:CFQ7TTC0K971"
    assert [(term.duration, term.billing_cycle) for term in one.terms] == [("P1Y", "annual")]


def test_the_first_password_is_read_into_nothing() -> None:
    raw = body("pc-customer-create")

    made = parse(Customer, raw)

    assert (made.id, made.domain) == ("dfd8cc0a-c592-468c-8461-869a38d24738", "xyz.ccsctp.net")
    assert raw["userCredentials"]["password"] not in repr(made)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("pc-customer-validation-status-allowed", "Allowed"),
        ("pc-customer-validation-status-not-allowed", "NotAllowed"),
        ("pc-customer-validation-status-not-ready", "Not Ready"),
    ],
)
def test_the_state_of_a_review_is_read(name: str, status: str) -> None:
    assert parse(Validation, body(name)).status == status


def test_what_is_asked_of_a_customer_is_read() -> None:
    rules = parse(Country, body("pc-country-validation-rules"))

    assert rules.is_state_required
    assert rules.states is not None
    assert "WA" in rules.states.value
    assert parse(Signed, body("pc-agreement-direct-signed")).is_signed
    assert parse(Address, body("pc-address-validate-verified-shippable")).status == "VerifiedShippable"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("pc-subscription-quantity-nce-decrease-refused", "800090"),
        ("pc-agreement-create-duplicate", "600061"),
        ("pc-429", "429"),
    ],
)
def test_every_documented_refusal_is_read(name: str, code: str) -> None:
    found = refusals.read(body(name))

    assert found is not None
    assert found.code == code
    assert found.message


@pytest.mark.parametrize("written", ["2023-07-11T21:16:11.55149Z", "2023-07-11T21:16:11.5515713Z"])
def test_a_moment_may_have_any_number_of_digits(written: str) -> None:
    found = parse(Order, {"id": "x", "creationDate": written}).creation_date

    assert found is not None
    assert found.replace(microsecond=0) == datetime(2023, 7, 11, 21, 16, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2018-03-06T17:37:05.253-08:00", datetime(2018, 3, 7, 1, 37, 5, 253000, UTC)),
        ("2019-01-09T00:21:45.9263727", datetime(2019, 1, 9, 0, 21, 45, 926372, UTC)),
        ("2015-11-25T06: 41: 12Z", datetime(2015, 11, 25, 6, 41, 12, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_a_moment_without_a_zone_is_utc(written: str | None, at: datetime | None) -> None:
    assert parse(Order, {"id": "x", "creationDate": written}).creation_date == at


@pytest.mark.parametrize("number", [12, None, "", [], True])
def test_an_id_is_a_text_and_nothing_else(number: Any) -> None:
    with pytest.raises(ValueError, match="id"):
        parse(Order, {"id": number})
