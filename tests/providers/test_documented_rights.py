"""The rights that the pages name are enough for all examples, and those for planning let nobody buy."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.cli.place import Place

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs/providers"
RULES = re.compile(r"^```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
SURFACE = re.compile(r"^/(graph/v1\.0|partner-center/v1)(?=/)")

FREE = {("GET", "/auth/time")}  # asked without a key
LOGIN = "/login/"  # the credentials themselves

OVH, MICROSOFT = ("ovh-payg", "ovh-prepaid", "ovh-csp2"), ("partner-center", "graph")

Call = tuple[str, str]


def rules(page: str) -> list[list[Call]]:
    """The blocks of rules on a page, in order: what planning needs comes first, what applying needs last."""
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    blocks = [block.split("\n")[:-1] for block in RULES.findall(text)]
    return [[(line.split()[0], line.split()[1]) for line in block] for block in blocks]


def granted(call: Call, allowed: Iterable[Call]) -> bool:
    return any(call[0] == method and fnmatchcase(call[1], path) for method, path in allowed)


def sent(place: Place) -> list[Call]:
    """Every request that came in, without the surface it came to."""
    asked = place.run("sandbox requests --format json").json
    calls = {(one["method"], SURFACE.sub("", one["path"])) for one in asked}
    return sorted(call for call in calls - FREE if not call[1].startswith(LOGIN))


@pytest.fixture
def examples(tmp_path: Path) -> Place:
    folder = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns(".reconciler"))
    place = Place(folder)
    assert place.run("sandbox reset --world world.yaml").code == 0
    assert place.run("sandbox set delay=0").code == 0
    return place


def all_rules(pages: Iterable[str], *, apply: bool) -> list[Call]:
    found: list[Call] = []
    for page in pages:
        blocks = rules(page)
        assert len(blocks) >= 2, page
        for block in blocks if apply else blocks[:-1]:
            found += block
    return found


def test_the_rules_for_planning_are_enough_to_plan(examples: Place) -> None:
    assert examples.run("plan").code == 0
    allowed = all_rules([*OVH, *MICROSOFT], apply=False)

    calls = sent(examples)

    assert len(calls) > 30
    assert [call for call in calls if not granted(call, allowed)] == []


def test_the_rules_for_applying_are_enough_to_apply_all_examples(examples: Place) -> None:
    for tenant in ("old-mill", "print-house"):
        assert examples.run(f"adopt {tenant}").code == 0
    assert examples.run("apply --yes --wait 0").code == 4
    assert examples.run("sandbox change agreement-signed amber-bakery.onmicrosoft.com").code == 0
    assert examples.run("sandbox change domain-published loja.casa-verde.example").code == 0
    assert examples.run('sandbox change relationship-approved "reconciler rila-books"').code == 0
    assert examples.run("confirm foto-mazur group/office --by wojtek").code == 0
    assert examples.run("confirm rila-books group/office --by mila").code == 0
    for _ in range(3):
        assert examples.run("sandbox advance 4h").code == 0
        assert examples.run("apply --yes --wait 0").code in {0, 4}
    allowed = all_rules([*OVH, *MICROSOFT], apply=True)

    calls = sent(examples)

    assert {"POST", "PUT", "PATCH", "DELETE"} <= {method for method, _ in calls}
    assert [call for call in calls if not granted(call, allowed)] == []


@pytest.mark.parametrize(
    "purchase",
    [
        ("POST", "/order/cart/1/checkout"),
        ("POST", "/saas/csp2/acme/subscription"),
        ("POST", "/saas/csp2/acme/subscription/1/changeQuantity"),
        ("POST", "/license/office/acme/user"),
        ("POST", "/customers/1/carts/1/checkout"),
        ("PATCH", "/customers/1/subscriptions/1"),
        ("POST", "/customers"),
        ("POST", "/users"),
    ],
)
def test_what_is_asked_for_to_plan_lets_nobody_buy(purchase: Call) -> None:
    assert granted(purchase, all_rules([*OVH, *MICROSOFT], apply=True))
    assert not granted(purchase, all_rules([*OVH, *MICROSOFT], apply=False))
