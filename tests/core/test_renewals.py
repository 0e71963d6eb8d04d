"""What renews or ends when: days, idle seats, the last day to act, what is counted down after an end."""

from datetime import date, timedelta
from typing import Any

import pytest

from reconciler.core.plan import Due
from reconciler.core.renewals import within
from tests.core.company import sold
from tests.core.makers import ENDS, NOW, RENEWS, bare, group, office, seat, service, tenant
from tests.core.makers import holding as held
from tests.core.scene import Scene
from tests.core.test_directory import alfa, basic, company


def dues(here: Scene) -> tuple[Due, ...]:
    """The calendar of a scene."""
    here.calendar = True
    return here.plan().dues


def test_a_subscription_renews_once_with_its_idle_seats() -> None:
    (one,) = dues(company(alfa(basic(5)), sold(500, 5, "ada", "bob")))

    assert (one.what, one.on, one.days, one.seats, one.idle) == ("renews", RENEWS, 40, 5, 3)
    assert one.last_day == date(2026, 12, 30)
    assert (one.grace_until, one.kept_until) == (None, None)


def test_seats_bought_one_by_one_are_gathered_by_their_day() -> None:
    places = (seat(1, "ada"), seat(2), seat(3, ends_on=ENDS, renews_on=None))
    found = dues(Scene(tenant=tenant(group(seats=3)), holdings=[held(*places)]))

    assert [(one.what, one.on, one.seats, one.idle) for one in found] == [
        ("ends", ENDS, 1, 1),
        ("renews", RENEWS, 2, 1),
    ]


def test_seats_that_are_not_renewed_are_not_idle_at_the_renewal() -> None:
    holding = sold(500, 5, "ada", "bob", scheduled={"seats": 3})

    (one,) = dues(company(alfa(basic(3)), holding))

    assert (one.seats, one.scheduled, one.idle) == (5, 3, 1)


def test_nobody_knows_who_is_idle_where_people_are_not_kept() -> None:
    (one,) = dues(Scene(tenant=alfa(basic(5), people=None), holdings=[sold(500, 5)]))

    assert one.idle is None


def test_pay_as_you_go_has_no_idle_seats() -> None:
    here = Scene(
        tenant=tenant(bare(service="acme.o365.ovh.com"), provider="ovh-payg"), holdings=[office("ada")]
    )

    (one,) = dues(here)
    assert (one.what, one.idle) == ("renews", None)


def test_a_pay_as_you_go_service_ends_as_a_whole() -> None:
    ending = office("ada", renewal="off", ends_on=ENDS)
    here = Scene(tenant=tenant(bare(service="acme.o365.ovh.com"), provider="ovh-payg"), holdings=[ending])

    assert [(one.what, one.on) for one in dues(here)] == [("ends", ENDS)]
    (told,) = [one for one in here.plan().findings if one.code == "RC4401"]
    assert told.message.startswith("1 seat ends in 10 days, on 2026-12-01")


def test_a_scheduled_number_is_told() -> None:
    (one,) = dues(company(alfa(basic(5)), sold(500, 5, scheduled={"seats": 3})))

    assert one.scheduled == 3


def test_what_ended_is_counted_down() -> None:
    over = (NOW - timedelta(days=20)).date()
    here = company(alfa(basic(5)), sold(500, 5, renewal="off", ends_on=over, frozen="it has expired"))

    (one,) = dues(here)

    assert (one.what, one.days) == ("ended", -20)
    assert (one.grace_until, one.kept_until) == (over + timedelta(days=30), over + timedelta(days=120))
    (told,) = [each for each in here.plan().findings if each.code == "RC4402"]
    assert "can be used for 10 more days" in told.message
    assert "kept for 100 more days" in told.message
    assert [each.ended for each in here.plan().leaving] == [True]


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (29, "it can be used for 1 more day, until"),
        (30, "it cannot be used any more"),
        (31, "it cannot be used"),
    ],
)
def test_the_grace_ends_on_its_last_day(gone: int, said: str) -> None:
    over = (NOW - timedelta(days=gone)).date()
    here = company(alfa(basic(5)), sold(500, 5, renewal="off", ends_on=over, frozen="it has expired"))

    (told,) = [each for each in here.plan().findings if each.code == "RC4402"]
    assert said in told.message


def test_only_what_comes_soon_is_within() -> None:
    some = dues(company(alfa(basic(5)), sold(500, 5)))

    assert within(some, 40) == some
    assert within(some, 39) == ()


@pytest.mark.parametrize(
    ("days", "severity"),
    [(61, None), (60, "info"), (30, "info"), (8, "info"), (7, "warning"), (0, "warning")],
)
def test_a_plan_speaks_of_a_yearly_renewal_in_time(days: int, severity: str | None) -> None:
    on = (NOW + timedelta(days=days)).date()
    here = company(alfa(basic(5)), sold(500, 5, "ada", term="P1Y", renews_on=on))

    told = [one for one in here.plan().findings if one.code == "RC4401"]

    assert [one.severity for one in told] == ([severity] if severity else [])
    if told:
        assert "4 of them idle" in told[0].message
        assert str(on - timedelta(days=1)) in told[0].message


@pytest.mark.parametrize("more", [{"term": "P1M"}, {}])
def test_what_comes_round_every_month_is_no_news(more: dict[str, Any]) -> None:
    soon = (NOW + timedelta(days=5)).date()
    here = company(alfa(basic(5)), sold(500, 5, renews_on=soon, **more))

    assert not [one for one in here.plan().findings if one.code == "RC4401"]


def test_a_calendar_is_made_when_it_is_asked_for() -> None:
    here = Scene(tenant=tenant(group(seats=1)), holdings=[service(None)])

    assert here.plan().dues == ()
    assert dues(here)


def test_an_end_that_the_manifest_asks_for_is_told_once_as_leaving() -> None:
    ending = sold(500, 5, renewal="off", ends_on=ENDS)
    asked = company(alfa(basic(5, renewal="off"), people=None), ending).plan()
    surprising = company(alfa(basic(5), people=None), ending).plan()

    assert not [one for one in asked.findings if one.code == "RC4401"]
    assert [one.on for one in asked.leaving] == [ENDS]
    assert [one.code for one in surprising.findings] == ["RC4401"]
