"""Makers for the tests of the providers: a local world behind the real adapters, and a small engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.manifest import TENANT, Tenant
from reconciler.core.provider import (
    Absent,
    Accepted,
    Account,
    Attempt,
    Done,
    Outcome,
    Provider,
    Step,
    Stepped,
    StepRecord,
    Unknown,
)
from reconciler.providers.http import Session
from reconciler.providers.pace import Clock
from reconciler.providers.settings import Settings
from reconciler.sandbox.client import BASE_URL, TOKEN_URL
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World

KEYS = {
    "application_key": gate.APPLICATION_KEY,
    "application_secret": gate.APPLICATION_SECRET,
    "consumer_key": gate.CONSUMER_KEY,
}
CLIENT = {"client_id": gate.CLIENT_ID, "client_secret": gate.CLIENT_SECRET}
MICROSOFT = {
    "tenant_id": keys.PARTNER_TENANT,
    "client_id": keys.CLIENT_ID,
    "client_secret": keys.CLIENT_SECRET,
    "refresh_token": keys.REFRESH_TOKEN,
}
SETTINGS = Settings(base_url=BASE_URL, token_url=TOKEN_URL, sandbox=True)

GROUP = "acme.o365.ovh.com"
PAYG = "pay.o365.ovh.com"
RESELLER = "acme-csp.o365.ovh.com"
CUSTOMER = "0a000000-0000-4000-8000-00000000acce"


def roots(base_url: str) -> dict[str, str]:
    """Where the Microsoft surfaces of a sandbox stand, from where OVHcloud's does."""
    host = base_url.removesuffix("/1.0")
    return {
        "login": f"{host}/login",
        "partner_center": f"{host}/partner-center",
        "graph": f"{host}/graph",
    }


@dataclass
class Time:
    """A clock that moves only when somebody waits, and then at once."""

    now: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: self.now, monotonic=lambda: self.now, sleep=self.sleep)


@dataclass
class Journal:
    """An engine in small: it keeps the steps of an action as the journal would."""

    world: World
    steps: list[StepRecord] = field(default_factory=list)

    def keep(self, told: Step | Stepped) -> None:
        if isinstance(told, Step):
            self.steps.append(StepRecord(name=told.name, began_at=self.world.now, data=told.data))
            return
        last = max(index for index, one in enumerate(self.steps) if one.name == told.name)
        was = self.steps[last]
        self.steps[last] = replace(was, ref=told.ref, data={**was.data, **told.data})


@dataclass
class Rig:
    """A world, an account at it, and one tenant's provider."""

    world: World
    session: Session
    account: Account
    provider: Provider
    time: Time

    async def carry_out(self, action: Action, journal: Journal | None = None, *, number: int = 1) -> Outcome:
        """Execute an action up to its outcome, every step kept."""
        journal = journal or Journal(self.world)
        async for told in self.provider.execute(action, Attempt(number=number, steps=tuple(journal.steps))):
            if isinstance(told, Step | Stepped):
                journal.keep(told)
            else:
                return told
        raise AssertionError("an execution ends with an outcome")

    async def finish(self, action: Action, journal: Journal | None = None) -> Done:
        """Execute an action and turn the clock until it is done."""
        journal = journal or Journal(self.world)
        return await self.follow(action, await self.carry_out(action, journal), journal)

    async def follow(self, action: Action, outcome: Outcome, journal: Journal) -> Done:
        """Ask, and turn the clock, until an action is done."""
        for _ in range(40):
            if isinstance(outcome, Done):
                return outcome
            self.world.advance(timedelta(seconds=outcome.ask_again_after))
            outcome = await self.provider.poll(action, outcome.ticket, tuple(journal.steps))
        raise AssertionError(f"still {outcome} after 40 looks")

    async def find(self, action: Action, journal: Journal) -> Done | Accepted | Absent | Unknown:
        """Look for the effect of an execution whose answer was lost."""
        since = journal.steps[0].began_at if journal.steps else self.world.now
        return await self.provider.find(action, tuple(journal.steps), since)

    def did(self, what: str) -> int:
        """How often something took effect."""
        return sum(entry["what"] == what for entry in self.world.ledger())


Open = Callable[..., Awaitable[Rig]]


def act(verb: Verb, address: str, *, before: Any = None, after: Any = None, **detail: Any) -> Action:
    """Make an action as the planner would."""
    return Action(
        id=f"{verb}-{address}".replace("/", "-"),
        verb=verb,
        address=address,
        summary="",
        before=before,
        after=after,
        detail=detail,
    )


def written(name: str, scope: str | None, provider: str = "ovh-prepaid") -> Tenant:
    """A tenant as a manifest names it, for opening its part of an account."""
    service = {"service": scope} if scope else {}
    return TENANT.validate_python(
        {"version": 1, "tenant": name, "provider": provider, "account": "ovh-main", **service}
    )
