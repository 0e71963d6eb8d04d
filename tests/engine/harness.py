"""A whole run in one process: files, a real journal, real adapters over a local world, and a clock that jumps.

A `Process` stands for one run of the tool: its own journal handle, its own connections. It can be made to
crash around the n-th event it writes; from then on it reaches neither the journal nor the provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import yaml
from msgspec.structs import replace

from reconciler import __version__
from reconciler.core.action import Action
from reconciler.core.journal import Event, Journal, Lease
from reconciler.core.plan import Plan, Run
from reconciler.core.policy import Allowances
from reconciler.core.progress import Progress
from reconciler.core.provider import Account
from reconciler.core.report import Report, Result, Trouble
from reconciler.core.workspace import Policy, Workspace
from reconciler.engine.consent import Consent
from reconciler.engine.read import Accounts, Selection
from reconciler.engine.run import apply, resume
from reconciler.engine.scribe import Who
from reconciler.engine.setup import Setup, load, plan_run
from reconciler.providers import OPEN, open_by_hand, open_session, with_directory
from reconciler.providers.http import Session
from reconciler.providers.microsoft.connection import Connection, open_partner
from reconciler.providers.pace import Clock as PaceClock
from reconciler.providers.settings import Settings
from reconciler.sandbox.client import BASE_URL, MICROSOFT_URLS, TOKEN_URL, transport
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World
from reconciler.store.journal import open_journal
from reconciler.store.manifests import load as load_files

T = TypeVar("T")

KEYS = {
    "application_key": gate.APPLICATION_KEY,
    "application_secret": gate.APPLICATION_SECRET,
    "consumer_key": gate.CONSUMER_KEY,
}
APPLICATION = {
    "tenant_id": keys.PARTNER_TENANT,
    "client_id": keys.CLIENT_ID,
    "client_secret": keys.CLIENT_SECRET,
    "refresh_token": keys.REFRESH_TOKEN,
}
SETTINGS = Settings(base_url=BASE_URL, token_url=TOKEN_URL, sandbox=True, poll=1.0, subsidiary="FR")
MICROSOFT_SETTLE, MICROSOFT_POLL = 1200.0, 5.0
"""Seconds that Microsoft may take to show what it accepted, as by default; and between two looks at it."""
WORKSPACE = """
version: 1
accounts:
  ovh-main: {api: ovh, endpoint: sandbox}
  partner: {api: microsoft, endpoint: sandbox}
  home: {api: manual}
journal: sqlite:///journal.db
"""


class Crash(BaseException):
    """The process is gone from one moment to the next; nothing in it may catch this."""


@dataclass
class Time:
    """A clock that moves only when somebody waits, and then at once; the engine's and the provider's."""

    at: float = 1_800_000_000.0
    stopping: bool = False
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        until = self.at + seconds
        await asyncio.sleep(0)
        self.at = max(self.at, until)


@dataclass
class Ends:
    """When a process ends: before or after its n-th event; with `after` the event itself is on disk."""

    event: int = 0
    after: bool = True
    gone: bool = False
    written: list[Event] = field(default_factory=list)


class CrashingJournal:
    """The journal as a process sees it that ends around one of its events."""

    def __init__(self, inner: Journal, ends: Ends) -> None:
        self.inner = inner
        self.ends = ends
        self.fresh = inner.fresh
        self.distant = inner.distant
        self.behind = inner.behind
        self.moved = inner.moved

    def append(self, *events: Event, lease: Lease | None = None) -> tuple[Event, ...]:
        self._alive()
        last = len(self.ends.written) + len(events) >= self.ends.event > 0
        if last and not self.ends.after:
            self._die()
        written = self.inner.append(*events, lease=lease)
        self.ends.written += written
        if last:
            self._die()
        return written

    def events(self, tenants: Iterable[str] | None = None) -> Sequence[Event]:
        self._alive()
        return self.inner.events(tenants)

    def stream(self, tenants: Iterable[str] | None = None) -> Iterator[Event]:
        self._alive()
        return self.inner.stream(tenants)

    def acquire(self, name: str, *, holder: str, about: str = "") -> Lease:
        self._alive()
        return self.inner.acquire(name, holder=holder, about=about)

    def renew(self, lease: Lease) -> Lease:
        self._alive()
        return self.inner.renew(lease)

    def release(self, lease: Lease) -> None:
        if not self.ends.gone:
            self.inner.release(lease)

    def leases(self) -> Sequence[Lease]:
        return self.inner.leases()

    def break_lease(self, name: str) -> bool:
        return self.inner.break_lease(name)

    def accept(self) -> None:
        self.inner.accept()
        self.behind = self.inner.behind

    def close(self) -> None:
        self.inner.close()

    def _alive(self) -> None:
        if self.ends.gone:
            raise Crash

    def _die(self) -> None:
        self.ends.gone = True
        raise Crash


class Wire(httpx.AsyncBaseTransport):
    """The way to the provider, cut once its process is gone; `sent` is every request that went out."""

    def __init__(self, inner: httpx.AsyncBaseTransport, ends: Ends) -> None:
        self.inner = inner
        self.ends = ends
        self.sent: list[tuple[str, str]] = []
        self.before: Callable[[httpx.Request], None] = lambda _request: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.ends.gone:
            raise Crash
        self.before(request)
        self.sent.append((request.method, request.url.path.removeprefix("/1.0")))
        return await self.inner.handle_async_request(request)


@dataclass
class Process:
    """One run of the tool."""

    bench: Bench
    journal: CrashingJournal
    wire: Wire
    ends: Ends
    setup: Setup

    def run(self, work: Callable[[Setup], Coroutine[Any, Any, T]]) -> T:
        """Do it and end, as the command line does; a crash leaves everything as it is."""

        async def whole() -> T:
            try:
                return await work(self.setup)
            finally:
                if not self.ends.gone:
                    await self.setup.accounts.close()

        try:
            return asyncio.run(whole())
        finally:
            self.journal.close()


def begun(report: Report) -> Report:
    """The report of an apply that could begin; raises why it was refused before anything was sent."""
    if report.refusal is not None and not report.went_on:
        raise report.refusal
    return report


@dataclass
class Bench:
    """A workspace on disk, a provider in memory, one clock, and what came of it all."""

    root: Path
    world: World
    time: Time
    settings: Settings = SETTINGS

    @classmethod
    def make(cls, root: Path, world: str, **tenants: str) -> Bench:
        time = Time()
        made = World.open(None, now=time.now)
        made.load(yaml.safe_load(world) or {})
        bench = cls(root, made, time)
        bench.write(**tenants)
        (root / "reconciler.yaml").write_text(WORKSPACE)
        return bench

    def write(self, **tenants: str) -> None:
        """Write tenants' files; underscores of a name are dashes in the file."""
        folder = self.root / "tenants"
        folder.mkdir(exist_ok=True)
        for name, text in tenants.items():
            (folder / f"{name}.yaml").write_text(text)

    def workspace(self, text: str) -> None:
        """Add to the workspace file."""
        (self.root / "reconciler.yaml").write_text(WORKSPACE + text)

    def process(
        self,
        *,
        writes: bool = True,
        wait: timedelta = timedelta(minutes=10),
        ends: Ends | None = None,
        only: Sequence[str] = (),
        holder: str = "",
        time: Time | None = None,
        **more: Any,
    ) -> Process:
        """Begin a new process: everything is read and opened anew."""
        ends = ends or Ends()
        loaded = load_files(
            (self.root / "tenants",),
            workspace_file=self.root / "reconciler.yaml",
            cwd=self.root,
            version=__version__,
        )
        assert not loaded.errors, [one.message for one in loaded.errors]
        assert loaded.workspace is not None
        clock = time or self.time
        journal = CrashingJournal(self._journal(loaded.workspace, create=writes), ends)
        wire = Wire(transport(self.world), ends)
        opened = self._opener(wire, clock, writes=writes)
        chosen = tuple(one for one in loaded.manifests if not only or one.tenant.tenant in only)
        setup = Setup(
            selection=Selection(every=loaded.manifests, chosen=chosen),
            accounts=Accounts(open=opened),
            journal=journal,
            policies=(loaded.workspace.policy,),
            who=Who(by="tester", holder=holder or f"tester-{id(journal)}"),
            clock=clock,
            tell=lambda _event: None,
            tool_version=__version__,
            prices=tuple(loaded.workspace.prices),
            wait=wait,
        )
        return Process(self, journal, wire, ends, replace(setup, **more))

    def _opener(self, wire: Wire, clock: Time, *, writes: bool) -> Callable[[str, str, str], Account]:
        """Open accounts as the command line does: what one process opens shares a session a surface."""
        pace = PaceClock(now=lambda: clock.at, monotonic=lambda: clock.at, sleep=clock.sleep)
        session = open_session(self.settings, KEYS, writes=writes, transport=wire, clock=pace)
        poll = max(self.settings.poll, MICROSOFT_POLL)
        settings = replace(self.settings, base_url="", token_url=None, settle=MICROSOFT_SETTLE, poll=poll)
        partner = open_partner(
            settings, MICROSOFT_URLS, APPLICATION, writes=writes, transport=wire, clock=pace
        )

        def opened(name: str, provider: str, directory: str) -> Account:
            seller = _seller(name, provider, session, partner, pace)
            return with_directory(seller, directory, partner) if directory else seller

        return opened

    def _journal(self, workspace: Workspace, *, create: bool) -> Journal:
        return open_journal(workspace.journal, root=self.root, create=create, env={})

    def plan(self, *only: str, **more: Any) -> Run:
        """What `plan` would show."""

        async def planned(setup: Setup) -> Run:
            return await plan_run(setup, load(setup))

        return self.process(writes=False, only=only, **more).run(planned)

    def apply(self, consent: Consent | None = None, **more: Any) -> Report:
        """Apply, as with --yes unless a consent is given; raises why it was refused before anything was sent."""
        return begun(self.process(**more).run(lambda setup: apply(setup, consent or Consent())))

    def resume(self, **more: Any) -> Report:
        """Go on with what is open."""
        return self.process(**more).run(resume)

    def crash(self, ends: Ends, *, resuming: bool = False, **more: Any) -> bool:
        """Apply (or resume) until the process ends; true when it came that far."""
        with suppress(Crash):
            if resuming:
                self.resume(ends=ends, **more)
            else:
                self.apply(ends=ends, **more)
        return ends.gone

    def events(self) -> tuple[Event, ...]:
        """The whole journal."""
        journal = open_journal("sqlite:///journal.db", root=self.root, create=False, env={})
        try:
            return tuple(journal.events())
        finally:
            journal.close()

    def progress(self, tenant: str = "acme") -> Progress:
        """Where a tenant stands."""
        process = self.process(writes=False)
        try:
            return load(process.setup).get(tenant, Progress())
        finally:
            process.journal.close()

    def count(self, what: str, **fields: Any) -> int:
        """How often something took effect at the provider."""
        return sum(
            entry["what"] == what and all(entry.get(key) == value for key, value in fields.items())
            for entry in self.world.ledger()
        )

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """Look into the provider's own tables."""
        with self.world.transaction() as tx:
            return [dict(row) for row in tx.all(query, *values)]

    def calls(self, *, writing: bool = False) -> list[tuple[str, str]]:
        """Every request so far, in order, with numbers and names left out of the paths."""
        return [
            (one["method"], one["path"])
            for one in self.world.requests()
            if not writing or one["method"] != "GET"
        ]


def _seller(name: str, provider: str, session: Session, partner: Connection, pace: PaceClock) -> Account:
    if provider == "home-pl":
        return open_by_hand(name, pace)
    return OPEN[provider](name, partner if provider == "partner-center" else session)


def results(report: Report, tenant: str = "acme") -> tuple[Result, ...]:
    """One tenant's results."""
    return next((one.actions for one in report.tenants if one.tenant == tenant), ())


def states(report: Report, tenant: str = "acme") -> dict[str, str]:
    """How each address ended."""
    return {one.address: one.state.value for one in results(report, tenant)}


def trouble(report: Report, tenant: str = "acme") -> Trouble:
    """The error of a tenant's first action."""
    error = results(report, tenant)[0].error
    assert error is not None, report
    return error


def planned(run: Run, tenant: str = "acme") -> Plan:
    """One tenant's plan."""
    return next(one for one in run.plans if one.tenant == tenant)


def actions(run: Run, tenant: str = "acme") -> tuple[Action, ...]:
    """One tenant's actions."""
    return planned(run, tenant).actions


def policy(**limits: Any) -> Policy:
    """A policy of these limits."""
    return Policy(**limits)


def allowed(**numbers: Any) -> Allowances:
    """What --allow lifts."""
    return Allowances(numbers=numbers)
