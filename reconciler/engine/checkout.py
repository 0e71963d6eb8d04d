"""One unconfirmed purchase at a time an account, across processes: a lock here, a lease in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

from msgspec import Struct, field

from reconciler.core.action import Action
from reconciler.core.errors import LeaseHeldError, ReconcilerError, Unavailable
from reconciler.core.journal import Journal, Lease
from reconciler.core.open import Open
from reconciler.core.progress import Progress
from reconciler.core.replay import replay_all
from reconciler.engine.aside import aside
from reconciler.engine.attempt import BUYING, UNCONFIRMED
from reconciler.engine.clock import Clock

PATIENCE = timedelta(seconds=60)
"""How long another process's purchase is waited for."""
UNCONFIRMED_PAUSE = 10.0


class Checkouts(Struct, kw_only=True):
    """Guards the moment between sending a purchase and knowing its number."""

    journal: Journal
    clock: Clock
    holder: str
    progress: Mapping[str, Progress]
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)
    tokens: dict[str, int] = field(default_factory=dict)

    def of(self, tenant: str) -> Callable[[Action], AbstractAsyncContextManager[None]]:
        """The guard for one tenant's purchases."""
        return lambda action: self._alone(tenant, action)

    @asynccontextmanager
    async def _alone(self, tenant: str, action: Action) -> AsyncIterator[None]:
        name = counter(action)
        lock = self.locks.setdefault(name, asyncio.Lock())
        async with lock:
            lease = await self._acquire(name, f"{tenant} {action.address}")
            try:
                await self._none_unconfirmed(action, name, lease.token)
                yield
            finally:
                # Not given back, it ends by itself; what was bought must not be lost over it.
                with suppress(ReconcilerError):
                    await aside(self.journal, partial(self.journal.release, lease))

    def claimed(self, action: Action) -> list[str]:
        """What is known to be another purchase's, so that it is not taken for this one's."""
        if action.detail.get("provider") != "ovh-csp2":
            return sorted({order for known in self.progress.values() for order in known.orders})
        return sorted({ref for known in self.progress.values() for ref, _, _ in known.services.values()})

    async def _acquire(self, name: str, about: str) -> Lease:
        until = self.clock.now() + PATIENCE
        while True:
            try:
                return await aside(
                    self.journal, partial(self.journal.acquire, name, holder=self.holder, about=about)
                )
            except LeaseHeldError as error:
                if self.clock.stopping or self.clock.now() >= until:
                    raise Unavailable(error.message, hint=error.hint) from error
                await self.clock.sleep(1.0)

    async def _none_unconfirmed(self, action: Action, name: str, token: int) -> None:
        """Refuse while a purchase at the same counter was sent and nobody knows its number."""
        alone = self.tokens.get(name) == token - 1
        self.tokens[name] = token
        known = self.progress if alone else replay_all(await aside(self.journal, self.journal.events))
        for tenant, progress in known.items():
            for one in progress.open.values():
                if one.action.id != action.id and counter(one.action) == name and unconfirmed(one):
                    raise Unavailable(
                        f"the purchase of {tenant} {one.action.address} is not confirmed yet",
                        hint="`reconciler resume` looks for it; purchases of this account wait until it is known",
                        code=UNCONFIRMED,
                        retry_after=UNCONFIRMED_PAUSE,
                    )


def counter(action: Action) -> str:
    """Where an action is bought: a cart is an account's, a subscription is a reseller tenant's."""
    account = str(action.detail.get("account", ""))
    place = f"/{action.detail.get('scope', '')}" if action.detail.get("provider") == "ovh-csp2" else ""
    return f"account/{account}/checkout{place}"


def unconfirmed(one: Open) -> bool:
    """Whether a purchase was sent and what it became is not known.

    An order is known by its number. A subscription is known once it is there: until then nothing tells it
    from the next one.
    """
    if one.stage == "intended":
        return any(step.name in BUYING and step.ref is None for step in one.steps)
    return one.stage == "accepted" and any(step.name == "subscription" for step in one.steps)
