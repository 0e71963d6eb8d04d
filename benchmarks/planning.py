"""Plans of many tenants in memory: what is wanted against what is there, explanations included."""

from __future__ import annotations

import gc
import time
from datetime import UTC, datetime

import corpus
from measure import tell

from reconciler.core.claims import claims, lists_of
from reconciler.core.diagnostic import Position
from reconciler.core.draft import Draft
from reconciler.core.manifest import TENANT, ManifestFile
from reconciler.core.model import Holding, Place, Snapshot
from reconciler.core.planner import identities, plan_tenant
from reconciler.core.pool import sort_people
from reconciler.core.progress import Progress
from reconciler.core.seating import seat_people
from reconciler.core.standing import standing_of
from reconciler.core.world import ActualState, World
from reconciler.providers.ovh.capabilities import PAYG

NOW = datetime(2027, 1, 1, tzinfo=UTC)
PRODUCTS = {"office": "business", "pro": "pro-plus"}


def planned(tenants: int, users: int) -> int:
    """Plan so many pay-as-you-go tenants, one person in a hundred changed; the number of actions."""
    manifests, read = _both(tenants, users)
    gc.disable()
    began = time.process_time()
    world = _world(manifests, read)
    actions = 0
    for manifest, holdings in zip(manifests, read, strict=True):
        found = identities(manifest.tenant, world, Progress())
        actual = ActualState(identities=found, holdings=holdings)
        plan = plan_tenant(manifest, world=world, actual=actual, progress=Progress(), now=NOW)
        actions += len(plan.actions)
    tell(inner=time.process_time() - began)
    return actions


def compared(tenants: int, users: int) -> int:
    """Only match who is wanted with who is there, and explain what differs, as a plan does; the number of changes.

    What each side is stands ready in memory, as it does for the rival. What a plan does besides is left out: which
    holding a group is, how many seats to buy, what is blocked, and the plan's own form.
    """
    manifests, read = _both(tenants, users)
    world = _world(manifests, read)
    cases = []
    for manifest, holdings in zip(manifests, read, strict=True):
        tenant = manifest.tenant
        actual = ActualState(identities=identities(tenant, world, Progress()), holdings=holdings)
        standings = {
            group.name: standing_of(tenant, group, world=world, actual=actual, progress=Progress(), now=NOW)
            for group in tenant.license_groups
        }
        cases.append((manifest, standings))
    gc.disable()
    began = time.process_time()
    changes = 0
    for manifest, standings in cases:
        draft = Draft(manifest=manifest, capabilities=PAYG, begun=0)
        seat_people(draft, standings, sort_people(manifest.tenant, standings, Progress()), {})
        changes += len(draft.actions)
    tell(inner=time.process_time() - began)
    return changes


def _both(tenants: int, users: int) -> tuple[list[ManifestFile], list[tuple[Holding, ...]]]:
    """What is written and what is there."""
    numbers = [2 * number for number in range(tenants)]
    manifests = [
        ManifestFile(TENANT.validate_python(corpus.document(one, users)), file=f"{one}.yaml", where=_place)
        for one in numbers
    ]
    return manifests, [_holdings(one, users) for one in numbers]


def _world(manifests: list[ManifestFile], read: list[tuple[Holding, ...]]) -> World:
    snapshot = Snapshot(holdings=tuple(holding for some in read for holding in some))
    return World(
        snapshot=snapshot,
        lists=lists_of(snapshot),
        claims=claims([one.tenant for one in manifests], {}, lambda _tenant: str),
        capabilities=PAYG,
        product_of=lambda _tenant: str,
        sandbox=False,
    )


def _place(*_path: str | int) -> Position:
    return Position("tenant.yaml", 1, 1)


def _holdings(tenant: int, users: int) -> tuple[Holding, ...]:
    found = corpus.at_provider(tenant, users, "onepct")
    name = corpus.service(tenant)
    return tuple(
        Holding(
            ref=name,
            product=product,
            scope=name,
            domain=name,
            seats=len(found),
            renewal="auto",
            places=tuple(
                Place(
                    ref=one.login,
                    login=one.login,
                    first_name=one.first,
                    last_name=one.last,
                    country=one.country,
                )
                for one in found
                if one.group == group
            ),
        )
        for group, product in PRODUCTS.items()
    )
