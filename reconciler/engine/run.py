"""Many tenants: plan them, check consent and guards before the first call, do what is open, then what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from reconciler.core.errors import GuardError, JournalError, LeaseHeldError, ReconcilerError, StalePlanError
from reconciler.core.journal import Kind
from reconciler.core.manifest import ManifestFile
from reconciler.core.money import buys
from reconciler.core.plan import Exceeded, Plan, Run
from reconciler.core.policy import Work, exceeded
from reconciler.core.progress import Progress, replay
from reconciler.core.report import Report, Result, TenantReport
from reconciler.engine.attempt import Means
from reconciler.engine.checkout import Checkouts
from reconciler.engine.consent import Consent
from reconciler.engine.ending import code_of, not_approved, refused_tenant, report_of, status_of
from reconciler.engine.read import plans
from reconciler.engine.scribe import Scribe
from reconciler.engine.setup import Setup, judged, load, plan_run, spending
from reconciler.engine.tenant import Crew, begin_plan, close, exit_code, leased, record_found, without_done


async def apply(setup: Setup, consent: Consent) -> Report:
    """Do what is open, then what the plan says; refused as a whole before the first call, or not at all."""
    started = setup.clock.now()
    progress = load(setup)
    run = await plan_run(setup, progress)
    try:
        _may_begin(setup, run, progress)
        refused = consent.check(run, progress)
    except ReconcilerError as error:
        _owe(setup, run.plans, progress, error.message)
        raise
    checkouts = _checkouts(setup, progress)
    before = await _resume_all(setup, run, progress, checkouts, refused)
    if before:
        run = await _again(setup, run, progress, before)
        _may_begin(setup, run, progress)
        if consent.saved is not None or consent.digest is not None:
            consent.check(run, progress)
    if consent.ask is not None and any(_to_do(plan, refused) for plan in run.plans) and not consent.ask(run):
        raise ReconcilerError("apply was declined; nothing new was sent", code="declined")
    tenants = await _all(
        setup,
        [_apply_tenant(setup, plan, progress, checkouts, before, refused) for plan in run.plans],
    )
    return report_of(setup, run.digest, started, tenants)


async def resume(setup: Setup) -> Report:
    """Go on with everything that is open, in every selected tenant; nothing new is planned."""
    started = setup.clock.now()
    progress = load(setup)
    opened = [
        Plan(
            tenant=one.tenant.tenant,
            provider=one.tenant.provider,
            account=one.tenant.account,
            hold=one.tenant.hold,
        )
        for one in setup.selection.chosen
        if one.tenant.tenant in progress
        and (progress[one.tenant.tenant].open or progress[one.tenant.tenant].todo)
    ]
    _guard_resumed(setup, opened, progress)
    checkouts = _checkouts(setup, progress)
    before = await _resume_all(setup, opened, progress, checkouts, {})
    return report_of(setup, "", started, [before[plan.tenant] for plan in opened if plan.tenant in before])


def _may_begin(setup: Setup, run: Run, progress: Mapping[str, Progress]) -> None:
    """Every check that stops a whole run before its first call."""
    _guarded(run.exceeded)
    _guard_resumed(setup, run.plans, progress)
    purchases = any(buys(action) for plan in run.plans if plan.hold is None for action in plan.actions)
    if purchases and setup.fresh_refused:
        raise JournalError(
            setup.fresh_refused,
            hint="name a journal that outlives the job (postgresql://...), or pass --new-journal",
        )


def _guarded(over: Iterable[Exceeded]) -> None:
    found = list(over)
    if found:
        raise GuardError(
            "; ".join(f"{one.rule}: {one.message} ({one.number} is over {one.limit})" for one in found),
            hint="\n".join(dict.fromkeys(one.hint for one in found)),
        )


def _guard_resumed(setup: Setup, chosen: Iterable[Plan], progress: Mapping[str, Progress]) -> None:
    """Guards hold for what a resume would still begin, too."""
    left = {
        plan.tenant: tuple(progress[plan.tenant].todo.values())
        for plan in chosen
        if plan.hold is None and plan.tenant in progress and progress[plan.tenant].todo
    }
    work = Work(actions=left, spending=tuple(spending(progress)))
    _guarded(exceeded(work, setup.policies, setup.allowed, setup.clock.now()))


def _owe(setup: Setup, chosen: Iterable[Plan], progress: Mapping[str, Progress], why: str) -> None:
    """Remember that an apply was refused before it began, so that the next one looks at these tenants."""
    for plan in chosen:
        if plan.actions or plan.error is not None:
            # The refusal itself is what matters; a journal that cannot be written says so by itself.
            with suppress(ReconcilerError):
                _scribe(setup, plan.tenant, progress).write(Kind.OWED, why=why)


def _scribe(setup: Setup, tenant: str, progress: Mapping[str, Progress]) -> Scribe:
    return Scribe(
        journal=setup.journal,
        tenant=tenant,
        progress=progress.get(tenant, Progress()),
        who=setup.who,
        now=setup.clock.now,
        tell=setup.tell,
        plan=progress[tenant].plan if tenant in progress else "",
    )


def _checkouts(setup: Setup, progress: Mapping[str, Progress]) -> Checkouts:
    return Checkouts(journal=setup.journal, clock=setup.clock, holder=setup.who.holder, progress=progress)


async def _all(setup: Setup, runs: Iterable[Awaitable[TenantReport]]) -> list[TenantReport]:
    """Run tenants side by side, as many as the run may have at once."""
    gate = asyncio.Semaphore(setup.concurrency)

    async def one(run: Awaitable[TenantReport]) -> TenantReport:
        async with gate:
            return await run

    return list(await asyncio.gather(*(one(run) for run in runs)))


def _to_do(plan: Plan, refused: Mapping[str, str]) -> bool:
    return bool(plan.actions) and plan.hold is None and plan.error is None and plan.tenant not in refused


def _manifest(setup: Setup, tenant: str) -> ManifestFile:
    return next(one for one in setup.selection.every if one.tenant.tenant == tenant)


async def _resume_all(
    setup: Setup,
    run: Run | list[Plan],
    progress: dict[str, Progress],
    checkouts: Checkouts,
    refused: Mapping[str, str],
) -> dict[str, TenantReport]:
    chosen = run.plans if isinstance(run, Run) else run
    opened = [
        plan
        for plan in chosen
        if plan.hold is None
        and plan.tenant not in refused
        and plan.tenant in progress
        and (progress[plan.tenant].todo or progress[plan.tenant].open)
    ]
    reports = await _all(setup, [_resume_tenant(setup, plan, progress, checkouts) for plan in opened])
    return {report.tenant: report for report in reports}


async def _resume_tenant(
    setup: Setup, plan: Plan, progress: dict[str, Progress], checkouts: Checkouts
) -> TenantReport:
    scribe = _scribe(setup, plan.tenant, progress)
    try:
        async with leased(scribe, plan.tenant, holder=setup.who.holder, about="resume"):
            _catch_up(setup, scribe, progress)
            todo, opened = without_done(scribe.progress)
            crew = Crew(means=await _means(setup, plan.tenant, scribe, checkouts))
            results = await crew.work(todo, opened)
            code = exit_code(results)
            close(scribe, exit_code=code)
    except LeaseHeldError as error:
        return refused_tenant(plan, error, 7)
    except ReconcilerError as error:
        return refused_tenant(plan, error, 3)
    return TenantReport(
        tenant=plan.tenant,
        status=status_of(results, plan),
        actions=results,
        exit_code=code,
        sandbox=plan.sandbox,
    )


def _catch_up(setup: Setup, scribe: Scribe, progress: dict[str, Progress]) -> None:
    """With the lease in hand, read what another run may have written since."""
    events = setup.journal.events([scribe.tenant])
    if events and events[-1].seq != scribe.progress.last_seq and not scribe.progress.inherited:
        scribe.progress = replay(events)
        progress[scribe.tenant] = scribe.progress


async def _means(setup: Setup, tenant: str, scribe: Scribe, checkouts: Checkouts) -> Means:
    manifest = _manifest(setup, tenant)
    account = setup.accounts.of(manifest.tenant)
    now = setup.clock.now()
    return Means(
        provider=account.tenant(tenant, manifest.tenant.service),
        scribe=scribe,
        clock=setup.clock,
        checkout=checkouts.of(tenant),
        deadline=now + setup.wait,
        promise=timedelta(seconds=account.capabilities.promise_seconds),
        provider_now=await account.now(),
        started=now,
    )


async def _again(
    setup: Setup, run: Run, progress: Mapping[str, Progress], before: Mapping[str, TenantReport]
) -> Run:
    """Plan those tenants anew that a resume has moved."""
    chosen = tuple(one for one in setup.selection.chosen if one.tenant.tenant in before)
    fresh = await plans(
        replace(setup.selection, chosen=chosen),
        accounts=setup.accounts,
        progress=progress,
        prices=setup.prices,
    )
    kept = [plan for plan in run.plans if plan.tenant not in before]
    return judged(setup, [*kept, *fresh], progress)


async def _apply_tenant(
    setup: Setup,
    plan: Plan,
    progress: dict[str, Progress],
    checkouts: Checkouts,
    before: Mapping[str, TenantReport],
    refused: Mapping[str, str],
) -> TenantReport:
    earlier = before.get(plan.tenant)
    if plan.hold is not None:
        return TenantReport(tenant=plan.tenant, status=plan.status, hold=plan.hold, sandbox=plan.sandbox)
    if earlier is not None and earlier.error is not None:
        _owe(setup, [plan], progress, earlier.error.message)
        return earlier
    if plan.error is not None:
        _owe(setup, [plan], progress, plan.error)
        return refused_tenant(plan, ReconcilerError(plan.error, code="unreadable"), 3)
    if plan.tenant in refused:
        return not_approved(plan, refused[plan.tenant])
    try:
        results = await _do(setup, plan, progress, checkouts)
    except LeaseHeldError as error:
        _owe(setup, [plan], progress, error.message)
        return refused_tenant(plan, error, 7)
    except StalePlanError as error:
        _owe(setup, [plan], progress, error.message)
        return refused_tenant(plan, error, 6)
    except ReconcilerError as error:
        return refused_tenant(plan, error, 3)
    done = {result.id for result in results}
    kept = tuple(one for one in (earlier.actions if earlier else ()) if one.id not in done)
    results = (*kept, *results)
    return TenantReport(
        tenant=plan.tenant,
        status=status_of(results, plan),
        actions=results,
        exit_code=code_of(results, plan),
        sandbox=plan.sandbox,
    )


async def _do(
    setup: Setup, plan: Plan, progress: dict[str, Progress], checkouts: Checkouts
) -> tuple[Result, ...]:
    known = progress.setdefault(plan.tenant, Progress())
    if not (plan.actions or plan.found or plan.identified or known.owed or known.inherited):
        return ()
    scribe = _scribe(setup, plan.tenant, progress)
    async with leased(scribe, plan.tenant, holder=setup.who.holder, about="apply"):
        seen = scribe.progress.last_seq
        _catch_up(setup, scribe, progress)
        if scribe.progress.last_seq != seen:
            raise StalePlanError(
                f"{plan.tenant}: another run changed it since this plan was made",
                hint="plan again",
                code="stale",
            )
        record_found(scribe, plan)
        results: tuple[Result, ...] = ()
        if plan.actions:
            begin_plan(scribe, plan)
            crew = Crew(means=await _means(setup, plan.tenant, scribe, checkouts))
            results = await crew.work(plan.actions, {})
        if plan.actions or known.owed:
            close(scribe, exit_code=code_of(results, plan))
    return results
