"""Whatever an account holds: after an import the files are valid and canonical, and the plan says no changes."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.cli.place import Place

WORKSPACE = """\
version: 1
accounts:
  ovh-main: {api: ovh, endpoint: sandbox}
  partner: {api: microsoft, endpoint: sandbox}
"""
NAMES = [
    *("no", "on", "012", "Ada", "Žan", "a b", "x:y", "- z", "#", "'", '"q"', "山", "😀", "null", "~", "1e3"),
    *(
        "0x1F",
        "%",
        "@a",
        "O'N",
        " lead",
        "tail ",
        "é",
        "{a}",
        "[b]",
        "a\\b",
        "y",
        "=",
        "*x",
        "&x",
        "!t",
        "|",
        ">",
    ),
]
LOGINS = ["no", "012", "ada", "Ada.B", "o'neil", "on", "null", "x-y", "z_1", "a!b", "p#q", "~t", "a.b.c"]
SKUS = ["SPB", "O365_BUSINESS_ESSENTIALS", "EXCHANGESTANDARD"]


class Chance:
    """A world by lot; what is drawn depends on the seed alone."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)  # noqa: S311 - draws examples, hides nothing

    def person(self, login: str, **more: Any) -> dict[str, Any]:
        first, last = self.draw.choice(NAMES), self.draw.choice(NAMES)
        country = self.draw.choice(["lt", "NO", "fr"])
        return {"login": login, "first_name": first, "last_name": last, "country": country, **more}

    def people(self, most: int) -> list[dict[str, Any]]:
        return [self.person(login) for login in self.draw.sample(LOGINS, self.draw.randint(0, most))]

    def prepaid(self, number: int) -> dict[str, Any]:
        lots = [
            {
                "licence": licence,
                "people": self.people(5),
                "empty": self.draw.randint(1, 2),
                "ending": self.draw.random() < 0.3,
            }
            for licence in self.draw.choices(["business", "pro-plus"], k=self.draw.randint(1, 3))
        ]
        return {
            "service": f"pre{number}.o365.ovh.com",
            "display_name": self.draw.choice(NAMES),
            "seats": lots,
        }

    def payg(self, number: int) -> dict[str, Any]:
        domains = self.draw.choice([[], ["one.example"], ["one.example", "two.example"]])
        at = ["", *(f"{number}@{one}" for one in domains)]
        people = [
            one
            | {
                "login": one["login"] + self.draw.choice(at),
                "licence": self.draw.choice(["officeBusiness", "officeProPlus"]),
            }
            for one in self.people(6)
        ]
        ending = self.draw.random() < 0.3
        name = self.draw.choice(NAMES)
        return {
            "service": f"payg{number}.o365.ovh.com",
            "display_name": name,
            "domains": domains,
            "users": people,
            "ending": ending,
        }

    def directory(self, number: str, domain: str) -> dict[str, Any]:
        people = [
            one | {"licences": self.draw.sample(SKUS, self.draw.randint(0, 2)), "first_name": first}
            for one in self.people(6)
            for first in [one["first_name"] if self.draw.random() < 0.8 else ""]
        ]
        return {"id": number, "domain": domain, "country": "LT", "users": people}

    def subscription(self) -> dict[str, Any]:
        term = self.draw.choice(["P1Y", "P1M"])
        bought = self.draw.choice(["2d", "90d", "200d"] if term == "P1Y" else ["2d", "20d"])
        return {
            "product": self.draw.choice(SKUS[:2]),
            "quantity": self.draw.randint(3, 8),
            "term": term,
            "bought": bought,
            "renew": self.draw.random() < 0.7,
        }

    def world(self) -> dict[str, Any]:
        resold, bought = f"8f5c0000-0000-4000-8000-{1:012d}", f"8f5c0000-0000-4000-8000-{2:012d}"
        licences = self.draw.choices([11, 18, 13, 20], k=self.draw.randint(1, 3))
        subscriptions = [
            {"id": 501 + at, "licence": one, "quantity": self.draw.randint(4, 9)}
            for at, one in enumerate(licences)
        ]
        customer = {
            **self.directory(bought, "no.onmicrosoft.com"),
            "name": self.draw.choice(NAMES).strip(),
            "subscriptions": [self.subscription() for _ in range(self.draw.randint(1, 3))],
        }
        tenants = [self.directory(resold, "resold.onmicrosoft.com")]
        return {
            "prepaid": [self.prepaid(number) for number in range(self.draw.randint(0, 3))],
            "payg": [self.payg(number) for number in range(self.draw.randint(0, 3))],
            "microsoft": {"tenants": tenants, "customers": [customer]},
            "csp2": [
                {
                    "service": "resold",
                    "display_name": self.draw.choice(NAMES),
                    "mpn_id": self.draw.choice([None, "012"]),
                    "subscriptions": subscriptions,
                    "directory": resold,
                }
            ],
        }


@pytest.mark.parametrize("seed", range(8))
def test_the_plan_after_an_import_says_no_changes(tmp_path: Path, seed: int) -> None:
    place = Place(tmp_path)
    place.write("reconciler.yaml", WORKSPACE)
    world = Chance(seed).world()
    place.world(json.dumps(world, ensure_ascii=False))
    resold = world["microsoft"]["tenants"][0]["id"]
    ovh = f"import --account ovh-main --directory partner --tenant-id resold={resold}"

    place.ok(ovh)
    place.ok("import --account partner --directory partner")

    assert "no errors" in place.ok("validate")
    place.ok("fmt --check")
    planned = place.run("plan --format json --detailed-exitcode")
    assert planned.code == 0, planned.out
    assert len(planned.json["tenants"]) == 2 + len(world["prepaid"]) + len(world["payg"])
    assert {one["status"] for one in planned.json["tenants"]} == {"in_sync"}
    assert "added" not in place.ok(f"{ovh} --merge")
