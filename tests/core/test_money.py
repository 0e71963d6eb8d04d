"""What an action costs, who is asked for it, and when a price stops a purchase."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.model import Contract, Money, Price, Quote
from reconciler.core.money import Ask, ask, asks, buys, dearer, fallback, priced, rise, with_monthly
from reconciler.core.plan import Plan, Unmanaged, cost
from reconciler.core.workspace import Price as WorkspacePrice
from tests.core.makers import ENDS, PRICE, SERVICE, action, service

BUSINESS = {"product": "business", "scope": SERVICE}


def euro(amount: str, one_off: str = "0") -> Price:
    return Price(monthly=Decimal(amount), one_off=Decimal(one_off), currency="EUR", source="cart")


def of(verb: Verb, quantity: int | None = None, **more: Any) -> Action:
    detail = {**BUSINESS, **({} if quantity is None else {"quantity": quantity})}
    return action(verb, **{"detail": detail, **more})


@pytest.mark.parametrize(
    ("one", "pool", "wanted"),
    [
        (of(Verb.ORDER, 3), True, (3, 1)),
        (of(Verb.RESIZE, 2), True, (2, 1)),
        (of(Verb.RESIZE, -2), True, (1, -2)),
        (of(Verb.RESIZE, 0), True, (1, 0)),
        (of(Verb.CANCEL, before={"seats": 4}), True, (1, -4)),
        (of(Verb.CANCEL, before={"service": SERVICE}), False, None),
        (of(Verb.ORDER), False, None),
        (of(Verb.ACTIVATE), True, None),
        (of(Verb.ACTIVATE), False, (1, 1)),
        (of(Verb.DEACTIVATE), False, (1, -1)),
        (of(Verb.UPDATE), False, None),
        (action(Verb.ORDER), True, None),
    ],
)
def test_who_is_asked_for_how_many_seats(one: Action, *, pool: bool, wanted: tuple[int, int] | None) -> None:
    found = ask(one, pool=pool)

    assert found == (wanted and (Ask("business", wanted[0], SERVICE), wanted[1]))


def plan(*actions: Action) -> Plan:
    return Plan(tenant="acme", provider="ovh-prepaid", account="main", actions=actions)


def test_every_action_has_its_question_or_none() -> None:
    one = plan(of(Verb.RESIZE, 2), of(Verb.ORDER, 2), of(Verb.UPDATE))

    two = (Ask("business", 2, SERVICE), 1)
    assert asks(one, pool=True) == [two, two, None]


def test_a_price_and_the_contracts_stand_on_what_is_bought() -> None:
    contract = Contract(name="terms", url="https://x.example")
    quote = Quote(price=euro("21.00", "5.00"), contracts=(contract,))

    one = plan(of(Verb.RESIZE, 2), of(Verb.RESIZE, -3), of(Verb.UPDATE))

    buy, fewer, other = priced(
        one,
        asks(one, pool=True),
        {Ask("business", 2, SERVICE): quote, Ask("business", 1, SERVICE): Quote(price=euro("10.50", "5.00"))},
    ).actions

    assert (buy.price, buy.contracts) == (euro("21.00", "5.00"), (contract,))
    assert (fewer.price, fewer.contracts) == (euro("-31.50"), ())
    assert other.price is None


@pytest.mark.parametrize("quotes", [{}, {Ask("business", 2, SERVICE): Quote()}])
def test_an_unknown_price_stays_unknown(quotes: dict[Ask, Quote]) -> None:
    one = plan(of(Verb.RESIZE, 2))

    assert priced(one, asks(one, pool=True), quotes).actions[0].price is None


class TestFallback:
    prices = (
        WorkspacePrice(product="Business", amount=Decimal("10.50"), currency="EUR", per="month"),
        WorkspacePrice(product="suite", amount=Decimal(120), currency="USD", per="year"),
    )

    def test_a_month_is_a_month_and_a_year_twelve(self) -> None:
        month = fallback(Ask("business", 2, None), self.prices, [])
        year = fallback(Ask("11", 2, None), self.prices, ["Suite"])

        assert month == Price(
            monthly=Decimal("21.00"), one_off=Decimal(0), currency="EUR", source="workspace"
        )
        assert year is not None
        assert (year.monthly, year.currency) == (Decimal("20.00"), "USD")

    def test_what_is_not_written_is_not_known(self) -> None:
        assert fallback(Ask("x", 1, None), self.prices, []) is None


def test_unmanaged_groups_are_shown_with_what_they_cost() -> None:
    unmanaged = (
        Unmanaged(address=f"group/{SERVICE}", ref=SERVICE, product="pro-plus"),
        Unmanaged(address=f"seat/{SERVICE}/zoe@{SERVICE}", ref=f"{SERVICE}-1"),
        Unmanaged(address="group/other", ref="other", product="business"),
    )
    held = [
        service(None, None),
        service(None, product="pro-plus"),
        service(None, product="x"),
        service(ref="empty"),
    ]
    units = {"business": euro("10.00"), "pro-plus": euro("15.00")}

    known = with_monthly(unmanaged, held, units)

    assert [one.monthly for one in known] == [Money(Decimal("15.00"), "EUR"), None, None]


def test_the_bill_rises_per_currency_by_what_is_done_at_once() -> None:
    dollars = replace(PRICE, currency="USD")
    some = [action(price=PRICE), action(price=PRICE, scheduled_for=ENDS), action(price=dollars)]

    total, unknown = rise([*some, of(Verb.ORDER, 2)])

    assert total == {"EUR": Decimal("10.50"), "USD": Decimal("10.50")}
    assert unknown == ("business",)


@pytest.mark.parametrize(
    ("one", "bought"),
    [
        (of(Verb.ORDER, 2), True),
        (of(Verb.ORDER, how="by-hand"), False),
        (of(Verb.RESIZE, 2), True),
        (of(Verb.RESIZE, 0), False),
        (of(Verb.RESIZE, -1, before={"seats": 2}, after={"seats": 1}), False),
        (action(Verb.ACTIVATE, "seat/a/b", detail={"provider": "ovh-payg"}), True),
        (action(Verb.ACTIVATE, "seat/a/b", detail={"provider": "ovh-prepaid"}), False),
        (of(Verb.CANCEL), False),
    ],
)
def test_what_a_purchase_is(one: Action, *, bought: bool) -> None:
    assert buys(one) is bought


@pytest.mark.parametrize(
    ("planned", "quoted", "stops"),
    [
        (euro("10"), euro("10.01"), True),
        (euro("10"), euro("10"), False),
        (euro("10"), euro("9"), False),
        (euro("10", "0"), euro("10", "99"), False),
        (euro("10"), replace(euro("99"), source="catalog"), False),
        (euro("10"), replace(euro("9"), currency="USD"), True),
        (None, euro("10"), False),
        (euro("10"), None, False),
    ],
)
def test_only_a_higher_recurring_price_from_the_same_source_stops(
    planned: Price | None, quoted: Price | None, *, stops: bool
) -> None:
    assert dearer(planned, quoted) is stops


def test_the_cost_of_a_run_is_told_per_currency_and_what_is_unknown_is_counted() -> None:
    dollars = replace(PRICE, currency="USD")

    euros, usd = cost([action(price=PRICE), action(price=dollars), of(Verb.ORDER, 2), of(Verb.UPDATE)])
    (nothing,) = cost([of(Verb.ORDER, 2)])

    assert (euros.currency, euros.monthly_change, euros.unknown) == ("EUR", Decimal("10.50"), 1)
    assert usd.currency == "USD"
    assert nothing.currency is None
    assert nothing.monthly_change == 0
    assert nothing.unknown == 1
    assert cost([]) == ()


@pytest.mark.parametrize(
    ("verb", "unknown"), [(Verb.ACTIVATE, 1), (Verb.DEACTIVATE, 1), (Verb.ORDER, 0), (Verb.CANCEL, 0)]
)
def test_pay_as_you_go_people_are_what_has_a_price_there(verb: Verb, unknown: int) -> None:
    costs = cost([action(verb, detail={"provider": "ovh-payg"})])

    assert sum(one.unknown for one in costs) == unknown
