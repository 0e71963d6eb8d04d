"""What planning is told of the world: what an account shows to everybody, and what is there of one tenant."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from reconciler.core.claims import Claims, Lists, ProductOf
from reconciler.core.identity import Identity
from reconciler.core.manifest import Tenant
from reconciler.core.model import Holding, Organisation, Snapshot
from reconciler.core.provider import Capabilities


class World(Struct, frozen=True, kw_only=True):
    """What one account shows, as planning needs it; `lists` is the snapshot by what is looked up.

    calendar: whether plans are to tell when everything renews or ends, and how many seats are idle.
    hopeful: whether to plan as if what passes by itself, such as a review, were over.
    """

    snapshot: Snapshot
    lists: Lists
    claims: Claims
    capabilities: Capabilities
    product_of: Callable[[Tenant], ProductOf]
    sandbox: bool
    calendar: bool = False
    hopeful: bool = False


class ActualState(Struct, frozen=True, kw_only=True):
    """What is there of one tenant: which service each group is, by name, its holdings in full, and what is beside."""

    identities: Mapping[str, Identity]
    holdings: tuple[Holding, ...] = ()
    organisation: Organisation = field(default_factory=Organisation)
