"""Answers as published, and as they may come one day."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from reconciler.providers.ovh.wire import Amount, Seat, Service, Subscription
from reconciler.providers.published import parse


@pytest.mark.parametrize(
    ("given", "amount"),
    [
        ({"priceInUcents": 1705000000, "value": 17.05}, "17.05"),
        ({"value": 17.05}, "17.05"),
        ({"value": 3}, "3.00"),
        ({"value": None, "priceInUcents": None}, "0.00"),
        ({"priceInUcents": 12345}, "0.00012345"),
        ({"priceInUcents": 10**40}, "1E+32"),
    ],
)
def test_a_price_is_exact(given: dict[str, Any], amount: str) -> None:
    assert parse(Amount, {"currencyCode": "EUR", **given}).amount == Decimal(amount)


def test_new_fields_and_words_are_let_pass() -> None:
    seat = parse(Seat, {"serviceName": "a-1", "status": "unspending", "new": {"x": 1}, "iam": None})

    assert seat.status == "unspending"
    assert not seat.settled


def test_numbers_may_come_as_text_and_dates_as_moments() -> None:
    assert parse(Subscription, {"id": "7", "licenseId": 1, "quantity": "3"}).quantity == 3
    assert str(parse(Service, {"expiration": "2027-02-15T00:00:00+01:00"}).expiration) == "2027-02-15"


@pytest.mark.parametrize("body", [None, [], "x", {"id": {}}, {"id": 1, "licenseId": 1, "quantity": "many"}])
def test_another_shape_is_told_by_field_and_without_its_values(body: Any) -> None:
    with pytest.raises(ValueError, match=r"^(the body|id|licenseId|quantity): ") as caught:
        parse(Subscription, body)

    assert "many" not in str(caught.value)
