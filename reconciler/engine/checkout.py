"""One unconfirmed purchase at a time an account, across processes: a lock here, a lease in the journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from reconciler.core.action import Action
from reconciler.core.errors import LeaseHeldError, Unavailable
from reconciler.core.journal import Journal, Lease
from reconciler.core.progress import Progress, replay_all
from reconciler.engine.clock import Clock

PATIENCE = timedelta(seconds=60)
"""How long another process's purchase is waited for."""


@dataclass(slots=True, kw_only=True)
class Checkouts:
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
        account = str(action.detail.get("account", ""))
        lock = self.locks.setdefault(account, asyncio.Lock())
        async with lock:
            name = f"account/{account}/checkout"
            lease = await self._acquire(name, f"{tenant} {action.address}")
            try:
                self._none_unconfirmed(account, action, name, lease.token)
                yield
            finally:
                self.journal.release(lease)

    async def _acquire(self, name: str, about: str) -> Lease:
        until = self.clock.now() + PATIENCE
        while True:
            try:
                return self.journal.acquire(name, holder=self.holder, about=about)
            except LeaseHeldError as error:
                if self.clock.stopping or self.clock.now() >= until:
                    raise Unavailable(error.message, hint=error.hint) from error
                await self.clock.sleep(1.0)

    def _none_unconfirmed(self, account: str, action: Action, name: str, token: int) -> None:
        """Refuse while a purchase of this account was sent and nobody knows its number."""
        alone = self.tokens.get(name) == token - 1
        self.tokens[name] = token
        known = self.progress if alone else replay_all(self.journal.events())
        for tenant, progress in known.items():
            for one in progress.open.values():
                if (
                    one.unconfirmed_checkout
                    and one.action.id != action.id
                    and one.action.detail.get("account") == account
                ):
                    raise Unavailable(
                        f"the purchase of {tenant} {one.action.address} is not confirmed yet",
                        hint="`reconciler resume` looks for it; purchases of this account wait until it is known",
                    )
