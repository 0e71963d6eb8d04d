"""Two providers as one: who sells the seats, and the directory that knows who sits on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.errors import NOT_YET, Rejected, Unavailable
from reconciler.core.manifest import Group
from reconciler.core.manifest import Tenant as Manifest
from reconciler.core.model import Holding, Json, Organisation, Quote, Snapshot
from reconciler.core.provider import (
    Absent,
    Accepted,
    Account,
    Attempt,
    Capabilities,
    Done,
    Outcome,
    Provider,
    StepRecord,
    Told,
    Unknown,
)
from reconciler.providers.matching import Matching, words
from reconciler.providers.microsoft.graph.account import Graph
from reconciler.providers.microsoft.graph.capabilities import PEOPLE, SETTINGS
from reconciler.providers.microsoft.graph.licences import soon
from reconciler.providers.microsoft.graph.look import Look
from reconciler.providers.microsoft.graph.skus import bought, choose
from reconciler.providers.microsoft.graph.tenant import LICENCES, DirectoryTenant, is_ours


def joined(seller: Capabilities) -> Capabilities:
    """What a seller and the directory can do together: the directory does everything about people."""
    return replace(
        seller,
        verbs={**seller.verbs, **PEOPLE},
        people=True,
        directory=True,
        slots=False,
        settings={**seller.settings, **SETTINGS},
    )


class RoutedAccount:
    """A seller's account whose tenants have a directory.

    skus: which product of its directory a holding was found to be, by tenant and the holding's ref.
    """

    def __init__(self, seller: Account, directory: Graph) -> None:
        self.seller = seller
        self.directory = directory
        self.name = seller.name
        # Where a person buys, all that is done by us is done in the directory.
        self.sandbox = directory.sandbox if seller.capabilities.by_word else seller.sandbox
        self.capabilities = joined(seller.capabilities)
        self.skus: dict[tuple[str, str], str] = {}

    async def snapshot(
        self,
        scopes: frozenset[str],
        *,
        settled: frozenset[str] = frozenset(),
        told: tuple[Holding, ...] = (),
    ) -> Snapshot:
        """Read the seller's lists; a directory is read with its tenant."""
        return await self.seller.snapshot(scopes, settled=settled, told=told)

    async def quote(
        self, product: str, quantity: int, *, scope: str | None, term: str = "", billing: str = ""
    ) -> Quote:
        """Price seats at the seller."""
        return await self.seller.quote(product, quantity, scope=scope, term=term, billing=billing)

    def product_id(self, scope: str | None, product: str) -> str | None:
        """The key under which the seller sells a product."""
        return self.seller.product_id(scope, product)

    async def now(self) -> datetime:
        """The seller's clock."""
        return await self.seller.now()

    def tenant(self, tenant: Manifest) -> Provider:
        """One tenant's part: the seller's, and the directory that its manifest pins."""
        return RoutedTenant(self, self.seller.tenant(tenant), self.directory.tenant(tenant), tenant)

    async def close(self) -> None:
        """Let go of connections."""
        await self.seller.close()
        await self.directory.close()


class _Shared(Struct):
    """One reading of a directory, for `read` and `organisation` of the same plan; each takes it once."""

    look: asyncio.Task[Look]
    taken: set[str]


class RoutedTenant:
    """One tenant at its seller and in its directory; what is about people, domains or rights is the directory's."""

    def __init__(
        self, account: RoutedAccount, seller: Provider, directory: DirectoryTenant, manifest: Manifest
    ) -> None:
        self.account = account
        self.seller = seller
        self.directory = directory
        self.manifest = manifest
        self.matching = Matching(manifest, account.product_id, by_word=account.capabilities.by_word)
        self._shared: _Shared | None = None

    async def read(self, refs: frozenset[str]) -> tuple[Holding, ...]:
        """Read these holdings at the seller, each with the people that the directory shows for its product."""
        holdings, look = await asyncio.gather(self.seller.read(refs), self._look("read"))
        if look.closed:  # nobody knows who sits there, so nothing is taken away
            return tuple(replace(one, frozen=one.frozen or look.closed) for one in holdings)
        return self._dressed(holdings, look)

    async def organisation(self) -> Organisation | None:
        """Read what the tenant has besides, at the seller and in the directory."""
        found, look = await asyncio.gather(self.seller.organisation(), self._look("organisation"))
        known = found or Organisation()
        return replace(
            known,
            entries=look.entries(),
            settings={**known.settings, **look.settings()},
            domain=known.domain or look.domain,
            notices=(*known.notices, *look.notices),
            closed=look.closed,
        )

    async def reread(self, action: Action) -> Json | None:
        """Read the action's object where it stands."""
        if is_ours(action):
            return await self.directory.reread(action, await self._sku_of(action))
        return await self.seller.reread(action)

    def execute(self, action: Action, attempt: Attempt) -> AsyncGenerator[Told, None]:
        """Carry an action out where it belongs."""
        return self._directed(action) if is_ours(action) else self.seller.execute(action, attempt)

    async def poll(self, action: Action, ticket: str, steps: tuple[StepRecord, ...]) -> Outcome:
        """Ask where it belongs."""
        if is_ours(action):
            return await self.directory.poll(action, ticket, await self._sku_of(action), steps)
        return await self.seller.poll(action, ticket, steps)

    async def find(
        self, action: Action, steps: tuple[StepRecord, ...], since: datetime
    ) -> Done | Accepted | Absent | Unknown:
        """Look where it belongs; what a person bought where nothing can be read shows in the directory."""
        if is_ours(action):
            return await self.directory.find(action, await self._sku_of(action))
        if self.account.capabilities.by_word:
            return await self._seen(action)
        return await self.seller.find(action, steps, since)

    async def _directed(self, action: Action) -> AsyncGenerator[Told, None]:
        sku = await self._sku_of(action)
        async for told in self.directory.execute(action, sku):
            yield told

    async def _look(self, who: str) -> Look:
        shared = self._shared
        if shared is None or who in shared.taken or _failed(shared.look):
            shared = self._shared = _Shared(asyncio.create_task(self.directory.look()), set())
        shared.taken.add(who)
        return await asyncio.shield(shared.look)

    def _dressed(self, holdings: Iterable[Holding], look: Look) -> tuple[Holding, ...]:
        """Put people on holdings. Several of one product are one to the directory: the first with people has them."""
        told: list[Holding] = []
        found: dict[str, list[Group]] = {}
        for one in sorted(holdings, key=self.matching.people_first):
            groups = self.matching.groups(one)
            sku = self.matching.sku(one, groups, look.skus)
            if sku is None:
                told.append(one)
                continue
            self.account.skus[self.manifest.tenant, one.ref] = sku
            first = sku not in found
            found.setdefault(sku, []).extend(groups)
            told.append(replace(one, places=look.places(sku)) if first else one)
        for alike in found.values():
            self.matching.told_apart(alike)
        return tuple(told)

    async def _sku_of(self, action: Action) -> str:
        """The product that a licence's action is about; empty where it is about no licence.

        Raises Unavailable while what was bought does not show in the directory.
        """
        if action.verb not in LICENCES:
            return ""
        await self.directory.opened(action)
        ref = str(action.detail.get("service") or "")
        known = self.account.skus.get((self.manifest.tenant, ref))
        if known is None:
            known = await self._looked_up(action, ref)
        if known is None:
            raise Unavailable(
                f"what was bought for group/{action.group} does not show in the directory yet",
                hint="try again later, or write `sku:` in the group",
                code=NOT_YET,
                retry_after=soon(self.directory.directory),
            )
        return known

    async def _looked_up(self, action: Action, ref: str) -> str | None:
        holdings, there = await asyncio.gather(
            self.seller.read(frozenset({ref})) if ref else _none(), self.directory.directory.skus()
        )
        said = words(
            self.matching.named(action.group), action.detail, [one for one in holdings if one.ref == ref]
        )
        found = choose(said, there, what=f"{self.manifest.tenant} {action.address}")
        if found is not None and ref:
            self.account.skus[self.manifest.tenant, ref] = found
        return found

    async def _seen(self, action: Action) -> Done | Absent | Unknown:
        """Compare what a person says they bought with what the directory shows."""
        expect = int(action.detail.get("expect") or 0)
        fewer = int((action.before or {}).get("seats") or 0) > expect
        if action.verb not in {Verb.ORDER, Verb.RESIZE} or fewer:
            return Unknown(why=f"the directory does not show whether {action.summary or action.address}")
        there = await self.directory.directory.skus()
        try:
            sku = choose(
                words(self.matching.named(action.group), action.detail), there, what=f"group/{action.group}"
            )
        except Rejected as error:
            return Unknown(why=f"{error.message}: {error.hint}")
        seats = bought(sku, there) if sku else None
        if seats is not None and seats >= expect:
            return Done(ref=str(action.detail.get("service") or ""), data={"seats": seats})
        shown = (
            "does not show the product"
            if seats is None
            else f"shows {seats} {'seat' if seats == 1 else 'seats'} of it"
        )
        return Absent(why=f"the directory {shown}; {expect} wanted")


def _failed(look: asyncio.Task[Look]) -> bool:
    return look.done() and (look.cancelled() or look.exception() is not None)


async def _none() -> tuple[Holding, ...]:
    return ()
