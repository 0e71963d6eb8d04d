"""Prices without buying: from a preview's lines, from the catalogue, or none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from reconciler.core.errors import Rejected
from reconciler.core.model import Quote
from reconciler.providers.ovh.carts import Wanted, priced
from reconciler.providers.ovh.wire import Order
from reconciler.providers.published import parse
from tests.providers.rig import GROUP, PAYG, RESELLER, Open

pytestmark = pytest.mark.anyio


def price(value: float) -> dict[str, Any]:
    return {"currencyCode": "EUR", "value": value, "text": ""}


def line(kind: str, total: float, original: float | None = None) -> dict[str, Any]:
    full = {} if original is None else {"originalTotalPrice": price(original)}
    return {"detailType": kind, "totalPrice": price(total), **full}


@pytest.mark.parametrize(
    ("details", "monthly", "one_off"),
    [
        ([line("DURATION", 21)], "21.00", "0"),
        ([line("DURATION", 21), line("INSTALLATION", 5)], "21.00", "5.00"),
        ([line("DURATION", 0, 21)], "21.00", "0"),  # a first month for nothing is followed by others
        ([line("RENEW", 10.5), line("SOMETHING NEW", 1)], "11.50", "0"),
    ],
)
def test_what_comes_every_month_is_told_from_what_is_paid_once(
    details: list[dict[str, Any]], monthly: str, one_off: str
) -> None:
    quote = priced(parse(Order, {"details": details, "contracts": [{"name": "C", "url": "u"}]}))

    assert quote.price is not None
    assert (quote.price.monthly, quote.price.one_off) == (Decimal(monthly), Decimal(one_off))
    assert [one.name for one in quote.contracts] == ["C"]


def test_a_preview_without_lines_has_its_total_and_one_without_prices_none() -> None:
    total = priced(parse(Order, {"prices": {"withoutTax": price(42)}}))

    assert total.price is not None
    assert total.price.monthly == Decimal(42)
    assert priced(parse(Order, {})) == Quote()


def test_a_product_that_is_not_sold_is_refused() -> None:
    with pytest.raises(Rejected, match="sells no prepaid"):
        _ = Wanted(product="visio", quantity=1, scope=None).plan


@pytest.mark.parametrize(
    ("kind", "scope", "product"),
    [("ovh-prepaid", GROUP, "business"), ("ovh-payg", PAYG, "business"), ("ovh-csp2", RESELLER, "Business")],
)
async def test_where_no_price_can_be_had_it_is_unknown_and_no_failure(
    open_rig: Open, kind: str, scope: str, product: str
) -> None:
    rig = await open_rig(kind, scope, writes=False)
    rig.world.fault("error-before", times=99, path="/order/*")
    rig.world.fault("error-before", times=99, path="/price/*")

    assert await rig.account.quote(product, 2, scope=scope) == Quote()


async def test_a_licence_that_the_price_route_knows_has_its_price(open_rig: Open) -> None:
    rig = await open_rig("ovh-csp2", RESELLER, writes=False)

    quote = await rig.account.quote("Business", 2, scope=RESELLER)

    assert quote.price is not None
    assert (quote.price.monthly, quote.price.source) == (Decimal("19.80"), "price-route")
