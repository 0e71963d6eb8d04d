"""How a tenant ended: its exit code, its status, and what is said of actions that were never begun."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec.structs import replace

from reconciler.core.errors import GuardError, LeaseHeldError, LeaseLostError, ReconcilerError, StalePlanError
from reconciler.core.plan import Plan, Run, Status
from reconciler.core.report import Report, Result, State, TenantReport, Trouble, worst
from reconciler.engine.setup import Setup
from reconciler.engine.tenant import exit_code


def code_of(results: tuple[Result, ...], plan: Plan) -> int:
    """What a tenant adds to the run's exit code."""
    codes = {exit_code(results)}
    if plan.in_doubt:
        codes.add(8)
    if plan.blocked:
        codes.add(3)
    if plan.pending:
        codes.add(4)
    return worst(codes)


def ended(plan: Plan, results: tuple[Result, ...], *, error: ReconcilerError | None = None) -> TenantReport:
    """How a tenant ended; `error` when the end itself could not be written down."""
    code = code_of(results, plan)
    return TenantReport(
        tenant=plan.tenant,
        status=Status.ERROR if error else status_of(results, plan),
        actions=results,
        error=trouble(error) if error else _blocked(plan),
        exit_code=worst({code, code_for(error, otherwise=3)}) if error else code,
        hold=plan.hold,
        sandbox=plan.sandbox,
        waits=_waits(plan, results),
    )


def _waits(plan: Plan, results: tuple[Result, ...]) -> tuple[str, ...]:
    """What is on its way at an address of which no action is told."""
    told = {one.address for one in results}
    return tuple(f"{one.address}: {one.reason}" for one in plan.pending if one.address not in told)


def _blocked(plan: Plan) -> Trouble | None:
    """What of a plan could not even be begun, so that a report tells it too."""
    if not plan.blocked:
        return None
    return Trouble(code="blocked", message="; ".join(f"{one.address}: {one.reason}" for one in plan.blocked))


def trouble(error: ReconcilerError) -> Trouble:
    """An error as a report tells it."""
    return Trouble(code=error.code or type(error).__name__, message=error.message)


def code_for(error: ReconcilerError, *, otherwise: int = 1) -> int:
    """The exit code that an error stands for."""
    match error:
        case GuardError():
            return 5
        case StalePlanError():
            return 6
        case LeaseHeldError() | LeaseLostError():
            return 7
    return otherwise


def status_of(results: Iterable[Result], plan: Plan) -> Status:
    """How a tenant stands after its apply, the worst that holds."""
    states = {result.state for result in results}
    if State.FAILED in states:
        return Status.ERROR
    if State.IN_DOUBT in states or plan.in_doubt:
        return Status.IN_DOUBT
    if plan.blocked:
        return Status.BLOCKED
    if states & {State.PENDING, State.BY_HAND} or plan.pending:
        return Status.PENDING
    return Status.CHANGES if State.NOT_STARTED in states else Status.IN_SYNC


def refused_tenant(plan: Plan, error: ReconcilerError, code: int) -> TenantReport:
    """A tenant for which nothing was begun, and why."""
    results = _none_begun(plan, Trouble(code=error.code or "refused", message=error.message))
    return TenantReport(
        tenant=plan.tenant,
        status=Status.ERROR,
        actions=results,
        error=trouble(error),
        exit_code=code,
        hold=plan.hold,
        sandbox=plan.sandbox,
    )


def unread(plan: Plan) -> TenantReport:
    """A tenant that could not be planned, and why."""
    return refused_tenant(plan, ReconcilerError(plan.error or "", code="unreadable"), 3)


def not_approved(plan: Plan, why: str) -> TenantReport:
    """A tenant whose plan is not the approved one, or that was not among the approved."""
    if why:
        return refused_tenant(plan, StalePlanError(why, code="stale"), 6)
    return TenantReport(
        tenant=plan.tenant,
        status=plan.status,
        sandbox=plan.sandbox,
        actions=_none_begun(plan, Trouble(code="not-approved", message="not among the approved tenants")),
    )


def _none_begun(plan: Plan, why: Trouble) -> tuple[Result, ...]:
    return tuple(
        Result(
            id=action.id,
            verb=action.verb,
            address=action.address,
            summary=action.summary,
            state=State.NOT_STARTED,
            error=why,
        )
        for action in plan.actions
    )


def stopped(
    setup: Setup,
    run: Run,
    started: datetime,
    error: ReconcilerError,
    *,
    before: Mapping[str, TenantReport],
    refused: Mapping[str, str],
) -> Report:
    """The report of a run that is refused as a whole: what was gone on with, and that nothing new was begun.

    before: what became of open actions. refused: tenants that are not the approved ones, and why.
    """
    reports = [_not_begun(plan, error, before.get(plan.tenant), refused) for plan in run.plans]
    made = report_of(setup, run.digest, started, reports)
    return replace(made, exit_code=worst({made.exit_code, code_for(error)}), refusal=error)


def _not_begun(
    plan: Plan, error: ReconcilerError, earlier: TenantReport | None, refused: Mapping[str, str]
) -> TenantReport:
    """One tenant of a run that is refused; what else holds of it counts for the exit code."""
    if plan.error is not None:
        told = unread(plan)
    elif plan.tenant in refused:
        told = not_approved(plan, refused[plan.tenant])
    else:
        told = refused_tenant(plan, error, code_for(error)) if plan.actions else ended(plan, ())
    kept = earlier.actions if earlier else ()
    code = worst({told.exit_code, code_of(kept, plan), earlier.exit_code if earlier else 0})
    return replace(told, actions=(*kept, *told.actions), exit_code=code)


def report_of(setup: Setup, digest: str, started: datetime, tenants: Iterable[TenantReport]) -> Report:
    """The whole run's report, tenants by name."""
    ordered = tuple(sorted(tenants, key=lambda one: one.tenant))
    return Report(
        digest=digest,
        started_at=started,
        finished_at=setup.clock.now(),
        exit_code=worst({one.exit_code for one in ordered}),
        tenants=ordered,
        notes=setup.notes,
    )
