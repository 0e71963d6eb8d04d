"""The order of actions, their ids, and the digest that a review approves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.journal import Kind
from reconciler.core.order import in_order
from reconciler.core.plan import Plan, Run
from tests.core.makers import (
    ENDS,
    NOW,
    PRICE,
    action,
    begun,
    event,
    group,
    intended,
    ours,
    person,
    service,
    tenant,
)
from tests.core.scene import Scene

DOWN: dict[str, Any] = {"before": {"seats": 2}, "after": {"seats": 1}}
PICTURE = [
    action(Verb.ORDER, "group/new"),
    action(Verb.RESIZE, "group/more", before={"seats": 1}, after={"seats": 2}),
    action(Verb.CREATE_USER, "user/ada"),
    action(Verb.UPDATE, "user/bob"),
    action(Verb.DEACTIVATE, "seat/a/cid"),
    action(Verb.ACTIVATE, "seat/a/dan"),
    action(Verb.DELETE_USER, "user/eve"),
    action(Verb.UPDATE, "group/a", detail={"renewal": "off"}),
    action(Verb.RESIZE, "group/b", **DOWN),
    action(Verb.CANCEL, "group/c"),
    action(Verb.SCHEDULE, "group/d"),
]


@given(st.permutations(PICTURE))
def test_any_shuffle_gives_the_order_of_the_picture(mixed: list[Action]) -> None:
    assert in_order(mixed) == PICTURE


def test_what_an_action_needs_comes_before_it() -> None:
    last = action(Verb.ACTIVATE, "seat/b/cid")
    first = replace(PICTURE[4], needs=(last.id, "done long ago"))

    assert in_order([first, last]) == [last, first]


def test_actions_that_need_each_other_are_a_bug() -> None:
    one = action(Verb.ACTIVATE, "seat/a/x", needs=(action(Verb.DEACTIVATE, "seat/a/y").id,))
    two = action(Verb.DEACTIVATE, "seat/a/y", needs=(one.id,))

    with pytest.raises(ValueError, match="seat/a/x, seat/a/y"):
        in_order([one, two])


def scene(seats: int = 12, **more: Any) -> Scene:
    return Scene(tenant=tenant(group(seats=seats, **more)), holdings=[service(*[None] * 10)])


def test_the_same_manifests_and_the_same_world_give_the_same_digest() -> None:
    assert scene().plan().digest == scene().plan().digest
    assert scene().plan().actions[0].id == scene().plan().actions[0].id


def test_up_down_and_up_again_are_three_plans() -> None:
    one = scene()
    plans = [one.plan()]
    one.do(plans[0])
    one.tenant = tenant(group(seats=10))
    plans.append(one.plan())
    one.events += [begun(*plans[1].actions)]
    one.tenant = tenant(group(seats=12))
    one.holdings = [service(*[None] * 10)]
    plans.append(one.plan())

    assert len({plan.digest for plan in plans}) == 3
    assert len({action.id for plan in plans for action in plan.actions}) == 3


def changed(plan: Plan, **more: Any) -> Plan:
    return replace(plan, actions=(replace(plan.actions[0], **more), *plan.actions[1:]))


@pytest.mark.parametrize(
    "more",
    [
        {"price": PRICE},
        {"summary": "other words"},
        {"reason": "other"},
        {"source": None},
        {"detail": {}},
        {"reversible_until": ENDS},
        {"needs": ("x",)},
    ],
)
def test_words_prices_places_and_other_times_are_not_in_it(more: dict[str, Any]) -> None:
    plan = scene().plan()

    assert changed(plan, **more).digest == plan.digest


@pytest.mark.parametrize(
    "more",
    [
        {"verb": Verb.CANCEL},
        {"how": "by-hand"},
        {"address": "group/x"},
        {"before": {"seats": 9}},
        {"after": {"seats": 13}},
        {"scheduled_for": ENDS},
    ],
)
def test_what_is_done_is_in_it(more: dict[str, Any]) -> None:
    plan = scene().plan()

    assert changed(plan, **more).digest != plan.digest


@pytest.mark.parametrize(
    "more", [{"tenant": "beta"}, {"refs": (("office", "x"),)}, {"begun": 7}, {"provider": "ovh-payg"}]
)
def test_whose_plan_it_is_is_in_it(more: dict[str, Any]) -> None:
    plan = scene().plan()

    assert replace(plan, **more).digest != plan.digest


def test_the_present_is_not_in_it() -> None:
    one = scene()

    assert one.plan(NOW.replace(year=2027)).digest == one.plan().digest


def test_a_new_apply_without_actions_does_not_change_it() -> None:
    one = scene()
    plan = one.plan()
    one.events += [*ours("zed"), event(Kind.CLOSED, exit_code=0)]

    assert one.plan().digest == plan.digest


def test_a_run_that_was_changed_has_another_digest() -> None:
    plan = scene(seats=9).plan()
    run = Run(plans=(plan,), created_at=NOW, tool_version="1")
    before = run.digest

    other = replace(run, plans=(replace(plan, begun=plan.begun + 1),))

    assert other.digest != before == run.digest


def test_the_runs_digest_is_that_of_the_tenants_with_actions() -> None:
    plan = scene().plan()
    quiet = replace(plan, tenant="quiet", actions=())

    alone = Run(plans=(plan,), created_at=NOW, tool_version="1")
    both = Run(plans=(quiet, plan), created_at=NOW, tool_version="2")

    assert alone.digest == both.digest


def test_a_run_is_counted_up() -> None:
    one = scene(seats=9)
    plan = one.plan()
    hand = action(Verb.ORDER, how="by-hand")

    run = Run(plans=(plan, replace(plan, tenant="b", actions=(hand,))), created_at=NOW, tool_version="1")

    assert run.summary["resize"] == 1
    assert run.summary["scheduled"] == 1
    assert run.summary["by_hand"] == 1
    assert run.tenants["changes"] == 2
    assert run.cost[0].unknown == 2


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ({"error": "x", "in_doubt": True}, "error"),
        ({"in_doubt": True, "blocked": ("x",)}, "in_doubt"),
        ({"blocked": ("x",), "pending": ("x",)}, "blocked"),
        ({"pending": ("x",)}, "pending"),
        ({}, "changes"),
        ({"actions": ()}, "in_sync"),
    ],
)
def test_the_worst_is_a_tenants_status(more: dict[str, Any], status: str) -> None:
    assert replace(scene().plan(), **more).status == status


def test_an_open_action_stays_out_of_the_plan() -> None:
    one = scene()
    one.events = [intended(replace(action(), detail={"group": "office"}))]

    assert not one.plan().actions


def test_people_keep_their_own_address_whatever_group_comes_first() -> None:
    people = [person("ada", "a", "b", last_name="King")]
    groups = [group("a", seats=1), group("b", seats=1, service="b.o365.ovh.com")]
    held = [service("ada"), service("ada", ref="b.o365.ovh.com")]

    one = Scene(tenant=tenant(*groups, people=people), holdings=held)
    two = Scene(tenant=tenant(*reversed(groups), people=people), holdings=held[::-1])

    assert one.plan().digest == two.plan().digest
