"""Plans of many tenants in memory: what is wanted against what is there, explanations included."""

from __future__ import annotations

import gc
import time
from datetime import UTC, datetime

import corpus
from measure import tell

from reconciler.core.claims import claims
from reconciler.core.diagnostic import Position
from reconciler.core.manifest import TENANT, ManifestFile
from reconciler.core.model import Holding, Place, Snapshot
from reconciler.core.planner import World, identities, plan_tenant
from reconciler.core.progress import Progress
from reconciler.providers.ovh.capabilities import PAYG

PRODUCTS = {"office": "business", "pro": "pro-plus"}


def planned(tenants: int, users: int) -> int:
    """Plan so many pay-as-you-go tenants, one person in a hundred changed; the number of actions."""
    numbers = [2 * number for number in range(tenants)]
    manifests = [
        ManifestFile(TENANT.validate_python(corpus.document(one, users)), file=f"{one}.yaml", where=_place)
        for one in numbers
    ]
    read = [_holdings(one, users) for one in numbers]
    gc.disable()
    began = time.process_time()
    snapshot = Snapshot(holdings=tuple(holding for some in read for holding in some))
    world = World(
        snapshot=snapshot,
        claims=claims([one.tenant for one in manifests], {}, lambda _tenant: str),
        capabilities=PAYG,
        product_of=lambda _tenant: str,
        sandbox=False,
    )
    actions = 0
    for manifest, holdings in zip(manifests, read, strict=True):
        found = identities(manifest, world, Progress())
        plan = plan_tenant(
            manifest,
            world=world,
            found=found,
            holdings=holdings,
            progress=Progress(),
            now=datetime(2027, 1, 1, tzinfo=UTC),
        )
        actions += len(plan.actions)
    tell(inner=time.process_time() - began)
    return actions


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
