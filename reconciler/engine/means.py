"""With what one action is carried out: a provider, a writer, a clock, and how long anything may take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.action import Action
from reconciler.core.open import Open
from reconciler.core.provider import Provider, StepRecord
from reconciler.core.report import State
from reconciler.engine.clock import Clock
from reconciler.engine.scribe import Scribe

SENT_AT = "sent_at"
"""Under what name a step's data keep the provider's time: ours may differ, and a sandbox's is turned."""


def _nobody(_action: Action) -> None:
    return None


class Means(Struct, frozen=True, kw_only=True):
    """With what an action is carried out.

    checkout: entered around a step that an account can only do one at a time.
    claimed: what is known to be another purchase's.
    deadline: until when pending actions are waited for. promise: how long the provider may take.
    provider_now: the provider's clock when ours showed `started`.
    again: whether what an earlier run began, and proved not to have happened, is sent again.
    stale: purchases and display names that an earlier run left, and nobody would plan today.
    make_way: asked when a login is taken; awaited, lets the action go first that gives it back, and tells what
    became of that. None where there is no such action.
    """

    provider: Provider
    scribe: Scribe
    clock: Clock
    checkout: Callable[[Action], AbstractAsyncContextManager[None]]
    claimed: Callable[[Action], Sequence[str]]
    deadline: datetime
    promise: timedelta
    provider_now: datetime
    started: datetime
    again: bool = True
    stale: frozenset[str] = frozenset()
    make_way: Callable[[Action], Awaitable[State] | None] = _nobody

    def provider_time(self) -> datetime:
        """What the provider's clock shows now."""
        return self.provider_now + (self.clock.now() - self.started)

    def known(self, action: Action) -> Open | None:
        """What the journal knows of an action that is open."""
        return self.scribe.progress.open.get(action.id)

    def steps(self, action: Action) -> tuple[StepRecord, ...]:
        """The steps of an open action, by the provider's time, and with what is known to be another's."""
        known = self.known(action)
        if known is None or not known.steps:
            return ()
        claimed = list(self.claimed(action))
        return tuple(_as_looked_for(step, claimed) for step in known.steps)


def _as_looked_for(step: StepRecord, claimed: Sequence[str]) -> StepRecord:
    sent = step.data.get(SENT_AT)
    began = datetime.fromisoformat(str(sent)) if sent else step.began_at
    return replace(step, began_at=began, data={**step.data, "claimed": claimed})
