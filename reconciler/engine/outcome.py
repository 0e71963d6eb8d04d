"""How one action stands, as a line of the report; a failure is written down before it is told."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from reconciler.core.action import Action
from reconciler.core.errors import ReconcilerError
from reconciler.core.journal import Kind
from reconciler.core.open import Open
from reconciler.core.report import Result, State, Trouble
from reconciler.engine.means import Means


async def done(action: Action, means: Means, *, ref: str, data: Any) -> Result:
    """It is so, and written down."""
    await means.scribe.put(Kind.FINISHED, action, **{**data, "ref": ref})
    return replace(stands(action, State.DONE), ref=ref or None, finished_at=means.clock.now())


async def failed(
    action: Action, means: Means, error: ReconcilerError, *, final: bool, blocks: bool = False
) -> Result:
    """It did not happen: for good, or until a later run tries again.

    blocks: something was bought all the same, so its group stays blocked until a person has looked.
    """
    code = error.code or type(error).__name__.lower()
    known = means.known(action)
    await means.scribe.put(
        Kind.FAILED, action, final=final, blocks=blocks, code=code, message=error.message, hint=error.hint
    )
    return replace(
        stands(action, State.FAILED, known),
        error=Trouble(code=code, message=error.message),
        finished_at=means.clock.now(),
        note=error.hint,
    )


def in_doubt(known: Open) -> Result:
    """How an action stands that only a person can settle."""
    told = stands(known.action, State.IN_DOUBT, known)
    return replace(told, error=Trouble(code="in-doubt", message=known.why))


def waiting(action: Action, means: Means, *, note: str = "") -> Result:
    """How an action stands that the provider or a person has; overdue once the provider's promise is over."""
    known = means.known(action)
    if known is None:
        return replace(stands(action, State.PENDING), note=note)
    by_hand = known.stage == "accepted" and known.waiting_on == "person"
    return replace(
        stands(action, State.BY_HAND if by_hand else State.PENDING, known),
        due_by=known.due_by,
        instructions=known.instructions,
        note=note or _note(known, means, by_hand=by_hand),
    )


def _note(known: Open, means: Means, *, by_hand: bool) -> str:
    if not by_hand and known.due_by and means.provider_time() > known.due_by:
        return f"overdue: {known.status or 'accepted'}, was due by {known.due_by:%Y-%m-%d %H:%M} UTC"
    return known.status


def not_started(action: Action, why: str, *, failed: bool = False) -> Result:
    """An action that was not begun, and why; `failed` when what it needs has failed."""
    told = stands(action, State.NOT_STARTED)
    return (
        replace(told, error=Trouble(code="not-started", message=why)) if failed else replace(told, note=why)
    )


def broken_off(action: Action, means: Means, *, code: str, message: str) -> Result:
    """An action that could not be carried on here: what is open stays open, for `resume`."""
    known = means.known(action)
    idle = State.NOT_STARTED if known is None else State.PENDING
    return replace(
        stands(action, idle if code == "lease-lost" else State.FAILED, known),
        due_by=known.due_by if known else None,
        error=Trouble(code=code, message=message),
    )


def stands(action: Action, state: State, known: Open | None = None) -> Result:
    """The line of an action; with what the journal knows of it, while it is open."""
    return Result(
        id=action.id,
        verb=action.verb,
        address=action.address,
        summary=action.summary,
        state=state,
        ref=known.ref if known else None,
        since=known.since if known else None,
    )
