"""The display name of a tenant: what the provider shows otherwise is changed once a service, or told."""

from typing import Any

import pytest

from reconciler.core.action import Verb
from reconciler.core.journal import Kind
from reconciler.core.manifest import Tenant
from reconciler.core.model import Holding
from reconciler.core.plan import Plan
from tests.core.makers import SERVICE, begun, cancelled, event, group, intended, office, tenant
from tests.core.scene import Scene

OTHER = "other.o365.ovh.com"


def named(*groups: Any, **more: Any) -> Tenant:
    return tenant(
        *(groups or (group(seats=None),)),
        **{"provider": "ovh-payg", "people": None, "name": "Acme UAB", **more},
    )


def shown(name: str, **more: Any) -> Holding:
    return office(**{"seats": 0, "name": name, "renewal": "auto", **more})


def planned(one: Tenant, *holdings: Holding, **more: Any) -> Plan:
    return Scene(tenant=one, holdings=list(holdings), **more).plan()


@pytest.mark.parametrize("was", ["ACME", "Acme Uab", SERVICE])
def test_a_display_name_is_changed_to_what_the_file_says(was: str) -> None:
    plan = planned(named(), shown(was))

    (update,) = plan.actions
    assert (update.verb, update.address, update.summary) == (
        Verb.UPDATE,
        "group/office",
        f"name {was} -> Acme UAB",
    )
    assert (update.before, update.after) == ({"name": was}, {"name": "Acme UAB"})
    assert update.repeatable
    assert not plan.findings


@pytest.mark.parametrize("was", ["Acme UAB", ""])
def test_what_is_so_or_is_not_told_is_left_alone(was: str) -> None:
    assert planned(named(), shown(was)).status == "in_sync"


def test_a_file_without_a_name_leaves_the_providers() -> None:
    assert planned(named(name=None), shown("ACME")).status == "in_sync"


def test_a_service_of_two_groups_is_named_once_and_each_service_is_named() -> None:
    one = named(
        group("b", seats=None),
        group("a", seats=None, product="pro-plus"),
        group("c", seats=None, service=OTHER),
    )

    plan = planned(one, shown("ACME"), shown("ACME", product="pro-plus"), shown("A", ref=OTHER, scope=OTHER))

    assert [action.address for action in plan.actions] == ["group/a", "group/c"]


def test_a_group_that_is_cancelled_is_not_what_a_name_is_changed_for() -> None:
    one = named(cancelled("a", seats=None), group("b", seats=None, product="pro-plus"))

    plan = planned(one, shown("ACME"), shown("ACME", product="pro-plus"))

    assert [action.address for action in plan.actions] == ["group/b"]
    assert not [a for a in planned(named(cancelled(seats=None)), shown("ACME")).actions if a.renames]


@pytest.mark.parametrize("status", ["creating", "inMaintenance", "suspended"])
def test_a_service_that_takes_no_name_now_is_told(status: str) -> None:
    plan = planned(named(), shown("ACME", status=status))

    assert not plan.actions
    assert [finding.code for finding in plan.findings] == ["RC4304"]


def test_a_name_that_two_groups_show_is_told_once() -> None:
    two = named(group("b", seats=None), group("a", seats=None, product="pro-plus"))
    busy = {"status": "inMaintenance"}

    plan = planned(two, shown("ACME", **busy), shown("ACME", product="pro-plus", **busy))

    assert [(one.code, "'ACME'" in one.message) for one in plan.findings] == [("RC4304", True)]


def test_a_service_that_nobody_has_seen_is_not_named() -> None:
    assert [one.how for one in planned(named(group(seats=None, service=None))).actions] == ["by-hand"]
    assert not planned(named()).actions


def test_a_prepaid_tenants_name_is_only_told() -> None:
    plan = planned(named(group(seats=1), provider="ovh-prepaid"), shown("ACME", seats=1))

    assert not [action for action in plan.actions if action.renames]
    assert [finding.code for finding in plan.findings] == ["RC4304"]


def test_a_name_and_the_renewal_of_one_group_are_two_actions() -> None:
    scene = Scene(tenant=named(group(seats=None, renewal="off")), holdings=[shown("ACME")])

    plan = scene.plan()
    assert [(one.verb, one.address) for one in plan.actions] == [(Verb.UPDATE, "group/office")] * 2
    assert len({one.id for one in plan.actions}) == 2
    scene.do(plan)

    assert not scene.plan().actions


def test_a_name_that_is_not_shown_yet_is_pending_and_holds_nothing_else_up() -> None:
    scene = Scene(tenant=named(), holdings=[shown("ACME")])
    (update,) = scene.plan().actions
    scene.events += [begun(update), intended(update), event(Kind.ACCEPTED, update, ticket=SERVICE)]

    waiting = scene.plan()
    scene.tenant = named(group(seats=None, renewal="off"))
    renewed = scene.plan()

    assert (waiting.actions, [one.address for one in waiting.pending]) == ((), ["group/office"])
    assert [one.after for one in renewed.actions] == [{"renewal": "off"}]
    assert not renewed.findings


def test_while_a_groups_renewal_is_on_its_way_its_name_waits() -> None:
    scene = Scene(tenant=named(group(seats=None, renewal="off"), name=None), holdings=[shown("ACME")])
    (renewal,) = scene.plan().actions
    scene.events += [begun(renewal), intended(renewal)]

    scene.tenant = named(group(seats=None, renewal="off"))

    assert not scene.plan().actions
