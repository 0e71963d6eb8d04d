"""One tenant's turn in a run: what is open is gone on with, what is planned is done, and its report made of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.drift import sighting
from reconciler.core.errors import JournalError, LeaseLostError, ReconcilerError, StalePlanError
from reconciler.core.journal import Kind
from reconciler.core.manifest import fingerprint
from reconciler.core.plan import Plan
from reconciler.core.progress import Progress
from reconciler.core.replay import replay
from reconciler.core.report import Result, State, TenantReport
from reconciler.core.unread import elsewhere
from reconciler.engine.aside import aside
from reconciler.engine.checkout import Checkouts
from reconciler.engine.crew import Crew
from reconciler.engine.due import begun_by_resume
from reconciler.engine.ending import code_for, code_of, ended, not_approved, refused_tenant, unread
from reconciler.engine.fault import where
from reconciler.engine.inherit import inherit
from reconciler.engine.means import Means
from reconciler.engine.read import homed
from reconciler.engine.scribe import Scribe
from reconciler.engine.setup import Setup
from reconciler.engine.tenant import begin_plan, close, exit_code, leased, record_found, settle_by_hand
from reconciler.engine.together import together
from reconciler.engine.waiters import still_waits, under_way

log = logging.getLogger("reconciler")

WELL = frozenset({0, 4})
"""How an apply ends that did, or has under way, all that its manifest asks for."""


class Turns(Struct, frozen=True):
    """The turns of one run's tenants, which share its accounts, its journal and its counters.

    progress: where every tenant stands, kept up to date as the run goes on.
    """

    setup: Setup
    progress: dict[str, Progress]
    checkouts: Checkouts

    @classmethod
    def of(cls, setup: Setup, progress: dict[str, Progress]) -> Turns:
        """The turns of a run that has just begun."""
        holder = setup.who.holder
        counters = Checkouts(journal=setup.journal, clock=setup.clock, holder=holder, progress=progress)
        return cls(setup, progress, counters)

    async def resume_all(
        self, opened: Iterable[Plan], *, begin: bool, stale: frozenset[str] = frozenset()
    ) -> dict[str, TenantReport]:
        """Go on with what is open; `begin` what was planned and never begun, too, but no `stale` purchase."""
        self.setup.acting = True
        works = [partial(self.resume, plan, begin=begin, stale=stale) for plan in opened]
        reports = await together(works, most=self.setup.concurrency)
        return {report.tenant: report for report in reports}

    async def resume(self, plan: Plan, *, begin: bool, stale: frozenset[str]) -> TenantReport:
        """Go on with what one tenant has open; of what else its plan says, nothing is told."""
        return await _told(plan, partial(self._go_on, plan, begin=begin, stale=stale))

    async def apply(self, plan: Plan, *, earlier: TenantReport | None, refused: str | None) -> TenantReport:
        """Do what one tenant's plan says, unless something stands against it.

        earlier: what became of its open actions. refused: why it is not what was approved; empty when nobody
        was asked about it, None when it is approved.
        """
        if plan.hold is not None:
            return TenantReport(tenant=plan.tenant, status=plan.status, hold=plan.hold, sandbox=plan.sandbox)
        if earlier is not None and earlier.error is not None:
            self.owe([plan], earlier.error.message)
            return earlier
        if plan.error is not None:
            self.owe([plan], plan.error)
            return replace(unread(plan), actions=earlier.actions) if earlier else unread(plan)
        if refused is not None:
            self.owe([plan] if refused else [], refused)
            return not_approved(plan, refused)
        report = await _told(plan, partial(self._do, plan, earlier.actions if earlier else ()))
        if report.error is not None and report.exit_code in {6, 7}:
            self.owe([plan], report.error.message)
        return report

    def owe(self, plans: Iterable[Plan], why: str) -> None:
        """Remember that an apply was refused before it began, so that the next one looks at these tenants."""
        for plan in plans:
            if plan.actions or plan.error is not None:
                # The refusal itself is what matters; a journal that cannot be written says so by itself.
                with suppress(ReconcilerError):
                    self._scribe(plan.tenant).write(Kind.OWED, why=why)

    async def _go_on(self, plan: Plan, *, begin: bool, stale: frozenset[str]) -> TenantReport:
        scribe = self._scribe(plan.tenant)
        async with leased(scribe, plan.tenant, holder=self.setup.who.holder, about="resume"):
            await self._catch_up(scribe)
            await inherit(scribe)
            if why := elsewhere(self.setup.selection.by_name[plan.tenant].head, scribe.progress):
                raise ReconcilerError(why, code="elsewhere")
            await settle_by_hand(scribe, plan)
            todo = begun_by_resume(self.setup, scribe.tenant, scribe.progress) if begin else ()
            crew = Crew(means=replace(await self._means(scribe), again=begin, stale=stale))
            results = await crew.work(todo, dict(scribe.progress.open))
            if not begin:
                results = tuple(one for one in results if one.state is not State.NOT_STARTED)
            unsaid = await _last_word(partial(close, scribe, exit_code=exit_code(results)))
        # Only of what was open: what else the plan says may be otherwise by now.
        opened = replace(plan, blocked=(), pending=(), in_doubt=False)
        return ended(opened, results, error=unsaid)

    async def _do(self, plan: Plan, earlier: tuple[Result, ...]) -> TenantReport:
        known = self.progress.setdefault(plan.tenant, Progress())
        leftovers = bool(known.owed or known.todo)
        if not (leftovers or self._has_news(plan, known, earlier)):
            return ended(plan, earlier)
        scribe = self._scribe(plan.tenant)
        results: tuple[Result, ...] = ()
        async with leased(scribe, plan.tenant, holder=self.setup.who.holder, about="apply"):
            await self._unchanged(scribe)
            await inherit(scribe)
            await record_found(scribe, plan, self.setup.selection.by_name[plan.tenant].tenant)
            if plan.actions:
                means = await self._means(scribe)
                await begin_plan(scribe, plan, self.setup.allowed, of=self.setup.digest)
                results = await Crew(means=means).work(plan.actions, {})
            code = code_of((*earlier, *results), plan)
            unsaid = await self._end(scribe, plan, code, leftovers=leftovers)
        now = {result.id for result in results}
        kept = tuple(one for one in earlier if one.id not in now)
        return ended(plan, (*kept, *results), error=unsaid)

    def _has_news(self, plan: Plan, known: Progress, earlier: tuple[Result, ...]) -> bool:
        """Whether a plan says anything that the journal does not know yet."""
        if plan.actions or plan.found or plan.identified or known.inherited:
            return True
        written = fingerprint(self.setup.selection.by_name[plan.tenant].tenant)
        return code_of(earlier, plan) in WELL and (written, _strangers(plan)) != (known.seen, known.strangers)

    async def _end(self, scribe: Scribe, plan: Plan, code: int, *, leftovers: bool) -> ReconcilerError | None:
        """Write how it ended and, where that is well, what was seen; gives what kept it from being written."""
        tenant = self.setup.selection.by_name[plan.tenant].tenant
        written, unsaid = fingerprint(tenant), None
        if plan.actions or leftovers:
            drop = not plan.actions and not still_waits(scribe, plan, written)
            unsaid = await _last_word(partial(close, scribe, exit_code=code, drop=drop))
        said = written if under_way(scribe, plan) else ""
        now_seen = (scribe.progress.seen, scribe.progress.strangers)
        if code in WELL and (said, _strangers(plan)) != now_seen and unsaid is None:
            # `status` tells by it whether the file says something else by now, and `drift` what is new there.
            unsaid = await _last_word(partial(scribe.put, Kind.SEEN, **sighting(plan, tenant, said)))
        return unsaid

    async def _unchanged(self, scribe: Scribe) -> None:
        """With the lease in hand, refuse a plan that another run has overtaken."""
        if await self._catch_up(scribe):
            raise StalePlanError(
                f"{scribe.tenant}: another run changed it since this plan was made",
                hint="plan again",
                code="stale",
            )

    async def _catch_up(self, scribe: Scribe) -> bool:
        """With the lease in hand, read what another run may have written since; whether it is more than a refusal."""
        seen = scribe.progress.last_seq
        events = await aside(scribe.journal, partial(scribe.journal.events, [scribe.tenant]))
        if not events or events[-1].seq == seen or scribe.progress.inherited:
            return False
        scribe.progress = replay(events)
        self.progress[scribe.tenant] = scribe.progress
        return events[-1].seq < seen or any(one.seq > seen and one.kind is not Kind.OWED for one in events)

    def _scribe(self, tenant: str) -> Scribe:
        known = self.progress.get(tenant, Progress())
        return Scribe(
            journal=self.setup.journal,
            tenant=tenant,
            progress=known,
            who=self.setup.who,
            now=self.setup.clock.now,
            tell=self.setup.tell,
            plan=known.plan,
        )

    async def _means(self, scribe: Scribe) -> Means:
        setup = self.setup
        manifest = homed(setup.selection.by_name[scribe.tenant], scribe.progress).opened()
        account = setup.accounts.of(manifest.tenant)
        now = setup.clock.now()
        return Means(
            provider=account.tenant(manifest.tenant),
            scribe=scribe,
            clock=setup.clock,
            checkout=self.checkouts.of(scribe.tenant),
            claimed=self.checkouts.claimed,
            deadline=now + setup.wait,
            promise=timedelta(seconds=account.capabilities.promise_seconds),
            provider_now=await account.now(),
            started=now,
        )


def _strangers(plan: Plan) -> frozenset[str]:
    return frozenset(one.address for one in plan.unmanaged)


async def _last_word(write: Callable[[], Awaitable[object]]) -> ReconcilerError | None:
    """Write how it ended; an error here takes nothing back of what was done."""
    try:
        await write()
    except (LeaseLostError, JournalError) as error:
        return error
    return None


async def _told(plan: Plan, work: Callable[[], Awaitable[TenantReport]]) -> TenantReport:
    """One tenant's report whatever happens: a fault in one leaves no other unreported."""
    try:
        return await work()
    except ReconcilerError as error:
        return refused_tenant(plan, error, code_for(error, otherwise=3))
    except Exception as error:
        log.exception("%s", plan.tenant)
        said = f"a fault of this tool: {where(error)}"
        return refused_tenant(plan, ReconcilerError(said, code="bug"), 3)
