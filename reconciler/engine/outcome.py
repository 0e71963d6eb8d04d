"""How one action stands, as a line of the report; a failure is written down before it is told."""

from __future__ import annotations

from typing import Any

from reconciler.core.action import Action
from reconciler.core.errors import ReconcilerError
from reconciler.core.journal import Kind
from reconciler.core.progress import Open
from reconciler.core.report import Result, State, Trouble
from reconciler.engine.means import Means


async def done(action: Action, means: Means, *, ref: str, data: Any) -> Result:
    """It is so, and written down."""
    await means.scribe.put(Kind.FINISHED, action, **{**data, "ref": ref})
    return Result(
        id=action.id,
        verb=action.verb,
        address=action.address,
        summary=action.summary,
        state=State.DONE,
        ref=ref or None,
        finished_at=means.clock.now(),
    )


async def failed(
    action: Action, means: Means, error: ReconcilerError, *, final: bool, blocks: bool = False
) -> Result:
    """It did not happen: for good, or until a later run tries again."""
    code = error.code or type(error).__name__.lower()
    known = means.known(action)
    await means.scribe.put(
        Kind.FAILED, action, final=final, blocks=blocks, code=code, message=error.message, hint=error.hint
    )
    return Result(
        id=action.id,
        verb=action.verb,
        address=action.address,
        summary=action.summary,
        state=State.FAILED,
        ref=known.ref if known else None,
        error=Trouble(code=code, message=error.message),
        since=known.since if known else None,
        finished_at=means.clock.now(),
        note=error.hint,
    )


def in_doubt(known: Open) -> Result:
    """How an action stands that only a person can settle."""
    return Result(
        id=known.action.id,
        verb=known.action.verb,
        address=known.action.address,
        summary=known.action.summary,
        state=State.IN_DOUBT,
        ref=known.ref,
        since=known.since,
        error=Trouble(code="in-doubt", message=known.why),
    )


def waiting(action: Action, means: Means, *, note: str = "") -> Result:
    """How an action stands that the provider or a person has; overdue once the provider's promise is over."""
    known = means.known(action)
    by_hand = known is not None and known.stage == "accepted" and known.waiting_on == "person"
    return Result(
        id=action.id,
        verb=action.verb,
        address=action.address,
        summary=action.summary,
        state=State.BY_HAND if by_hand else State.PENDING,
        ref=known.ref if known else None,
        since=known.since if known else None,
        due_by=known.due_by if known else None,
        instructions=known.instructions if known else "",
        note=note or (_note(known, means, by_hand=by_hand) if known else ""),
    )


def _note(known: Open, means: Means, *, by_hand: bool) -> str:
    if not by_hand and known.due_by and means.provider_time() > known.due_by:
        return f"overdue: {known.status or 'accepted'}, was due by {known.due_by:%Y-%m-%d %H:%M} UTC"
    return known.status


def not_started(action: Action, why: str, *, failed: bool = False) -> Result:
    """An action that was not begun, and why; `failed` when what it needs has failed."""
    return Result(
        id=action.id,
        verb=action.verb,
        address=action.address,
        summary=action.summary,
        state=State.NOT_STARTED,
        error=Trouble(code="not-started", message=why) if failed else None,
        note="" if failed else why,
    )


def broken_off(action: Action, means: Means, *, code: str, message: str) -> Result:
    """An action that could not be carried on here: what is open stays open, for `resume`."""
    known = means.known(action)
    lost = code == "lease-lost"
    idle = State.NOT_STARTED if known is None else State.PENDING
    return Result(
        id=action.id,
        verb=action.verb,
        address=action.address,
        summary=action.summary,
        state=idle if lost else State.FAILED,
        ref=known.ref if known else None,
        since=known.since if known else None,
        due_by=known.due_by if known else None,
        error=Trouble(code=code, message=message),
    )
