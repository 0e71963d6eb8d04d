"""Whatever a tenant looks like: planning does not fail, no order oversells a seat, and one apply is enough."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.action import Verb
from reconciler.core.journal import Event
from reconciler.core.manifest import Group, Person
from reconciler.core.model import Holding, Place
from reconciler.core.order import in_order
from tests.core.makers import (
    ENDS,
    RENEWS,
    action,
    bare,
    cancelled,
    coming,
    full,
    group,
    holding,
    intended,
    ours,
    person,
    subscription,
    tenant,
)
from tests.core.scene import Scene

PEOPLE = ("ada", "bob", "cid", "dan", "eve", "fay")
SERVICES = {name: f"{name}.o365.ovh.com" for name in ("alpha", "beta", "gamma")}
ANY = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def places(draw: st.DrawFn, ref: str, *, wild: bool) -> tuple[Place, ...]:
    """The seats of a service: who sits there, what ends, what is being worked on."""
    sitting = draw(st.lists(st.sampled_from(PEOPLE), unique=True, max_size=4))
    if wild and sitting and draw(st.booleans()):
        sitting.append(sitting[0])  # one person on two seats
    logins = [*sitting, *([None] * draw(st.integers(0, 3)))]
    made: list[Place] = []
    for number, login in enumerate(draw(st.permutations(logins)), 1):
        ends = ENDS if draw(st.integers(0, 4)) == 0 else None
        ready = not wild or draw(st.integers(0, 4)) > 0
        name = login.title() if login and draw(st.booleans()) else "Old" if login else ""
        made.append(
            Place(
                ref=f"{ref}-{number}",
                login=full(login) if login else None,
                first_name=name,
                last_name="Doe" if login else "",
                ready=ready,
                ends_on=ends,
                renews_on=None if ends else RENEWS,
            )
        )
    return tuple(made)


@st.composite
def people(draw: st.DrawFn, groups: list[Group]) -> list[Person] | None:
    """Who is written into which group, never more than its seats, and some of them renamed."""
    if draw(st.integers(0, 9)) == 0:
        return None
    room = {one.name: one.seats if one.seats is not None else 99 for one in groups if one.state is None}
    chosen: list[Person] = []
    logins = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    for login in logins:
        names = [name for name in room if room[name] > 0]
        wanted = draw(st.lists(st.sampled_from(names), unique=True, max_size=2)) if names else []
        for name in wanted:
            room[name] -= 1
        old = draw(st.sampled_from([None, None, *(set(PEOPLE) - set(logins))]))
        taken = {one.previously for one in chosen}
        chosen.append(person(login, licenses=tuple(wanted), previously=None if old in taken else old))
    return chosen


def written_groups(draw: st.DrawFn, names: list[str]) -> list[Group]:
    made: list[Group] = []
    for name in names:
        more: dict[str, Any] = {
            "seats": draw(st.integers(1, 6)),
            "renewal": draw(st.sampled_from([None, None, "auto", "off"])),
            "protect": draw(st.integers(0, 9)) == 0,
            "service": SERVICES[name],
        }
        if draw(st.integers(0, 4)) == 0:
            made.append(cancelled(name, cancel=draw(st.sampled_from([None, "now"])), **more))
        else:
            made.append(group(name, **more))
    return made


@st.composite
def open_things(draw: st.DrawFn, names: list[str], holdings: list[Holding]) -> list[Event]:
    """Actions of an earlier apply that are still open."""
    events: list[Event] = []
    for one in holdings:
        name = names[list(SERVICES.values()).index(one.ref)] if one.ref in SERVICES.values() else names[0]
        detail = {"product": one.product, "service": one.ref, "group": name}
        match draw(st.integers(0, 9)):
            case 0:
                events.append(intended(action(address=f"group/{name}", detail={**detail, "quantity": 2})))
            case 1:
                login = draw(st.sampled_from(PEOPLE))
                made = action(Verb.ACTIVATE, f"seat/{name}/{login}", detail={**detail, "login": full(login)})
                free = sum(place.login is None and place.ready and not place.ends_on for place in one.places)
                if free and full(login) not in {place.login for place in one.places}:
                    events.append(intended(made))
            case 2 if any(place.login for place in one.places):
                place = next(place for place in one.places if place.login)
                login = str(place.login).partition("@")[0]
                away = {**detail, "login": place.login, "targets": [place.ref]}
                events.append(intended(action(Verb.DEACTIVATE, f"seat/{name}/{login}", detail=away)))
    return events


@st.composite
def prepaid(draw: st.DrawFn, *, wild: bool = True) -> Scene:
    """A prepaid tenant of up to three services, and perhaps one group to order."""
    names = list(SERVICES)[: draw(st.integers(1, 3))]
    groups = written_groups(draw, names)
    holdings = [
        holding(*places, ref=one, renewal="off" if places and all(p.ends_on for p in places) else "auto")
        for one in (SERVICES[name] for name in names)
        if (places := draw(_places(one, wild=wild))) or True
    ]
    holdings = [one for one in holdings if one.places]
    events = [event for name in names for event in _owned(draw, name)]
    if wild:
        events += draw(open_things(names, holdings))
    if draw(st.booleans()):
        groups.append(
            bare("delta", seats=draw(st.integers(1, 4)), renewal=draw(st.sampled_from([None, "off"])))
        )
    incoming = []
    if wild and draw(st.integers(0, 4)) == 0 and holdings:
        incoming.append(coming(77, into=holdings[0].ref))
    return Scene(
        tenant=tenant(*groups, people=draw(people(groups))),
        holdings=holdings,
        events=events,
        incoming=incoming,
    )


_places = places


def _owned(draw: st.DrawFn, name: str) -> list[Event]:
    return ours(*draw(st.lists(st.sampled_from(PEOPLE), unique=True)), group=name)


@st.composite
def payg(draw: st.DrawFn) -> Scene:
    """A pay-as-you-go tenant: one service with both products, perhaps a second."""
    names = list(SERVICES)[: draw(st.integers(1, 2))]
    groups: list[Group] = []
    holdings: list[Holding] = []
    for name in names:
        for product in ("business", "pro-plus"):
            one = draw(st.lists(st.sampled_from(PEOPLE), unique=True, max_size=3))
            seats = tuple(
                Place(ref=full(p), login=full(p), first_name=p.title(), last_name="Doe", renews_on=RENEWS)
                for p in one
            )
            ref = SERVICES[name]
            holdings.append(holding(*seats, ref=ref, product=product))
            if product == "business" or draw(st.booleans()):
                own = f"{name}-{product}"
                more = {"service": ref, "product": product, "seats": draw(st.sampled_from([None, 2, 4]))}
                more["renewal"] = draw(st.sampled_from([None, "auto", "off"]))
                maker = cancelled if draw(st.integers(0, 3)) == 0 else group
                groups.append(maker(own, **more))
    events = [one for name in groups for one in _owned(draw, name.name)]
    return Scene(
        tenant=tenant(*groups, people=draw(people(groups)), provider="ovh-payg"),
        holdings=holdings,
        events=events,
    )


@st.composite
def reseller(draw: st.DrawFn) -> Scene:
    """A reseller tenant with subscriptions of two licences."""
    holdings = [
        subscription(500 + n, draw(st.integers(1, 9)), product, task=draw(st.sampled_from([None, None, "7"])))
        for n, product in enumerate(draw(st.lists(st.sampled_from(["11", "18"]), unique=True)))
    ]
    groups = [
        maker(
            name, product=product, seats=draw(st.integers(1, 9)), cancel="now" if maker is cancelled else None
        )
        for name, product in draw(
            st.lists(st.sampled_from([("basic", "Business Basic"), ("apps", "18")]), unique=True, min_size=1)
        )
        if (maker := draw(st.sampled_from([bare, bare, _gone])))
    ]
    return Scene(
        tenant=tenant(*groups, people=None, provider="ovh-csp2", service="alfa", domain=None),
        holdings=holdings,
    )


def _gone(name: str, **more: Any) -> Group:
    return cancelled(name, **{"service": None, **more, "cancel": "now"})


def anything() -> st.SearchStrategy[Scene]:
    return st.one_of(prepaid(), payg(), reseller())


def settled() -> st.SearchStrategy[Scene]:
    return st.one_of(prepaid(wild=False), payg(), reseller())


@ANY
@given(anything())
def test_planning_never_fails_and_is_the_same_twice(scene: Scene) -> None:
    one, two = scene.plan(), scene.plan()

    assert one == two
    assert one.digest == two.digest


@ANY
@given(anything(), st.randoms(use_true_random=False))
def test_after_an_apply_in_any_order_there_is_nothing_to_do(scene: Scene, random: Random) -> None:
    scene.do(scene.plan(), random=random)

    assert not scene.plan().actions


@ANY
@given(settled(), st.randoms(use_true_random=False))
def test_who_sits_somewhere_and_is_to_sit_somewhere_always_sits_somewhere(
    scene: Scene, random: Random
) -> None:
    before = {place.login for one in scene.holdings for place in one.places if place.login}
    plan = scene.plan()
    after = {str(one.detail["login"]) for one in plan.actions if one.verb is Verb.ACTIVATE}
    renamed = {one.detail.get("previously") for one in plan.actions}

    for login in before & after - renamed:
        moves = [one for one in plan.actions if one.detail.get("login") == login]
        joined = {one.id for one in moves if one.verb is Verb.ACTIVATE}
        assert all(set(one.needs) >= joined for one in moves if one.verb is Verb.DEACTIVATE)
    scene.do(plan, random=random)


@ANY
@given(anything(), st.randoms(use_true_random=False))
def test_any_shuffle_of_the_actions_gives_the_same_order(scene: Scene, random: Random) -> None:
    actions = scene.plan().actions
    mixed = list(actions)
    random.shuffle(mixed)

    assert in_order(mixed) == list(actions)


@ANY
@given(anything(), st.randoms(use_true_random=False))
def test_the_order_in_the_file_decides_nothing(scene: Scene, random: Random) -> None:
    plan = scene.plan()
    groups, users = list(scene.tenant.license_groups), list(scene.tenant.users or ())
    random.shuffle(groups)
    random.shuffle(users)
    people = None if scene.tenant.users is None else tuple(users)

    scene.tenant = scene.tenant.model_copy(update={"license_groups": tuple(groups), "users": people})

    assert scene.plan().digest == plan.digest


@pytest.mark.parametrize("wild", [True, False])
def test_the_strategies_make_plans_that_do_something(wild: bool) -> None:  # noqa: FBT001
    seen: set[Verb] = set()

    @settings(max_examples=200, deadline=None, database=None, derandomize=True)
    @given(anything() if wild else settled())
    def look(scene: Scene) -> None:
        seen.update(one.verb for one in scene.plan().actions)

    look()
    assert seen >= {Verb.ORDER, Verb.RESIZE, Verb.ACTIVATE, Verb.DEACTIVATE, Verb.UPDATE, Verb.CANCEL}
