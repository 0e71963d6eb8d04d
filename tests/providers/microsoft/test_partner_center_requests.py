"""How many requests the state of n customers takes, counted: Partner Center allows 500 a minute."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from tests.providers.microsoft import sold
from tests.providers.rig import CUSTOMER, Journal, Open, Rig, written

pytestmark = pytest.mark.anyio

CUSTOMERS = 20


def number(one: int) -> str:
    return f"c0000000-0000-4000-8000-{one:012}"


def world(customers: int) -> dict[str, Any]:
    subscriptions = [{"product": "SPB", "quantity": 3}, {"product": "STANDARDPACK", "quantity": 4}]
    return {
        "microsoft": {
            "customers": [
                {
                    "id": number(one),
                    "domain": f"t{one}.onmicrosoft.com",
                    "name": f"T{one}",
                    "country": "LT",
                    "subscriptions": subscriptions,
                }
                for one in range(customers)
            ]
        }
    }


def asked(rig: Rig) -> Counter[str]:
    """What was asked, by the last word of its path; tokens by themselves."""
    return Counter(
        "token" if one["path"].startswith("/login/") else str(one["path"].rsplit("/", 1)[-1])
        for one in rig.world.requests()
    )


async def read_all(rig: Rig, customers: int) -> None:
    scopes = [number(one) for one in range(customers)]
    snapshot = await rig.account.snapshot(frozenset(scopes))
    assert len(snapshot.holdings) == 2 * customers
    for scope in scopes:
        provider = rig.account.tenant(written("some", scope, "partner-center"))
        refs = frozenset(one.ref for one in snapshot.holdings if one.scope == scope)
        assert len(await provider.read(refs)) == 2
        assert await provider.organisation() is not None


async def test_each_customer_takes_four_requests_and_each_product_one(open_rig: Open) -> None:
    rig = await open_rig("partner-center", None, world(CUSTOMERS), sandbox=False)

    await read_all(rig, CUSTOMERS)

    found = asked(rig)
    assert found == {
        "subscriptions": CUSTOMERS,
        "orders": CUSTOMERS,
        "agreements": CUSTOMERS,
        "validationStatus": CUSTOMERS,
        "skus": 2,
        "token": 2,
    }


async def test_a_price_of_a_product_takes_two_requests(open_rig: Open) -> None:
    rig = await open_rig("partner-center", None, world(1), sandbox=False)
    await rig.account.snapshot(frozenset({number(0)}))
    before = asked(rig)

    assert (await rig.account.quote("SPB", 3, scope=number(0))).price is not None

    assert asked(rig) - before == {"availabilities": 1, "carts": 1}


@pytest.mark.parametrize(
    ("name", "calls"),
    [
        ("partner-center more seats", 3),
        ("partner-center at the renewal", 4),
        ("partner-center cancel at once", 3),
        ("partner-center renewal off", 3),
        ("partner-center order", 8),
        ("partner-center customer", 5),
    ],
)
async def test_an_action_takes_no_more_than_it_needs(open_rig: Open, name: str, calls: int) -> None:
    case = sold.CASES[name]
    rig = await open_rig("partner-center", CUSTOMER, case["world"], sandbox=False)
    await rig.account.snapshot(frozenset({CUSTOMER}))
    before = len(rig.world.requests())

    rig.world.set("delay", "0")
    await rig.provider.reread(case["action"])
    await rig.finish(case["action"], Journal(rig.world))

    assert len(rig.world.requests()) - before <= calls
