"""From accounts and manifests to plans: lists once a run, identities over the whole workspace, then each tenant."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.claims import ProductOf, claims, lists_of
from reconciler.core.errors import ProviderError, ReconcilerError
from reconciler.core.manifest import Key, ManifestFile, Tenant, key_of
from reconciler.core.model import Holding, Organisation, Quote, Snapshot
from reconciler.core.money import Ask, asks, fallback, priced, with_monthly
from reconciler.core.plan import Plan
from reconciler.core.planner import identities, plan_tenant, to_read
from reconciler.core.progress import Progress
from reconciler.core.provider import Account
from reconciler.core.unread import Vouching, elsewhere, unread, vanished
from reconciler.core.workspace import Price as WorkspacePrice
from reconciler.core.world import ActualState, World
from reconciler.engine.fault import where
from reconciler.engine.found import Found

log = logging.getLogger("reconciler")

PORTION = 100
"""Tenants of an account that are in memory in full at the same time: a plan of many keeps only what it found.

A whole number of the providers' batches (50), so that portions cost no request more.
"""

AT_HAND = 30_000
"""How many seats that an account's plans found stay unpacked: most accounts have fewer, and pay nothing."""

OpenAccount = Callable[[str, str, str], Account]
"""Opens an account of the workspace for a kind of provider, with the account of a directory or none."""


def homed(manifest: ManifestFile, progress: Progress) -> ManifestFile:
    """The tenant in the customer's account that an earlier apply created for it."""
    if progress.customer and manifest.service is None:
        return manifest.at(progress.customer)
    return manifest


class Accounts(Struct, kw_only=True):
    """Opens each account once a run, for each kind of provider that is asked for."""

    open: OpenAccount
    opened: dict[Key, Account] = field(default_factory=dict)

    def of(self, tenant: Tenant) -> Account:
        """The account a tenant is bought with."""
        key = key_of(tenant)
        if key not in self.opened:
            self.opened[key] = self.open(*key)
        return self.opened[key]

    async def close(self) -> None:
        """Let go of every connection."""
        for account in self.opened.values():
            await account.close()


class Selection(Struct, frozen=True, kw_only=True, dict=True):
    """The manifests of the workspace, and which of them are looked at."""

    every: tuple[ManifestFile, ...]
    chosen: tuple[ManifestFile, ...]

    @cached_property
    def by_name(self) -> Mapping[str, ManifestFile]:
        """Every manifest by its tenant: looking through all for each tenant would take the square of them."""
        return {one.name: one for one in self.every}


async def plans(
    selection: Selection,
    *,
    accounts: Accounts,
    progress: Mapping[str, Progress],
    prices: Sequence[WorkspacePrice] = (),
    at: datetime | None = None,
    calendar: bool = False,
    hopeful: bool = False,
) -> tuple[Plan, ...]:
    """Plan every chosen tenant; one that cannot be read becomes a plan with an error.

    at: judge every window and date as if it were then; calendar: tell when everything renews or ends.
    hopeful: plan as if what passes by itself, such as a review, were over.
    """
    groups: dict[Key, list[ManifestFile]] = {}
    for manifest in selection.chosen:
        home = homed(manifest, progress.get(manifest.name, Progress()))
        groups.setdefault(home.key, []).append(home)

    async def planned(some: Sequence[ManifestFile]) -> list[Plan]:
        try:
            account = accounts.of(some[0].head)
            world = await _look(account, some, selection.every, progress)
        except ProviderError as error:
            return [_unreadable(one.head, error.message) for one in some]
        world = replace(world, calendar=calendar, hopeful=hopeful)
        reader = _Reader(account=account, world=world, progress=progress, prices=prices, at=at)
        return await reader.plans(some)

    parts = await asyncio.gather(*(planned(some) for some in groups.values()))
    return tuple(sorted((plan for part in parts for plan in part), key=lambda plan: plan.tenant))


async def _look(
    account: Account,
    manifests: Sequence[ManifestFile],
    every: Iterable[ManifestFile],
    progress: Mapping[str, Progress],
) -> World:
    """Read an account's lists, as far as these tenants or the journal point into it."""
    known = [progress[one.name] for one in manifests if one.name in progress]
    scopes = {one.service for one in manifests if one.service}
    scopes |= {scope for one in known for _, _, scope in one.services.values()}
    settled = frozenset(order for one in progress.values() for order in one.arrived)
    told = _told(manifests, progress) if account.capabilities.by_word else ()
    snapshot = await account.snapshot(frozenset(scopes), settled=settled, told=told)
    return world_of(account, snapshot, manifests[0].head, every, progress)


def _told(manifests: Iterable[ManifestFile], progress: Mapping[str, Progress]) -> tuple[Holding, ...]:
    """What people confirmed to have bought, where nothing can be read."""
    known = (one for one in manifests if one.name in progress)
    return tuple(held for one in known for held in _confirmed(one.head, progress[one.name]))


def _confirmed(tenant: Tenant, known: Progress) -> Iterator[Holding]:
    """What one tenant's people confirmed, and have not ended since."""
    skus = {group.name: group.sku or "" for group in tenant.license_groups}
    for name, (ref, product, scope) in sorted(known.services.items()):
        if name in known.delivered and name not in known.cancelled:
            seats = known.delivered[name].seats
            yield Holding(ref=ref, product=product, scope=scope, seats=seats, sku=skus.get(name, ""))


def world_of(
    account: Account,
    snapshot: Snapshot,
    like: Tenant,
    every: Iterable[ManifestFile],
    progress: Mapping[str, Progress],
) -> World:
    """What an account shows, and which of it the whole workspace claims."""

    def product_of(tenant: Tenant) -> ProductOf:
        return lambda product: account.product_id(tenant.service, product)

    same = (
        homed(one, progress.get(one.name, Progress())).head
        for one in sorted(every, key=lambda one: one.name)
        if one.key[:2] == (like.account, like.provider)
    )
    return World(
        snapshot=snapshot,
        lists=lists_of(snapshot),
        claims=claims(same, progress, product_of),
        capabilities=account.capabilities,
        product_of=product_of,
        sandbox=account.sandbox,
    )


def _unreadable(tenant: Tenant, why: str) -> Plan:
    return Plan(
        tenant=tenant.tenant,
        provider=tenant.provider,
        account=tenant.account,
        name=tenant.name or "",
        error=why,
        hold=tenant.hold,
    )


def _two_tenants(name: str, old: str) -> str:
    return (
        f"the journal knows {old} and {name} as two tenants, so `previously` does nothing: give this tenant a "
        "name that was never used, or delete `previously` and pin its groups"
    )


class _Reader(Struct, kw_only=True):
    """Plans the tenants of one account."""

    account: Account
    world: World
    progress: Mapping[str, Progress]
    prices: Sequence[WorkspacePrice]
    at: datetime | None = None
    quotes: dict[Ask, asyncio.Task[Quote]] = field(default_factory=dict)

    async def plans(self, manifests: Sequence[ManifestFile]) -> list[Plan]:
        """Plan them, a portion at a time."""
        made: list[Plan] = []
        packed = 0
        for first in range(0, len(manifests), PORTION):
            portion = manifests[first : first + PORTION]
            made += await asyncio.gather(*(self.plan(one) for one in portion))
            if packed or sum(len(plan.found) for plan in made) > AT_HAND:
                made[packed:] = [replace(plan, found=Found(plan.found)) for plan in made[packed:]]
                packed = len(made)
        return made

    async def plan(self, manifest: ManifestFile) -> Plan:
        """Plan one tenant; what keeps it from being read is said in its plan."""
        try:
            return await self._plan(manifest)
        except ProviderError as error:
            return _unreadable(manifest.head, error.message)
        except ReconcilerError:
            raise
        except Exception as error:
            # One tenant that nobody foresaw must not leave the others unplanned.
            log.exception("%s", manifest.name)
            said = f"a fault of this tool: {where(error)}"
            return _unreadable(manifest.head, said)

    async def _plan(self, manifest: ManifestFile) -> Plan:
        tenant = manifest.head
        progress = self.progress.get(tenant.tenant, Progress())
        if progress.twice:
            return _unreadable(tenant, _two_tenants(tenant.tenant, progress.twice))
        if why := elsewhere(tenant, progress):
            return _unreadable(tenant, why)
        found = identities(tenant, self.world, progress)
        doubtful = [one.reason for one in found.values() if one.code == "RC4103"]
        if doubtful:
            return _unreadable(tenant, "; ".join(doubtful))
        if why := unread(tenant, found, self.world, progress):
            return _unreadable(tenant, why)
        if why := await self._left_out(vanished(tenant, found, progress)):
            return _unreadable(tenant, why)
        refs = to_read(tenant, self.world, found, progress)
        # Only who looks people up by their names in a directory needs them this early.
        provider = self.account.tenant(manifest.tenant if tenant.directory else tenant)
        actual = ActualState(
            identities=found,
            holdings=await provider.read(refs) if refs else (),
            organisation=await provider.organisation() or Organisation(),
        )
        now = self.at or await self.account.now()
        plan = plan_tenant(manifest.opened(), world=self.world, actual=actual, progress=progress, now=now)
        return await self._priced(plan, tenant, actual.holdings)

    async def _left_out(self, lost: tuple[str, ...]) -> str:
        """Why nothing can be planned while a list leaves seats out: they can be read all the same."""
        there = await self.account.still_there(lost) if lost and isinstance(self.account, Vouching) else ()
        if not there:
            return ""
        return (
            f"the provider's list leaves out {', '.join(there)}, which were delivered and can still be read"
        )

    async def _priced(self, plan: Plan, tenant: Tenant, holdings: tuple[Holding, ...]) -> Plan:
        pool = self.account.capabilities.pool
        asked = asks(plan, pool=pool)
        wanted = {one[0] for one in asked if one is not None}
        loose = {one.ref for one in plan.unmanaged}
        units = {
            one.product: Ask(one.product, 1, one.scope, one.term, one.billing)
            for one in holdings
            if one.ref in loose
        }
        names = {one.product: one.name for one in holdings if one.name}
        for group in tenant.license_groups:
            key = self.account.product_id(tenant.service, group.product)
            names.setdefault(key or group.product, group.product)
        quotes = {one: await self._quote(one, names) for one in sorted({*wanted, *units.values()}, key=str)}
        known = {product: price for product, one in units.items() if (price := quotes[one].price) is not None}
        return replace(priced(plan, asked, quotes), unmanaged=with_monthly(plan.unmanaged, holdings, known))

    async def _quote(self, wanted: Ask, names: Mapping[str, str]) -> Quote:
        if wanted not in self.quotes:
            self.quotes[wanted] = asyncio.create_task(self._ask(wanted, names))
        return await self.quotes[wanted]

    async def _ask(self, wanted: Ask, names: Mapping[str, str]) -> Quote:
        try:
            quote = await self.account.quote(
                wanted.product,
                wanted.quantity,
                scope=wanted.scope,
                term=wanted.term,
                billing=wanted.billing,
            )
        except ProviderError:
            quote = Quote()
        if quote.price is not None:
            return quote
        name = names.get(wanted.product, "")
        return replace(quote, price=fallback(wanted, self.prices, [name] if name else []))
