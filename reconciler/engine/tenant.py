"""One tenant: its lease, what is open first, then its plan; an action runs when all that it needs is finished."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.action import Action, Verb
from reconciler.core.errors import LeaseLostError, ReconcilerError
from reconciler.core.journal import Journal, Kind, Lease
from reconciler.core.manifest import Tenant
from reconciler.core.open import Open
from reconciler.core.plan import Plan
from reconciler.core.policy import Allowances
from reconciler.core.progress import Progress
from reconciler.core.report import Result, State
from reconciler.core.serial import action_to_dict
from reconciler.engine.aside import aside
from reconciler.engine.attempt import begin, dropped, go_on, hand_over
from reconciler.engine.bound import bound, homeless
from reconciler.engine.fault import where
from reconciler.engine.inherit import adopted
from reconciler.engine.means import Means
from reconciler.engine.outcome import broken_off, not_started
from reconciler.engine.scribe import Scribe
from reconciler.engine.together import together

log = logging.getLogger("reconciler")

HALTING = frozenset({"price", "lease-lost", "journal"})
"""After which nothing more is begun in the tenant."""
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


class Crew(Struct, kw_only=True):
    """Carries out one tenant's actions side by side, each as soon as what it needs is finished.

    leavers: who moves: by the action that fills the new seat, the one that gives the old seat back after it.
    ways: done once a mover's new seat was refused, as the login is taken, and the old one is to be given back first.
    halted: why nothing more is begun in this tenant.
    """

    means: Means
    states: dict[str, asyncio.Future[State]] = field(default_factory=dict)
    leavers: dict[str, Action] = field(default_factory=dict)
    ways: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    halted: str = ""

    async def work(self, actions: Sequence[Action], opened: Mapping[str, Open]) -> tuple[Result, ...]:
        """Carry out new actions and go on with open ones; one Result for each, whatever happens."""
        jobs = {key: one.action for key, one in opened.items()} | {action.id: action for action in actions}
        loop = asyncio.get_running_loop()
        self.states = {key: loop.create_future() for key in jobs}
        self.leavers = leavers(jobs)
        self.ways = {key: loop.create_future() for key in self.leavers}
        self.means = replace(self.means, make_way=self._way_of)
        works = [partial(self._one, action, opened.get(key)) for key, action in jobs.items()]
        return tuple(await together(works))

    async def _one(self, action: Action, known: Open | None) -> Result:
        try:
            result = await self._carry(action, known)
        except LeaseLostError as error:
            result = broken_off(action, self.means, code="lease-lost", message=error.message)
        except ReconcilerError as error:
            code = error.code or type(error).__name__.removesuffix("Error").lower()
            result = broken_off(action, self.means, code=code, message=error.message)
        except Exception as error:
            log.exception("%s %s", self.means.scribe.tenant, action.address)
            said = f"a fault of this tool: {where(error)}"
            result = broken_off(action, self.means, code="bug", message=said)
        if result.error is not None and result.error.code in HALTING:
            self.halted = f"stopped: {result.error.message}"
        self.states[action.id].set_result(result.state)
        return result

    async def _carry(self, action: Action, known: Open | None) -> Result:
        if known is not None:
            return await go_on(known, self.means)
        why, failed = await self._missing(action)
        if why:
            return not_started(action, why, failed=failed)
        if self.halted or self.means.clock.stopping:
            return not_started(action, self.halted or "the run was asked to stop")
        if action.how == "by-hand":
            return await hand_over(action, self.means)
        if action.id in self.means.stale:
            return await dropped(action, self.means, "files or account have changed since it was planned")
        progress = self.means.scribe.progress
        ready = bound(action, progress.services, customer=progress.customer)
        if homeless(ready):
            return not_started(action, f"the service of group/{ready.group} is not known yet: pin it")
        return await begin(ready, self.means)

    async def _missing(self, action: Action) -> tuple[str, bool]:
        """Why an action cannot be begun, and whether that is for good: something it needs is not finished."""
        progress = self.means.scribe.progress
        for need in action.needs:
            if need in progress.finished:
                continue
            if need not in self.states:
                return f"needs {need}, which was not done", True
            state = await self._became(need, of=action)
            if state is not State.DONE:
                return f"waits for {self._address(need)}, which is {state.value}", state is State.FAILED
        return "", False

    async def _became(self, need: str, *, of: Action) -> State:
        """What became of an action that another needs; what makes way for the other counts as done."""
        state, leaver = self.states[need], self.leavers.get(need)
        if leaver is None or leaver.id != of.id:
            return await state
        way = self.ways[need]
        await asyncio.wait((state, way), return_when=asyncio.FIRST_COMPLETED)
        return state.result() if state.done() else State.DONE

    def _way_of(self, action: Action) -> Awaitable[State] | None:
        """How a mover's old seat is given back before the new one is filled; None where that is not in the way."""
        leaver = self.leavers.get(action.id)
        if leaver is None or _login(leaver) != _login(action):
            return None
        return self._make_way(action.id, leaver)

    async def _make_way(self, joins: str, leaver: Action) -> State:
        if not self.ways[joins].done():
            self.ways[joins].set_result(None)
        return await self.states[leaver.id]

    def _address(self, need: str) -> str:
        progress = self.means.scribe.progress
        known = progress.open.get(need)
        if known is not None:
            return known.action.address
        return progress.todo[need].address if need in progress.todo else need


def leavers(jobs: Mapping[str, Action]) -> dict[str, Action]:
    """Who moves: by the activation, the deactivation that waits for it."""
    return {
        need: action
        for action in jobs.values()
        for need in action.needs
        if action.verb is Verb.DEACTIVATE and need in jobs and jobs[need].verb is Verb.ACTIVATE
    }


def _login(action: Action) -> str:
    return str(action.detail.get("login", "")).lower()


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
