"""What waits packed is planned and applied as what is in memory: whole runs, over whatever files and accounts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from reconciler.core.plan import Plan, Run
from reconciler.engine.found import Found
from tests.engine.harness import Bench
from tests.packing import all_packed

PEOPLE = ("ada", "bob", "cid", "dan")
NAMES = st.sampled_from(("Doe", "Roe"))
ODD = st.sampled_from((0, 0, 0, 1))


def person(login: str, last: str) -> dict[str, Any]:
    return {"login": login, "first_name": login.title(), "last_name": last, "country": "fr"}


@st.composite
def customers(draw: st.DrawFn, number: int) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """A tenant as written, its family, and its service as the provider has it."""
    family = draw(st.sampled_from(("payg", "prepaid")))
    service = f"t{number}.o365.ovh.com"
    written = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    there = draw(st.lists(st.sampled_from(PEOPLE), unique=True))
    if draw(ODD):
        there = written
    seated = [person(login, draw(NAMES)) for login in there]
    group: dict[str, Any] = {"name": "office", "product": "business"}
    if family == "prepaid":
        group["seats"] = max(1, len(written) + draw(st.integers(0, 2)))
        parts = [{"licence": "business", "people": seated}, {"empty": draw(st.integers(0, 3))}]
        if draw(ODD):
            group["service"] = service
        world: dict[str, Any] = {"service": service, "seats": parts}
    else:
        world = {"service": service, "users": [{**one, "licence": "business"} for one in seated]}
    raw: dict[str, Any] = {
        "version": 1,
        "tenant": f"t{number}",
        "provider": f"ovh-{family}",
        "account": "ovh-main",
    }
    if draw(st.integers(0, 3)):
        raw["service"] = service
    raw |= {"domain": service, "license_groups": [group]}
    if draw(st.integers(0, 5)):
        raw["users"] = [{**person(login, draw(NAMES)), "licenses": ["office"]} for login in written]
    return raw, family, world


@st.composite
def towns(draw: st.DrawFn) -> tuple[dict[str, str], str]:
    """Files and a provider."""
    made = [draw(customers(number)) for number in range(draw(st.integers(1, 4)))]
    world: dict[str, list[Any]] = {}
    for _, family, one in made:
        world.setdefault(family, []).append(one)
    return {raw["tenant"]: yaml.safe_dump(raw, sort_keys=False) for raw, _, _ in made}, yaml.safe_dump(world)


def unpacked(run: Run) -> list[Plan]:
    return [replace(plan, found=tuple(plan.found)) for plan in run.plans]


@settings(max_examples=40, deadline=None)
@given(towns())
def test_plans_are_the_same(town: tuple[dict[str, str], str]) -> None:
    files, world = town
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench.make(Path(folder), world, **files)

        plain = bench.plan()
        with all_packed():
            packed = bench.plan()

        assert all(plan.error is None for plan in plain.plans)
        assert unpacked(packed) == list(plain.plans)
        assert packed.exceeded == plain.exceeded


FILES = {
    "alpha": """
version: 1
tenant: alpha
provider: ovh-prepaid
account: ovh-main
service: alpha.o365.ovh.com
domain: alpha.o365.ovh.com
license_groups:
  - {name: office, product: business, seats: 3}
users:
  - {login: ada, first_name: Ada, last_name: Doe, licenses: [office]}
  - {login: bob, first_name: Bob, last_name: Doe, licenses: [office]}
""",
    "beta": """
version: 1
tenant: beta
provider: ovh-payg
account: ovh-main
service: beta.o365.ovh.com
license_groups:
  - {name: office, product: business}
users:
  - {login: eve@beta.o365.ovh.com, first_name: Eve, last_name: Doe, licenses: [office]}
""",
}
WORLD = """
prepaid:
  - service: alpha.o365.ovh.com
    seats:
      - {licence: business, people: [{login: ada, first_name: Ada, last_name: Doe}]}
      - {empty: 1}
payg:
  - {service: beta.o365.ovh.com, users: []}
"""


def test_an_apply_that_keeps_everything_packed_comes_to_its_end(tmp_path: Path) -> None:
    with all_packed():
        bench = Bench.make(tmp_path, WORLD, **FILES)
        before = bench.plan()
        report = bench.apply()
        for _ in range(3):
            report = bench.resume() if report.exit_code == 4 else report
        after = bench.plan()

    assert isinstance(before.plans[0].found, Found)
    assert list(before.plans[0].found) == [("office", "ada@alpha.o365.ovh.com", "ada")]
    assert {(action.address, action.source.file, action.source.line) for plan in before.plans for action in plan.actions
            if action.source} >= {("seat/office/bob", "tenants/alpha.yaml", 12)}  # fmt: skip
    assert report.exit_code == 0
    assert [plan.actions for plan in after.plans] == [(), ()]
    assert unpacked(after) == list(bench.plan().plans)


@pytest.mark.parametrize("seats", [(), (("office", "ada@a.example", "ada"), ("pro", "bob", "Bob"))])
def test_seats_that_were_found_are_told_again(seats: tuple[tuple[str, str, str], ...]) -> None:
    found = Found(seats)

    assert tuple(found) == seats
    assert len(found) == len(seats)
    assert list(found[:1]) == list(seats[:1])
    assert bool(found) == bool(seats)
