"""What a tenant's turn holds and writes: its lease, what was found, how a plan begins and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from reconciler.core.action import Verb
from reconciler.core.errors import LeaseLostError, ReconcilerError
from reconciler.core.journal import Journal, Kind, Lease
from reconciler.core.manifest import Tenant
from reconciler.core.plan import Plan
from reconciler.core.policy import Allowances
from reconciler.core.progress import Progress
from reconciler.core.report import Result, State
from reconciler.core.serial import action_to_dict
from reconciler.engine.aside import aside
from reconciler.engine.inherit import adopted
from reconciler.engine.scribe import Scribe

RENEW_EVERY = 30.0
"""Seconds between renewals of a lease that ends two minutes after the last one."""


@asynccontextmanager
async def leased(scribe: Scribe, name: str, *, holder: str, about: str) -> AsyncIterator[None]:
    """Hold a tenant's lease, renewed while we live; what is written meanwhile is fenced by it."""
    journal = scribe.journal
    scribe.lease = await aside(journal, partial(journal.acquire, name, holder=holder, about=about))
    heart = asyncio.create_task(_renewing(scribe))
    try:
        yield
    finally:
        heart.cancel()
        with suppress(asyncio.CancelledError):
            await heart
        if scribe.lease is not None:
            await _release(journal, scribe.lease)
        scribe.lease = None


async def _renewing(scribe: Scribe) -> None:
    while scribe.lease is not None:
        await asyncio.sleep(RENEW_EVERY)
        try:
            scribe.lease = await aside(scribe.journal, partial(scribe.journal.renew, scribe.lease))
        except LeaseLostError:
            scribe.lost = True
            return
        except ReconcilerError:
            # The database is away for a moment: the next renewal, or the next write, will tell.
            continue


async def _release(journal: Journal, lease: Lease) -> None:
    # Not given back, it ends by itself; the apply's outcome must not be lost over it.
    with suppress(ReconcilerError):
        await aside(journal, partial(journal.release, lease))


async def record_found(scribe: Scribe, plan: Plan, tenant: Tenant) -> None:
    """Record what was found as written: whose service is whose, under which name before, and which seats are ours."""
    progress = scribe.progress
    before = {one.name: one.previously for one in tenant.license_groups if one.previously}
    entries = [
        adopted(
            f"group/{group}",
            group=group,
            ref=ref,
            product=product,
            scope=scope,
            **_instead_of(progress, before.get(group), (ref, product)),
        )
        for group, ref, product, scope in plan.identified
        if progress.services.get(group) != (ref, product, scope)
    ]
    entries += [
        adopted(f"seat/{group}/{written}", group=group, login=login, written=written)
        for group, login, written in plan.found
        if (group, login) not in progress.owned
    ]
    if entries:
        await scribe.put_all(*entries)


def _instead_of(progress: Progress, before: str | None, service: tuple[str, str]) -> dict[str, str]:
    """The name under which a renamed group's service is known until now; that name is free then."""
    known = progress.services.get(before or "")
    return {"instead_of": before} if before and known is not None and known[:2] == service else {}


async def settle_by_hand(scribe: Scribe, plan: Plan) -> None:
    """Finish the orders by hand whose group is there by now: a person made it so and pinned it."""
    refs = dict(plan.refs)
    for one in list(scribe.progress.open.values()):
        group = one.action.group
        if one.action.verb is Verb.ORDER and one.action.how == "by-hand" and group in refs:
            await scribe.put(Kind.FINISHED, one.action, ref=refs[group], service=refs[group], found=True)


async def begin_plan(scribe: Scribe, plan: Plan, lifted: Allowances, *, of: str) -> None:
    """Write that a plan is begun, and which guards were lifted for it; its digest is spent now.

    of: the digest of the run that it is part of, which may be what was approved.
    """
    scribe.plan = plan.digest
    begun = {
        "actions": [action_to_dict(action) for action in plan.actions],
        "refs": dict(plan.refs),
        "number": plan.begun + 1,
        "seated": dict(plan.seated),
        "run_digest": of,
    }
    rules = [(rule, str(value)) for rule, value in sorted(lifted.numbers.items())]
    rules += [("protected", tenant) for tenant in sorted(lifted.tenants)]
    await scribe.put_all(
        *((Kind.LIFTED, None, {"rule": rule, "value": value}) for rule, value in rules),
        (Kind.BEGUN, None, begun),
    )


async def close(scribe: Scribe, *, exit_code: int, drop: bool = False) -> None:
    """Write how the apply ended; what cannot be done any more is dropped, what is open stays.

    drop: nothing of what was not begun is wanted any more.
    """
    progress = scribe.progress
    final = drop or not progress.unsettled or not _can_go_on(progress)
    await scribe.put(Kind.CLOSED, exit_code=exit_code, final=final)


def _can_go_on(progress: Progress) -> bool:
    """Whether something is still open, or could be begun by a later resume."""
    if progress.open:
        return True
    left = dict(progress.todo)
    while True:
        lost = [
            key
            for key, action in left.items()
            if any(need not in progress.finished and need not in left for need in action.needs)
        ]
        if not lost:
            return bool(left)
        for key in lost:
            del left[key]


def exit_code(results: Sequence[Result]) -> int:
    """What a tenant's results add to the run's exit code."""
    states = {result.state for result in results}
    codes = {result.error.code for result in results if result.error}
    if State.IN_DOUBT in states:
        return 8
    if "price" in codes:
        return 6
    if "lease-lost" in codes:
        return 7
    if State.FAILED in states:
        return 3
    if states & {State.PENDING, State.BY_HAND}:
        return 4
    return 3 if State.NOT_STARTED in states else 0
