"""What was sent shows within the account's settle time: until when that is, and what is said when it does not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Protocol

from reconciler.core.errors import Rejected
from reconciler.core.provider import StepRecord
from reconciler.providers.settings import Settings


class Timed(Protocol):
    """The calls of one account, as far as time goes."""

    settings: Settings

    async def now(self) -> datetime:
        """The provider's clock."""
        ...


def last(steps: Iterable[StepRecord], name: str = "") -> StepRecord | None:
    """The step that was sent last, of all or of those of a name; None when none was sent."""
    named = (step for step in steps if not name or step.name == name)
    return max(named, key=lambda step: step.began_at, default=None)


async def look_again(api: Timed, since: datetime) -> datetime | None:
    """When what was sent at a moment must show; None when that time is over."""
    later = since + timedelta(seconds=api.settings.settle)
    return later if await api.now() < later else None


async def settled(api: Timed, step: StepRecord | None) -> bool:
    """Whether what a step has sent must show by now; never when nothing was sent."""
    return step is not None and await look_again(api, step.began_at) is None


def not_changed(said: str, *, look_at: str) -> Rejected:
    """Say that a change was accepted and not made: it settled, and reads as before."""
    return Rejected(said, hint=f"look at {look_at}, then plan again", code="not-changed")
