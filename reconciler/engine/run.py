"""Many tenants: plan them, check consent and guards before the first call, do what is open, then what is new."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

from reconciler.core.drift import sighting
from reconciler.core.errors import GuardError, JournalError, LeaseLostError, ReconcilerError, StalePlanError
from reconciler.core.journal import Kind
from reconciler.core.manifest import fingerprint
from reconciler.core.money import buys
from reconciler.core.plan import Exceeded, Plan, Run
from reconciler.core.policy import Work, exceeded
from reconciler.core.progress import Progress
from reconciler.core.replay import replay
from reconciler.core.report import Report, Result, State, TenantReport
from reconciler.engine.aside import aside
from reconciler.engine.behind import not_behind, proven
from reconciler.engine.checkout import Checkouts
from reconciler.engine.consent import Consent
from reconciler.engine.ending import (
    code_for,
    code_of,
    ended,
    not_approved,
    refused_tenant,
    report_of,
    stopped,
    unread,
)
from reconciler.engine.fault import where
from reconciler.engine.inherit import inherit
from reconciler.engine.means import Means
from reconciler.engine.read import homed, plans
from reconciler.engine.scribe import Scribe
from reconciler.engine.setup import Setup, judged, load, past, plan_run, spending
from reconciler.engine.tenant import Crew, begin_plan, close, exit_code, leased, record_found, settle_by_hand
from reconciler.engine.together import together
from reconciler.engine.waiters import still_waits, under_way
from reconciler.engine.wanted import unwanted

log = logging.getLogger("reconciler")


async def apply(setup: Setup, consent: Consent) -> Report:
    """Do what is open, then what the plan says; refused as a whole before the first call, or not at all.

    What an earlier apply planned and never began is in the plan, if it is still wanted.
    """
    started = setup.clock.now()
    progress = load(setup)
    run = await plan_run(setup, progress)
    refused: dict[str, str] = {}
    try:
        run = await proven(setup, run, progress)
        _may_buy(setup, run)
        refused = consent.check(run, progress)
        _guarded(run.exceeded)
    except ReconcilerError as error:
        _owe(setup, run.plans, progress, error.message)
        return stopped(setup, run, started, error, before={}, refused=refused)
    _not_stopped(setup)
    checkouts = _checkouts(setup, progress)
    opened = [plan for plan in run.plans if plan.tenant not in refused and _open(plan, progress)]
    before = await _resume_all(setup, opened, progress, checkouts, begin=False)
    if before:
        try:
            run = await _again(setup, run, progress, before)
            _may_buy(setup, run)
            refused = _checked_again(consent, run, progress, refused)
            _guarded(run.exceeded)
        except ReconcilerError as error:
            _owe(setup, run.plans, progress, error.message)
            return stopped(setup, run, started, error, before=before, refused=refused)
    if consent.ask is not None and any(_to_do(plan, refused) for plan in run.plans) and not consent.ask(run):
        raise ReconcilerError("apply was declined; nothing new was sent", code="declined")
    setup.acting, setup.digest = True, run.digest
    works = [partial(_apply_tenant, setup, plan, progress, checkouts, before, refused) for plan in run.plans]
    return report_of(setup, run.digest, started, await together(works, most=setup.concurrency))


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
    held = [plan for plan in opened if plan.hold is not None]
    opened = [plan for plan in opened if plan.hold is None]
    _guard_resumed(setup, opened, progress)
    opened = list(await not_behind(setup, opened, progress))
    unasked = [unread(plan) for plan in opened if plan.error is not None]
    opened = [plan for plan in opened if plan.error is None]
    checkouts = _checkouts(setup, progress)
    stale = await unwanted(setup, progress, [plan.tenant for plan in opened])
    before = await _resume_all(setup, opened, progress, checkouts, begin=True, stale=stale)
    reports = [*before.values(), *unasked, *(ended(plan, ()) for plan in held)]
    return replace(report_of(setup, "", started, reports), notes=(*setup.notes, *_fileless(setup, progress)))


def _fileless(setup: Setup, progress: Mapping[str, Progress]) -> list[str]:
    """Tenants with something open whose file is gone: nobody can be asked without it."""
    tenants = [one.tenant for one in setup.selection.every]
    olds = {one.previously for one in tenants if not progress.get(one.tenant, Progress()).twice}
    named = {one.tenant for one in tenants} | {old for old in olds if old}
    return [
        f"{name} has {len(known.open)} open actions and no file any more: write it again, then resume"
        for name, known in sorted(progress.items())
        if known.open and name not in named
    ]


def _not_stopped(setup: Setup) -> None:
    if setup.clock.stopping:
        raise ReconcilerError("stopped before anything was sent", code="stopped")


def _open(plan: Plan, progress: Mapping[str, Progress]) -> bool:
    return plan.hold is None and plan.tenant in progress and bool(progress[plan.tenant].open)


def _checked_again(
    consent: Consent, run: Run, progress: Mapping[str, Progress], refused: dict[str, str]
) -> dict[str, str]:
    """Hold the new plan against the consent; one that has nothing left to do needs none."""
    if not any(_to_do(plan, refused) for plan in run.plans):
        return refused
    return consent.check(run, progress)


def _may_buy(setup: Setup, run: Run) -> None:
    """Refuse to buy with a journal that is made now and dies with the job."""
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
    seated = {(tenant, group): count for tenant in left for group, count in progress[tenant].seated.items()}
    known = past(setup, progress)
    work = Work(actions=left, spending=tuple(spending(progress)), seated=seated, past=known)
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


def _to_do(plan: Plan, refused: Mapping[str, str]) -> bool:
    return bool(plan.actions) and plan.hold is None and plan.error is None and plan.tenant not in refused


async def _resume_all(
    setup: Setup,
    opened: Iterable[Plan],
    progress: dict[str, Progress],
    checkouts: Checkouts,
    *,
    begin: bool,
    stale: frozenset[str] = frozenset(),
) -> dict[str, TenantReport]:
    """Go on with what is open; `begin` what was planned and never begun, too, but no `stale` purchase."""
    setup.acting = True
    works = [
        partial(_resume_tenant, setup, plan, progress, checkouts, begin=begin, stale=stale) for plan in opened
    ]
    reports = await together(works, most=setup.concurrency)
    return {report.tenant: report for report in reports}


async def _resume_tenant(
    setup: Setup,
    plan: Plan,
    progress: dict[str, Progress],
    checkouts: Checkouts,
    *,
    begin: bool,
    stale: frozenset[str],
) -> TenantReport:
    scribe = _scribe(setup, plan.tenant, progress)

    async def work() -> TenantReport:
        async with leased(scribe, plan.tenant, holder=setup.who.holder, about="resume"):
            await _catch_up(setup, scribe, progress)
            await inherit(scribe)
            await settle_by_hand(scribe, plan)
            todo = list(scribe.progress.todo.values()) if begin else []
            means = await _means(setup, plan.tenant, scribe, checkouts)
            crew = Crew(means=replace(means, again=begin, stale=stale))
            results = await crew.work(todo, dict(scribe.progress.open))
            if not begin:
                results = tuple(one for one in results if one.state is not State.NOT_STARTED)
            unsaid = await _last_word(partial(close, scribe, exit_code=exit_code(results)))
        # Only of what was open: what else the plan says may be otherwise by now.
        opened = replace(plan, blocked=(), pending=(), in_doubt=False)
        return ended(opened, results, error=unsaid)

    return await _told(plan, work)


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


async def _catch_up(setup: Setup, scribe: Scribe, progress: dict[str, Progress]) -> bool:
    """With the lease in hand, read what another run may have written since; whether it is more than a refusal."""
    seen = scribe.progress.last_seq
    events = await aside(setup.journal, partial(setup.journal.events, [scribe.tenant]))
    if not events or events[-1].seq == seen or scribe.progress.inherited:
        return False
    scribe.progress = replay(events)
    progress[scribe.tenant] = scribe.progress
    return events[-1].seq < seen or any(one.seq > seen and one.kind is not Kind.OWED for one in events)


async def _means(setup: Setup, tenant: str, scribe: Scribe, checkouts: Checkouts) -> Means:
    manifest = homed(setup.selection.by_name[tenant], scribe.progress)
    account = setup.accounts.of(manifest.tenant)
    now = setup.clock.now()
    return Means(
        provider=account.tenant(manifest.tenant),
        scribe=scribe,
        clock=setup.clock,
        checkout=checkouts.of(tenant),
        claimed=checkouts.claimed,
        deadline=now + setup.wait,
        promise=timedelta(seconds=account.capabilities.promise_seconds),
        provider_now=await account.now(),
        started=now,
    )


async def _again(
    setup: Setup, run: Run, progress: dict[str, Progress], before: Mapping[str, TenantReport]
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
    return await proven(setup, judged(setup, [*kept, *fresh], progress), progress)


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
        return replace(unread(plan), actions=earlier.actions) if earlier else unread(plan)
    if plan.tenant in refused:
        _owe(setup, [plan] if refused[plan.tenant] else [], progress, refused[plan.tenant])
        return not_approved(plan, refused[plan.tenant])
    kept = earlier.actions if earlier else ()
    report = await _told(plan, partial(_do, setup, plan, progress, checkouts, kept))
    if report.error is not None and report.exit_code in {6, 7}:
        _owe(setup, [plan], progress, report.error.message)
    return report


WELL = frozenset({0, 4})
"""How an apply ends that did, or has under way, all that its manifest asks for."""


async def _do(
    setup: Setup,
    plan: Plan,
    progress: dict[str, Progress],
    checkouts: Checkouts,
    earlier: tuple[Result, ...],
) -> TenantReport:
    known = progress.setdefault(plan.tenant, Progress())
    leftovers = bool(known.owed or known.todo)
    written = fingerprint(setup.selection.by_name[plan.tenant].tenant)
    strangers = frozenset(one.address for one in plan.unmanaged)
    new = code_of(earlier, plan) in WELL and (written, strangers) != (known.seen, known.strangers)
    if not (plan.actions or plan.found or plan.identified or leftovers or known.inherited or new):
        return ended(plan, earlier)
    scribe = _scribe(setup, plan.tenant, progress)
    results: tuple[Result, ...] = ()
    unsaid: ReconcilerError | None = None
    async with leased(scribe, plan.tenant, holder=setup.who.holder, about="apply"):
        await _unchanged(setup, scribe, progress)
        await inherit(scribe)
        await record_found(scribe, plan)
        if plan.actions:
            means = await _means(setup, plan.tenant, scribe, checkouts)
            await begin_plan(scribe, plan, setup.allowed, of=setup.digest)
            results = await Crew(means=means).work(plan.actions, {})
        code = code_of((*earlier, *results), plan)
        if plan.actions or leftovers:
            drop = not plan.actions and not still_waits(scribe, plan, written)
            unsaid = await _last_word(partial(close, scribe, exit_code=code, drop=drop))
        said = written if under_way(scribe, plan) else ""
        now_seen = (scribe.progress.seen, scribe.progress.strangers)
        if code in WELL and (said, strangers) != now_seen and unsaid is None:
            # `status` tells by it whether the file says something else by now, and `drift` what is new there.
            seen = sighting(plan, setup.selection.by_name[plan.tenant].tenant, said)
            unsaid = await _last_word(partial(scribe.put, Kind.SEEN, **seen))
    now = {result.id for result in results}
    kept = tuple(one for one in earlier if one.id not in now)
    return ended(plan, (*kept, *results), error=unsaid)


async def _unchanged(setup: Setup, scribe: Scribe, progress: dict[str, Progress]) -> None:
    """With the lease in hand, refuse a plan that another run has overtaken."""
    if await _catch_up(setup, scribe, progress):
        raise StalePlanError(
            f"{scribe.tenant}: another run changed it since this plan was made",
            hint="plan again",
            code="stale",
        )
