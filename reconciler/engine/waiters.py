"""Who waits for seats that are on their way: whether a later resume will see to them."""

from __future__ import annotations

from reconciler.core.plan import Plan
from reconciler.engine.scribe import Scribe


def still_waits(scribe: Scribe, plan: Plan, written: str) -> bool:
    """Whether what was not begun is what this plan waits for too, of the same manifest: a resume may begin it."""
    waiting = {(item.address, item.verb) for item in plan.pending}
    left = {(action.address, action.verb) for action in scribe.progress.todo.values()}
    return bool(left) and left <= waiting and written == scribe.progress.seen


def under_way(scribe: Scribe, plan: Plan) -> bool:
    """Whether a resume would finish all that waits; else `status` must not say that nothing is left to do."""
    progress = scribe.progress
    actions = (*(one.action for one in progress.open.values()), *progress.todo.values())
    return {item.address for item in plan.pending} <= {action.address for action in actions}
