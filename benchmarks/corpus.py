"""Seeded tenants: the same numbers always give the same people, as YAML files and as a provider's answers."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FIRST = ("Anna", "Élodie", "Jürgen", "Zoë", "Björn", "Marek", "Nadia", "Olivier", "Søren", "Tereza", "Hugo")
LAST = ("Müller", "O'Brien", "Novák", "García", "Kowalska", "Jensen", "Lefèvre", "Silva", "Van-Dijk", "Weber")
COUNTRIES = ("fr", "pl", "lt", "de", "pt", "es")
SHAPES = ("same", "onepct", "empty")

WORKSPACE = """\
version: 1
accounts:
  main:
    api: ovh
    endpoint: {endpoint}
    concurrency: {concurrency}
    credentials:
      application_key: env://BENCH_APPLICATION_KEY
      application_secret: env://BENCH_APPLICATION_SECRET
      consumer_key: env://BENCH_CONSUMER_KEY
journal: sqlite:///.reconciler/journal.db
policy: {{max_seats_per_action: 1000000, max_deactivations: 1000000}}
"""
KEYS = {f"BENCH_{name}": "bench" for name in ("APPLICATION_KEY", "APPLICATION_SECRET", "CONSUMER_KEY")}


@dataclass(frozen=True, slots=True)
class Person:
    """One person of one tenant."""

    login: str
    first: str
    last: str
    country: str
    group: str


def family(tenant: int) -> str:
    """Every second tenant is prepaid, the others pay as they go."""
    return "prepaid" if tenant % 2 else "payg"


def service(tenant: int) -> str:
    """The tenant's service at the provider."""
    return f"t{tenant:05d}.o365.ovh.com"


def people(tenant: int, users: int) -> list[Person]:
    """Everybody of a tenant; one in five has the bigger product."""
    dice = random.Random(tenant * 7919 + users)  # noqa: S311 - the same tenants in every run
    return [
        Person(
            login=f"user{number}@{service(tenant)}",
            first=dice.choice(FIRST),
            last=dice.choice(LAST),
            country=dice.choice(COUNTRIES),
            group="office" if number % 5 else "pro",
        )
        for number in range(users)
    ]


def at_provider(tenant: int, users: int, shape: str) -> list[Person]:
    """The people as the provider has them: all, with one last name in a hundred wrong, or nobody."""
    if shape == "empty":
        return []
    found = people(tenant, users)
    if shape != "onepct":
        return found
    return [
        Person(one.login, one.first, f"{one.last}x", one.country, one.group)
        if (tenant * 31 + number * 17) % 100 == 0
        else one
        for number, one in enumerate(found)
    ]


def document(tenant: int, users: int) -> dict[str, Any]:
    """A tenant's manifest as plain values."""
    written = people(tenant, users)
    names = ("office", "pro") if users > 1 else ("pro",)
    groups = []
    for name in names:
        group: dict[str, Any] = {"name": name, "product": "business" if name == "office" else "pro-plus"}
        if family(tenant) == "prepaid":
            group |= {"seats": sum(one.group == name for one in written), "service": service(tenant)}
        groups.append(group)
    return {
        "version": 1,
        "tenant": f"tenant-{tenant:05d}",
        "name": f"Tenant {tenant}",
        "provider": f"ovh-{family(tenant)}",
        "account": "main",
        "service": service(tenant),
        "domain": service(tenant),
        "license_groups": groups,
        "users": [
            {
                "login": one.login,
                "first_name": one.first,
                "last_name": one.last,
                "country": one.country,
                "licenses": [one.group],
            }
            for one in written
        ],
    }


def text(made: dict[str, Any]) -> str:
    """A manifest as a person would write it: block style, comments, quotes only where needed."""
    lines = [f"# {made['name']}: ask the owners before changing this"]
    lines += [f"{key}: {value}" for key, value in made.items() if not isinstance(value, list)]
    for key in ("license_groups", "users"):
        lines.append(f"{key}:")
        for one in made[key]:
            pairs = [f"{name}: {_spelled(value)}" for name, value in one.items()]
            lines += [f"  - {pairs[0]}", *(f"    {pair}" for pair in pairs[1:])]
    return "\n".join(lines) + "\n"


def _spelled(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(value)}]"
    return f'"{value}"' if isinstance(value, str) and "'" in value else str(value)


def write(root: Path, *, tenants: Sequence[int], users: int, broken: bool = False) -> None:
    """Write a workspace of these tenants, and the same as JSON beside it; `broken` spoils one of them."""
    (root / "tenants").mkdir(parents=True)
    (root / "json").mkdir()
    workspace(root, endpoint="http://127.0.0.1:1/1.0")
    for tenant in tenants:
        made = document(tenant, users)
        spelled = text(made)
        if broken and tenant == tenants[len(tenants) // 2]:
            spelled = re.sub(r"first_name: .*", "first_name: 7", spelled, count=1)
        (root / "tenants" / f"t{tenant:05d}.yaml").write_text(spelled, encoding="utf-8")
        (root / "json" / f"t{tenant:05d}.json").write_text(json.dumps(made, ensure_ascii=False), "utf-8")


def workspace(root: Path, *, endpoint: str, concurrency: int = 16) -> None:
    """Write the workspace file anew, for a server that has a port by now."""
    made = WORKSPACE.format(endpoint=endpoint, concurrency=concurrency)
    (root / "reconciler.yaml").write_text(made, encoding="utf-8")
