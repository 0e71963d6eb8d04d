"""An account's prepaid seats: the list that mixes all tenants, read once and sliced, and what is on order."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime

from reconciler.core.errors import Unavailable
from reconciler.core.manifest import OfficeAttach
from reconciler.core.manifest import Tenant as Manifest
from reconciler.core.model import Holding, Quote, Snapshot
from reconciler.core.provider import Provider
from reconciler.core.trace import Trace
from reconciler.providers.http import path
from reconciler.providers.ovh import carts, lists, orders, traces
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.capabilities import LICENCES, PREPAID
from reconciler.providers.ovh.carts import Wanted
from reconciler.providers.ovh.lists import Listing
from reconciler.providers.ovh.prepaid import holdings
from reconciler.providers.ovh.prepaid.seats import Seats, group_of, product_of
from reconciler.providers.ovh.wire import Seat, Service

ROOT = "/license/officePrepaid"


class PrepaidAccount:
    """The prepaid seats of one account.

    seats: every seat as last read, by name. ending: those whose end was asked for. reserved: free seats that
    an activation of this process is about to fill, by the action that took them. expired: listed, and over.
    """

    def __init__(
        self,
        name: str,
        api: Api,
        *,
        open_tenant: Callable[[PrepaidAccount, str, str | None, OfficeAttach | None], Provider],
    ) -> None:
        self._open_tenant = open_tenant
        self.name = name
        self.api = api
        self.capabilities = PREPAID
        self.sandbox = api.settings.sandbox
        self.seats = Seats()
        self.ending: set[str] = set()
        self.reserved: dict[str, str] = {}
        self.expired: set[str] = set()
        self._missing: dict[str, str] = {}
        self._fresh: set[str] = set()
        self._rounds: defaultdict[str, int] = defaultdict(int)
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._quotes: dict[Wanted, Quote] = {}

    async def snapshot(
        self,
        scopes: frozenset[str],  # noqa: ARG002 - one list holds all tenants
        *,
        settled: frozenset[str] = frozenset(),
        told: tuple[Holding, ...] = (),  # noqa: ARG002 - everything can be read
    ) -> Snapshot:
        """Read the seats of all tenants and the orders on their way."""
        seats = Seats()
        found = await lists.listing(self.api, ROOT, Seat, key=lambda seat: seat.service_name, into=seats)
        if found.failed and not seats:
            found.whole()
        self.seats = seats
        self.expired = found.expired
        services = self.seats.services()
        coming = await orders.on_their_way(self.api, readable=self.seats.shows, settled=settled)
        on_order = {group_of(name) for one, _ in coming for name in one.names}
        failed = self._unreadable(found, on_order)
        self._fresh = services - failed.keys()
        return Snapshot(
            holdings=tuple(one for service in sorted(services) for one in self._outlined(service)),
            incoming=tuple(orders.incoming(one, word) for one, word in coming),
            failed=failed,
        )

    def _unreadable(self, found: Listing[Seat], on_order: set[str]) -> dict[str, str]:
        """Why services cannot be planned, as far as seats could not be read; remembers those whose product is sure.

        on_order: services of orders on their way, whose seats are listed before they can be read.
        """
        # Where names of seats do not tell the service, one that cannot be read may be of any of those.
        renamed = self.seats.strange
        failed: dict[str, str] = {}
        for name, error in found.failed.items():
            failed |= dict.fromkeys((*renamed, group_of(name)), error.message)
        self._missing = {}
        unread = [name for name in found.missing if group_of(name) not in on_order]
        for name in (*unread, *sorted(self.seats.untold)):
            service = self.seats.home(name)
            product = self._only_product(service)
            if product is not None:
                self._missing[name] = product
                continue
            for one in (*renamed, service):
                failed.setdefault(one, f"{name} is listed and cannot be read yet")
        return failed

    async def quote(
        self,
        product: str,
        quantity: int,
        *,
        scope: str | None,
        term: str = "",  # noqa: ARG002 - one way to buy
        billing: str = "",  # noqa: ARG002 - likewise
    ) -> Quote:
        """Price seats by a dry run, once for each question."""
        wanted = Wanted(product=product, quantity=quantity, scope=scope)
        if wanted not in self._quotes:
            self._quotes[wanted] = await carts.quoted(self.api, wanted)
        return self._quotes[wanted]

    async def traces(self, known: frozenset[str]) -> tuple[Trace, ...]:
        """Find our purchases of the last day that are not `known`, by the marks on their carts."""
        return await traces.traces(self.api, known)

    async def still_there(self, names: Iterable[str]) -> tuple[str, ...]:
        """Look for seats that no list names: each by itself, and by its service record where it cannot be read."""
        chosen = list(names)
        found: Listing[Seat] = await lists.objects(self.api, ROOT, Seat, chosen)
        there = set(found.whole())
        rest = sorted(found.missing)
        records = await self.records(rest)
        today = (await self.now()).date()
        there |= {name for name, one in records.items() if one.runs(today)}
        return tuple(sorted(there))

    async def now(self) -> datetime:
        """The provider's clock."""
        return await self.api.now()

    def tenant(self, tenant: Manifest) -> Provider:
        """One tenant's part."""
        return self._open_tenant(self, tenant.tenant, tenant.service, tenant.office_attach)

    def product_id(self, scope: str | None, product: str) -> str | None:  # noqa: ARG002 - the same everywhere
        """Give the product's key; None when it is not sold."""
        return product if product in LICENCES else None

    async def close(self) -> None:
        """Let go of connections."""
        await self.api.session.close()

    def holdings(self, service: str, records: dict[str, Service] | None = None) -> list[Holding]:
        """Show a service as holdings, one a product; dates only with `records`."""
        places = holdings.places(self.seats.group(service), self._missing_of(service), records or {})
        ended = {name for name, one in (records or {}).items() if one.ending}
        lapsed = [name for name in self.over(service) if name not in ended]
        return [
            holdings.holding(service, product, tuple(some), records, lapsed)
            for product, some in sorted(places.items(), key=lambda pair: pair[0])
        ]

    def _outlined(self, service: str) -> list[Holding]:
        """Show a service of the account's list; where there are too many, places are made when somebody looks."""
        packed = self.seats.packed(service)
        if not packed:
            return self.holdings(service)
        missing = self._missing_of(service)
        numbers = holdings.numbers(self.seats.numbers(service), missing, self.seats.untold)
        outlines = {
            one: holdings.Outline(one, number, packed, missing) for one, number in sorted(numbers.items())
        }
        lapsed = self.over(service)
        return [holdings.holding(service, product, some, None, lapsed) for product, some in outlines.items()]

    def over(self, service: str) -> list[str]:
        """Seats of a service that are listed and have expired."""
        return sorted(name for name in self.expired if group_of(name) == service)

    async def view(self, service: str, *, uncached: bool) -> list[str]:
        """Give the names of a service's seats; what this run's list just showed is not read twice."""
        if service in self._fresh:
            self._fresh.discard(service)
        elif uncached or not self._names(service):
            await self.refresh(service)
        return self._names(service)

    async def refresh(self, service: str) -> None:
        """Read a service's seats again; who asks while somebody else reads shares that answer."""
        wanted = self._rounds[service] + 1
        async with self._locks[service]:
            if self._rounds[service] >= wanted:
                return
            await self._reread(service)
            self._rounds[service] += 1

    async def seat(self, name: str) -> Seat | None:
        """Read one seat, uncached; None while it cannot be read."""
        seat = await self.api.maybe(Seat, f"{ROOT}{path(name)}")
        if seat is None:
            self.seats.pop(name, None)
        else:
            self.seats[name] = seat
        return seat

    async def records(self, names: Iterable[str]) -> dict[str, Service]:
        """Read how seats renew; nothing for those where the provider does not say."""
        chosen = list(names)
        found: Listing[Service] = await lists.objects(
            self.api, ROOT, Service, chosen, key=None, suffix="/serviceInfos"
        )
        for error in found.failed.values():
            if isinstance(error, Unavailable):
                raise error
        self.ending -= set(chosen)
        self.ending |= {name for name, record in found.objects.items() if record.ending}
        return found.objects

    def _missing_of(self, service: str) -> dict[str, str]:
        """The products of a service's seats that do not tell theirs, or cannot be read yet."""
        home = self.seats.home
        return {name: product for name, product in self._missing.items() if home(name) == service}

    def _names(self, service: str) -> list[str]:
        return self.seats.of(service)

    async def _reread(self, service: str) -> None:
        listed = await lists.ids(self.api, ROOT)
        mine = set(self._names(service))
        asked = {name for name in listed if self.seats.home(name) == service}
        found = await lists.objects(self.api, ROOT, Seat, sorted(asked), key=lambda seat: seat.service_name)
        objects = found.whole()
        for name in mine - objects.keys():
            self.seats.pop(name, None)  # who found a moment ago that it cannot be read took it out already
        self.seats.update(objects)
        self.expired = {name for name in self.expired if group_of(name) != service} | found.expired
        self._missing = {name: one for name, one in self._missing.items() if self.seats.home(name) != service}
        product = self._only_product(service)
        if product is not None:
            untold = self.seats.untold.intersection(self._names(service))
            self._missing |= dict.fromkeys((*found.missing, *untold), product)

    def _only_product(self, service: str) -> str | None:
        """The product of a service's seats; None when they are of several, or none of them tells."""
        products = {product_of(seat) for seat in self.seats.group(service).values()} - {""}
        return products.pop() if len(products) == 1 else None
