"""What is done now, what waits for the renewal and what is refused, where a provider binds a number of seats."""

from datetime import timedelta
from typing import Any

from reconciler.core.action import Verb
from reconciler.core.manifest import Group
from reconciler.core.plan import Plan
from reconciler.providers.ovh.capabilities import CSP2
from tests.core.company import SOLD, Company, entry, later, sold
from tests.core.makers import NOW, RENEWS
from tests.core.makers import cancelled as cancelled_group
from tests.core.test_directory import alfa, basic, company, owned, verbs, who


def only(plan: Plan) -> tuple[str, str, object, object]:
    """The plan's one action."""
    (one,) = plan.actions
    return one.verb.value, one.summary, one.before, one.after


def test_seats_inside_the_window_are_given_back_at_once() -> None:
    plan = company(alfa(basic(3), people=None), sold(500, 5, back=2)).plan()

    assert only(plan) == ("resize", "5 -> 3 seats", {"seats": 5}, {"seats": 3})
    assert plan.actions[0].scheduled_for is None


def test_seats_outside_the_window_wait_for_the_renewal() -> None:
    here = company(alfa(basic(3), people=None), sold(500, 5, back=1))

    plan = here.plan()

    assert only(plan) == (
        "schedule",
        "seats 5 -> 3 at the renewal on 2026-12-31",
        {"seats": 5},
        {"seats": 3},
    )
    assert plan.actions[0].scheduled_for == RENEWS
    here.do(plan)
    settled = here.plan()
    assert not settled.actions
    assert [(one.address, one.on, one.seats) for one in settled.leaving] == [("group/basic", RENEWS, 2)]


def test_a_window_is_judged_by_the_clock() -> None:
    here = company(alfa(basic(3), people=None), sold(500, 5, back=2))

    assert here.plan(now=NOW).actions[0].verb is Verb.RESIZE
    assert here.plan(now=NOW + timedelta(hours=4)).actions[0].verb is Verb.SCHEDULE
    assert here.plan(now=later(3)).actions[0].verb is Verb.SCHEDULE


def test_what_was_scheduled_is_taken_back_when_the_seats_are_wanted_again() -> None:
    plan = company(alfa(basic(5), people=None), sold(500, 5, scheduled={"seats": 3})).plan()

    assert only(plan) == (
        "schedule",
        "seats 3 -> 5 at the renewal on 2026-12-31",
        {"seats": 3},
        {"seats": 5},
    )


def test_nothing_is_scheduled_for_a_renewal_that_does_not_come() -> None:
    plan = company(alfa(basic(3), people=None), sold(500, 5, renewal="off", ends_on=RENEWS)).plan()

    assert not plan.actions
    assert [one.reason for one in plan.blocked] == [
        "it ends on 2026-12-31, so nothing can be changed at a renewal: switch its renewal on first"
    ]


def test_fewer_seats_wait_until_people_have_left_them() -> None:
    here = company(
        alfa(basic(1), people=[who("ada")]),
        sold(500, 2, "ada", "bob", back=2),
        people=(entry("ada"), entry("bob")),
        events=owned("ada", "bob"),
    )

    plan = here.plan()

    assert verbs(plan) == [("deactivate", "seat/basic/bob"), ("resize", "group/basic")]
    assert plan.actions[1].needs == (plan.actions[0].id,)


def test_seats_with_people_on_them_are_never_taken_away() -> None:
    here = company(
        alfa(basic(1), people=[who("ada")]),
        sold(500, 2, "ada", "bob", back=2),
        people=(entry("ada"), entry("bob")),
    )

    plan = here.plan()

    assert not plan.actions
    assert ["bob@alfa.example" in one.reason for one in plan.blocked] == [True]


def test_another_term_and_another_billing_wait_for_the_renewal() -> None:
    here = company(
        alfa(basic(5, term="P1Y", billing="annual"), people=None),
        sold(500, 5, term="P1M", billing="monthly"),
    )

    assert only(here.plan()) == (
        "schedule",
        "term P1M -> P1Y, billing monthly -> annual at the renewal on 2026-12-31",
        {"term": "P1M", "billing": "monthly"},
        {"term": "P1Y", "billing": "annual"},
    )


def test_a_renewal_is_switched_off_and_on_again() -> None:
    off = company(alfa(basic(5, renewal="off"), people=None), sold(500, 5)).plan()
    on = company(
        alfa(basic(5, renewal="auto"), people=None), sold(500, 5, renewal="off", ends_on=RENEWS)
    ).plan()

    assert (off.actions[0].verb, off.actions[0].after) == (Verb.UPDATE, {"renewal": "off"})
    assert (on.actions[0].verb, on.actions[0].after) == (Verb.UPDATE, {"renewal": "auto"})


def test_a_cancelled_group_ends_at_its_expiration() -> None:
    here = company(alfa(_gone(), people=None), sold(500, 5, back=5))

    plan = here.plan()

    assert plan.actions[0].verb is Verb.CANCEL
    assert plan.actions[0].scheduled_for == RENEWS
    here.do(plan)
    assert not here.plan().actions


def test_cancelled_now_ends_at_once_inside_the_window_and_later_outside() -> None:
    now = company(alfa(_gone(cancel="now"), people=None), sold(500, 5, back=5)).plan()
    late = company(alfa(_gone(cancel="now"), people=None), sold(500, 5)).plan()

    assert now.actions[0].scheduled_for is None
    assert now.actions[0].summary == "ends at once"
    assert late.actions[0].scheduled_for == RENEWS
    assert "cannot end it sooner" in late.actions[0].summary


def test_what_is_frozen_is_blocked_with_the_reason() -> None:
    renewing = sold(500, 3, back=3, frozen="it renews at this moment: try again in a few minutes")
    for wanted in (basic(5), basic(1), basic(3, renewal="off"), _gone()):
        plan = company(alfa(wanted, people=None), renewing).plan()
        assert not plan.actions
        assert [one.reason for one in plan.blocked] == [renewing.frozen], wanted


def test_a_protected_group_keeps_its_seats() -> None:
    plan = company(alfa(basic(1, protect=True), people=None), sold(500, 3)).plan()

    assert [one.reason for one in plan.blocked] == ["protect: true: seats are never taken away"]


def test_seats_that_may_not_be_taken_are_not_taken_at_the_renewal_either() -> None:
    # Somebody's number, which is not to be corrected downwards.
    planned: dict[str, Any] = {"scheduled": {"seats": 9}}
    kept = company(alfa(basic(1, protect=True), people=None), sold(500, 3, **planned)).plan()
    full = company(
        alfa(basic(1), people=[who("ada")]),
        sold(500, 3, "ada", "bob", **planned),
        people=(entry("ada"), entry("bob")),
    ).plan()

    for plan in (kept, full):
        assert not plan.actions
        assert [(one.address, one.verb) for one in plan.blocked] == [("group/basic", Verb.RESIZE)]


def test_a_seller_without_windows_takes_any_number_at_once() -> None:
    here = Company(
        tenant=alfa(basic(1), people=None),
        holdings=[sold(500, 3, refundable=None, renewal=None)],
        capabilities=CSP2,
    )

    assert only(here.plan()) == ("resize", "3 -> 1 seats", {"seats": 3}, {"seats": 1})


def _gone(**more: str) -> Group:
    return cancelled_group(
        "basic", product="Business Basic", seats=5, subscription="500", service=None, **more
    )


def test_the_capabilities_say_what_a_window_is() -> None:
    assert (SOLD.shrink, SOLD.cancel, SOLD.windows.grace, SOLD.windows.kept) == ("window", "window", 30, 120)
