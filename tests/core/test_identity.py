"""Which service is a group: every sentence of the contract, one case each."""

from typing import Any

import pytest

from reconciler.core.action import Verb
from reconciler.core.journal import Kind
from reconciler.core.manifest import Tenant
from reconciler.core.plan import Plan
from reconciler.core.replay import replay
from tests.core.makers import (
    SERVICE,
    action,
    bare,
    begun,
    cancelled,
    coming,
    event,
    group,
    intended,
    known,
    office,
    ours,
    person,
    service,
    subscription,
    tenant,
)
from tests.core.scene import Scene

OTHER = "other.o365.ovh.com"
FINISHED = Kind.FINISHED


def planned(one: Tenant, *holdings: Any, **more: Any) -> Plan:
    return Scene(tenant=one, holdings=list(holdings), **more).plan()


def reseller(*groups: Any, **more: Any) -> Tenant:
    return tenant(*groups, people=None, provider="ovh-csp2", service="alfa", domain=None, **more)


def why(plan: Plan, address: str = "group/office") -> str:
    (reason,) = [one.reason for one in plan.blocked if one.address == address]
    return reason


def test_a_pin_says_what_a_group_is() -> None:
    plan = planned(tenant(group()), service(None, None, None), service(None, ref=OTHER))

    assert plan.refs == (("office", SERVICE),)
    assert plan.identified == (("office", SERVICE, "business", SERVICE),)
    assert not plan.actions


def test_without_a_pin_the_journal_says_it() -> None:
    plan = planned(tenant(bare()), service(None, None, None), events=[known()])

    assert plan.refs == (("office", SERVICE),)
    assert not plan.identified


def test_without_either_it_is_the_one_in_the_tenants_own_service() -> None:
    own = tenant(bare(), service=SERVICE)

    plan = planned(own, service(None, None, None), service(None, ref=OTHER))

    assert plan.refs == (("office", SERVICE),)


def test_two_of_the_product_in_the_own_service_are_both_named() -> None:
    plan = planned(reseller(bare("basic", product="11")), subscription(501, 3), subscription(502, 3))

    assert "501 and 502" in why(plan, "group/basic")
    assert "`subscription:`" in why(plan, "group/basic")


def test_a_claimed_one_is_not_taken_by_another_group() -> None:
    one = reseller(bare("basic", product="11", subscription="501"), bare("more", product="11", seats=2))

    plan = planned(one, subscription(501, 3), subscription(502, 2))

    assert plan.refs == (("basic", "501"), ("more", "502"))


def test_the_numbers_of_two_reseller_tenants_are_two() -> None:
    other = tenant(
        bare("x", product="11", subscription="501"), tenant="beta", provider="ovh-csp2", service="b"
    )

    plan = planned(reseller(bare("basic", product="11")), subscription(501, 3), others=[other])

    assert plan.refs == (("basic", "501"),)


def test_another_tenants_subscription_is_no_reason_to_wait() -> None:
    plan = planned(reseller(bare("basic", product="11")), subscription(501, 3, scope="beta"))

    assert plan.actions[0].verb is Verb.ORDER


def test_two_groups_that_could_be_one_subscription_are_told_apart_by_a_pin() -> None:
    plan = planned(reseller(bare("a", product="11"), bare("b", product="11")), subscription(501, 3))

    assert "501 could be a or b" in why(plan, "group/a")
    assert "501 could be a or b" in why(plan, "group/b")


def test_what_is_none_of_these_is_ordered() -> None:
    plan = planned(tenant(bare(seats=2)))

    assert [one.verb for one in plan.actions] == [Verb.ORDER]
    assert "scope" not in plan.actions[0].detail


def test_a_product_that_the_own_service_lacks_is_ordered_into_it() -> None:
    one = tenant(bare("pro", product="pro-plus"), service=SERVICE)

    plan = planned(one, service(None))

    assert plan.actions[0].detail["scope"] == SERVICE


@pytest.mark.parametrize(("pin", "events"), [(SERVICE, []), (None, [known("b")])])
def test_the_same_product_twice_in_one_service_is_a_service_of_its_own(
    pin: str | None, events: list[Any]
) -> None:
    one = tenant(bare("a", seats=2), bare("b", service=pin), service=SERVICE)

    plan = planned(one, service(None, None, None), events=events)

    assert plan.refs == (("b", SERVICE),)
    assert [(one.address, one.detail.get("scope")) for one in plan.actions] == [("group/a", None)]


@pytest.mark.parametrize("provider", ["ovh-prepaid", "ovh-payg"])
def test_which_of_two_groups_is_the_only_service_is_asked(provider: str) -> None:
    one = tenant(bare("a"), bare("b"), service=SERVICE, provider=provider)

    plan = planned(one, service(None, None, None))

    assert not plan.actions
    assert not plan.identified
    said = f"{SERVICE} could be a or b: write `service:` in the group to say which"
    assert (why(plan, "group/a"), why(plan, "group/b")) == (said, said)


def test_of_two_groups_for_one_service_the_one_that_is_being_bought_may_have_it() -> None:
    one = tenant(bare("a"), bare("b", seats=2), service=SERVICE)
    events = [intended(action(Verb.ORDER, "group/b"))]

    plan = planned(one, service(None, product="pro-plus"), events=events)

    assert [(one.address, one.detail.get("scope")) for one in plan.actions] == [("group/a", None)]
    assert [item.address for item in plan.pending] == ["group/b"]


def test_two_groups_are_not_ordered_into_one_service() -> None:
    one = tenant(bare("a"), bare("b"), service=SERVICE)

    plan = planned(one, service(None, product="pro-plus"))

    assert not plan.actions
    assert "a and b would both be business in" in why(plan, "group/b")


def test_an_own_service_that_is_not_there_is_blocked() -> None:
    assert f"service {SERVICE}" in why(planned(tenant(bare(), service=SERVICE)))


@pytest.mark.parametrize("more", [{}, {"service": "new"}])
def test_nobody_buys_what_only_was_not_pinned(more: dict[str, Any]) -> None:
    plan = planned(tenant(bare(**more)), service(None, ref=OTHER))

    assert not plan.actions
    assert OTHER in why(plan)


def test_what_another_tenant_claims_does_not_block_an_order() -> None:
    other = tenant(group(service=OTHER), tenant="beta")

    plan = planned(tenant(bare()), service(None, ref=OTHER), others=[other])

    assert plan.actions[0].verb is Verb.ORDER


def test_what_the_journal_of_another_tenant_remembers_is_claimed() -> None:
    other = tenant(bare(), tenant="beta")
    memory = {"beta": replay([known(ref=OTHER)])}

    plan = planned(tenant(bare()), service(None, ref=OTHER), others=[other], memory=memory)

    assert plan.actions[0].verb is Verb.ORDER


def test_a_pin_wins_over_what_another_tenant_remembers() -> None:
    other = tenant(group(), tenant="beta")

    plan = planned(tenant(bare()), service(None), events=[known()], others=[other])

    assert "group office of tenant beta" in why(plan)


def test_an_order_that_nobody_claims_blocks_a_purchase() -> None:
    assert "order 77" in why(planned(tenant(bare()), incoming=[coming(77)]))


@pytest.mark.parametrize("more", [{"product": "pro-plus"}, {"into": OTHER}])
def test_an_order_of_something_else_does_not_block(more: dict[str, Any]) -> None:
    other = tenant(group(service=OTHER), tenant="beta")

    plan = planned(tenant(bare()), service(None, ref=OTHER), incoming=[coming(77, **more)], others=[other])

    assert plan.actions[0].verb is Verb.ORDER


def test_an_order_that_a_tenant_of_the_workspace_made_does_not_block() -> None:
    made = action(Verb.ORDER)
    events = [
        begun(made),
        intended(made),
        event(Kind.STEPPING, made, step="checkout"),
        event(Kind.STEPPED, made, step="checkout", ref="77"),
        event(Kind.FAILED, made, final=True),
    ]

    assert planned(tenant(bare()), incoming=[coming(77)], events=events).actions


@pytest.mark.parametrize("more", [{"incoming": [coming(77)]}, {}])
def test_what_its_own_open_order_may_have_brought_does_not_block_a_group(more: dict[str, Any]) -> None:
    plan = planned(tenant(bare()), service(None), events=[intended(action(Verb.ORDER))], **more)

    assert (plan.status, plan.actions, plan.blocked) == ("pending", (), ())


def test_an_order_into_the_place_of_a_new_group_is_waited_for() -> None:
    one = tenant(bare("pro", product="pro-plus"), service=SERVICE)

    plan = planned(one, service(None), incoming=[coming(77, product="pro-plus", into=SERVICE)])

    assert not plan.actions
    assert [item.ref for item in plan.pending] == ["77"]


def test_new_beside_all_of_them_orders() -> None:
    plan = planned(tenant(group(service="new", beside=(OTHER,))), service(None, ref=OTHER))

    assert plan.actions[0].verb is Verb.ORDER


def test_new_beside_some_names_the_others() -> None:
    third = "third.o365.ovh.com"
    one = tenant(group(service="new", beside=(OTHER,)))

    reason = why(planned(one, service(None, ref=OTHER), service(None, ref=third)))

    assert third in reason
    assert OTHER not in reason


def test_new_is_not_put_into_the_tenants_own_service() -> None:
    one = tenant(group(service="new", beside=(SERVICE,)), service=SERVICE)

    assert "scope" not in planned(one, service(None)).actions[0].detail


def test_once_delivered_a_finding_says_what_to_write() -> None:
    scene = Scene(tenant=tenant(group(service="new", seats=2)))
    scene.do(scene.plan())

    (finding,) = scene.plan().findings

    assert "`service: new0.o365.ovh.com`" in finding.message


def test_a_business_and_a_pro_plus_group_may_share_a_service() -> None:
    one = tenant(group("a", seats=1), group("b", seats=1, product="pro-plus"))

    plan = planned(one, service(None), service(None, product="pro-plus"))

    assert plan.refs == (("a", SERVICE), ("b", SERVICE))
    assert not plan.actions


def test_a_pinned_service_without_the_product_gets_it() -> None:
    plan = planned(tenant(group("pro", product="pro-plus")), service(None))

    assert (plan.actions[0].verb, plan.actions[0].detail["scope"]) == (Verb.ORDER, SERVICE)


@pytest.mark.parametrize("events", [[], [known()]])
def test_a_service_that_vanished_is_not_bought_again(events: list[Any]) -> None:
    plan = planned(tenant(group()), events=events)

    assert not plan.actions
    assert "not in account main" in why(plan)


def test_seats_that_vanished_from_a_service_that_is_there_are_not_bought_again() -> None:
    plan = planned(tenant(bare()), service(None, product="pro-plus"), events=[known()])

    assert f"business in {SERVICE}" in why(plan)


def ended() -> list[Any]:
    made = action(Verb.CANCEL)
    return [known(), begun(made), intended(made), event(FINISHED, made)]


@pytest.mark.parametrize("holdings", [[], [service(None, product="pro-plus")]])
def test_a_group_that_ended_and_is_wanted_again_is_ordered(holdings: list[Any]) -> None:
    plan = planned(
        tenant(bare()),
        *holdings,
        events=ended(),
        others=[tenant(group("pro", product="pro-plus"), tenant="beta")],
    )

    assert [one.verb for one in plan.actions] == [Verb.ORDER]


def test_a_cancelled_group_that_is_gone_is_settled() -> None:
    assert not planned(tenant(cancelled()), events=ended()).blocked
    assert not planned(tenant(cancelled(service=None))).blocked


@pytest.mark.parametrize("pin", [SERVICE, None])
def test_a_product_is_not_changed_in_place(pin: str | None) -> None:
    changed = tenant(group(product="pro-plus", service=pin))

    plan = planned(changed, service(None, None, None), events=[known()])

    assert "the product was business" in why(plan)
    assert not plan.actions
    assert not plan.unmanaged


def test_a_subscription_is_not_changed_in_place() -> None:
    plan = planned(reseller(bare("basic", product="18", subscription="501")), subscription(501, 3))

    assert "501 is Business Basic, not 18" in why(plan, "group/basic")


def test_a_subscription_that_is_not_sold_any_more_is_still_the_group() -> None:
    old = subscription(501, 3, "99", name="Old Suite")

    assert planned(reseller(bare("basic", product="old suite")), old).refs == (("basic", "501"),)


def test_what_is_not_sold_is_blocked() -> None:
    assert "does not sell 'x'" in why(planned(tenant(bare(product="x"))))
    assert "or alfa is not in account" in why(planned(reseller(bare(product="x"))))
    assert "or alfa" not in why(planned(reseller(bare(product="x")), subscription(501, 3)))


def test_a_second_subscription_of_a_licence_is_bought_beside_the_first() -> None:
    one = reseller(group("more", product="11", service="new", beside=("501",), seats=2))

    plan = planned(one, subscription(501, 3))

    assert (plan.actions[0].verb, plan.actions[0].detail["scope"]) == (Verb.ORDER, "alfa")


def test_a_new_pay_as_you_go_group_is_ordered_by_hand_and_its_people_wait_for_it() -> None:
    one = tenant(bare(seats=None), people=[person("ada")], provider="ovh-payg")

    order, joiner = planned(one).actions

    assert (order.verb, order.how) == (Verb.ORDER, "by-hand")
    assert joiner.needs == (order.id,)


def test_an_unclaimed_pay_as_you_go_service_blocks_a_new_one() -> None:
    one = tenant(bare(seats=None), provider="ovh-payg")

    assert OTHER in why(planned(one, office(ref=OTHER, seats=None)))


def test_a_claimed_pay_as_you_go_service_is_no_reason_to_wait() -> None:
    one = tenant(bare(seats=None, product="pro-plus"), provider="ovh-payg")
    other = tenant(group(service=OTHER), tenant="beta", provider="ovh-payg")
    both = [office(ref=OTHER, product=product, seats=None) for product in ("business", "pro-plus")]

    assert planned(one, *both, others=[other]).actions


def test_a_service_that_is_listed_and_cannot_be_read_is_not_planned() -> None:
    plan = planned(tenant(group()), service(None), unread=frozenset({SERVICE}))

    assert "cannot be read" in why(plan)


def test_a_renamed_group_keeps_its_service_and_its_people() -> None:
    one = tenant(bare("main", previously="office"), people=[])
    events = [known(), *ours("ada")]

    plan = planned(one, service("ada", None, None), events=events)

    assert plan.refs == (("main", SERVICE),)
    assert [(one.verb, one.address) for one in plan.actions] == [(Verb.DEACTIVATE, "seat/main/ada")]
    assert plan.identified


def test_an_old_group_that_is_another_is_said() -> None:
    one = tenant(group("main", previously="office"))
    events = [known(ref=OTHER)]

    plan = planned(one, service(None, None, None), service(None, ref=OTHER), events=events)

    assert "both office" in plan.findings[0].message
    assert not planned(one, service(None, None, None), events=[known()]).findings


def test_a_group_that_is_no_longer_written_is_shown_and_never_cancelled() -> None:
    plan = planned(tenant(), service("ada", None), events=[known()])

    assert [(one.address, one.ref) for one in plan.unmanaged] == [
        ("group/office", SERVICE),
        (f"seat/office/ada@{SERVICE}", f"{SERVICE}-1001"),
    ]
    assert not plan.actions


def test_a_group_that_is_no_longer_written_is_shown_in_outline_when_nobody_read_it() -> None:
    plan = planned(tenant(), service("ada", None), events=[known()], unread=frozenset({SERVICE}))

    assert plan.unmanaged[0].address == "group/office"


def test_what_stands_in_the_own_service_and_in_no_file_is_shown() -> None:
    one = tenant(bare(), service=SERVICE)

    plan = planned(one, service(None, None, None), service(None, product="pro-plus"))

    assert [one.address for one in plan.unmanaged] == [f"group/{SERVICE}"]
