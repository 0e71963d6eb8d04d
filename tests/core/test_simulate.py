"""A plan that could seat somebody without a seat, in some order, is found out."""

from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.identity import Identity
from reconciler.core.plan import Plan
from reconciler.core.simulate import carry_out, prove, rooms, violations
from reconciler.core.standing import Standing
from reconciler.providers.ovh.capabilities import CSP2, PAYG, PREPAID
from tests.core.makers import ENDS, RENEWS, SERVICE, action, full, group, office, service, subscription


def standing(held: Any, **more: Any) -> dict[str, Standing]:
    capabilities = more.pop("capabilities", PREPAID)
    one = Standing(
        group=group(**more),
        identity=Identity(verdict="is", holding=held),
        capabilities=capabilities,
        product="business",
        domain=SERVICE,
        holding=held,
    )
    return {"office": one}


def join(login: str, *needs: str) -> Action:
    return action(Verb.ACTIVATE, f"seat/office/{login}", detail={"login": full(login)}, needs=needs)


def leave(login: str, number: int) -> Action:
    detail = {"login": full(login), "targets": [f"{SERVICE}-{1000 + number}"]}
    return action(Verb.DEACTIVATE, f"seat/office/{login}", detail=detail)


def grow(quantity: int, *kept: int) -> Action:
    targets = [f"{SERVICE}-{1000 + number}" for number in kept]
    return action(detail={"quantity": quantity, "targets": targets}, before={"seats": 1}, after={"seats": 9})


def end(*numbers: int, needs: tuple[str, ...] = ()) -> Action:
    detail = {"quantity": -len(numbers), "targets": [f"{SERVICE}-{1000 + n}" for n in numbers]}
    return action(detail=detail, before={"seats": 9}, after={"seats": 1}, needs=needs, scheduled_for=RENEWS)


def test_a_free_seat_is_enough_for_one() -> None:
    assert not violations(standing(service(None)), [join("ada")])
    assert "no seat is sure" in " ".join(violations(standing(service(None)), [join("ada"), join("bob")]))


def test_more_people_than_seats_are_found_at_the_step() -> None:
    assert "2 people on 1 seats" in violations(standing(service("ada")), [join("bob")])[0]


def test_a_freed_seat_has_to_be_needed() -> None:
    gone = leave("ada", 1)
    here = standing(service("ada"))

    assert not violations(here, [gone, join("bob", gone.id)])
    assert "no seat is sure" in violations(here, [gone, join("bob")])[0]


def test_a_freed_seat_is_given_once() -> None:
    gone = leave("ada", 1)
    two = [gone, join("bob", gone.id), join("cid", gone.id)]

    assert violations(standing(service("ada")), two)


def test_a_bought_seat_has_to_be_needed_and_is_given_once() -> None:
    more = grow(1)
    here = standing(service("ada"))

    assert not violations(here, [more, join("bob", more.id)])
    assert violations(here, [more, join("bob")])
    assert violations(here, [more, join("bob", more.id), join("cid", more.id)])


def test_a_kept_seat_is_one_when_it_is_free() -> None:
    free = service(None)
    taken = service("ada")
    end_all = [
        replace(one, places=tuple(p._replace(ends_on=ENDS) for p in one.places)) for one in (free, taken)
    ]
    more = grow(0, 1)

    assert not violations(standing(end_all[0]), [more, join("bob", more.id)])
    assert violations(standing(end_all[1]), [more, join("bob", more.id)])


def test_nobody_is_seated_twice() -> None:
    here = standing(service("ada", None, None))

    assert "sits there already" in violations(here, [join("ada")])[0]
    twice = [join("bob"), replace(join("bob"), id="again")]
    assert any("seated twice" in one for one in violations(here, twice))


def test_a_seat_ends_only_when_it_is_empty_by_then_and_nobodys() -> None:
    gone = leave("ada", 1)
    here = standing(service("ada", None))

    assert not violations(here, [end(2)])
    assert not violations(here, [gone, end(1, 2, needs=(gone.id,))])
    assert "may sit there" in violations(here, [gone, end(1)])[0]
    assert "was to sit there" in violations(here, [join("bob"), end(2)])[0]


def test_an_action_that_needs_nothing_known_is_found() -> None:
    assert "no action of this plan" in violations(standing(service(None)), [join("ada", "lost")])[0]


def test_an_action_of_no_group_is_found() -> None:
    assert "in no group" in violations({}, [join("ada")])[0]


def test_a_pay_as_you_go_ceiling_counts_who_sits_there() -> None:
    here = standing(office("ada"), seats=2, capabilities=PAYG)

    assert not violations(here, [join("bob")])
    assert violations(here, [join("bob"), join("cid")])
    assert not violations(standing(office("ada"), seats=None, capabilities=PAYG), [join("bob"), join("cid")])


def test_a_rename_takes_no_seat() -> None:
    detail = {"login": full("augusta"), "previously": full("ada"), "group": "office"}
    state = rooms(standing(service("ada")))

    assert not carry_out(state, action(Verb.UPDATE, "user/augusta", detail=detail))
    assert state["office"].people == {full("augusta"): f"{SERVICE}-1001"}


def test_of_two_seats_of_a_person_giving_back_one_is_not_leaving() -> None:
    state = rooms(standing(service("ada", "ada")))

    carry_out(state, leave("ada", 2))

    assert state["office"].people


def test_a_reseller_has_a_number_and_no_people() -> None:
    here = standing(subscription(501, 3), capabilities=CSP2)

    assert rooms(here)["office"].seats == 3
    assert not violations(here, [action(detail={"quantity": -2}, before={"seats": 3}, after={"seats": 1})])


def test_a_plan_that_is_not_possible_is_a_bug_and_never_shown() -> None:
    plan = Plan(tenant="acme", provider="ovh-prepaid", account="main", actions=(join("bob"),))

    with pytest.raises(ValueError, match="plan of acme is not possible: seat/office/bob"):
        prove(plan, standing(service("ada")))
