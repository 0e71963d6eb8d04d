"""Every guard exactly as written, how it is lifted once, and whom it protects."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from reconciler.core.action import Action, Verb
from reconciler.core.errors import UsageError
from reconciler.core.model import Price
from reconciler.core.open import Spending
from reconciler.core.plan import Exceeded, Plan
from reconciler.core.policy import Allowances, Work, allowances, exceeded, work_of
from reconciler.core.workspace import Limit, Policy
from tests.core.makers import ENDS, NOW, action

DEFAULT = (Policy(),)
FREE = Policy(max_seats_per_action=10**6, max_cancellations=10**6, max_deactivations=10**6)


def limit(amount: str = "100.00", currency: str = "EUR") -> Policy:
    return FREE.model_copy(update={"max_monthly_increase": Limit(amount=Decimal(amount), currency=currency)})


def costs(amount: str, currency: str = "EUR", **more: Any) -> Action:
    price = Price(monthly=Decimal(amount), one_off=Decimal(0), currency=currency, source="catalog")
    return action(price=price, detail={"quantity": 1}, **more)


def unknown(**more: Any) -> Action:
    return action(Verb.ORDER, after={"seats": 3}, **more)


def leave(n: int, group: str = "office") -> Action:
    return action(Verb.DEACTIVATE, f"seat/{group}/p{n}")


def judge(
    *actions: Action,
    policies: Any = DEFAULT,
    allow: Any = (),
    spent: Any = (),
    seated: Any = None,
    now: datetime = NOW,
) -> list[Exceeded]:
    work = Work(actions={"acme": actions}, spending=tuple(spent), seated=seated or {})
    return list(exceeded(work, policies, allowances(allow), now))


def rules(found: list[Exceeded]) -> list[str]:
    return [one.rule for one in found]


class TestIncrease:
    def test_up_to_the_limit_is_fine(self) -> None:
        assert not judge(costs("60"), costs("40"), policies=[limit()])

    def test_above_it_names_number_and_limit_and_how_to_lift_it(self) -> None:
        (found,) = judge(costs("100.01"), policies=[limit()])

        assert (found.number, found.limit) == ("100.01", "100.00")
        assert "--allow max_monthly_increase=100.01" in found.hint

    def test_without_a_limit_there_is_none(self) -> None:
        assert not judge(costs("99999"), policies=[FREE])

    def test_what_falls_makes_room_for_what_rises(self) -> None:
        assert not judge(costs("150"), costs("-60"), policies=[limit()])

    def test_what_falls_later_makes_no_room(self) -> None:
        assert judge(costs("150"), costs("-60", scheduled_for=ENDS), policies=[limit()])

    def test_what_this_month_added_counts(self) -> None:
        spent = [Spending(NOW, "EUR", Decimal(50))]

        (found,) = judge(costs("60"), policies=[limit()], spent=spent)

        assert found.number == "110"
        assert "after 50 EUR this month" in found.message

    @pytest.mark.parametrize(
        ("at", "counts"),
        [
            (datetime(2026, 10, 31, 23, 59, tzinfo=UTC), False),
            (datetime(2026, 11, 1, 0, 0, tzinfo=UTC), True),
            (datetime(2026, 11, 1, 1, 0, tzinfo=timezone(timedelta(hours=2))), False),
            (datetime(2025, 11, 21, tzinfo=UTC), False),
        ],
    )
    def test_the_month_is_the_calendars_in_utc(self, at: datetime, *, counts: bool) -> None:
        assert (
            bool(judge(costs("60"), policies=[limit()], spent=[Spending(at, "EUR", Decimal(50))])) is counts
        )

    def test_the_present_is_taken_in_utc_too(self) -> None:
        spent = [Spending(datetime(2026, 10, 31, tzinfo=UTC), "EUR", Decimal(50))]
        now = datetime(2026, 11, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))

        assert judge(costs("60"), policies=[limit()], spent=spent, now=now)

    def test_a_month_that_fell_makes_no_room(self) -> None:
        assert judge(costs("110"), policies=[limit()], spent=[Spending(NOW, "EUR", Decimal(-50))])

    def test_a_run_that_costs_nothing_more_is_never_stopped(self) -> None:
        assert not judge(costs("-1"), policies=[limit()], spent=[Spending(NOW, "EUR", Decimal(500))])

    def test_each_currency_is_counted_by_itself(self) -> None:
        found = judge(costs("90"), costs("90", "USD"), costs("1", "AUD"), policies=[limit()])

        assert sorted(one.number for one in found) == ["1", "90"]

    def test_an_unknown_price_exceeds_it(self) -> None:
        (found,) = judge(unknown(), policies=[limit()])

        assert found.number == "unknown"
        assert not judge(unknown(how="by-hand"), policies=[limit()])

    def test_seats_that_a_person_is_asked_to_buy_count_as_well(self) -> None:
        by_hand = unknown(how="by-hand", detail={"quantity": 3})
        unpaid = action(Verb.ORDER, how="by-hand")

        (found,) = judge(by_hand, unpaid, policies=[limit()])

        assert found.message == "1 purchase has no known price"

    def test_it_is_told_which_prices_to_write(self) -> None:
        def order(product: str) -> Action:
            return unknown(detail={"quantity": 3, "product": product})

        (found,) = judge(order("SPB"), order("11"), order("CFQ7:0001"), order("SPB"), policies=[limit()])

        assert found.message == "4 purchases have no known price"
        assert [f"product: {one}" in found.hint for one in ("SPB,", '"11",', '"CFQ7:0001",')] == [True] * 3
        assert 'as in {product: "11", amount: "10.50", currency: EUR, per: month}, {product: ' in found.hint
        assert found.hint.endswith("or allow it once: --allow max_monthly_increase=100.00")

    def test_it_is_lifted_once_unknown_prices_and_other_currencies_included(self) -> None:
        allow = ["max_monthly_increase=800.00"]

        assert not judge(costs("800"), unknown(), policies=[limit()], allow=allow)
        assert not judge(costs("5", "USD"), policies=[limit()], allow=allow)
        assert judge(costs("800.01"), policies=[limit()], allow=allow)


class TestSeats:
    def test_one_action_adds_at_most_a_hundred(self) -> None:
        assert not judge(action(before={"seats": 10}, after={"seats": 110}))
        assert rules(judge(action(before={"seats": 10}, after={"seats": 111}))) == ["max_seats_per_action"]
        assert rules(judge(action(Verb.ORDER, after={"seats": 101}))) == ["max_seats_per_action"]

    def test_each_action_is_judged_alone(self) -> None:
        assert not judge(action(Verb.ORDER, after={"seats": 100}), action(Verb.ORDER, after={"seats": 100}))

    def test_fewer_seats_and_people_are_none(self) -> None:
        assert not judge(action(before={"seats": 500}, after={"seats": 1}), *[leave(n) for n in range(3)])

    def test_it_is_lifted_once(self) -> None:
        assert not judge(action(Verb.ORDER, after={"seats": 120}), allow=["max_seats_per_action=120"])


class TestCancellations:
    cancels = tuple(action(Verb.CANCEL, f"group/g{n}") for n in range(4))

    def test_three_are_fine_and_four_are_not(self) -> None:
        assert not judge(*self.cancels[:3])
        assert rules(judge(*self.cancels)) == ["max_cancellations"]

    def test_they_count_over_the_whole_run(self) -> None:
        work = Work(actions={"acme": self.cancels[:2], "beta": self.cancels[:2]})

        assert exceeded(work, [Policy()], Allowances(), NOW)

    def test_it_is_lifted_once(self) -> None:
        assert not judge(*self.cancels, allow=["max_cancellations=4"])


class TestDeactivations:
    def test_fifty_are_fine_and_fifty_one_are_not(self) -> None:
        seated = {("acme", "office"): 500}

        assert not judge(*[leave(n) for n in range(50)], seated=seated)
        assert rules(judge(*[leave(n) for n in range(51)], seated=seated)) == ["max_deactivations"]

    @pytest.mark.parametrize(("leaving", "seated", "stops"), [(5, 9, True), (5, 10, False), (4, 4, False)])
    def test_more_than_half_of_a_group_and_at_least_five_stops(
        self, leaving: int, seated: int, *, stops: bool
    ) -> None:
        found = judge(
            *[leave(n) for n in range(leaving)], policies=[FREE], seated={("acme", "office"): seated}
        )

        assert bool(found) is stops

    def test_groups_are_counted_apart(self) -> None:
        people = [*[leave(n) for n in range(4)], *[leave(n, "lab") for n in range(4)]]

        assert not judge(*people, seated={("acme", "office"): 4, ("acme", "lab"): 4})

    def test_it_is_lifted_once_half_of_a_group_too(self) -> None:
        people = [leave(n) for n in range(6)]

        (found,) = judge(*people, policies=[FREE], seated={("acme", "office"): 6})

        assert "--allow max_deactivations=6" in found.hint
        assert not judge(*people, seated={("acme", "office"): 6}, allow=["max_deactivations=6"])

    def test_who_is_deleted_counts_once_whether_or_not_a_seat_is_lost_too(self) -> None:
        def gone(n: int) -> list[Action]:
            login = {"login": f"p{n}@acme.example"}
            return [action(Verb.DELETE_USER, f"user/p{n}", detail=login)]

        def leaves(n: int) -> list[Action]:
            login = {"login": f"p{n}@acme.example"}
            return [action(Verb.DEACTIVATE, f"seat/office/p{n}", detail=login), *gone(n)]

        some = [one for n in range(30) for one in leaves(n)] + [one for n in range(30, 50) for one in gone(n)]

        assert not judge(*some)
        (found,) = judge(*some, *gone(50))
        assert (found.rule, found.number) == ("max_deactivations", "51")
        assert "are deleted" in found.message

    def test_what_goes_on_was_judged_when_it_was_planned(self) -> None:
        assert not judge(*[leave(n) for n in range(6)])


class TestTenants:
    def test_they_are_counted_when_a_limit_is_written(self) -> None:
        policy = Policy(max_tenants_changed=1)
        work = Work(actions={"acme": (costs("1"),), "beta": (costs("1"),)})

        assert not exceeded(work, [Policy()], Allowances(), NOW)
        assert rules(list(exceeded(work, [policy], Allowances(), NOW))) == ["max_tenants_changed"]
        assert not exceeded(work, [policy], allowances(["max_tenants_changed=2"]), NOW)


class TestProtected:
    policy = Policy(protected=("acme",))

    @pytest.mark.parametrize(
        "one",
        [
            action(Verb.DEACTIVATE, "seat/office/ada"),
            action(Verb.DELETE_USER, "user/ada"),
            action(before={"seats": 2}, after={"seats": 1}),
            action(Verb.SCHEDULE, before={"seats": 2, "term": "P1Y"}, after={"seats": 1, "term": "P1Y"}),
            action(Verb.CANCEL),
            action(Verb.UPDATE, detail={"renewal": "off"}),
        ],
    )
    def test_nothing_is_taken_away(self, one: Action) -> None:
        assert rules(judge(one, policies=[self.policy])) == ["protected"]
        assert not judge(one, policies=[self.policy], allow=["protected=acme"])
        assert judge(one, policies=[self.policy], allow=["protected=beta"])

    @pytest.mark.parametrize(
        "one",
        [
            action(Verb.ACTIVATE, "seat/office/ada"),
            action(before={"seats": 1}, after={"seats": 2}),
            action(Verb.SCHEDULE, before={"seats": 1}, after={"seats": 2}),
            action(Verb.SCHEDULE, before={"term": "P1M"}, after={"term": "P1Y"}),
            action(Verb.UPDATE, detail={"renewal": "auto"}),
        ],
    )
    def test_the_rest_is_done(self, one: Action) -> None:
        assert not judge(one, policies=[self.policy])


def test_the_policy_of_the_base_revision_counts_as_well() -> None:
    loose, strict = Policy(max_cancellations=99), Policy(max_cancellations=0)

    assert judge(action(Verb.CANCEL), policies=[loose, strict])
    assert judge(action(Verb.CANCEL), policies=[strict, loose])
    assert len(judge(action(Verb.CANCEL), policies=[strict, strict])) == 1


@pytest.mark.parametrize(
    "text",
    [
        "max_magic=1",
        "max_cancellations",
        "max_cancellations=",
        "max_cancellations=x",
        "max_cancellations=-1",
        "max_cancellations=NaN",
    ],
)
def test_what_cannot_be_lifted_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        allowances([text])


def test_tenants_on_hold_or_unread_do_nothing() -> None:
    def plan(name: str, **more: Any) -> Plan:
        return Plan(tenant=name, provider="ovh-prepaid", account="main", seated=(("office", 3),), **more)

    work = work_of(
        [
            plan("a", actions=(leave(1),)),
            plan("b", actions=(leave(1),), hold="x"),
            plan("c", error="x"),
            plan("d"),
        ],
        [Spending(NOW, "EUR", Decimal(1))],
    )

    assert list(work.actions) == ["a"]
    assert work.seated == {("a", "office"): 3, ("d", "office"): 3}
    assert work.all == [leave(1)]
