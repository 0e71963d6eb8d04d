"""Who sits on which prepaid seat: filling an empty one, changing the person, and emptying it again."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Missing, Rejected, Taken, Unavailable
from reconciler.core.model import Json
from reconciler.core.provider import (
    Absent,
    Accepted,
    Attempt,
    Done,
    Outcome,
    Step,
    Stepped,
    StepRecord,
    Told,
    Unknown,
)
from reconciler.providers.http import path
from reconciler.providers.ovh.prepaid.account import ROOT, PrepaidAccount
from reconciler.providers.ovh.prepaid.seats import product_of
from reconciler.providers.ovh.wire import Seat, Task
from reconciler.providers.settle import last, look_again, not_changed, settled

_TAKEN = re.compile(r": 409\b|\balready\b|\bduplicate|\bin use\b")


def is_person(action: Action) -> bool:
    """Whether an update is of a person, not of the group."""
    return action.verb is Verb.UPDATE and "login" in action.detail


async def reread(account: PrepaidAccount, action: Action) -> Json | None:
    """Read the seat again, in the terms that the plan compared; None when nobody sits there.

    For a joiner the free seat itself is read right before it is filled.
    """
    if action.verb is Verb.ACTIVATE:
        return None
    seat = await account.seat(_target(account, action))
    if seat is None or seat.free:
        return None
    found = {
        "login": seat.login,
        "first_name": seat.first_name,
        "last_name": seat.last_name,
        "country": seat.usage_location.lower() or None,
    }
    return {key: found.get(key, value) for key, value in (action.before or {}).items()}


async def activate(account: PrepaidAccount, action: Action, attempt: Attempt) -> AsyncGenerator[Told, None]:
    """Fill a free seat with a person; one that an earlier attempt chose is chosen again."""
    there = await _sits(account, action)
    if there is not None:
        ready = account.seats[there].settled
        yield Done(ref=there, data={"seat": there}) if ready else _pending(account, there, status="busy")
        return
    name = await _take(account, action, attempt)
    try:
        async for told in _put(account, action, name):
            yield told
    except Rejected as error:
        account.reserved.pop(name, None)
        if not _is_taken(action, error):
            raise
        raise Taken(error.message, hint=error.hint, code=error.code) from None
    yield _pending(account, name, status="activating")


async def update(account: PrepaidAccount, action: Action) -> AsyncGenerator[Told, None]:
    """Change the person on a seat."""
    name = _target(account, action)
    async for told in _put(account, action, name):
        yield told
    yield _pending(account, name, status="updating")


async def deactivate(account: PrepaidAccount, action: Action) -> AsyncGenerator[Told, None]:
    """Take the person off a seat; it stays paid and is free again."""
    name = _target(account, action)
    step = f"unconfigure/{name}"
    yield Step(name=step, data={"login": _login(action)})
    task = await account.api.send(Task, "POST", f"{ROOT}{path(name)}/unconfigure")
    yield Stepped(name=step, ref=str(task.id or name), data={"task": task.id})
    yield _pending(account, name, status="freeing")


async def poll(
    account: PrepaidAccount, action: Action, ticket: str, steps: tuple[StepRecord, ...]
) -> Outcome:
    """Ask whether a seat is as wanted and the provider has finished with it."""
    seat = await account.seat(ticket)
    if _is_so(action, seat):
        account.reserved.pop(ticket, None)
        return Done(ref=ticket, data={"seat": ticket})
    if seat is None:
        return _pending(account, ticket, status="not readable yet")
    step = _step(steps, ticket)
    known = seat.task_pending_id or (step.data.get("task") if step else None)
    word = await _task(account, ticket, known)
    if word in {"error", "cancelled"}:
        account.reserved.pop(ticket, None)
        raise Rejected(
            f"task {known} of seat {ticket} ended as {word}",
            hint="look at the seat in the OVHcloud Control Panel, then plan again",
            code="task-failed",
        )
    if not seat.task_pending_id and await settled(account.api, step):
        account.reserved.pop(ticket, None)
        raise not_changed(
            f"seat {ticket} was asked to change, is idle again and has not changed",
            look_at="the seat in the OVHcloud Control Panel",
        )
    return _pending(account, ticket, status=word or seat.status)


async def find(
    account: PrepaidAccount, action: Action, steps: tuple[StepRecord, ...], since: datetime
) -> Done | Accepted | Absent | Unknown:
    """Look at the seat of the last step; who sits elsewhere in the group by now is found as well."""
    step = last(steps)
    if step is None:
        return Absent(why="no seat was touched")
    name = step.name.partition("/")[2]
    seat = await account.seat(name)
    if _is_so(action, seat):
        return Done(ref=name, data={"seat": name})
    if seat is not None and seat.task_pending_id:
        return _pending(account, name, status=seat.status)
    if action.verb is not Verb.ACTIVATE:
        return Absent(why=f"seat {name} is unchanged, and the same change again does no harm")
    if seat is None or seat.free:
        later = await look_again(account.api, step.began_at)
        if later is not None:
            return Unknown(why=f"seat {name} is still empty", look_again_at=later)
    await account.refresh(_service(action))
    elsewhere = await _sits(account, action)
    if elsewhere is not None:
        return _pending(account, elsewhere, status="sits there")
    return Absent(why=f"seat {name} is not theirs after {since:%H:%M} and the time to settle")


def _login(action: Action) -> str:
    return str(action.detail["login"]).lower()


def _service(action: Action) -> str:
    return str(action.detail.get("service") or action.detail.get("scope") or "")


def _target(account: PrepaidAccount, action: Action) -> str:
    targets = action.detail.get("targets") or ()
    if targets:
        return str(targets[0])
    login = str(action.detail.get("previously") or _login(action)).lower()
    for name in account.seats.of(_service(action)):
        if account.seats[name].login == login:
            return name
    raise Missing(f"{login} sits on no seat of {_service(action)}", hint="plan again", code="no-seat")


async def _sits(account: PrepaidAccount, action: Action) -> str | None:
    names = await account.view(_service(action), uncached=False)
    for name in names:
        seat = account.seats[name]
        if seat.login == _login(action) and product_of(seat) == action.detail.get("product"):
            return name
    return None


async def _take(account: PrepaidAccount, action: Action, attempt: Attempt) -> str:
    """Reserve a free seat and make sure, uncached, that it is free."""
    earlier = [step.name.partition("/")[2] for step in attempt.steps if step.name.startswith("seat/")]
    for looked_again in (False, True):
        if looked_again:
            await account.refresh(_service(action))
        while (name := _free(account, action, earlier)) is not None:
            account.reserved[name] = action.id
            seat = await account.seat(name)
            if seat is not None and seat.free and seat.settled:
                return name
            del account.reserved[name]
            if name in earlier:
                earlier.remove(name)
    raise Rejected(
        f"changed meanwhile: no seat of {_service(action)} is free for {_login(action)}",
        hint="another order may still be on its way; plan again",
        code="changed-meanwhile",
    )


def _free(account: PrepaidAccount, action: Action, earlier: list[str]) -> str | None:
    """Choose a seat: the earlier attempt's, the plan's, one that goes on, one that ends where all of them end."""
    service, product = _service(action), action.detail.get("product")
    group = [name for name in account.seats.of(service) if product_of(account.seats[name]) == product]
    idle = [
        name
        for name in group
        if account.seats[name].free
        and account.seats[name].settled
        and account.reserved.get(name, action.id) == action.id
    ]
    lasting = [name for name in idle if name not in account.ending]
    all_end = bool(group) and account.ending.issuperset(group)
    usable = lasting or (idle if all_end else [])
    allotted = [str(one) for one in action.detail.get("targets", ())]
    return next((name for name in (*earlier, *allotted) if name in usable), usable[0] if usable else None)


async def _put(account: PrepaidAccount, action: Action, name: str) -> AsyncGenerator[Told, None]:
    step = f"seat/{name}"
    yield Step(name=step, data={"login": _login(action)})
    await account.api.do("PUT", f"{ROOT}{path(name)}", _person(action))
    yield Stepped(name=step, ref=name, data=await _task_of(account, name))


def _is_taken(action: Action, error: Rejected) -> bool:
    """Whether somebody holds the login, by the provider's words.

    What a login that is in use is answered with is not documented (reference 17.4, 2026-11); 409 is what the API
    says of what exists already.
    """
    words = error.message.lower().replace(_login(action), "")
    return _TAKEN.search(words) is not None


def _person(action: Action) -> dict[str, Any]:
    detail = action.detail
    body = {
        "firstName": detail.get("first_name"),
        "lastName": detail.get("last_name"),
        "activationEmail": _login(action),
        "usageLocation": str(detail["country"]).lower() if detail.get("country") else None,
    }
    return {key: value for key, value in body.items() if value is not None}


async def _task_of(account: PrepaidAccount, name: str) -> dict[str, Any]:
    """Learn which task a change began: it is what can later say that it failed."""
    try:
        seat = await account.seat(name)
    except (Unavailable, Rejected):
        return {}
    return {"task": seat.task_pending_id} if seat and seat.task_pending_id else {}


async def _task(account: PrepaidAccount, name: str, task: object) -> str:
    if not task:
        return ""
    try:
        found = await account.api.get(Task, f"{ROOT}{path(name)}/tenantPendingTask{path(task)}")
    except Rejected:
        return ""  # a task that has vanished tells nothing
    return found.status


def _is_so(action: Action, seat: Seat | None) -> bool:
    if seat is None or not seat.settled:
        return False
    if action.verb is Verb.DEACTIVATE:
        return seat.login != _login(action)
    if seat.login != _login(action):
        return False
    if action.verb is Verb.ACTIVATE:
        return True
    person = _person(action)
    country = person.get("usageLocation")
    return (
        seat.first_name == person.get("firstName", seat.first_name)
        and seat.last_name == person.get("lastName", seat.last_name)
        and (country is None or seat.usage_location.lower() == country)
    )


def _step(steps: tuple[StepRecord, ...], name: str) -> StepRecord | None:
    return last(step for step in steps if step.name.partition("/")[2] == name)


def _pending(account: PrepaidAccount, name: str, *, status: str) -> Accepted:
    return Accepted(
        ticket=name, ask_again_after=account.api.settings.poll, status=status, data={"seat": name}
    )
