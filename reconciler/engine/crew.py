"""A tenant's actions, carried out side by side: each begins as soon as all that it needs is finished."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial

from msgspec import Struct, field
from msgspec.structs import replace

from reconciler.core.action import Action
from reconciler.core.errors import LeaseLostError, ReconcilerError
from reconciler.core.open import Open
from reconciler.core.order import leavers
from reconciler.core.report import Result, State
from reconciler.engine.attempt import begin, dropped, go_on, hand_over
from reconciler.engine.bound import bound, homeless
from reconciler.engine.fault import where
from reconciler.engine.means import Means
from reconciler.engine.outcome import broken_off, not_started
from reconciler.engine.together import together

log = logging.getLogger("reconciler")

HALTING = frozenset({"price", "lease-lost", "journal"})
"""After which nothing more is begun in the tenant."""


class Crew(Struct, kw_only=True):
    """Carries out one tenant's actions side by side, each as soon as what it needs is finished.

    leavers: who moves, as `order.leavers` tells.
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
        self.leavers = leavers(jobs.values())
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


def _login(action: Action) -> str:
    return str(action.detail.get("login", "")).lower()
