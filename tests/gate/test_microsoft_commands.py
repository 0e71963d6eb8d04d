"""Whole commands at Microsoft's surfaces: what reads sends tokens' forms, batches of reads, and price carts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.providers.transport import DRY_RUN
from reconciler.sandbox.world import World
from tests.cli.place import Place
from tests.cli.test_door import ours
from tests.gate import microsoft
from tests.gate.served import Seen, served
from tests.gate.test_commands import ASKS_NOBODY, ENV, QUIET, SIGNED, Shop, workspace
from tests.gate.test_commands import changing as changing_at_ovh
from tests.secrets.conftest import no_waiting

__all__ = ["no_waiting"]

KEPT = ("ms_customer", "ms_order", "ms_subscription", "ms_user", "ms_licence", "ms_domain", "ms_relation")
MORE = ("import --account partner --out from-partner", "plan --format json --verbose", "drift --format html")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    world = World.open(None)
    world.load(microsoft.WORLD)
    place = Place(tmp_path)
    with served(world) as at:
        place.write("reconciler.yaml", workspace(at, SIGNED) + microsoft.account(at.root))
        for name, text in microsoft.TENANTS.items():
            place.write(f"tenants/{name}.yaml", text)
        yield Shop(place, at, {**ENV, **microsoft.KNOWN})
    world.close()


def kinds(sent: list[Seen]) -> Counter[str]:
    """What was sent to Microsoft's surfaces, said once more in the test's own words; OVHcloud's beside it."""
    found: Counter[str] = Counter()
    for one in sent:
        match one.method, one.path.strip("/").split("/"):
            case (("GET" | "HEAD"), _):
                found["read"] += 1
            case _, ["1.0", *_]:
                continue
            case "POST", ["login", _, "oauth2", "token"]:
                found["token"] += 1
            case "POST", ["graph", "v1.0", "$batch"] if _methods(one) == {"GET"}:
                found["batch"] += 1
            case "POST", ["partner-center", "v1", "validations", "address"]:
                found["validation"] += 1
            case "POST", ["partner-center", "v1", "customers", _, "carts"] if _only_asks(one):
                found["price"] += 1
            case _:
                found[f"{one.method} {one.path}"] += 1
    return found


PRICED = {"cart-created", "cart-deleted", "partner-cart-created"}
HARMLESS = {"read", "token", "batch", "validation", "price"}


def _methods(one: Seen) -> set[str]:
    return {call["method"] for call in json.loads(one.body)["requests"]}


def _only_asks(one: Seen) -> bool:
    return {line["friendlyName"] for line in json.loads(one.body)["lineItems"]} == {DRY_RUN}


def counts(shop: Shop) -> dict[str, int]:
    """How many rows there are of what can be bought, created or given at Microsoft, and what each holds."""
    with shop.served.world.transaction() as tx:
        return {name: hash(str([tuple(row) for row in tx.all(f"SELECT * FROM {name}")])) for name in KEPT}  # noqa: S608 - the names above


def test_nothing_that_reads_changes_anything_at_microsoft(shop: Shop) -> None:
    there = {name for name, _ in ours()}
    before = counts(shop)
    asked: dict[str, Counter[str]] = {}

    for name, lines in {**QUIET, "plan": (*QUIET["plan"], *MORE)}.items():
        for line in lines if name in there else ():
            sent = shop.sent(line)
            found = kinds(sent)
            asked[name] = asked.get(name, Counter()) + found
            assert found.keys() <= HARMLESS, line
            assert changing_at_ovh([one for one in sent if one.path.startswith("/1.0/")]) == [], line

    assert {name for name, found in asked.items() if not found} >= ASKS_NOBODY & there
    assert asked["plan"].keys() == {"read", "token", "batch", "price"}
    assert asked["drift"]["read"] > 20
    assert counts(shop) == before
    assert {row["what"] for row in shop.served.world.ledger()} <= PRICED


def test_the_plan_that_sent_nothing_would_have_changed_much(shop: Shop) -> None:
    plan = shop.run("plan --format json").json
    planned = {(tenant["tenant"], one["verb"]) for tenant in plan["tenants"] for one in tenant["actions"]}

    assert {verb for _, verb in planned} >= {
        "order", "resize", "cancel", "create-user", "update", "activate"
    }, planned  # fmt: skip
    assert {tenant for tenant, _ in planned} == set(microsoft.TENANTS)


def test_what_is_counted_here_is_seen_when_it_is_sent(shop: Shop) -> None:
    before = counts(shop)

    found = kinds(shop.sent("apply --yes --wait 5s"))

    writes = {one for one in found if one not in HARMLESS}
    assert any(one.endswith("/checkout") for one in writes)
    assert any(one.startswith("PATCH /partner-center/") for one in writes)
    assert "POST /graph/v1.0/users" in writes
    assert "POST /partner-center/v1/customers" in writes
    assert all(counts(shop)[name] != before[name] for name in ("ms_customer", "ms_order", "ms_user"))


@pytest.mark.parametrize("fault", ["html", "malformed", "wrong-types", "error-before", "throttle", "slow"])
def test_a_plan_in_trouble_changes_nothing_at_microsoft_either(shop: Shop, fault: str) -> None:
    before = counts(shop)
    for path in ("/partner-center/*", "/graph/*"):
        shop.served.world.fault(fault, path=path, times=1000, probability=0.4, seed=3, seconds=0.01)

    found = kinds(shop.sent("plan")) + kinds(shop.sent("drift"))

    assert sum(one["fired"] for one in shop.served.world.faults())
    assert found.keys() <= HARMLESS
    assert counts(shop) == before
