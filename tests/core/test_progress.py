"""Where things stand after each event, and after a crash between any two."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.core.action import Verb
from reconciler.core.journal import Event, Kind
from reconciler.core.progress import Progress
from reconciler.core.replay import replay, replay_all
from tests.core.makers import ENDS, NOW, PRICE, action, begun, event, full, intended, known, ours

ORDER = action(Verb.ORDER, detail={"product": "business", "quantity": 2}, price=PRICE)
JOIN = action(Verb.ACTIVATE, "seat/office/ada", detail={"login": full("ada"), "product": "business"})
LATER = NOW + timedelta(minutes=5)


def step(kind: Kind, **data: Any) -> Event:
    return event(kind, ORDER, **{"step": "checkout", **data})


def test_an_empty_journal_knows_nothing() -> None:
    assert replay([]) == Progress()
    assert not Progress().unsettled


def test_a_plan_that_is_begun_is_spent_and_to_do() -> None:
    progress = replay([begun(ORDER, JOIN, plan="sha256:1", seated={"office": 2})])

    assert (progress.begun, progress.plan) == (1, "sha256:1")
    assert progress.spent["sha256:1"][0] == NOW
    assert set(progress.todo) == {ORDER.id, JOIN.id}
    assert progress.seated == {"office": 2}
    assert progress.unsettled


def test_another_plan_replaces_what_was_to_do() -> None:
    progress = replay([begun(ORDER), begun(JOIN)])

    assert (progress.begun, set(progress.todo)) == (2, {JOIN.id})


@pytest.mark.parametrize(
    ("events", "stage", "ref"),
    [
        ([], "intended", None),
        ([step(Kind.STEPPING)], "intended", None),
        ([step(Kind.STEPPING), step(Kind.STEPPED, ref="77")], "intended", "77"),
        ([event(Kind.ACCEPTED, ORDER, ticket="77")], "accepted", "77"),
        ([event(Kind.ACCEPTED, ORDER, ticket="")], "accepted", None),
        ([event(Kind.ACCEPTED, ORDER, ticket="77"), step(Kind.STEPPING, step="pay")], "intended", "77"),
        ([event(Kind.IN_DOUBT, ORDER, why="lost")], "in-doubt", None),
    ],
)
def test_a_crash_leaves_it_open_as_far_as_it_came(events: list[Event], stage: str, ref: str | None) -> None:
    progress = replay([begun(ORDER), intended(ORDER), *events])

    (one,) = progress.open.values()
    assert (one.stage, one.ref) == (stage, ref)
    assert progress.at("group/office") == (one,)
    assert progress.at("group/other") == ()
    assert not progress.todo
    assert progress.unsettled is (stage != "in-doubt")


def test_a_step_that_is_sent_again_is_one_step() -> None:
    events = [step(Kind.STEPPING, data={"a": 1}), step(Kind.STEPPING, data={"b": 2})]

    (one,) = replay([intended(ORDER), *events]).open[ORDER.id].steps

    assert one.data == {"b": 2}


def test_an_answer_belongs_to_its_own_step() -> None:
    events = [
        step(Kind.STEPPING, step="cart"),
        step(Kind.STEPPED, step="cart", ref="c1"),
        step(Kind.STEPPING),
        step(Kind.STEPPED, ref="77", data={"n": 1}),
    ]

    progress = replay([intended(ORDER), *events])

    cart, checkout = progress.open[ORDER.id].steps
    assert (cart.ref, checkout.ref, checkout.data) == ("c1", "77", {"n": 1})
    assert progress.orders == {"77"}


def test_the_number_of_an_order_is_remembered() -> None:
    stepped = replay([intended(ORDER), step(Kind.STEPPING), step(Kind.STEPPED, ref="77")])
    accepted = replay([intended(ORDER), event(Kind.ACCEPTED, ORDER, ticket="78")])
    other = replay([intended(JOIN), event(Kind.ACCEPTED, JOIN, ticket="9")])

    assert (stepped.orders, accepted.orders, other.orders) == ({"77"}, {"78"}, set())


def test_trying_again_keeps_what_was_sent_before() -> None:
    progress = replay(
        [
            intended(ORDER),
            step(Kind.STEPPING),
            intended(ORDER, attempt=2, at=LATER),
        ]
    )

    one = progress.open[ORDER.id]
    assert (one.attempt, one.since, len(one.steps)) == (2, NOW, 1)


def test_an_intention_may_carry_the_steps_of_another_run() -> None:
    steps = [{"name": "cart", "began_at": NOW.isoformat(), "ref": "c1"}]

    assert replay([intended(ORDER, steps=steps)]).open[ORDER.id].ref == "c1"


def test_an_intention_without_its_action_is_known_from_the_plan_or_from_before() -> None:
    bare = event(Kind.INTENDED, ORDER)

    assert replay([begun(ORDER), bare]).open[ORDER.id].action == ORDER
    assert replay([intended(ORDER), bare]).open[ORDER.id].action == ORDER
    assert not replay([bare]).open


def test_when_it_is_due_and_who_moves_next_is_remembered() -> None:
    data: dict[str, Any] = {
        "waiting_on": "person",
        "status": "notPaid",
        "due_by": LATER.isoformat(),
        "instructions": "pay",
    }

    one = replay([intended(ORDER), event(Kind.ACCEPTED, ORDER, ticket="77", **data)]).open[ORDER.id]

    assert (one.waiting_on, one.status, one.due_by, one.instructions) == ("person", "notPaid", LATER, "pay")


def test_an_order_that_is_done_says_which_service_the_group_is() -> None:
    done = event(Kind.FINISHED, ORDER, ref="77", service="acme", scope="acme", seats=2)

    progress = replay([begun(ORDER), intended(ORDER), done])

    assert progress.services == {"office": ("acme", "business", "acme")}
    assert (progress.delivered["office"].seats, progress.finished) == (2, {ORDER.id})
    assert not progress.unsettled


def test_what_was_confirmed_without_being_sent_is_done() -> None:
    progress = replay([begun(JOIN), event(Kind.FINISHED, JOIN)])

    assert not progress.todo
    assert progress.owned == {("office", full("ada")): "ada"}


def test_an_order_seen_delivered_is_not_asked_about_again() -> None:
    events = [intended(ORDER), event(Kind.ACCEPTED, ORDER, ticket="77"), event(Kind.FINISHED, ORDER)]

    assert replay(events).arrived == {"77"}


def test_a_change_of_the_number_does_not_change_which_service_it_is() -> None:
    change = action(detail={"product": "business", "service": "acme"})

    progress = replay([intended(change), event(Kind.FINISHED, change, service="12345")])

    assert progress.services["office"][0] == "acme"
    assert not progress.delivered


def test_who_is_seated_is_ours_and_who_leaves_is_not() -> None:
    leave = action(Verb.DEACTIVATE, "seat/office/ada", detail={"login": full("ada")})
    joined = [intended(JOIN), event(Kind.FINISHED, JOIN)]

    assert replay(joined).owned == {("office", full("ada")): "ada"}
    assert not replay([*joined, intended(leave), event(Kind.FINISHED, leave)]).owned


def test_a_renamed_person_stays_ours_in_the_groups_that_were_renamed() -> None:
    detail = {"login": full("augusta"), "previously": full("ada"), "group": "office"}
    rename = action(Verb.UPDATE, "user/augusta", detail=detail)
    events = [*ours("ada"), *ours("ada", group="other"), intended(rename), event(Kind.FINISHED, rename)]

    assert set(replay(events).owned) == {("office", full("augusta")), ("other", full("ada"))}


def test_another_update_changes_nobody() -> None:
    update = action(Verb.UPDATE, "user/ada", detail={"login": full("ada")})

    assert replay([*ours("ada"), intended(update), event(Kind.FINISHED, update)]).owned


def test_what_ends_is_known_by_the_groups_name_of_today_and_no_more_once_it_goes_on() -> None:
    leave = action(Verb.CANCEL, detail={"service": "s", "product": "business"})
    stay = action(Verb.UPDATE, detail={"service": "s", "product": "business", "renewal": "auto"})
    ended = [intended(leave), event(Kind.FINISHED, leave)]
    renamed = event(Kind.ADOPTED, None, group="desk", ref="s", product="business", instead_of="office")

    assert replay(ended).endings == {"office": ("s", "business", "s")}
    assert replay([*ended, renamed]).endings == {"desk": ("s", "business", "s")}
    assert replay([*ended, intended(stay), event(Kind.FINISHED, stay)]).endings == {}


def test_the_service_that_a_group_has_now_is_remembered_before_one_that_ended() -> None:
    progress = Progress(
        services={"office": ("new", "business", "new"), "desk": ("d", "basic", "d")},
        endings={"office": ("old", "business", "old"), "mail": ("m", "exchange", "m")},
    )

    assert {group: ref for group, (ref, _, _) in progress.remembered.items()} == {
        "office": "new", "desk": "d", "mail": "m"
    }  # fmt: skip
    assert progress.endings["office"][0] == "old"


def test_a_group_that_was_cancelled_is_known_until_it_is_ordered_again() -> None:
    cancel = action(Verb.CANCEL)
    ended = [known(), intended(cancel), event(Kind.FINISHED, cancel)]

    assert replay(ended).cancelled == {"office"}
    assert not replay([*ended, intended(ORDER), event(Kind.FINISHED, ORDER, service="new")]).cancelled
    assert not replay([*ended, known()]).cancelled


class TestFailures:
    def test_for_good_it_is_not_tried_again(self) -> None:
        progress = replay([begun(ORDER), intended(ORDER), event(Kind.FAILED, ORDER, final=True)])

        assert (progress.failed, progress.open, progress.todo) == ({ORDER.id}, {}, {})

    def test_for_now_it_is_to_do(self) -> None:
        progress = replay([begun(ORDER), intended(ORDER), event(Kind.FAILED, ORDER, final=False)])

        assert (set(progress.todo), progress.open) == ({ORDER.id}, {})
        assert not replay([*ours("ada"), event(Kind.FAILED, ORDER)]).failed

    def test_before_it_was_sent_it_is_dropped(self) -> None:
        assert not replay([begun(ORDER), event(Kind.FAILED, ORDER, final=True)]).todo

    def test_tried_again_it_has_not_failed(self) -> None:
        assert not replay([intended(ORDER), event(Kind.FAILED, ORDER), intended(ORDER)]).failed

    def test_a_failed_purchase_blocks_its_group_until_somebody_resolves_it(self) -> None:
        failed = [intended(ORDER), event(Kind.FAILED, ORDER, final=True, blocks=True, message="refused")]

        assert replay(failed).stuck["group/office"].why == "refused"
        assert not replay([*failed, event(Kind.RELEASED, address="group/office", stuck=True)]).stuck

    def test_somebody_says_that_it_did_not_happen(self) -> None:
        doubt = [intended(ORDER), event(Kind.IN_DOUBT, ORDER, why="lost")]

        progress = replay([*doubt, event(Kind.FAILED, ORDER, final=True, resolved=True)])

        assert not progress.open
        assert not progress.stuck
        assert not progress.spending


class TestSpending:
    def test_it_is_counted_from_the_intention_on(self) -> None:
        (one,) = replay([intended(ORDER)]).spending.values()

        assert (one.at, one.currency, one.monthly) == (NOW, "EUR", Decimal("10.50"))

    def test_it_is_not_counted_when_it_failed_or_comes_later(self) -> None:
        later = action(price=PRICE, scheduled_for=ENDS)

        assert not replay([intended(ORDER), event(Kind.FAILED, ORDER)]).spending
        assert replay([intended(later)]).spending[later.id].monthly == 0
        assert not replay([intended(JOIN)]).spending


class TestOwnership:
    def test_what_is_adopted_is_ours_until_it_is_released(self) -> None:
        released = event(Kind.RELEASED, group="office", login=full("ada"))

        assert replay(ours("ada")).owned == {("office", full("ada")): "ada"}
        assert not replay([*ours("ada"), released]).owned

    def test_a_service_is_a_groups_until_it_is_released(self) -> None:
        assert replay([known()]).services["office"][1] == "business"
        assert not replay([known(), event(Kind.RELEASED, group="office", ref="acme")]).services
        assert replay([known(), event(Kind.RELEASED, group="office")]).services


class TestEnds:
    @pytest.mark.parametrize(("code", "owed"), [(0, ""), (4, ""), (3, "guard")])
    def test_an_apply_that_was_refused_is_owed_until_one_ends_well(self, code: int, owed: str) -> None:
        progress = replay([event(Kind.OWED, why="guard"), event(Kind.CLOSED, exit_code=code)])

        assert progress.owed == owed

    @pytest.mark.parametrize("final", [True, False])
    def test_what_can_no_longer_be_done_is_dropped_at_the_end(self, *, final: bool) -> None:
        progress = replay([begun(ORDER), event(Kind.CLOSED, exit_code=3, final=final)])

        assert bool(progress.todo) is not final


@pytest.mark.parametrize("kind", [Kind.LIFTED, Kind.SEEN])
def test_what_is_only_for_people_changes_nothing(kind: Kind) -> None:
    assert replay([event(kind)]) == Progress()


@pytest.mark.parametrize("kind", [Kind.STEPPING, Kind.STEPPED, Kind.ACCEPTED, Kind.IN_DOUBT, Kind.FINISHED])
def test_an_event_of_an_action_that_nobody_intended_opens_nothing(kind: Kind) -> None:
    progress = replay([event(kind, ORDER, step="checkout", ref="1", ticket="1")])

    assert not progress.open
    assert not progress.services


def test_the_last_number_is_known_and_tenants_are_told_apart() -> None:
    one, two = replace(begun(ORDER), seq=7), replace(begun(JOIN), tenant="beta", seq=9)

    both = replay_all([one, two])

    assert (both["acme"].last_seq, both["beta"].last_seq) == (7, 9)


def test_every_prefix_of_a_journal_is_readable() -> None:
    events = [
        begun(ORDER, JOIN),
        intended(ORDER),
        step(Kind.STEPPING),
        step(Kind.STEPPED, ref="77"),
        event(Kind.ACCEPTED, ORDER, ticket="77"),
        event(Kind.FINISHED, ORDER, service="acme", seats=2),
        intended(JOIN),
        event(Kind.FINISHED, JOIN),
        event(Kind.CLOSED, exit_code=0),
    ]

    opened = [set(replay(events[:n]).open) | set(replay(events[:n]).todo) for n in range(len(events) + 1)]

    both = {ORDER.id, JOIN.id}
    assert opened == [set(), both, both, both, both, both, {JOIN.id}, {JOIN.id}, set(), set()]
