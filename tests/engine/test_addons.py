"""Subscriptions that hang on another one: they end with it, so they are never ended without a word."""

from __future__ import annotations

import pytest

from tests.engine.conftest import Make
from tests.engine.harness import Bench, actions, planned, trouble

CSP = "acme-csp.o365.ovh.com"
ADDON, PARENT = 900, 501
CANCELLED = ", state: cancelled, reason: left, cancel: now"
FILE = f"version: 1\ntenant: acme\nprovider: ovh-csp2\naccount: ovh-main\nservice: {CSP}\nlicense_groups:\n"
OFFICE = f"- {{name: office, product: '11', seats: 5, subscription: {PARENT}{CANCELLED}}}\n"
DEFENDER = f"- {{name: defender, product: '19', seats: 3, subscription: {ADDON}"


@pytest.fixture
def hung(bench: Make) -> Bench:
    """A subscription that is to end now, and an add-on that somebody bought for it."""
    one = bench(
        f"csp2: [{{service: {CSP}, subscriptions: [{{licence: 11, quantity: 5}}]}}]", acme=FILE + OFFICE
    )
    with one.world.transaction() as tx:
        tx.run(
            "INSERT INTO subscription (id, tenant, licence, quantity, created, status, task, parent)"
            " SELECT ?, tenant, 19, 3, created, status, 0, id FROM subscription",
            ADDON,
        )
    return one


@pytest.mark.parametrize("beside", ["", f"{DEFENDER}}}\n"])
def test_a_subscription_does_not_take_an_add_on_with_it_unasked(hung: Bench, beside: str) -> None:
    hung.write(acme=FILE + OFFICE + beside)

    plan = planned(hung.plan())

    assert plan.actions == ()
    (item,) = plan.blocked
    assert item.reason == "900 would end with it, as an add-on of 501: cancel that as well"


def test_both_end_when_both_are_to_end(hung: Bench) -> None:
    hung.write(acme=FILE + OFFICE + f"{DEFENDER}{CANCELLED}}}\n")

    assert hung.apply().exit_code == 0

    assert hung.rows("SELECT id FROM subscription") == []


def test_an_add_on_is_not_bought_by_itself(bench: Make) -> None:
    group = "- {name: defender, product: '19', seats: 3}\n"
    one = bench(f"csp2: [{{service: {CSP}, subscriptions: []}}]", acme=FILE + group)

    report = one.apply()

    assert [action.verb for action in actions(one.plan())] == ["order"]
    assert trouble(report).code == "add-on"
    assert not [call for call in one.calls(writing=True) if call[1].endswith("/subscription")]
