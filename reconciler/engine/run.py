"""Many tenants: plan them, check consent and guards before the first call, do what is open, then what is new."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from msgspec.structs import replace

from reconciler.core.errors import GuardError, JournalError, ReconcilerError
from reconciler.core.money import buys
from reconciler.core.overview import fileless
from reconciler.core.plan import Exceeded, Plan, Run, Status
from reconciler.core.policy import Work, exceeded
from reconciler.core.progress import Progress
from reconciler.core.report import Report, TenantReport, worst
from reconciler.engine.behind import not_behind, proven
from reconciler.engine.consent import Consent
from reconciler.engine.due import begun_by_resume
from reconciler.engine.ending import ended, report_of, stopped, unread
from reconciler.engine.read import plans
from reconciler.engine.setup import Setup, judged, load, past, plan_run, spending
from reconciler.engine.together import together
from reconciler.engine.turn import Turns
from reconciler.engine.wanted import unwanted

PENDING = 4


async def apply(setup: Setup, consent: Consent) -> Report:
    """Do what is open, then what the plan says; refused as a whole before the first call, or not at all.

    What an earlier apply planned and never began is in the plan, if it is still wanted.
    """
    started = setup.clock.now()
    progress = load(setup)
    turns = Turns.of(setup, progress)
    run = await plan_run(setup, progress)
    refused: dict[str, str] = {}
    try:
        run = await proven(setup, run, progress)
        _may_buy(setup, run)
        refused = consent.check(run, progress)
        _guarded(_over(setup, run, progress, refused))
    except ReconcilerError as error:
        turns.owe(run.plans, error.message)
        return stopped(setup, run, started, error, before={}, refused=refused)
    _not_stopped(setup)
    opened = [plan for plan in run.plans if plan.tenant not in refused and _open(plan, progress)]
    before = await turns.resume_all(opened, begin=False)
    if before:
        try:
            run = await _again(setup, run, progress, before)
            _may_buy(setup, run)
            refused = _checked_again(consent, run, progress, refused)
            _guarded(_over(setup, run, progress, refused))
        except ReconcilerError as error:
            turns.owe(run.plans, error.message)
            return stopped(setup, run, started, error, before=before, refused=refused)
    if consent.ask is not None and any(_to_do(plan, refused) for plan in run.plans) and not consent.ask(run):
        raise ReconcilerError("apply was declined; nothing new was sent", code="declined")
    setup.acting, setup.digest = True, run.digest
    works = [
        partial(turns.apply, plan, earlier=before.get(plan.tenant), refused=refused.get(plan.tenant))
        for plan in run.plans
    ]
    return report_of(setup, run.digest, started, await together(works, most=setup.concurrency))


async def resume(setup: Setup) -> Report:
    """Go on with everything that is open, in every selected tenant; nothing new is planned."""
    started = setup.clock.now()
    progress = load(setup)
    left = _left(setup, progress)
    held = [plan for plan in left if plan.hold is not None]
    opened = [plan for plan in left if plan.hold is None]
    _guard_resumed(setup, opened, progress)
    opened = list(await not_behind(setup, opened, progress))
    unasked = [unread(plan) for plan in opened if plan.error is not None]
    opened = [plan for plan in opened if plan.error is None]
    stale = await unwanted(setup, progress, [plan.tenant for plan in opened])
    before = await Turns.of(setup, progress).resume_all(opened, begin=True, stale=stale)
    reports = [*before.values(), *unasked, *(_put_off(plan, progress[plan.tenant]) for plan in held)]
    report, chosen = report_of(setup, "", started, reports), setup.selection
    lost = fileless(progress, [one.head for one in chosen.every])
    still = {PENDING} if lost and len(chosen.chosen) == len(chosen.every) else set()
    return replace(report, notes=(*setup.notes, *lost), exit_code=worst({report.exit_code, *still}))


def _left(setup: Setup, progress: Mapping[str, Progress]) -> list[Plan]:
    """The selected tenants in which something is open, or was planned and never begun; nothing new is in the plans."""
    tenants = [one.head for one in setup.selection.chosen]
    known = {one.tenant: progress.get(one.tenant, Progress()) for one in tenants}
    return [
        Plan(tenant=one.tenant, provider=one.provider, account=one.account, hold=one.hold)
        for one in tenants
        if known[one.tenant].open or known[one.tenant].todo
    ]


def _put_off(plan: Plan, known: Progress) -> TenantReport:
    """A tenant on hold, in which nobody goes on with what is open or was planned."""
    return replace(ended(plan, ()), status=Status.PENDING if known.open else Status.CHANGES)


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


def _over(
    setup: Setup, run: Run, progress: Mapping[str, Progress], refused: Mapping[str, str]
) -> Iterable[Exceeded]:
    """What the approved part of a run exceeds; the rest of it is not done."""
    if not refused:
        return run.exceeded
    return judged(setup, [one for one in run.plans if one.tenant not in refused], progress).exceeded


def _guarded(over: Iterable[Exceeded]) -> None:
    found = list(over)
    if found:
        raise GuardError(
            "; ".join(f"{one.rule}: {one.message} ({one.number} is over {one.limit})" for one in found),
            hint="\n".join(dict.fromkeys(one.hint for one in found)),
            code="guard",
        )


def _guard_resumed(setup: Setup, chosen: Iterable[Plan], progress: Mapping[str, Progress]) -> None:
    """Guards hold for what a resume would still begin, too."""
    left = {
        plan.tenant: begun_by_resume(setup, plan.tenant, progress[plan.tenant])
        for plan in chosen
        if plan.hold is None and plan.tenant in progress and progress[plan.tenant].todo
    }
    seated = {(tenant, group): count for tenant in left for group, count in progress[tenant].seated.items()}
    known = past(setup, progress)
    work = Work(actions=left, spending=tuple(spending(progress)), seated=seated, past=known)
    _guarded(exceeded(work, setup.policies, setup.allowed, setup.clock.now()))


def _to_do(plan: Plan, refused: Mapping[str, str]) -> bool:
    return bool(plan.actions) and plan.hold is None and plan.error is None and plan.tenant not in refused


async def _again(
    setup: Setup, run: Run, progress: dict[str, Progress], before: Mapping[str, TenantReport]
) -> Run:
    """Plan those tenants anew that a resume has moved."""
    chosen = tuple(one for one in setup.selection.chosen if one.name in before)
    fresh = await plans(
        replace(setup.selection, chosen=chosen),
        accounts=setup.accounts,
        progress=progress,
        prices=setup.prices,
    )
    kept = [plan for plan in run.plans if plan.tenant not in before]
    return await proven(setup, judged(setup, [*kept, *fresh], progress), progress)
