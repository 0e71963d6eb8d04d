"""People of a directory: created before they are licensed, kept as written, deleted only when they are ours."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.core.action import Verb
from reconciler.core.journal import Kind
from reconciler.core.manifest import Group, Person, Tenant
from reconciler.core.model import Entry, Holding, Organisation
from reconciler.core.plan import Plan
from tests.core.company import DOMAIN, Company, entry, sold
from tests.core.makers import NOW, action, bare, begun, event, intended, ours, person, tenant


def alfa(*groups: Group, people: Any = (), **more: Any) -> Tenant:
    """A tenant whose people are in a directory."""
    basic = {"provider": "ovh-csp2", "service": "alfa", "domain": DOMAIN}
    return tenant(*groups, people=people, **{**basic, **more})


def basic(seats: int = 3, **more: Any) -> Group:
    """A group of Business Basic that is subscription 500."""
    return bare("basic", product="Business Basic", seats=seats, subscription="500", **more)


def who(login: str, *groups: str, **more: Any) -> Person:
    """A person with Business Basic in Lithuania."""
    return person(login, *(groups or ("basic",)), **{"country": "lt", **more})


def company(one: Tenant, *holdings: Holding, people: tuple[Entry, ...] = (), **more: Any) -> Company:
    """The tenant with these subscriptions and these people in its directory."""
    return Company(tenant=one, holdings=list(holdings), organisation=Organisation(entries=people), **more)


def delivered(seats: int) -> list[Any]:
    """Subscription 500 was given so many seats a moment ago."""
    made = action(Verb.RESIZE, "group/basic", detail={"product": "11", "service": "500", "scope": "alfa"})
    return [begun(made), intended(made), event(Kind.FINISHED, made, at=NOW, seats=seats)]


def verbs(plan: Plan) -> list[tuple[str, str]]:
    """What a plan does where."""
    return [(one.verb.value, one.address) for one in plan.actions]


def created(*logins: str) -> list[Any]:
    """This tool created these people."""
    made = [
        action(Verb.CREATE_USER, f"user/{login}", detail={"login": f"{login}@{DOMAIN}"}) for login in logins
    ]
    return [each for one in made for each in (intended(one), event(Kind.FINISHED, one))]


def owned(*logins: str) -> list[Any]:
    """These people were found on their seat."""
    return [event(Kind.ADOPTED, group="basic", login=f"{login}@{DOMAIN}", written=login) for login in logins]


def test_who_is_new_is_created_before_being_licensed() -> None:
    here = company(alfa(basic(), people=[who("ada")]), sold(500, 3))

    plan = here.plan()

    assert verbs(plan) == [("create-user", "user/ada"), ("activate", "seat/basic/ada")]
    made, seated = plan.actions
    assert seated.needs == (made.id,)
    assert made.after == {
        "login": "ada@alfa.example",
        "first_name": "Ada",
        "last_name": "Doe",
        "country": "lt",
    }
    here.do(plan)
    assert not here.plan().actions


def test_who_is_there_is_only_licensed() -> None:
    here = company(alfa(basic(), people=[who("ada")]), sold(500, 3), people=(entry("ada"),))

    assert verbs(here.plan()) == [("activate", "seat/basic/ada")]


def test_a_person_without_a_licence_exists_all_the_same() -> None:
    here = company(alfa(basic(), people=[who("ada", licenses=())]), sold(500, 3))

    assert verbs(here.plan()) == [("create-user", "user/ada")]


def test_a_country_is_set_before_the_licence() -> None:
    here = company(alfa(basic(), people=[who("ada")]), sold(500, 3), people=(entry("ada", country=None),))

    plan = here.plan()

    assert verbs(plan) == [("update", "user/ada"), ("activate", "seat/basic/ada")]
    assert plan.actions[0].summary == "country None -> lt"
    assert plan.actions[1].needs == (plan.actions[0].id,)


def test_without_a_country_nobody_is_licensed() -> None:
    here = company(alfa(basic(), people=[who("ada", country=None)]), sold(500, 3))

    plan = here.plan()

    assert verbs(plan) == [("create-user", "user/ada")]
    assert [(one.address, one.reason) for one in plan.blocked] == [
        ("seat/basic/ada", "a licence needs a country: write `country:`")
    ]


def test_a_country_of_the_directory_is_enough() -> None:
    here = company(alfa(basic(), people=[who("ada", country=None)]), sold(500, 3), people=(entry("ada"),))

    assert verbs(here.plan()) == [("activate", "seat/basic/ada")]


def test_who_is_in_the_bin_is_restored() -> None:
    gone = entry("ada", deleted=True)
    plan = company(alfa(basic(), people=[who("ada")]), sold(500, 3), people=(gone,)).plan()

    assert plan.actions[0].verb is Verb.CREATE_USER
    assert plan.actions[0].detail["restore"] == gone.ref
    assert plan.actions[0].summary == "Ada Doe is restored from the bin"


def test_who_this_tool_created_is_deleted_after_the_licence_is_gone() -> None:
    here = company(
        alfa(basic()), sold(500, 3, "ada"), people=(entry("ada"),), events=[*created("ada"), *owned("ada")]
    )

    plan = here.plan()

    assert verbs(plan) == [("deactivate", "seat/basic/ada"), ("delete-user", "user/ada@alfa.example")]
    assert plan.actions[1].needs == (plan.actions[0].id,)
    here.do(plan)
    assert not here.plan().actions


def test_who_was_there_before_loses_the_licence_and_stays() -> None:
    here = company(alfa(basic()), sold(500, 3, "ada"), people=(entry("ada"),), events=owned("ada"))

    assert verbs(here.plan()) == [("deactivate", "seat/basic/ada")]


def test_who_was_made_by_somebody_since_stays_although_we_had_made_one_of_that_login() -> None:
    """A login comes again: ours was deleted by hand, and another person has it now."""
    action_, done = created("ada")
    ours = [action_, replace(done, data={"user": "id-ada", "login": f"ada@{DOMAIN}"})]

    kept = company(alfa(basic()), sold(500, 3), people=(entry("ada", ref="id-another"),), events=ours)
    dropped = company(alfa(basic()), sold(500, 3), people=(entry("ada"),), events=ours)

    assert verbs(kept.plan()) == []
    assert verbs(dropped.plan()) == [("delete-user", "user/ada@alfa.example")]


def test_nobody_is_deleted_where_people_are_not_managed() -> None:
    here = company(
        alfa(basic(), people=None), sold(500, 3, "ada"), people=(entry("ada"),), events=created("ada")
    )

    assert not here.plan().actions


def test_who_keeps_a_licence_of_somebody_else_is_not_deleted() -> None:
    here = company(alfa(basic()), sold(500, 3, "ada"), people=(entry("ada"),), events=created("ada"))

    plan = here.plan()

    assert not plan.actions
    assert [one.reason for one in plan.pending] == [
        "ada@alfa.example still has a licence, so the person is not deleted"
    ]


def test_a_licence_that_a_directory_group_gives_is_nobodys_to_take() -> None:
    given_by = sold(500, 3, "ada")
    given_by = replace(given_by, places=tuple(one._replace(via="All staff") for one in given_by.places))
    here = company(alfa(basic()), given_by, people=(entry("ada"),), events=owned("ada"))

    plan = here.plan()

    assert not plan.actions
    assert [one.address for one in plan.unmanaged] == ["seat/basic/ada@alfa.example"]


def test_a_rename_keeps_the_seat() -> None:
    here = company(
        alfa(basic(), people=[who("ada.l", previously="ada")]),
        sold(500, 3, "ada"),
        people=(entry("ada"),),
        events=[*created("ada"), *owned("ada")],
    )

    plan = here.plan()

    assert verbs(plan) == [("update", "user/ada.l")]
    assert plan.actions[0].detail["previously"] == "ada@alfa.example"
    here.do(plan)
    assert not here.plan().actions
    assert set(here.progress.created) == {"ada.l@alfa.example"}


def test_who_is_not_ours_is_not_renamed() -> None:
    here = company(
        alfa(basic(), people=[who("ada.l", previously="ada")]), sold(500, 3, "ada"), people=(entry("ada"),)
    )

    plan = here.plan()

    assert ("update", "user/ada.l") not in verbs(plan)
    assert any("is not ours" in one.message for one in plan.findings)


def test_a_login_without_a_domain_is_blocked() -> None:
    here = company(alfa(basic(), people=[who("ada")], domain=None), sold(500, 3))

    plan = here.plan()

    assert not plan.actions
    assert ("user/ada", Verb.CREATE_USER) in {(one.address, one.verb) for one in plan.blocked}


def test_the_directorys_own_domain_completes_a_login() -> None:
    here = company(alfa(basic(), people=[who("ada")], domain=None), sold(500, 3), people=(entry("ada"),))
    here.organisation = Organisation(entries=(entry("ada"),), domain=DOMAIN)

    assert verbs(here.plan()) == [("activate", "seat/basic/ada")]


def test_more_seats_come_before_the_people_who_need_them() -> None:
    here = company(
        alfa(basic(2), people=[who("ada"), who("bob")]), sold(500, 1, "ada"), people=(entry("ada"),)
    )

    plan = here.plan()

    assert verbs(plan) == [
        ("resize", "group/basic"),
        ("create-user", "user/bob"),
        ("activate", "seat/basic/bob"),
    ]
    assert set(plan.actions[2].needs) == {plan.actions[0].id, plan.actions[1].id}


def test_a_joiner_takes_the_leavers_seat() -> None:
    here = company(
        alfa(basic(1), people=[who("bob")]),
        sold(500, 1, "ada"),
        people=(entry("ada"), entry("bob")),
        events=owned("ada"),
    )

    plan = here.plan()

    assert verbs(plan) == [("deactivate", "seat/basic/ada"), ("activate", "seat/basic/bob")]
    assert plan.actions[1].needs == (plan.actions[0].id,)


def test_while_somebody_is_being_created_nothing_more_is_planned_for_them() -> None:
    making = action(Verb.CREATE_USER, "user/ada", detail={"login": f"ada@{DOMAIN}"})
    here = company(alfa(basic(), people=[who("ada")]), sold(500, 3), events=[intended(making)])

    plan = here.plan()

    assert not plan.actions
    assert any(one.address == "seat/basic/ada" for one in plan.pending)


PEOPLE = ("ada", "bob", "cid", "dan", "eve")


@st.composite
def companies(draw: st.DrawFn) -> Company:
    """Any tenant of two subscriptions with any people there, ours or not, and any wished for."""
    names = {"basic": ("Business Basic", "11", 500), "apps": ("Apps", "18", 501)}
    groups, holdings = [], []
    for name, (product, key, number) in names.items():
        seats = draw(st.integers(1, 5))
        sitting = draw(st.lists(st.sampled_from(PEOPLE), unique=True, max_size=seats))
        holdings.append(sold(number, seats, *sitting, product=key, back=draw(st.sampled_from([0, 0, 2]))))
        groups.append(bare(name, product=product, seats=draw(st.integers(1, 6)), subscription=str(number)))
    entries = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    there = {place.login.partition("@")[0] for one in holdings for place in one.places if place.login}
    binned = draw(st.sets(st.sampled_from(PEOPLE))) - there
    people = tuple(entry(one, deleted=one in binned) for one in sorted({*entries, *there}))
    room = {one.name: one.seats or 0 for one in groups}
    wished = []
    for login in draw(st.lists(st.sampled_from(PEOPLE), unique=True)):
        chosen = draw(st.lists(st.sampled_from(sorted(room)), unique=True))
        mine = [name for name in chosen if room[name] > 0]
        for name in mine:
            room[name] -= 1
        country = draw(st.sampled_from(["lt", "lt", None]))
        wished.append(who(login, country=country, licenses=tuple(mine)))
    made = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    events = [*created(*made)]
    for name in names:
        events += ours(*(f"{one}@{DOMAIN}" for one in draw(st.sets(st.sampled_from(PEOPLE)))), group=name)
    return company(alfa(*groups, people=wished), *holdings, people=people, events=events)


ANY = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@ANY
@given(companies(), st.randoms(use_true_random=False))
def test_any_order_that_needs_allow_keeps_every_promise_and_settles(here: Company, random: Random) -> None:
    """The company in memory refuses a licence without a person, a country or a free seat."""
    here.do(here.plan(), random=random)
    here.do(here.plan(), random=random)

    assert not here.plan().actions


def test_a_closed_directory_holds_people_and_domains_back() -> None:
    here = company(alfa(basic(), people=[who("ada")], domains=("alfa.example",)), sold(500, 3))
    here.organisation = Organisation(closed="waits until the customer approves tenant/delegation")

    plan = here.plan()

    assert not plan.actions
    assert [(one.address, one.reason) for one in plan.pending] == [
        ("tenant/domain/alfa.example", "waits until the customer approves tenant/delegation"),
        ("seat/basic/ada", "waits until the customer approves tenant/delegation"),
    ]


def test_a_customers_directory_is_the_customer() -> None:
    keys: dict[str, Any] = {
        "provider": "partner-center",
        "directory": {"provider": "graph", "account": "main"},
    }

    assert alfa(**keys, service="5F").directory_id == "5f"
    assert alfa(**keys, service=None).directory_id == ""
    pinned = {**keys, "directory": {**keys["directory"], "tenant_id": "AB"}}
    assert alfa(**pinned, service="5f").directory_id == "ab"
    assert alfa(service="x").directory_id == ""


@pytest.mark.parametrize(
    ("group", "done", "waits"),
    [
        (basic(5), [("resize", "group/basic")], []),
        (basic(2), [], ["group/basic"]),
        (basic(3, state="cancelled", reason="left", cancel="now"), [], ["group/basic"]),
    ],
    ids=["more", "fewer", "none"],
)
def test_a_closed_directory_holds_back_what_is_taken_away_and_not_what_is_bought(
    group: Group, done: list[tuple[str, str]], waits: list[str]
) -> None:
    closed = "waits until the customer approves tenant/delegation"
    here = company(alfa(group), replace(sold(500, 3), frozen=closed))
    here.organisation = Organisation(closed=closed)

    plan = here.plan()

    assert verbs(plan) == done
    assert [one.address for one in plan.pending] == waits
    assert not plan.blocked


def test_seats_that_were_delivered_and_do_not_show_yet_are_not_bought_again() -> None:
    plan = company(alfa(basic(5)), sold(500, 3, "ada"), events=delivered(5)).plan()

    assert not plan.actions
    assert "5 seats were delivered and 3 can be read" in plan.pending[0].reason
