"""Reads what an account holds, service by service, for an import; whose each service is; what cannot be read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.claims import NUMBERED, pin
from reconciler.core.errors import Missing, ProviderError, ReconcilerError
from reconciler.core.imported import BY_SERVICE, Live
from reconciler.core.manifest import TENANT, ManifestFile, Tenant
from reconciler.core.model import Holding, Organisation, setting_address
from reconciler.core.planner import identities
from reconciler.core.progress import Progress
from reconciler.core.provider import Account, Census, Served
from reconciler.core.world import World
from reconciler.engine.read import homed, world_of
from reconciler.engine.setup import Setup

PORTION = 200
"""Services that are read at the same time; a whole number of the providers' batches (50)."""


class Wish(Struct, frozen=True, kw_only=True):
    """What is to be imported: of which account, and where its people are known."""

    account: str
    providers: tuple[str, ...]
    services: tuple[str, ...] = ()
    directory: str | None = None
    tenant_ids: Mapping[str, str] = field(default_factory=dict)
    chosen: bool = False

    def means(self, one: Served) -> bool:
        """Whether a service is one of those asked for; a customer may be named by its domain."""
        wanted = {word.casefold() for word in self.services}
        return not wanted or bool(wanted & {one.ref.casefold(), one.domain.casefold() or one.ref.casefold()})

    def directory_of(self, provider: str, ref: str) -> dict[str, str] | None:
        """The directory of a service, as a manifest writes it; a customer of Partner Center is one itself."""
        number = ref if provider == "partner-center" else self.tenant_ids.get(ref.casefold())
        if self.directory is None or provider in BY_SERVICE or not number:
            return None
        return {"provider": "graph", "account": self.directory, "tenant_id": number}


class Family(Struct, frozen=True, kw_only=True):
    """One kind of service of the account, as its lists show it.

    owners: the manifest that claims a service, by the service. wanting: groups that nobody pinned and that
    could be a service of their product, by the product.
    """

    provider: str
    account: Account
    world: World
    served: Mapping[str, Served]
    owners: Mapping[str, ManifestFile]
    wanting: Mapping[str, str]


class Look(Struct, kw_only=True):
    """What was found: services and, by service, why one could not be read."""

    families: list[Family] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)


def stub(wish: Wish, provider: str, ref: str) -> Tenant:
    """A tenant that is a service and nothing else, to read it by."""
    raw = {"version": 1, "tenant": "imported", "provider": provider, "account": wish.account, "service": ref}
    directory = wish.directory_of(provider, ref)
    return TENANT.validate_python(raw | ({"directory": directory} if directory else {}))


async def look(made: Setup, wish: Wish, progress: Mapping[str, Progress]) -> Look:
    """Read the lists of each kind of service; a kind that the account does not have is none."""
    found = Look()
    for provider in wish.providers:
        try:
            found.families.append(await _family(made, wish, provider, progress))
        except Missing as error:
            if wish.chosen:
                found.failed[provider] = error.message
        except ProviderError as error:
            found.failed[provider] = f"{error.message}; --provider leaves a kind of service out"
    for family in found.families:
        for ref, why in family.world.snapshot.failed.items():
            if wish.means(family.served.get(ref, Served(ref))):
                found.failed[ref] = why
    return found


async def _family(made: Setup, wish: Wish, provider: str, progress: Mapping[str, Progress]) -> Family:
    like = TENANT.validate_python(
        {"version": 1, "tenant": "imported", "provider": provider, "account": wish.account, "service": "x"}
    )
    account = made.accounts.of(like)
    named = await account.served() if isinstance(account, Census) else ()
    settled = frozenset(order for one in progress.values() for order in one.arrived)
    snapshot = await account.snapshot(frozenset(one.ref for one in named), settled=settled)
    world = world_of(account, snapshot, like, made.selection.every, progress)
    served = {one.scope: Served(one.scope) for one in snapshot.holdings} | {one.ref: one for one in named}
    served = {ref: one for ref, one in served.items() if ref not in snapshot.failed and wish.means(one)}
    mine = [
        homed(one, progress.get(one.name, Progress()))
        for one in made.selection.every
        if (one.head.account, one.head.provider) == (wish.account, provider)
    ]
    return Family(
        provider=provider,
        account=account,
        world=world,
        served=served,
        owners=_owners(mine, progress),
        wanting=_wanting(mine, world, progress),
    )


def _owners(manifests: Iterable[ManifestFile], progress: Mapping[str, Progress]) -> dict[str, ManifestFile]:
    """Who claims a service: by its own `service`, a pin of a group, or what the journal remembers."""
    owners: dict[str, ManifestFile] = {}
    for one in manifests:
        head = one.head
        refs = [head.service] if head.service else []
        if head.provider not in NUMBERED:
            refs += [ref for group in head.license_groups if (ref := pin(head, group))]
            known = progress.get(one.name, Progress()).services
            refs += [known[group.name][0] for group in head.license_groups if group.name in known]
        for ref in refs:
            owners.setdefault(ref, one)
    return owners


def _wanting(
    manifests: Iterable[ManifestFile], world: World, progress: Mapping[str, Progress]
) -> dict[str, str]:
    """Groups that are blocked because something of their product is unclaimed: it may be theirs.

    Nothing is applied to a tenant on hold, so it orders nothing once the service is another's.
    """
    found: dict[str, str] = {}
    for one in manifests:
        head = one.head
        if head.hold:
            continue
        told = identities(one.head, world, progress.get(one.name, Progress()))
        product_of = world.product_of(head)
        for group in head.license_groups:
            if told[group.name].code == "RC4104" and group.service != "new":
                key = product_of(group.product) or group.product
                found[key] = f"group/{group.name} of tenant {one.name} ({one.file})"
    return found


async def each(
    made: Setup, wish: Wish, family: Family, wanted: Mapping[str, ManifestFile | None], found: Look
) -> list[Live]:
    """Read services in full, with the manifest that claims each or none; what cannot be read is told."""
    lives: list[Live] = []
    refs = sorted(wanted)
    for first in range(0, len(refs), PORTION):
        some = refs[first : first + PORTION]
        told = await asyncio.gather(*(_one(made, wish, family, ref, wanted[ref], found) for ref in some))
        lives += [one for one in told if one is not None]
    return lives


async def _one(
    made: Setup, wish: Wish, family: Family, ref: str, owner: ManifestFile | None, found: Look
) -> Live | None:
    try:
        return await _live(made, wish, family, ref, owner)
    except ReconcilerError as error:
        found.failed[ref] = f"{error.message}: {error.hint}" if error.hint else error.message
    return None


async def _live(made: Setup, wish: Wish, family: Family, ref: str, owner: ManifestFile | None) -> Live:
    tenant = _asked(wish, family, ref, owner)
    account = made.accounts.of(tenant)
    provider = account.tenant(tenant)
    refs = {ref} | {one for one, who in family.owners.items() if owner is not None and who is owner}
    holdings = await provider.read(frozenset(refs))
    beside = await provider.organisation() if family.provider not in BY_SERVICE else None
    beside = beside or Organisation()
    skus: Mapping[tuple[str, str], str] = getattr(account, "skus", {})
    known = {one.ref: skus[tenant.tenant, one.ref] for one in holdings if (tenant.tenant, one.ref) in skus}
    served = family.served[ref]
    mpn = beside.settings.get(setting_address("mpn-id"), {}).get("mpn_id")
    return Live(
        provider=family.provider,
        account=wish.account,
        ref=ref,
        name=served.name or next((one.name for one in holdings if _names(family, one)), ""),
        domain=served.domain,
        mpn_id=str(mpn or ""),
        holdings=holdings if owner and owner.tenant.users else _to_the_largest(holdings, known),
        products={one.product: _product(account, one) for one in holdings},
        directory=tenant.directory.model_dump(exclude_none=True) if tenant.directory else None,
        known=frozenset(known),
        home=beside.domain or next((one.domain for one in holdings if one.domain), ""),
    )


def _asked(wish: Wish, family: Family, ref: str, owner: ManifestFile | None) -> Tenant:
    asked = stub(wish, family.provider, ref)
    # Each service has a name of its own here: what is remembered of one is not taken for another's.
    asked = asked.model_copy(update={"tenant": ref})
    if owner is None:
        return asked
    directory = owner.tenant.directory or asked.directory
    return owner.tenant.model_copy(update={"directory": directory})


def _names(family: Family, one: Holding) -> bool:
    return family.provider in BY_SERVICE and one.name not in {"", one.ref}


def _product(account: Account, one: Holding) -> str:
    """What a manifest calls a product: a reseller's by its name where that leads back to it, else its key."""
    if (
        account.capabilities.provider == "ovh-csp2"
        and one.name
        and account.product_id(one.scope, one.name) == one.product
    ):
        return one.name
    return one.product


def _to_the_largest(holdings: tuple[Holding, ...], skus: Mapping[str, str]) -> tuple[Holding, ...]:
    """Give the people of a product to the largest holding of it: a directory shows the sum of all."""
    told = list(holdings)
    for sku in set(skus.values()):
        alike = [at for at, one in enumerate(told) if skus.get(one.ref) == sku]
        places = tuple(place for at in alike for place in told[at].places)
        largest = max(alike, key=lambda at: (told[at].seats or 0, told[at].ref))
        for at in alike:
            told[at] = replace(told[at], places=places if at == largest else ())
    return tuple(told)
