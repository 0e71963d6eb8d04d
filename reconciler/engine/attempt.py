"""One action: written down, sent step by step, asked about, looked for; knows no tenants and no plans.

The write-ahead rule stands in `_send`: an adapter's generator is asked for the next thing only after what it
said is on disk, so no write is sent that the journal does not know.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.action import Action
from reconciler.core.errors import (
    NOT_YET,
    JournalError,
    ProviderError,
    Rejected,
    StalePlanError,
    Taken,
    Unavailable,
    Uncertain,
)
from reconciler.core.journal import Kind
from reconciler.core.model import Address, Json, Price
from reconciler.core.money import buys, dearer
from reconciler.core.open import Open
from reconciler.core.provider import Absent, Accepted, Attempt, Done, Outcome, Step, Stepped, Unknown
from reconciler.core.report import Result, State
from reconciler.core.serial import action_to_dict
from reconciler.engine.means import SENT_AT, Means
from reconciler.engine.outcome import done, failed, in_doubt, not_started, waiting

TRIES = 5
PATIENCE = timedelta(minutes=2)
"""How long a write that was refused as busy is repeated, whatever --wait says."""
LONGEST_PAUSE = 30.0
UNCONFIRMED = "unconfirmed"
"""The code of what is not sent because another purchase was, and nobody knows its number yet."""
BUYING = frozenset({"checkout", "subscription"})
"""Steps after whose answer nothing may be called a refusal: something was bought."""


class Again(Struct, frozen=True):
    """Not accepted, or proved absent: try again after some seconds."""

    why: ProviderError | str
    after: float

    @property
    def queued(self) -> bool:
        """Whether it only waits for another purchase, or for its effect: that is no try of its own."""
        return isinstance(self.why, ProviderError) and self.why.code in {UNCONFIRMED, NOT_YET}


async def begin(action: Action, means: Means) -> Result:
    """Carry out an action that was never begun, or that was not accepted before."""
    try:
        now = await means.provider.reread(action)
    except Rejected as error:
        return await failed(action, means, error, final=True)
    except ProviderError as error:
        if error.code == NOT_YET:
            return await _until_settled(action, means, Again(error, error.retry_after or 0.0))
        return await failed(action, means, error, final=False)
    if not _as_planned(action.before, now):
        return await _changed(action, means, now)
    return await _until_settled(action, means, await _send(action, means, number=1))


async def go_on(known: Open, means: Means) -> Result:
    """Go on with an action that another process, or an earlier moment, left open."""
    action = known.action
    match known.stage:
        case "in-doubt":
            return in_doubt(known)
        case "intended" if action.how == "by-hand":
            return await hand_over(action, means)
        case "accepted" if known.ticket is not None:
            accepted = Accepted(
                ticket=known.ticket,
                ask_again_after=0,
                waiting_on=known.waiting_on,
                status=known.status,
                instructions=known.instructions,
            )
            return await _until_settled(action, means, accepted)
        case "accepted" if known.waiting_on == "person":
            return waiting(action, means)
        case _:
            return await _until_settled(action, means, await _look(action, means))


async def dropped(action: Action, means: Means, why: str) -> Result:
    """Let go of what never happened: it is planned anew if it is still wanted."""
    await failed(action, means, Unavailable(why, code="not-sent"), final=True)
    return not_started(action, f"{why}; it is planned anew if it is still wanted")


async def hand_over(action: Action, means: Means) -> Result:
    """Give a step to a person: journalled and waited for like any other."""
    await means.scribe.put_all(
        (Kind.INTENDED, action, {"action": action_to_dict(action), "attempt": 1}),
        (
            Kind.ACCEPTED,
            action,
            {
                "ticket": "",
                "waiting_on": "person",
                "instructions": action.instructions or action.summary,
            },
        ),
    )
    return waiting(action, means)


async def _changed(action: Action, means: Means, now: Json | None) -> Result:
    said = f"changed meanwhile: planned from {_show(action.before)}, found {_show(now)}"
    return await failed(
        action, means, Rejected(said, hint="plan again", code="changed-meanwhile"), final=True
    )


def _as_planned(before: Json | None, now: Json | None) -> bool:
    if before is None or now is None:
        return before is None and now is None
    return all(_plain(now.get(key)) == _plain(value) for key, value in before.items())


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _show(value: Json | None) -> str:
    return "nothing" if value is None else ", ".join(f"{key} {item}" for key, item in value.items())


Answer = Outcome | Again | Uncertain | Result


async def _send(action: Action, means: Means, *, number: int) -> Answer:
    """Write the intention, then each step before it is sent and its answer after; what came of it."""
    steps = means.steps(action)
    await means.scribe.put(Kind.INTENDED, action, action=action_to_dict(action), attempt=number)
    told = means.provider.execute(action, Attempt(number=number, steps=steps))
    try:
        async with AsyncExitStack() as alone:
            async for one in told:
                match one:
                    case Step():
                        await _before(action, means, told, one, alone)
                    case Stepped():
                        await _after(action, means, one)
                        await alone.aclose()
                    case Done() | Accepted():
                        return one
        return Uncertain("the provider's adapter ended without an outcome")
    except StalePlanError as error:
        return await failed(action, means, error, final=True)
    except ProviderError as error:
        return await _judge(action, means, error)
    finally:
        await told.aclose()


async def _before(action: Action, means: Means, told: Any, step: Step, alone: AsyncExitStack) -> None:
    try:
        quoted = step.quote.price if step.quote else None
        if action.price and quoted and dearer(action.price, quoted):
            raise _too_dear(action.address, action.price, quoted)
        if step.exclusive:
            await alone.enter_async_context(means.checkout(action))
    except (StalePlanError, ProviderError) as error:
        await told.athrow(error)
        raise
    data = {**step.data, SENT_AT: means.provider_time().isoformat()}
    await means.scribe.put(Kind.STEPPING, action, step=step.name, data=data)


async def _after(action: Action, means: Means, one: Stepped) -> None:
    try:
        await means.scribe.put(Kind.STEPPED, action, step=one.name, ref=one.ref, data=dict(one.data))
    except JournalError as error:
        # It happened, and only this report says so; the step itself is written, so `resume` looks for it.
        raise JournalError(
            f"{error.message}; {one.name} was answered with {one.ref}, which is not written down",
            hint=f"mend the journal, then `reconciler resume` looks for it. {error.hint}".strip(),
        ) from error


def _too_dear(address: Address, planned: Price, quoted: Price) -> StalePlanError:
    return StalePlanError(
        f"{address}: the price is now {quoted.monthly} {quoted.currency} a month, "
        f"the plan said {planned.monthly} {planned.currency}",
        hint="plan again and review the new price",
        code="price",
    )


async def _judge(action: Action, means: Means, error: ProviderError) -> Answer:
    """What an error means once it is known which steps were answered."""
    if _bought(action, means) or isinstance(error, Uncertain):
        return Uncertain(error.message)
    if isinstance(error, Unavailable):
        return Again(error, error.retry_after or 0.0)
    if isinstance(error, Taken):
        return await _taken(action, means, error)
    return await failed(action, means, error, final=True)


async def _taken(action: Action, means: Means, error: Taken) -> Answer:
    """Send it again once the login was given back: who moves gives the old seat back first where it has to be so."""
    leaving = means.make_way(action)
    if leaving is None:
        return await failed(action, means, error, final=True)
    told = Taken(f"{error.message}; the old seat is given back first", hint=error.hint, code=error.code)
    await failed(
        action, means, told, final=False
    )  # what was refused is in no doubt, whatever happens meanwhile
    match await leaving:
        case State.DONE:
            return Again(error, 0.0)
        case State.PENDING:
            return waiting(action, means, note="the old seat is given back first, which is under way")
        case _:
            return await failed(action, means, error, final=True)


def _bought(action: Action, means: Means) -> bool:
    """Whether a purchase of this action was answered, so that there is an order or a task."""
    return any(step.ref and step.name in BUYING for step in means.steps(action))


async def _until_settled(action: Action, means: Means, answer: Answer) -> Result:
    """Ask, look and try again until it is settled, waits for a person, or the time is up."""
    tries, waits = 1, 0
    patience = means.clock.now() + PATIENCE
    while True:
        match answer:
            case Result():
                return answer
            case Done(ref=ref, data=data):
                return await done(action, means, ref=ref, data=data)
            case Accepted():
                await _accept(action, means, answer)
                if answer.waiting_on == "person" and answer.ask_again_after > 0:
                    return waiting(action, means)
                delay = _pace(answer.ask_again_after, waits)
            case Again(why=why, after=after):
                if tries >= TRIES:
                    return await _give_up(action, means, why)
                delay = after or _pace(LONGEST_PAUSE, tries)
                tries += not answer.queued
            case Uncertain():
                delay = _pace(LONGEST_PAUSE, waits) if waits else 0.0
        refused = isinstance(answer, Again) and not answer.queued
        until = max(means.deadline, patience) if refused else means.deadline
        if not await _wait(means, delay, until):
            return await _still_open(action, means, answer)
        waits += 1
        answer = await _next(action, means, answer)


async def _next(action: Action, means: Means, answer: Answer) -> Answer:
    match answer:
        case Accepted():
            return await _poll(action, means, answer)
        case Again():
            return await _send_again(action, means)
        case _:
            return await _look(action, means)


async def _send_again(action: Action, means: Means) -> Answer:
    """Send what was not accepted, or proved absent; days may have passed, so its object is read again first."""
    try:
        now = await means.provider.reread(action)
    except Rejected as error:
        return await failed(action, means, error, final=True)
    except ProviderError as error:
        return Again(error, error.retry_after or 0.0)
    known = means.known(action)
    # What is as wanted already is ours, or somebody did the same: it is only made sure of, but never bought.
    is_so = action.after is not None and not buys(action) and _as_planned(action.after, now)
    if not is_so and not _as_planned(action.before, now):
        return await _changed(action, means, now)
    return await _send(action, means, number=known.attempt + 1 if known else 1)


async def _accept(action: Action, means: Means, accepted: Accepted) -> None:
    """Write that it was taken, when that is news."""
    known = means.scribe.progress.open[action.id]
    due = known.due_by
    if due is None and accepted.waiting_on == "provider":
        due = means.provider_time() + means.promise
    new = (accepted.ticket, accepted.waiting_on, accepted.status, accepted.instructions)
    if known.stage == "accepted" and new == (
        known.ticket,
        known.waiting_on,
        known.status,
        known.instructions,
    ):
        return
    await means.scribe.put(
        Kind.ACCEPTED,
        action,
        ticket=accepted.ticket,
        waiting_on=accepted.waiting_on,
        status=accepted.status,
        instructions=accepted.instructions,
        due_by=due.isoformat() if due else None,
    )


async def _poll(action: Action, means: Means, accepted: Accepted) -> Answer:
    try:
        return await means.provider.poll(action, accepted.ticket, means.steps(action))
    except Rejected as error:
        return await failed(action, means, error, final=True, blocks=_bought(action, means))
    except ProviderError:
        # Nobody could be asked: what is known stays known.
        return replace(accepted, ask_again_after=accepted.ask_again_after or 5.0)


async def _look(action: Action, means: Means) -> Answer:
    steps = means.steps(action)
    since = steps[-1].began_at if steps else means.scribe.progress.open[action.id].since
    try:
        found = await means.provider.find(action, steps, since)
    except ProviderError as error:
        return Uncertain(f"could not look: {error.message}")
    match found:
        case Absent(why=why):
            again = means.again and action.id not in means.stale
            return Again(why, 0.0) if again else await dropped(action, means, why)
        case Unknown(why=why, look_again_at=None):
            await means.scribe.put(Kind.IN_DOUBT, action, why=why)
            return in_doubt(means.scribe.progress.open[action.id])
        case Unknown(why=why):
            return Uncertain(why)
        case _:
            return found


def _pace(longest: float, times: int) -> float:
    """How long to wait before asking again: short at first, then as long as the provider is to be asked."""
    return min(longest, 0.5 * 2 ** min(times, 10)) if longest > 0 else 0.0


async def _wait(means: Means, seconds: float, until: datetime) -> bool:
    """Wait; False when the time of this run is up first, or it was asked to stop."""
    if seconds <= 0:
        return not means.clock.stopping
    if means.clock.stopping or means.clock.now() + timedelta(seconds=seconds) > until:
        return False
    await means.clock.sleep(seconds)
    return not means.clock.stopping


async def _give_up(action: Action, means: Means, why: ProviderError | str) -> Result:
    error = why if isinstance(why, ProviderError) else Unavailable(why)
    told = await failed(action, means, error, final=False)
    if error.code == UNCONFIRMED:
        return not_started(action, error.message)
    if error.code == NOT_YET:
        return waiting(action, means, note=error.message)
    return told


async def _still_open(action: Action, means: Means, answer: Answer) -> Result:
    if isinstance(answer, Again):
        return await _give_up(action, means, answer.why)
    return waiting(action, means, note=answer.message if isinstance(answer, Uncertain) else "")
