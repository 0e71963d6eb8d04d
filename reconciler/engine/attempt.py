"""One action: written down, sent step by step, asked about, looked for; knows no tenants and no plans.

The write-ahead rule stands in `_send`: an adapter's generator is asked for the next thing only after what it
said is on disk, so no write is sent that the journal does not know.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from reconciler.core.action import Action, Verb
from reconciler.core.errors import ProviderError, Rejected, StalePlanError, Unavailable, Uncertain
from reconciler.core.journal import Kind
from reconciler.core.model import Json
from reconciler.core.money import dearer
from reconciler.core.progress import Open
from reconciler.core.provider import (
    Absent,
    Accepted,
    Attempt,
    Done,
    Outcome,
    Provider,
    Step,
    Stepped,
    StepRecord,
    Unknown,
)
from reconciler.core.report import Result, State, Trouble
from reconciler.core.serial import action_to_dict
from reconciler.engine.clock import Clock
from reconciler.engine.scribe import Scribe

TRIES = 5
PATIENCE = timedelta(minutes=2)
"""How long a write that was refused as busy is repeated, whatever --wait says."""
BUYING = frozenset({"checkout", "subscription"})
"""Steps after whose answer nothing may be called a failure: something was bought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """With what an action is carried out.

    checkout: entered around a step that an account can only do one at a time.
    deadline: until when pending actions are waited for. promise: how long the provider may take.
    provider_now: the provider's clock, against which it is judged.
    """

    provider: Provider
    scribe: Scribe
    clock: Clock
    checkout: Callable[[Action], AbstractAsyncContextManager[None]]
    deadline: datetime
    promise: timedelta
    provider_now: datetime
    started: datetime

    def provider_time(self) -> datetime:
        """What the provider's clock shows now."""
        return self.provider_now + (self.clock.now() - self.started)


@dataclass(frozen=True, slots=True)
class Again:
    """Not accepted, or proved absent: try again after some seconds."""

    why: ProviderError | str
    after: float


async def begin(action: Action, means: Means) -> Result:
    """Carry out an action that was never begun, or that was not accepted before."""
    try:
        now = await means.provider.reread(action)
    except Rejected as error:
        return _failed(action, means, error, final=True)
    except ProviderError as error:
        return _failed(action, means, error, final=False)
    if not _as_planned(action.before, now):
        said = f"changed meanwhile: planned from {_show(action.before)}, found {_show(now)}"
        return _failed(action, means, Rejected(said, code="changed-meanwhile"), final=True)
    return await _until_settled(action, means, await _send(action, means, number=1, steps=()))


async def go_on(known: Open, means: Means) -> Result:
    """Go on with an action that another process, or an earlier moment, left open."""
    match known.stage:
        case "in-doubt":
            return in_doubt(known)
        case "accepted" if known.ticket is None:
            return _result(known.action, means, State.BY_HAND)
        case "accepted":
            accepted = Accepted(
                ticket=known.ticket or "",
                ask_again_after=0,
                waiting_on=known.waiting_on,
                status=known.status,
                instructions=known.instructions,
            )
            return await _until_settled(known.action, means, accepted)
        case _:
            return await _until_settled(known.action, means, Uncertain("nobody has its answer"))


def hand_over(action: Action, means: Means) -> Result:
    """Give a step to a person: journalled and waited for like any other."""
    means.scribe.write(Kind.INTENDED, action, action=action_to_dict(action), attempt=1)
    means.scribe.write(
        Kind.ACCEPTED,
        action,
        ticket="",
        waiting_on="person",
        instructions=action.instructions or action.summary,
    )
    return _result(action, means, State.BY_HAND)


def _as_planned(before: Json | None, now: Json | None) -> bool:
    if before is None or now is None:
        return before is None and now is None
    return all(_plain(now.get(key)) == _plain(value) for key, value in before.items())


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _show(value: Json | None) -> str:
    return "nothing" if value is None else ", ".join(f"{key} {item}" for key, item in value.items())


Answer = Outcome | Again | Uncertain | Result


async def _send(action: Action, means: Means, *, number: int, steps: tuple[StepRecord, ...]) -> Answer:
    """Write the intention, then each step before it is sent and its answer after; what came of it."""
    scribe = means.scribe
    scribe.write(Kind.INTENDED, action, action=action_to_dict(action), attempt=number)
    told = means.provider.execute(action, Attempt(number=number, steps=steps))
    try:
        async with AsyncExitStack() as alone:
            async for one in told:
                match one:
                    case Step():
                        await _before(action, means, told, one, alone)
                    case Stepped(name=name, ref=ref, data=data):
                        scribe.write(Kind.STEPPED, action, step=name, ref=ref, data=dict(data))
                        await alone.aclose()
                    case Done() | Accepted():
                        return one
        return Uncertain("the provider's adapter ended without an outcome")
    except StalePlanError as error:
        return _failed(action, means, error, final=True)
    except ProviderError as error:
        return _judge(action, means, error)
    finally:
        await told.aclose()


async def _before(action: Action, means: Means, told: Any, step: Step, alone: AsyncExitStack) -> None:
    try:
        if step.quote is not None and dearer(action.price, step.quote.price):
            raise _too_dear(action, step)
        if step.exclusive:
            await alone.enter_async_context(means.checkout(action))
    except (StalePlanError, ProviderError) as error:
        await told.athrow(error)
        raise
    means.scribe.write(Kind.STEPPING, action, step=step.name, data=dict(step.data))


def _too_dear(action: Action, step: Step) -> StalePlanError:
    planned, quoted = action.price, step.quote.price if step.quote else None
    assert planned is not None  # noqa: S101 - dearer() compared both
    assert quoted is not None  # noqa: S101 - see above
    return StalePlanError(
        f"{action.address}: the price is now {quoted.monthly} {quoted.currency} a month, "
        f"the plan said {planned.monthly} {planned.currency}",
        hint="plan again and review the new price",
        code="price",
    )


def _judge(action: Action, means: Means, error: ProviderError) -> Answer:
    """What an error means once it is known which steps were answered."""
    known = means.scribe.progress.open.get(action.id)
    bought = known is not None and any(one.ref and one.name in BUYING for one in known.steps)
    if bought or isinstance(error, Uncertain):
        return Uncertain(error.message)
    if isinstance(error, Unavailable):
        return Again(error, error.retry_after or 0.0)
    return _failed(action, means, error, final=True)


async def _until_settled(action: Action, means: Means, answer: Answer) -> Result:
    """Ask, look and try again until it is settled, waits for a person, or the time is up."""
    tries = 1
    waits = 0
    while True:
        match answer:
            case Result():
                return answer
            case Done(ref=ref, data=data):
                means.scribe.write(Kind.FINISHED, action, ref=ref, **data)
                return _result(action, means, State.DONE, ref=ref, finished=True)
            case Accepted():
                said = _accept(action, means, answer)
                if said is not None:
                    return said
                delay = _pace(answer.ask_again_after, waits)
            case Again(why=why, after=after):
                if tries >= TRIES:
                    return _give_up(action, means, why)
                delay = after or _pace(30.0, tries)
            case Uncertain():
                delay = _pace(30.0, waits) if waits else 0.0
        if not await _wait(means, delay, patient=isinstance(answer, Again)):
            return _still_open(action, means, answer)
        tries += isinstance(answer, Again)
        waits += 1
        answer = await _next(action, means, answer)


async def _next(action: Action, means: Means, answer: Answer) -> Answer:
    match answer:
        case Accepted():
            return await _poll(action, means, answer)
        case Again():
            known = means.scribe.progress.open.get(action.id)
            return await _send(
                action, means, number=known.attempt + 1 if known else 1, steps=known.steps if known else ()
            )
        case _:
            return await _look(action, means)


def _accept(action: Action, means: Means, accepted: Accepted) -> Result | None:
    """Write that it was taken; a Result when nobody but a person can move it."""
    known = means.scribe.progress.open[action.id]
    due = known.due_by
    if due is None and accepted.waiting_on == "provider":
        due = means.provider_time() + means.promise
    new = (accepted.ticket, accepted.waiting_on, accepted.status, accepted.instructions)
    if known.stage != "accepted" or new != (known.ticket, known.waiting_on, known.status, known.instructions):
        means.scribe.write(
            Kind.ACCEPTED,
            action,
            ticket=accepted.ticket,
            waiting_on=accepted.waiting_on,
            status=accepted.status,
            instructions=accepted.instructions,
            due_by=due.isoformat() if due else None,
        )
    if accepted.waiting_on == "person" and accepted.ask_again_after > 0:
        return _result(action, means, State.BY_HAND)
    return None


async def _poll(action: Action, means: Means, accepted: Accepted) -> Answer:
    known = means.scribe.progress.open[action.id]
    try:
        return await means.provider.poll(action, accepted.ticket, known.steps)
    except Rejected as error:
        return _failed(action, means, error, final=True, blocks=_is_purchase(action))
    except ProviderError:
        # Nobody could be asked: what is known stays known.
        return replace(accepted, ask_again_after=accepted.ask_again_after or 5.0)


async def _look(action: Action, means: Means) -> Answer:
    known = means.scribe.progress.open[action.id]
    since = known.steps[-1].began_at if known.steps else known.since
    try:
        found = await means.provider.find(action, known.steps, since)
    except ProviderError as error:
        return Uncertain(f"could not look: {error.message}")
    match found:
        case Absent(why=why):
            return Again(why, 0.0)
        case Unknown(why=why, look_again_at=None):
            means.scribe.write(Kind.IN_DOUBT, action, why=why)
            return in_doubt(means.scribe.progress.open[action.id])
        case Unknown(why=why):
            return Uncertain(why)
        case _:
            return found


def _is_purchase(action: Action) -> bool:
    return action.verb is Verb.ORDER or (
        action.verb is Verb.RESIZE and int(action.detail.get("quantity") or 0) > 0
    )


def _pace(longest: float, times: int) -> float:
    """How long to wait before asking again: short at first, then as long as the provider is to be asked."""
    return min(longest, 0.5 * 2 ** min(times, 10)) if longest > 0 else 0.0


async def _wait(means: Means, seconds: float, *, patient: bool) -> bool:
    """Wait; False when the time of this run is up first. A refused write is always repeated for a while."""
    if seconds <= 0:
        return not means.clock.stopping
    deadline = max(means.deadline, means.started + PATIENCE) if patient else means.deadline
    if means.clock.stopping or means.clock.now() + timedelta(seconds=seconds) > deadline:
        return False
    await means.clock.sleep(seconds)
    return not means.clock.stopping


def _give_up(action: Action, means: Means, why: ProviderError | str) -> Result:
    error = why if isinstance(why, ProviderError) else Unavailable(why)
    return _failed(action, means, error, final=False)


def _still_open(action: Action, means: Means, answer: Answer) -> Result:
    if isinstance(answer, Again):
        return _give_up(action, means, answer.why)
    note = answer.message if isinstance(answer, Uncertain) else ""
    return _result(action, means, State.PENDING, note=note)


def _failed(
    action: Action, means: Means, error: ProviderError | StalePlanError, *, final: bool, blocks: bool = False
) -> Result:
    code = error.code or type(error).__name__.lower()
    known = means.scribe.progress.open.get(action.id)
    means.scribe.write(
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


def _result(
    action: Action,
    means: Means,
    state: State,
    *,
    ref: str | None = None,
    finished: bool = False,
    note: str = "",
) -> Result:
    known: Open | None = means.scribe.progress.open.get(action.id)
    return Result(
        id=action.id,
        verb=action.verb,
        address=action.address,
        summary=action.summary,
        state=state,
        ref=ref or (known.ref if known else None),
        since=known.since if known else None,
        due_by=known.due_by if known else None,
        finished_at=means.clock.now() if finished else None,
        instructions=known.instructions if known else "",
        note=note or (known.status if known else ""),
    )
