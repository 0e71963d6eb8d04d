"""How many requests the state of n tenants takes: the least that each family's API allows, counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from math import ceil
from typing import Any

import pytest

from tests.providers.rig import Open, Rig, written

pytestmark = pytest.mark.anyio

TENANTS = 60
PEOPLE = 12
BATCH = 50
PAGE = 5000


def group(number: int) -> str:
    return f"t{number:02}.o365.ovh.com"


def named(number: int) -> dict[str, Any]:
    return {"login": f"user{number}", "first_name": "Anna", "last_name": f"Nowak{number}", "country": "pl"}


PERSONS = [named(number) for number in range(PEOPLE)]
WORLDS: dict[str, dict[str, Any]] = {
    "ovh-payg": {"payg": [{"service": group(one), "users": PERSONS} for one in range(TENANTS)]},
    "ovh-prepaid": {
        "prepaid": [
            {"service": group(one), "seats": [{"licence": "business", "people": PERSONS}]}
            for one in range(TENANTS)
        ]
    },
    "ovh-csp2": {
        "csp2": [
            {
                "service": group(one),
                "subscriptions": [{"licence": 11, "quantity": 3}, {"licence": 18, "quantity": 4}],
            }
            for one in range(TENANTS)
        ]
    },
}


async def read_all(rig: Rig, tenants: int) -> Counter[str]:
    """Read the state of so many tenants as a plan does, side by side; what was asked, by kind."""
    scopes = [group(number) for number in range(tenants)]
    snapshot = await rig.account.snapshot(frozenset(scopes))
    refs = {one.ref for one in snapshot.holdings if one.scope in scopes}
    assert len({one.scope for one in snapshot.holdings if one.scope in scopes}) == tenants
    providers = [(rig.account.tenant(written(scope.split(".")[0], scope)), scope) for scope in scopes]
    await asyncio.gather(
        *(
            provider.read(frozenset({one.ref for one in snapshot.holdings if one.scope == scope} & refs))
            for provider, scope in providers
        )
    )
    asked = [one for one in rig.world.requests() if one["path"] not in {"/auth/time", "/1.0/auth/time"}]
    assert {one["method"] for one in asked} == {"GET"}
    return Counter(one["path"] for one in asked)


def small(tenants: int) -> int:
    """How many batches hold one question of each of so many tenants; one alone is asked by itself."""
    return ceil(tenants / BATCH)


@pytest.mark.parametrize("tenants", [2, BATCH, TENANTS])
async def test_pay_as_you_go_takes_one_request_a_tenant_and_five_a_batch(
    open_rig: Open, tenants: int
) -> None:
    rig = await open_rig("ovh-payg", group(0), WORLDS["ovh-payg"])

    asked = await read_all(rig, tenants)

    people, questions = tenants, ("tenant", "ids", "renewal", "domain", "tasks")
    assert asked.total() == 1 + people + len(questions) * small(tenants)


@pytest.mark.parametrize("tenants", [2, BATCH, TENANTS])
async def test_prepaid_takes_a_page_of_all_seats_and_a_batch_of_renewals_for_fifty(
    open_rig: Open, tenants: int
) -> None:
    rig = await open_rig("ovh-prepaid", group(0), WORLDS["ovh-prepaid"])

    asked = await read_all(rig, tenants)

    lists = 1 + ceil(TENANTS * PEOPLE / PAGE) + 1  # names, seats by the page, orders on their way
    renewals = ceil(tenants * PEOPLE / BATCH)
    assert asked.total() == lists + renewals + 2 * small(tenants)


@pytest.mark.parametrize("tenants", [2, BATCH, TENANTS])
async def test_a_reseller_takes_three_requests_a_tenant_and_four_a_batch(
    open_rig: Open, tenants: int
) -> None:
    rig = await open_rig("ovh-csp2", group(0), WORLDS["ovh-csp2"])

    asked = await read_all(rig, tenants)

    own = ("subscriptions", "licences", "add-ons")
    questions = ("tenant", "subscription ids", "licence ids", "tasks")
    assert asked.total() == len(own) * tenants + len(questions) * small(tenants)


@pytest.mark.parametrize("kind", WORLDS)
async def test_without_batches_the_same_state_is_read_one_by_one(open_rig: Open, kind: str) -> None:
    rig = await open_rig(kind, group(0), WORLDS[kind])
    rig.world.set("batch", "off")

    asked = await read_all(rig, 3)

    assert asked.total() < 3 * (PEOPLE + 6) + 8
