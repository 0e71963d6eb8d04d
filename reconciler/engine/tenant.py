"""One tenant: its lease, what is open first, then its plan; an action runs when all that it needs is finished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from reconciler.core.action import Action
from reconciler.core.errors import LeaseLostError, ReconcilerError
from reconciler.core.journal import Journal, Kind, Lease
from reconciler.core.plan import Plan
from reconciler.core.progress import Open, Progress
from reconciler.core.report import Result, State, Trouble
from reconciler.core.serial import action_to_dict
from reconciler.engine.attempt import Means, begin, go_on, hand_over, in_doubt
from reconciler.engine.bound import bound
from reconciler.engine.scribe import Scribe

RENEW_EVERY = 30.0
"""Seconds between renewals of a lease that ends two minutes after the last one."""


@asynccontextmanager
async def leased(scribe: Scribe, name: str, *, holder: str, about: str) -> AsyncIterator[None]:
    """Hold a tenant's lease, renewed while we live; what is written meanwhile is fenced by it."""
    scribe.lease = scribe.journal.acquire(name, holder=holder, about=about)
    heart = asyncio.create_task(_renewing(scribe))
    try:
        yield
    finally:
        heart.cancel()
        with suppress(asyncio.CancelledError):
            await heart
        if scribe.lease is not None:
            _release(scribe.journal, scribe.lease)
        scribe.lease = None


async def _renewing(scribe: Scribe) -> None:
    while scribe.lease is not None:
        await asyncio.sleep(RENEW_EVERY)
        try:
            scribe.lease = scribe.journal.renew(scribe.lease)
        except LeaseLostError:
            scribe.lost = True
            return
        except ReconcilerError:
            # The database is away for a moment: the next renewal, or the next write, will tell.
            continue


def _release(journal: Journal, lease: Lease) -> None:
    # Not given back, it ends by itself; the apply's outcome must not be lost over it.
    with suppress(ReconcilerError):
        journal.release(lease)


def record_found(scribe: Scribe, plan: Plan) -> None:
    """Record what was found as written: whose service is whose, and which seats are ours."""
    _inherit(scribe)
    for group, ref, product, scope in plan.identified:
        if scribe.progress.services.get(group) != (ref, product, scope):
            scribe.write(
                Kind.ADOPTED, address=f"group/{group}", group=group, ref=ref, product=product, scope=scope
            )
    for group, login, written in plan.found:
        if (group, login) not in scribe.progress.owned:
            scribe.write(
                Kind.ADOPTED, address=f"seat/{group}/{written}", group=group, login=login, written=written
            )


def _inherit(scribe: Scribe) -> None:
    """A renamed tenant keeps what the journal knows of it, under its new name."""
    progress = scribe.progress
    if not progress.inherited:
        return
    for group, (ref, product, scope) in list(progress.services.items()):
        scribe.write(
            Kind.ADOPTED, address=f"group/{group}", group=group, ref=ref, product=product, scope=scope
        )
    for (group, login), written in list(progress.owned.items()):
        scribe.write(
            Kind.ADOPTED, address=f"seat/{group}/{written}", group=group, login=login, written=written
        )
    progress.inherited = False


def begin_plan(scribe: Scribe, plan: Plan) -> None:
    """Write that a plan is begun; from here on its digest is spent."""
    scribe.plan = plan.digest
    scribe.write(
        Kind.BEGUN,
        actions=[action_to_dict(action) for action in plan.actions],
        refs=dict(plan.refs),
        number=plan.begun + 1,
    )


@dataclass(slots=True, kw_only=True)
class Crew:
    """Carries out one tenant's actions side by side, each as soon as what it needs is finished."""

    means: Means
    domains: Mapping[str, str] = field(default_factory=dict)
    states: dict[str, asyncio.Future[State]] = field(default_factory=dict)

    async def work(self, actions: Sequence[Action], opened: Mapping[str, Open]) -> tuple[Result, ...]:
        """Carry out new actions and go on with open ones; one Result for each, whatever happens."""
        jobs = {action.id: action for action in actions} | {key: one.action for key, one in opened.items()}
        loop = asyncio.get_running_loop()
        self.states = {key: loop.create_future() for key in jobs}
        results = await asyncio.gather(*(self._one(action, opened.get(key)) for key, action in jobs.items()))
        return tuple(results)

    async def _one(self, action: Action, known: Open | None) -> Result:
        try:
            result = await self._carry(action, known)
        except LeaseLostError as error:
            result = not_started(action, f"lease-lost: {error.message}", known)
        except BaseException:
            self._settle(action, State.NOT_STARTED)
            raise
        self._settle(action, result.state)
        return result

    def _settle(self, action: Action, state: State) -> None:
        if not self.states[action.id].done():
            self.states[action.id].set_result(state)

    async def _carry(self, action: Action, known: Open | None) -> Result:
        if known is not None:
            return await go_on(known, self.means) if known.stage != "in-doubt" else in_doubt(known)
        why, failed = await self._missing(action)
        if why:
            return not_started(action, why, failed=failed)
        if self.means.clock.stopping:
            return not_started(action, "the run was asked to stop")
        if action.how == "by-hand":
            return hand_over(action, self.means)
        return await begin(bound(action, self.means.scribe.progress.services, self.domains), self.means)

    async def _missing(self, action: Action) -> tuple[str, bool]:
        """Why an action cannot be begun, and whether that is for good: something it needs is not finished."""
        progress = self.means.scribe.progress
        for need in action.needs:
            if need in progress.finished:
                continue
            if need not in self.states:
                return f"needs {need}, which was not done", True
            state = await self.states[need]
            if state is not State.DONE:
                return f"waits for {self._address(need)}, which is {state.value}", state is State.FAILED
        return "", False

    def _address(self, need: str) -> str:
        progress = self.means.scribe.progress
        known = progress.open.get(need)
        if known is not None:
            return known.action.address
        return progress.todo[need].address if need in progress.todo else need


def not_started(action: Action, why: str, known: Open | None = None, *, failed: bool = False) -> Result:
    """An action that was not begun, and why; `failed` when what it needs has failed."""
    return Result(
        id=action.id,
        verb=action.verb,
        address=action.address,
        summary=action.summary,
        state=State.NOT_STARTED if known is None else State.PENDING,
        ref=known.ref if known else None,
        since=known.since if known else None,
        due_by=known.due_by if known else None,
        error=Trouble(code="not-started", message=why) if failed else None,
        note="" if failed else why,
    )


def close(scribe: Scribe, *, exit_code: int) -> None:
    """Write how the apply ended; what cannot be done any more is dropped, what is open stays."""
    final = not scribe.progress.unsettled or not _can_go_on(scribe.progress)
    scribe.write(Kind.CLOSED, exit_code=exit_code, final=final)


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


def exit_code(results: Iterable[Result]) -> int:
    """What a tenant's results add to the run's exit code."""
    states = {result.state for result in results}
    if State.IN_DOUBT in states:
        return 8
    if any(result.error and result.error.code == "price" for result in results):
        return 6
    if State.FAILED in states:
        return 3
    if states & {State.PENDING, State.BY_HAND}:
        return 4
    return 3 if State.NOT_STARTED in states else 0


def without_done(progress: Progress) -> tuple[list[Action], dict[str, Open]]:
    """What a resume has to do: actions of the last plan not begun yet, and what is open."""
    return list(progress.todo.values()), dict(progress.open)
