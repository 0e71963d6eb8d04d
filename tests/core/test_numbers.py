"""How many seats a group gets or loses, what ends when, and what is never ended."""

from datetime import timedelta
from typing import Any

import pytest

from reconciler.core.action import Verb
from reconciler.core.journal import Kind
from reconciler.core.plan import Plan
from tests.core.makers import (
    ENDS,
    NOW,
    RENEWS,
    SERVICE,
    action,
    bare,
    begun,
    cancelled,
    coming,
    event,
    full,
    group,
    holding,
    intended,
    known,
    office,
    ours,
    person,
    seat,
    service,
    subscription,
    tenant,
)
from tests.core.scene import Scene


def planned(one: Any, *holdings: Any, **more: Any) -> Plan:
    return Scene(tenant=one, holdings=list(holdings), **more).plan()


def reasons(items: Any) -> dict[str, str]:
    return {one.address: one.reason for one in items}


def ending(*numbers: int, free: tuple[int, ...] = ()) -> Any:
    """A service whose first seats end."""
    places = [seat(n, ends_on=ENDS, renews_on=None) for n in numbers]
    return holding(*places, *(seat(n) for n in free))


def reseller(*groups: Any) -> Any:
    return tenant(*groups, people=None, provider="ovh-csp2", service="alfa", domain=None)


class TestMore:
    def test_more_seats_are_bought(self) -> None:
        (resize,) = planned(tenant(group(seats=12)), service(*[None] * 10)).actions

        assert (resize.verb, resize.before, resize.after) == (Verb.RESIZE, {"seats": 10}, {"seats": 12})
        assert (resize.detail["quantity"], resize.detail["expect"]) == (2, 12)
        assert resize.scheduled_for is None

    def test_an_ending_seat_no_longer_counts_and_is_kept_before_one_is_bought(self) -> None:
        (resize,) = planned(tenant(group(seats=4)), ending(1, 2, free=(3,))).actions

        assert (resize.before, resize.after) == ({"seats": 1}, {"seats": 4})
        assert resize.detail["targets"] == [f"{SERVICE}-1002", f"{SERVICE}-1001"]
        assert resize.detail["quantity"] == 1

    def test_wanting_all_back_orders_nothing(self) -> None:
        (resize,) = planned(tenant(group(seats=2)), ending(1, free=(2,))).actions

        assert resize.detail["quantity"] == 0

    def test_a_seat_that_somebody_sits_on_is_kept_first(self) -> None:
        places = [seat(1, "ada", ends_on=ENDS), seat(2, ends_on=ENDS)]

        (resize,) = planned(tenant(group(seats=1), people=None), holding(*places)).actions

        assert resize.detail["targets"] == [f"{SERVICE}-1001"]

    def test_with_renewal_off_ending_seats_count_and_nothing_replaces_them(self) -> None:
        plan = planned(tenant(group(seats=3, renewal="off")), ending(1, 2))

        assert not plan.actions
        assert "2 of 3 seats are left" in plan.findings[0].message
        assert len(plan.leaving) == 2

    def test_a_reseller_sets_the_number(self) -> None:
        plan = planned(reseller(bare("basic", product="Business Basic", seats=12)), subscription(501, 10))

        assert plan.actions[0].detail["quantity"] == 2


class TestFewer:
    def test_only_free_seats_end_and_the_date_is_told(self) -> None:
        (resize,) = planned(
            tenant(group(seats=2), people=[person("ada")]), service("ada", None, None)
        ).actions

        assert resize.detail["targets"] == [f"{SERVICE}-1003"]
        assert (resize.scheduled_for, resize.reversible_until) == (RENEWS, RENEWS)

    def test_a_seat_freed_in_the_same_plan_ends_after_it_is_free(self) -> None:
        leaves, resize = planned(tenant(group(seats=1)), service("ada", None), events=ours("ada")).actions

        assert resize.detail["targets"] == [f"{SERVICE}-1002"]
        assert not resize.needs

        leaves, resize = planned(
            tenant(group(seats=1), people=[person("bob")]), service("ada", "bob"), events=ours("ada")
        ).actions
        assert resize.needs == (leaves.id,)

    def test_a_seat_that_a_joiner_takes_does_not_end(self) -> None:
        plan = planned(
            tenant(group(seats=2), people=[person("ada"), person("bob")]), service("ada", None, None)
        )

        joins, resize = plan.actions
        assert joins.detail["targets"] == [f"{SERVICE}-1002"]
        assert resize.detail["targets"] == [f"{SERVICE}-1003"]

    def test_what_is_asked_for_is_settled_and_leaving(self) -> None:
        scene = Scene(tenant=tenant(group(seats=1)), holdings=[service(None, None)])
        scene.do(scene.plan())

        plan = scene.plan()

        assert (plan.status, plan.actions) == ("in_sync", ())
        assert [one.on for one in plan.leaving] == [ENDS]

    def test_below_the_people_who_sit_there_it_is_blocked_and_names_them(self) -> None:
        plan = planned(tenant(group(seats=1)), service("ada", "bob"))

        assert not plan.actions
        assert f"{full('ada')}, {full('bob')}" in reasons(plan.blocked)["group/office"]

    def test_seats_that_are_not_ready_are_not_ended(self) -> None:
        plan = planned(tenant(group(seats=1)), holding(seat(1, ready=False), seat(2, ready=False)))

        assert "2 seats are not ready" in reasons(plan.blocked)["group/office"]
        assert "not readable yet" in reasons(plan.pending)["group/office"]

    def test_a_leaver_who_stays_keeps_the_seat(self) -> None:
        other = group("b", seats=1, service="b.o365.ovh.com")

        plan = planned(
            tenant(group(seats=1), other, people=[person("ada", "b"), person("bob")]),
            service("ada", "bob"),
            service("zed", ref="b.o365.ovh.com"),
            events=ours("ada"),
        )

        assert not plan.actions
        assert "2 people sit in office" in reasons(plan.blocked)["group/office"]

    def test_protect_keeps_them(self) -> None:
        plan = planned(tenant(group(seats=1, protect=True)), service(None, None))

        assert "protect" in reasons(plan.blocked)["group/office"]

    def test_with_renewal_off_all_end_anyway(self) -> None:
        assert not planned(tenant(group(seats=1, renewal="off")), ending(1, 2)).actions

    def test_at_a_reseller_it_happens_at_once(self) -> None:
        (resize,) = planned(reseller(bare("basic", product="11", seats=4)), subscription(501, 10)).actions

        assert (resize.scheduled_for, resize.detail["quantity"]) == (None, -6)

    def test_a_ceiling_is_no_number(self) -> None:
        one = tenant(group(seats=1), people=None, provider="ovh-payg")

        assert not planned(one, office("ada", "bob")).actions


class TestPending:
    made = action(detail={"product": "business", "service": SERVICE, "quantity": 2})

    @pytest.mark.parametrize("seats", [1, 9])
    @pytest.mark.parametrize(
        "more",
        [
            {"incoming": [coming(77, into=SERVICE)]},
            {"incoming": [coming(77, into=SERVICE, waiting_on="person")]},
            {"events": [intended(made)]},
        ],
    )
    def test_no_number_is_planned_in_either_direction(self, seats: int, more: dict[str, Any]) -> None:
        plan = planned(tenant(group(seats=seats)), service(None, None), **more)

        assert not plan.actions
        assert plan.status == "pending"

    def test_people_still_get_seats_that_read_as_free(self) -> None:
        one = tenant(group(seats=3), people=[person("ada"), person("bob")])

        plan = planned(one, service(None), incoming=[coming(77, into=SERVICE)])

        assert [one.address for one in plan.actions] == ["seat/office/ada"]
        assert "waits for the seats" in reasons(plan.pending)["seat/office/bob"]

    def test_who_an_order_waits_for_is_told(self) -> None:
        plan = planned(
            tenant(group()), service(None), incoming=[coming(77, into=SERVICE, waiting_on="person")]
        )

        assert (plan.pending[0].state, plan.pending[0].ref) == ("by-hand", "77")

    def test_an_open_task_is_waited_for(self) -> None:
        plan = planned(reseller(bare("basic", product="11", seats=12)), subscription(501, 10, task="7"))

        assert "task 7 is open" in plan.pending[0].reason
        assert not plan.actions

    def test_a_failed_purchase_blocks_until_it_is_resolved(self) -> None:
        events = [
            intended(self.made),
            event(Kind.FAILED, self.made, final=True, blocks=True, message="refused"),
        ]
        one = tenant(group(seats=9))

        blocked = planned(one, service(None), events=events)
        resolved = planned(
            one, service(None), events=[*events, event(Kind.RELEASED, address="group/office", stuck=True)]
        )

        assert "refused" in reasons(blocked.blocked)["group/office"]
        assert not blocked.actions
        assert resolved.actions

    def delivered(self, at: Any) -> list[Any]:
        return [begun(self.made), intended(self.made), event(Kind.FINISHED, self.made, at=at, seats=4)]

    def test_what_was_delivered_a_moment_ago_is_not_bought_again(self) -> None:
        plan = planned(tenant(group(seats=4)), service(None, None), events=self.delivered(NOW))

        assert not plan.actions
        assert "4 seats were delivered and 2 can be read" in plan.pending[0].reason

    def test_what_was_lost_long_after_is_bought_again(self) -> None:
        long_ago = self.delivered(NOW - timedelta(days=1))

        assert planned(tenant(group(seats=4)), service(None, None), events=long_ago).actions
        assert planned(tenant(group(seats=4)), events=self.delivered(NOW)).blocked


class TestOpen:
    @pytest.mark.parametrize(
        ("data", "said"),
        [
            ({"waiting_on": "person", "instructions": "pay order 77"}, "pay order 77"),
            ({"waiting_on": "person", "status": "notPaid"}, "waits for a person (notPaid)"),
            ({"due_by": (NOW - timedelta(hours=1)).isoformat()}, "overdue"),
            ({"status": "checking"}, "at the provider (checking)"),
        ],
    )
    def test_how_it_stands_is_told(self, data: dict[str, Any], said: str) -> None:
        made = TestPending.made
        events = [intended(made), event(Kind.ACCEPTED, made, **data)]

        assert said in planned(tenant(group()), service(None), events=events).pending[0].reason

    def test_what_nobody_has_an_answer_of_is_told(self) -> None:
        plan = planned(tenant(group()), service(None), events=[intended(TestPending.made)])

        assert "nobody has its answer" in plan.pending[0].reason


class TestRenewal:
    def test_off_ends_all_seats(self) -> None:
        (update,) = planned(tenant(group(renewal="off")), service(None, None, None)).actions

        assert (update.before, update.after) == ({"renewal": "auto"}, {"renewal": "off"})
        assert len(update.detail["targets"]) == 3
        assert update.reversible_until == RENEWS

    def test_a_purchase_that_is_not_to_renew_says_so_at_once(self) -> None:
        scene = Scene(tenant=tenant(bare(renewal="off")))

        order, update = scene.plan().actions
        scene.do(scene.plan())

        assert (order.verb, update.needs) == (Verb.ORDER, (order.id,))
        assert not scene.plan().actions

    @pytest.mark.parametrize("renewal", ["auto", None])
    def test_wanted_again_the_seats_are_kept(self, renewal: str | None) -> None:
        (resize,) = planned(tenant(group(seats=2, renewal=renewal)), ending(1, 2)).actions

        assert (resize.verb, resize.detail["quantity"]) == (Verb.RESIZE, 0)

    def test_a_reseller_has_none(self) -> None:
        off = planned(reseller(bare("basic", product="11", renewal="off")), subscription(501, 3))
        auto = planned(reseller(bare("basic", product="11", renewal="auto")), subscription(501, 3))

        assert "no renewal" in reasons(off.blocked)["group/basic"]
        assert not auto.blocked

    @pytest.mark.parametrize(("wanted", "now"), [("off", "auto"), ("auto", "off")])
    def test_a_pay_as_you_go_service_is_switched(self, wanted: str, now: str) -> None:
        one = tenant(group(seats=None, renewal=wanted), provider="ovh-payg")

        (update,) = planned(one, office(renewal=now)).actions

        assert update.after == {"renewal": wanted}
        assert not planned(one, office(renewal=wanted)).actions

    def test_a_service_of_two_groups_is_switched_once_and_by_both(self) -> None:
        def both(first: str, second: str | None) -> Plan:
            one = tenant(
                group("a", seats=None, renewal=first),
                group("b", seats=None, product="pro-plus", renewal=second),
                provider="ovh-payg",
            )
            return planned(one, office(), office(product="pro-plus"))

        assert [one.address for one in both("off", "off").actions] == ["group/a"]
        assert "would end for group/b too" in reasons(both("off", None).blocked)["group/a"]

    def test_a_service_with_somebody_elses_people_is_not_switched_off(self) -> None:
        one = tenant(group(seats=None, renewal="off"), provider="ovh-payg")

        plan = planned(one, office(), office("zed", product="pro-plus"))

        assert full("zed") in reasons(plan.blocked)["group/office"]


class TestCancel:
    def test_all_seats_end_at_their_expiration_and_people_may_stay(self) -> None:
        plan = planned(tenant(cancelled()), service("ada", None), events=ours("ada"))

        (cancel,) = plan.actions
        assert (cancel.verb, cancel.scheduled_for) == (Verb.CANCEL, RENEWS)
        assert len(cancel.detail["targets"]) == 2
        assert [(one.address, one.on) for one in plan.leaving] == [("seat/office/ada", RENEWS)]

    def test_once_asked_for_it_is_settled(self) -> None:
        scene = Scene(tenant=tenant(cancelled()), holdings=[service(None)])
        scene.do(scene.plan())

        assert scene.plan().status == "in_sync"

    def test_now_they_have_to_be_gone_first(self) -> None:
        plan = planned(tenant(cancelled(cancel="now")), service("ada", None), events=ours("ada"))

        leaves, cancel = plan.actions
        assert cancel.needs == (leaves.id,)
        assert "cannot end it sooner" in cancel.summary

    def test_now_with_somebody_being_seated_waits(self) -> None:
        made = action(Verb.ACTIVATE, "seat/office/ada", detail={"login": full("ada")})

        plan = planned(tenant(cancelled(cancel="now")), service("ada"), events=[*ours("ada"), intended(made)])

        assert "still sit in office" in reasons(plan.blocked)["group/office"]

    @pytest.mark.parametrize("provider", ["ovh-prepaid", "ovh-payg"])
    def test_with_people_nobody_wrote_it_is_blocked_and_names_them(self, provider: str) -> None:
        made = service("zed") if provider == "ovh-prepaid" else office("zed")

        plan = planned(tenant(cancelled(), provider=provider), made)

        assert not plan.actions
        assert full("zed") in reasons(plan.blocked)["group/office"]

    def test_protect_keeps_it(self) -> None:
        assert (
            "protect"
            in reasons(planned(tenant(cancelled(protect=True)), service(None)).blocked)["group/office"]
        )

    def test_a_reseller_knows_no_other_way_than_at_once(self) -> None:
        def plan(cancel: str | None) -> Plan:
            one = cancelled("basic", product="11", service=None, cancel=cancel)
            return planned(reseller(one), subscription(501, 10))

        assert "cancel: now" in reasons(plan(None).blocked)["group/basic"]
        (cancel,) = plan("now").actions
        assert (cancel.scheduled_for, cancel.summary) == (None, "ends at once")

    def test_while_a_number_is_on_its_way_nothing_is_cancelled(self) -> None:
        plan = planned(tenant(cancelled()), service(None), incoming=[coming(77, into=SERVICE)])

        assert not plan.actions

    def test_a_group_that_is_not_there_needs_no_end(self) -> None:
        assert planned(tenant(cancelled(service=None))).status == "in_sync"


class TestPaygCancel:
    def two(self, *second: Any) -> Any:
        first = cancelled("a", seats=None)
        return tenant(first, *second, provider="ovh-payg", people=[])

    def test_its_own_people_go_and_then_the_service(self) -> None:
        plan = planned(self.two(), office("ada"), office(product="pro-plus"), events=ours("ada", group="a"))

        leaves, cancel = plan.actions
        assert (leaves.verb, cancel.verb, cancel.needs) == (Verb.DEACTIVATE, Verb.CANCEL, (leaves.id,))

    def test_another_group_keeps_the_service(self) -> None:
        one = self.two(group("b", seats=None, product="pro-plus"))

        plan = planned(one, office("ada"), office(product="pro-plus"), events=ours("ada", group="a"))

        assert [str(one.verb) for one in plan.actions] == ["deactivate"]

    def test_somebody_elses_people_keep_the_service(self) -> None:
        plan = planned(self.two(), office(), office("zed", product="pro-plus"))

        assert not plan.actions
        assert not plan.blocked

    def test_two_groups_end_their_service_once(self) -> None:
        one = self.two(cancelled("b", seats=None, product="pro-plus"))
        events = [*ours("ada", group="a"), *ours("bob", group="b")]

        plan = planned(one, office("ada"), office("bob", product="pro-plus"), events=events)

        *leaves, cancel = plan.actions
        assert (cancel.address, set(cancel.needs)) == ("group/a", {one.id for one in leaves})

    def test_people_nobody_wrote_in_the_other_group_keep_the_service(self) -> None:
        one = self.two(cancelled("b", seats=None, product="pro-plus"))

        plan = planned(one, office(), office("bob", product="pro-plus"))

        assert not plan.actions
        assert list(reasons(plan.blocked)) == ["group/b"]

    def test_once_asked_for_it_is_settled(self) -> None:
        plan = planned(self.two(), office(ends_on=ENDS, renewal="off"))

        assert not plan.actions
        assert plan.leaving[0].on == ENDS


def test_a_pay_as_you_go_group_that_is_no_longer_cancelled_goes_on() -> None:
    scene = Scene(
        tenant=tenant(cancelled(seats=None), provider="ovh-payg"),
        holdings=[office(), office(product="pro-plus")],
    )
    scene.do(scene.plan())
    scene.tenant = tenant(group(seats=None), provider="ovh-payg")

    plan = scene.plan()
    scene.do(plan)

    assert (plan.actions[0].after, plan.actions[0].reason) == ({"renewal": "auto"}, "no longer cancelled")
    assert not scene.plan().actions
    assert not scene.plan().leaving


def test_what_the_provider_says_of_a_service_is_told_once() -> None:
    one = tenant(group("a", seats=1), group("b", seats=1, product="pro-plus"))
    said = ("the customer agreement is not accepted",)

    plan = planned(one, service(None, notices=said), service(None, product="pro-plus", notices=said))

    assert [one.message for one in plan.findings] == list(said)


@pytest.mark.parametrize(("shown", "count"), [("Acme", 0), ("ACME Ltd", 1), (SERVICE, 0), ("", 0)])
def test_another_display_name_is_told(shown: str, count: int) -> None:
    plan = planned(tenant(group(seats=1), name="Acme"), service(None, name=shown))

    assert len(plan.findings) == count


def test_a_protected_group_keeps_its_renewal() -> None:
    plan = planned(tenant(group(seats=1, protect=True, renewal="off")), service(None), events=[known()])

    assert not plan.actions
    assert [one.reason for one in plan.blocked] == ["protect: true: its renewal is never switched off"]


def test_a_held_tenant_is_planned_and_says_why_it_is_held() -> None:
    plan = planned(tenant(group(), hold="incident 812"), service(None))

    assert plan.actions
    assert plan.hold == "incident 812"


def test_the_people_of_a_group_are_counted_for_the_guards() -> None:
    plan = planned(tenant(group(), people=None), service("ada", "bob", None), events=[known()])

    assert plan.seated == (("office", 2),)
