"""Who is seated, who gives a seat back, who moves, who is renamed, and who is nobody's business."""

from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.core.action import Verb
from reconciler.core.journal import Kind
from reconciler.core.plan import Plan
from reconciler.providers.ovh.capabilities import CSP2, PAYG, PREPAID
from tests.core.makers import (
    ENDS,
    SERVICE,
    action,
    bare,
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

OTHER = "other.o365.ovh.com"


def planned(one: Any, *holdings: Any, **more: Any) -> Plan:
    return Scene(tenant=one, holdings=list(holdings), **more).plan()


def done(plan: Plan) -> list[tuple[str, str]]:
    return [(str(one.verb), one.address) for one in plan.actions]


def reasons(items: Any) -> dict[str, str]:
    return {one.address: one.reason for one in items}


def test_a_joiner_gets_the_free_seat_and_a_leaver_gives_theirs_back() -> None:
    plan = planned(
        tenant(group(), people=[person("ada"), person("bob")]),
        service("ada", "zed", None),
        events=ours("zed"),
    )

    assert done(plan) == [("deactivate", "seat/office/zed"), ("activate", "seat/office/bob")]
    assert plan.actions[1].detail["targets"] == [f"{SERVICE}-1003"]
    assert not plan.actions[1].needs


def test_a_freed_seat_comes_before_a_bought_one() -> None:
    people = [person("ada"), person("bob"), person("cid")]

    plan = planned(tenant(group(seats=3), people=people), service("ada", "zed"), events=ours("zed"))

    by = {one.address: one for one in plan.actions}
    needs = {by["seat/office/bob"].needs, by["seat/office/cid"].needs}
    assert needs == {(by["seat/office/zed"].id,), (by["group/office"].id,)}


def test_people_nobody_wrote_are_shown_counted_and_never_touched() -> None:
    plan = planned(tenant(group(seats=2), people=[person("ada"), person("bob")]), service("zed", "ada"))

    assert not plan.actions
    assert [one.address for one in plan.unmanaged] == [f"seat/office/{full('zed')}"]
    assert f"{full('zed')} sit there" in reasons(plan.blocked)["seat/office/bob"]


def test_who_is_ours_in_one_group_is_not_in_another() -> None:
    plan = planned(tenant(group()), service("ada", None, None), events=ours("ada", group="other"))

    assert not plan.actions


def test_without_users_nobody_loses_anything() -> None:
    plan = planned(tenant(group(), people=None), service("ada", None, None), events=ours("ada"))

    assert not plan.actions
    assert len(plan.unmanaged) == 1


def test_with_no_users_everybody_who_is_ours_leaves() -> None:
    plan = planned(tenant(group(), people=[]), service("ada", "zed", None), events=ours("ada"))

    assert done(plan) == [("deactivate", "seat/office/ada")]


def test_who_is_found_as_written_is_recorded() -> None:
    plan = planned(tenant(group(), people=[person("Ada")]), service("ada", None, None))

    assert plan.found == (("office", full("ada"), "ada"),)
    assert not planned(
        tenant(group(), people=[person("ada")]), service("ada", None, None), events=ours("ada")
    ).found


def test_logins_are_compared_without_regard_to_case() -> None:
    one = tenant(group(), people=[person("ADA", first_name="Ada"), person(full("Bob"), first_name="Bob")])

    plan = planned(one, service("ada", "bob", None))

    assert not plan.actions


def test_without_a_domain_the_services_own_is_taken() -> None:
    plan = planned(tenant(group(), people=[person("ada")], domain=None), service("ada", None, None))

    assert not plan.actions


def test_new_details_are_an_update() -> None:
    changed = person("ada", first_name="Augusta", country="LT")

    plan = planned(tenant(group(), people=[changed]), service("ada", None, None))

    (update,) = plan.actions
    assert (update.verb, update.address) == (Verb.UPDATE, "user/ada")
    assert update.before == {"first_name": "Ada", "last_name": "Doe", "country": None}
    assert update.after == {"first_name": "Augusta", "last_name": "Doe", "country": "lt"}


def test_a_country_that_is_not_written_stays() -> None:
    place = seat(1, "ada", country="lt")

    assert not planned(tenant(group(seats=1), people=[person("ada")]), holding(place)).actions


def test_a_person_on_two_services_is_updated_on_both() -> None:
    one = tenant(
        group("a", seats=1),
        group("b", seats=1, service=OTHER),
        people=[person("ada", "a", "b", last_name="King")],
    )

    plan = planned(one, service("ada"), service("ada", ref=OTHER))

    assert done(plan) == [("update", "seat/b/ada"), ("update", "user/ada")]


def test_a_pay_as_you_go_user_of_two_groups_is_updated_once() -> None:
    one = tenant(
        group("a", seats=None),
        group("b", seats=None, product="pro-plus"),
        people=[person("ada", "a", "b", last_name="King")],
        provider="ovh-payg",
    )

    assert done(planned(one, office("ada"), office("ada", product="pro-plus"))) == [("update", "user/ada")]


def test_a_pay_as_you_go_user_who_moves_is_told_the_way() -> None:
    groups = (group("a", seats=None), group("b", seats=None, product="pro-plus"))
    one = tenant(*groups, people=[person("ada", "b")], provider="ovh-payg")

    plan = planned(one, office("ada"), office(product="pro-plus"), events=ours("ada", group="a"))

    assert not plan.actions
    assert "until the one in b is there" in reasons(plan.blocked)["seat/a/ada"]
    assert (
        "in no group for one apply, which deletes the user, and in b for the next"
        in reasons(plan.blocked)["seat/b/ada"]
    )


def test_a_seat_that_is_worked_on_waits() -> None:
    one = tenant(group(seats=3), people=[person("ada", last_name="King"), person("bob")])
    busy = [seat(1, "ada", ready=False, task="7"), seat(2, "bob", ready=False), seat(3)]

    plan = planned(one, holding(*busy))

    assert not plan.actions
    assert "task 7" in reasons(plan.pending)["seat/office/ada"]
    assert "not readable yet" in reasons(plan.pending)["seat/office/bob"]


def test_a_leaver_whose_seat_is_worked_on_waits() -> None:
    plan = planned(tenant(group(seats=1)), holding(seat(1, "ada", ready=False)), events=ours("ada"))

    assert not plan.actions
    assert "works on this seat" in reasons(plan.pending)["seat/office/ada"]


class TestMoves:
    people = (person("ada", "b"),)
    groups = (group("a", seats=1), group("b", seats=1, service=OTHER))
    events = (*ours("ada", group="a"),)

    def test_who_moves_keeps_the_old_seat_until_the_new_one_is_theirs(self) -> None:
        plan = planned(
            tenant(*self.groups, people=self.people),
            service("ada"),
            service(None, ref=OTHER),
            events=list(self.events),
        )

        joins, leaves = plan.actions
        assert (joins.address, leaves.address) == ("seat/b/ada", "seat/a/ada")
        assert leaves.needs == (joins.id,)

    def test_who_would_hold_two_seats_under_one_login_is_told_before_anything_is_sent(self) -> None:
        holdings = (service("ada"), service(None, ref=OTHER))

        moves = planned(tenant(*self.groups, people=self.people), *holdings, events=list(self.events))
        both = planned(tenant(*self.groups, people=[person("ada", "a", "b")]), *holdings)

        for plan in (moves, both):
            (said,) = plan.findings
            assert (said.code, said.severity, said.address) == ("RC4307", "warning", "seat/b/ada")
            assert f"{full('ada')} would hold two seats at once, here and in a" in said.message
            assert not plan.blocked

    def test_two_logins_or_a_seller_without_seats_are_no_second_seat(self) -> None:
        groups = (group("a", seats=1), group("b", seats=1, service=OTHER))
        holdings = (service("ada"), service(None, ref=OTHER))

        apart = planned(tenant(*groups, people=self.people, domain=None), *holdings, events=list(self.events))
        settled = planned(
            tenant(*groups, people=[person("ada", "a", "b")]), service("ada"), service("ada", ref=OTHER)
        )

        assert [one.code for one in (*apart.findings, *settled.findings)] == []

    def test_two_who_swap_between_full_groups_are_blocked(self) -> None:
        plan = planned(
            tenant(*self.groups, people=[*self.people, person("bob", "a")]),
            service("ada"),
            service("bob", ref=OTHER),
            events=[*self.events, *ours("bob", group="b")],
        )

        assert not plan.actions
        assert "everybody who moves waits for another" in reasons(plan.blocked)["seat/a/bob"]
        assert "until the one in b is there" in reasons(plan.blocked)["seat/a/ada"]

    def test_a_swap_with_one_free_seat_is_a_chain(self) -> None:
        plan = planned(
            tenant(group("a", seats=2), self.groups[1], people=[*self.people, person("bob", "a")]),
            service("ada", None),
            service("bob", ref=OTHER),
            events=[*self.events, *ours("bob", group="b")],
        )

        assert done(plan) == [
            ("activate", "seat/a/bob"),
            ("deactivate", "seat/b/bob"),
            ("activate", "seat/b/ada"),
            ("deactivate", "seat/a/ada"),
        ]

    def test_who_moves_into_a_blocked_group_stays(self) -> None:
        plan = planned(tenant(*self.groups, people=self.people), service("ada"), events=list(self.events))

        assert not plan.actions
        assert "seat/a/ada" in reasons(plan.blocked)

    def test_who_moves_into_a_group_with_seats_on_order_waits(self) -> None:
        plan = planned(
            tenant(*self.groups, people=self.people),
            service("ada"),
            service("zed", ref=OTHER),
            events=list(self.events),
            incoming=[coming(77, into=OTHER)],
        )

        assert not plan.actions
        assert {"seat/a/ada", "seat/b/ada", "group/b"} == set(reasons(plan.pending))

    def test_who_is_being_seated_already_keeps_the_old_seat(self) -> None:
        made = action(Verb.ACTIVATE, "seat/b/ada", detail={"login": full("ada")})

        plan = planned(
            tenant(*self.groups, people=self.people),
            service("ada"),
            service(None, ref=OTHER),
            events=[*self.events, intended(made)],
        )

        assert not plan.actions
        assert "seat/a/ada" in reasons(plan.pending)

    def test_who_moves_and_is_renamed_at_once_is_still_one_person(self) -> None:
        plan = planned(
            tenant(*self.groups, people=[person("augusta", "b", previously="ada")]),
            service("ada"),
            service(None, ref=OTHER),
            events=list(self.events),
        )

        joins, leaves = plan.actions
        assert leaves.needs == (joins.id,)


class TestRenames:
    def test_a_rename_is_an_update_and_stays_ours(self) -> None:
        scene = Scene(
            tenant=tenant(group(), people=[person("Augusta", previously="ADA")]),
            holdings=[service("ada", None, None)],
            events=ours("ada"),
        )

        plan = scene.plan()
        scene.do(plan)

        assert done(plan) == [("update", "user/augusta")]
        assert plan.actions[0].before == {"login": full("ada"), "first_name": "Ada", "last_name": "Doe"}
        assert scene.progress.owned == {("office", full("augusta")): "augusta"}
        assert not scene.plan().actions

    def test_it_does_nothing_when_both_exist_and_says_so(self) -> None:
        one = tenant(group(), people=[person("augusta", previously="ada")])

        plan = planned(one, service("ada", "augusta", None))

        assert not plan.actions
        assert "both" in plan.findings[0].message

    def test_it_does_nothing_when_the_old_one_is_not_ours_and_says_so(self) -> None:
        one = tenant(group(), people=[person("augusta", previously="ada")])

        plan = planned(one, service("ada", None, None))

        assert done(plan) == [("activate", "seat/office/augusta")]
        assert "adopt it" in plan.findings[0].message

    def test_it_does_nothing_when_the_old_one_is_gone(self) -> None:
        one = tenant(group(), people=[person("augusta", previously="ada")])

        plan = planned(one, service("augusta", None, None))

        assert not plan.actions
        assert not plan.findings

    def test_a_rename_that_is_under_way_is_left_alone(self) -> None:
        detail = {"group": "office", "login": full("augusta"), "previously": full("ada")}
        made = action(Verb.UPDATE, "user/augusta", detail=detail)
        one = tenant(group(), people=[person("augusta", previously="ada")])

        plan = planned(one, service("ada", None, None), events=[*ours("ada"), intended(made)])

        assert not plan.actions

    def test_on_two_services_each_seat_is_renamed(self) -> None:
        scene = Scene(
            tenant=tenant(
                group("a", seats=1),
                group("b", seats=1, service=OTHER),
                people=[person("augusta", "a", "b", previously="ada")],
            ),
            holdings=[service("ada"), service("ada", ref=OTHER)],
            events=[*ours("ada", group="a"), *ours("ada", group="b")],
        )

        scene.do(scene.plan())

        assert set(scene.progress.owned) == {("a", full("augusta")), ("b", full("augusta"))}

    def test_one_pay_as_you_go_user_is_renamed_once_and_ours_in_both_groups(self) -> None:
        scene = Scene(
            tenant=tenant(
                group("a", seats=None),
                group("b", seats=None, product="pro-plus"),
                people=[person("augusta", "a", "b", previously="ada")],
                provider="ovh-payg",
            ),
            holdings=[office("ada"), office("ada", product="pro-plus")],
            events=[*ours("ada", group="a"), *ours("ada", group="b")],
        )

        plan = scene.plan()
        scene.do(plan)

        assert done(plan) == [("update", "user/augusta")]
        assert set(scene.progress.owned) == {("a", full("augusta")), ("b", full("augusta"))}

    def test_a_person_who_becomes_ours_under_the_groups_old_name_can_be_renamed(self) -> None:
        one = tenant(bare("main", previously="office"), people=[person("augusta", "main", previously="ada")])

        plan = planned(one, service("ada", None, None), events=[known(), *ours("ada")])

        assert done(plan) == [("update", "user/augusta")]


class TestTwoSeats:
    def test_one_person_on_two_seats_is_said_and_counted_once(self) -> None:
        plan = planned(tenant(group(), people=[person("ada")]), service("ada", "ada", None))

        assert not plan.actions
        assert f"{SERVICE}-1001 and {SERVICE}-1002" in plan.findings[0].message
        assert plan.seated == (("office", 1),)

    def test_who_leaves_gives_both_back(self) -> None:
        plan = planned(tenant(group()), service("ada", "ada", None), events=ours("ada"))

        assert [one.detail["targets"] for one in plan.actions] in (
            [[f"{SERVICE}-1001"], [f"{SERVICE}-1002"]],
            [[f"{SERVICE}-1002"], [f"{SERVICE}-1001"]],
        )
        assert len({one.id for one in plan.actions}) == 2

    def test_in_a_cancelled_group_both_are_leaving(self) -> None:
        plan = planned(tenant(cancelled()), service("ada", "ada"), events=ours("ada"))

        assert [one.ref for one in plan.leaving] == [f"{SERVICE}-1001", f"{SERVICE}-1002"]


class TestOneLicence:
    groups = (group("a", seats=None), group("b", seats=None, product="pro-plus"))

    def planned(self, *people: Any, business: tuple[str, ...] = (), pro: tuple[str, ...] = ()) -> Plan:
        return planned(
            tenant(*self.groups, people=people, provider="ovh-payg"),
            office(*business),
            office(*pro, product="pro-plus"),
            events=[*ours(*business, group="a"), *ours(*pro, group="b")],
        )

    def test_two_licences_for_a_new_user_are_one_too_many(self) -> None:
        plan = self.planned(person("ada", "a", "b"))

        assert done(plan) == [("activate", "seat/a/ada")]
        assert "one licence" in reasons(plan.blocked)["seat/b/ada"]

    def test_a_second_licence_for_a_user_is_one_too_many(self) -> None:
        plan = self.planned(person("ada", "a", "b"), business=("ada",))

        assert not plan.actions
        assert "one licence" in reasons(plan.blocked)["seat/b/ada"]

    def test_a_move_between_them_cannot_be_done_without_a_gap(self) -> None:
        plan = self.planned(person("ada", "b"), business=("ada",))

        assert not plan.actions
        assert set(reasons(plan.blocked)) == {"seat/a/ada", "seat/b/ada"}

    def test_one_of_two_licences_is_not_lost_with_the_user(self) -> None:
        plan = self.planned(person("ada", "a"), business=("ada",), pro=("ada",))

        assert not plan.actions
        assert "takes both away" in reasons(plan.blocked)["seat/b/ada"]

    def test_two_services_are_two_users(self) -> None:
        one = tenant(
            group("a", seats=None),
            group("b", seats=None, service=OTHER),
            people=[person("ada", "a", "b")],
            provider="ovh-payg",
        )

        assert len(planned(one, office(), office(ref=OTHER)).actions) == 2


def test_a_pay_as_you_go_ceiling_is_kept() -> None:
    one = tenant(group(seats=2), people=[person("ada"), person("bob")], provider="ovh-payg")

    freed = planned(one, office("ada", "zed"), events=ours("zed"))
    full_house = planned(one, office("ada", "zed"))

    assert freed.actions[1].needs == (freed.actions[0].id,)
    assert not full_house.actions
    assert "no seat left" in reasons(full_house.blocked)["seat/office/bob"]


def test_an_open_joiner_holds_a_free_seat() -> None:
    made = action(Verb.ACTIVATE, "seat/office/ada", detail={"login": full("ada")})
    one = tenant(group(seats=1), people=[person("ada"), person("bob")])

    plan = planned(one, service(None), events=[intended(made)])

    assert not plan.actions
    assert "no free seat" in reasons(plan.blocked)["seat/office/bob"]


def test_an_open_leaver_is_not_asked_twice() -> None:
    made = action(Verb.DEACTIVATE, "seat/office/zed", detail={"login": full("zed"), "targets": ["x"]})

    plan = planned(tenant(group(seats=1)), service("zed"), events=[*ours("zed"), intended(made)])

    assert not plan.actions


@pytest.mark.parametrize("in_doubt", [True, False])
def test_an_open_action_is_told_with_how_it_stands(*, in_doubt: bool) -> None:
    made = action(Verb.ACTIVATE, "seat/office/ada", detail={"login": full("ada")})
    events = [intended(made), *([event(Kind.IN_DOUBT, made, why="lost")] if in_doubt else [])]

    plan = planned(tenant(group(seats=1), people=[person("ada")]), service(None), events=events)

    (item,) = plan.pending
    assert item.state == ("in-doubt" if in_doubt else "pending")
    assert plan.status == ("in_doubt" if in_doubt else "pending")


def test_a_joiner_of_a_group_whose_purchase_failed_is_blocked_with_it() -> None:
    made = action(Verb.ORDER)
    events = [intended(made), event(Kind.FAILED, made, final=True, blocks=True, message="cancelled")]

    plan = planned(tenant(bare(), people=[person("ada")]), events=events)

    assert not plan.actions
    assert reasons(plan.blocked)["seat/office/ada"] == "group/office is blocked"
    assert "not ordered again" in reasons(plan.blocked)["group/office"]


def test_a_reseller_knows_no_people() -> None:
    one = tenant(
        bare("basic", product="11", seats=3),
        people=[person("ada", "basic")],
        provider="ovh-csp2",
        service="alfa",
    )

    plan = planned(one, subscription(501, 3))

    assert "Microsoft's directory" in reasons(plan.blocked)["seat/basic/ada"]


def test_a_provider_that_cannot_seat_says_so() -> None:
    mute = replace(CSP2, verbs={})
    one = tenant(
        bare("basic", product="11", seats=3),
        people=[person("ada", "basic")],
        provider="ovh-csp2",
        service="alfa",
    )

    plan = planned(one, subscription(501, 3), capabilities=mute)

    assert "knows no people" in reasons(plan.blocked)["seat/basic/ada"]


def test_who_sits_on_a_seat_that_ends_while_the_group_goes_on_is_said() -> None:
    one = tenant(group(seats=1), people=[person("ada")])

    plan = planned(one, holding(seat(1, "ada", ends_on=ENDS, renews_on=None), seat(2)))

    assert "which ends on 2026-12-01" in plan.findings[0].message


def test_a_leavers_seat_that_ends_is_given_to_nobody() -> None:
    one = tenant(group(seats=1), people=[person("bob")])
    places = [seat(1, "ada", ends_on=ENDS, renews_on=None), seat(2, "zed")]

    plan = planned(one, holding(*places), events=ours("ada"))

    assert done(plan) == [("deactivate", "seat/office/ada")]
    assert "seat/office/bob" in reasons(plan.blocked)


def test_the_last_seat_that_ends_is_kept_for_the_joiner_once_its_person_left() -> None:
    one = tenant(group(seats=1), people=[person("bob")])

    plan = planned(one, holding(seat(1, "ada", ends_on=ENDS, renews_on=None)), events=ours("ada"))

    resize, leaves, joins = plan.actions
    assert (resize.verb, set(joins.needs)) == (Verb.RESIZE, {resize.id, leaves.id})


def test_while_a_number_is_on_its_way_a_leavers_seat_that_ends_is_given_to_nobody() -> None:
    one = tenant(group(seats=2), people=[person("bob")])
    places = [seat(1, "ada", ends_on=ENDS, renews_on=None), seat(2, "zed")]

    plan = planned(one, holding(*places), events=ours("ada"), incoming=[coming(77, into=SERVICE)])

    assert done(plan) == [("deactivate", "seat/office/ada")]
    assert "seat/office/bob" in reasons(plan.pending)


@pytest.mark.parametrize("without", [Verb.RESIZE, Verb.ACTIVATE])
def test_what_needs_something_that_cannot_be_done_is_blocked_with_it(without: Verb) -> None:
    verbs = {verb: support for verb, support in PREPAID.verbs.items() if verb is not without}
    one = tenant(group(seats=1), people=[person("ada")])

    plan = planned(one, holding(seat(1, "zed")), capabilities=replace(PREPAID, verbs=verbs))
    grown = planned(
        tenant(group(seats=2), people=[person("ada")]),
        service("zed"),
        capabilities=replace(PREPAID, verbs=verbs),
    )

    assert "seat/office/ada" in reasons(plan.blocked)
    assert "seat/office/ada" in reasons(grown.blocked)
    assert not [one for one in grown.actions if one.verb is Verb.ACTIVATE]


def test_people_of_a_pay_as_you_go_group_that_cannot_be_ordered_are_blocked_with_it() -> None:
    one = tenant(bare(seats=None), people=[person("ada")], provider="ovh-payg")
    verbs = dict(PAYG.verbs)
    del verbs[Verb.ORDER]

    plan = planned(one, capabilities=replace(PAYG, verbs=verbs))

    assert set(reasons(plan.blocked)) == {"group/office", "seat/office/ada"}


def test_one_pay_as_you_go_service_holds_at_most_three_hundred_business_users() -> None:
    there = [f"p{n}" for n in range(299)]
    one = tenant(group(seats=None), people=[person("ada"), person("bob")], provider="ovh-payg")

    plan = planned(one, office(*there))

    assert done(plan) == [("activate", "seat/office/ada")]
    assert "seat/office/bob" in reasons(plan.blocked)


def test_a_second_seat_that_somebody_gives_back_is_given_to_a_joiner_in_the_same_plan() -> None:
    """Found by the properties: the freed seat stayed empty until the next apply."""
    scene = Scene(
        tenant=tenant(group(seats=3), people=[person("bob"), person("cid")]),
        holdings=[service("ada", "ada", "cid")],
        events=ours("ada", "cid"),
    )
    plan = scene.plan()
    assert [one.address for one in plan.actions if one.verb is Verb.ACTIVATE] == ["seat/office/bob"]
    assert [one.before for one in plan.actions if one.verb is Verb.DEACTIVATE] == [
        {"login": full("ada")},
        {"login": full("ada"), "seat": f"{SERVICE}-1002"},
    ]
    scene.do(plan)
    assert not scene.plan().actions


def test_two_joiners_take_the_two_seats_of_one_leaver() -> None:
    scene = Scene(
        tenant=tenant(group(seats=2), people=[person("bob"), person("cid")]),
        holdings=[service("ada", "ada")],
        events=ours("ada"),
    )

    scene.do(scene.plan())

    assert {place.login for place in scene.holdings[0].places} == {full("bob"), full("cid")}


def test_who_moves_to_a_group_whose_domain_is_not_known_keeps_the_seat() -> None:
    other = "other.o365.ovh.com"
    groups = (group(seats=None), group("desk", seats=None, service=other))
    one = tenant(*groups, people=[person("ada", "desk")], provider="ovh-payg", domain=None)
    unsure = office(ref=other, domain="", domains=("a.example", SERVICE))

    plan = Scene(tenant=one, holdings=[office("ada"), unsure], events=ours("ada")).plan()

    assert not plan.actions
    assert {item.address for item in plan.blocked} == {"group/desk", "seat/office/ada"}


def test_who_moves_to_a_service_that_is_only_ordered_leaves_after_it_is_there() -> None:
    groups = (group("a", seats=1), group("b", seats=1, product="pro-plus"))
    one = tenant(*groups, people=[person("ada", "b")], domain=None)

    plan = Scene(tenant=one, holdings=[service("ada")], events=ours("ada", group="a")).plan()

    order, joins, leaves = plan.actions
    assert (order.address, joins.address, leaves.address) == ("group/b", "seat/b/ada", "seat/a/ada")
    assert leaves.needs == (joins.id,)
    assert not plan.blocked


def test_who_moves_to_a_service_with_another_domain_is_still_one_person() -> None:
    groups = (group("a", seats=1), group("b", seats=1, service=OTHER))
    one = tenant(*groups, people=[person("ada", "b")], domain=None)

    scene = Scene(
        tenant=one, holdings=[service("ada"), service(None, ref=OTHER)], events=ours("ada", group="a")
    )
    joins, leaves = scene.plan().actions
    scene.events = [*scene.events, intended(joins)]
    meanwhile = scene.plan()

    assert (joins.address, leaves.address) == ("seat/b/ada", "seat/a/ada")
    assert leaves.needs == (joins.id,)
    assert not meanwhile.actions
    assert "until the one in b is there" in reasons(meanwhile.pending)["seat/a/ada"]
