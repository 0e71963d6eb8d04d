"""People of a pay-as-you-go group: created with their licence, changed, renamed, and deleted with it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Missing, Rejected
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, Step, Stepped, StepRecord, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.capabilities import LICENCES, PRODUCTS
from reconciler.providers.ovh.payg.account import ROOT
from reconciler.providers.ovh.wire import Member, Task
from reconciler.providers.settle import last, look_again, not_changed, settled


def is_person(action: Action) -> bool:
    """Whether an action is about a person, not about the group."""
    return action.verb in {Verb.ACTIVATE, Verb.DEACTIVATE} or (
        action.verb is Verb.UPDATE and "login" in action.detail
    )


async def reread(api: Api, action: Action) -> Json | None:
    """Read a person again, in the terms that the plan compared; None when they are not there.

    A joiner is looked for right before they are created, so not here.
    """
    if action.verb is Verb.ACTIVATE:
        return None
    member = await _member(api, action, _key(action))
    if member is None or member.login is None or not _holds(action, member):
        return None
    found = {
        "login": member.login,
        "first_name": member.first_name,
        "last_name": member.last_name,
        "country": member.usage_location.lower() or None,
    }
    return {key: found.get(key, value) for key, value in (action.before or {}).items()}


async def activate(api: Api, action: Action) -> AsyncGenerator[Told, None]:
    """Create a person with their licence; one who is there already is only waited for."""
    login = _login(action)
    member = await _member(api, action, login)
    if member is not None:
        _one_licence(action, member)
        ready = _is_so(action, member)
        yield (
            Done(ref=login, data={"login": login}) if ready else _pending(api, login, status=member.status)
        )
        return
    yield Step(name="user", data={"login": login})
    try:
        task = await api.send(Task, "POST", _users(action), _new(action))
    except Rejected:
        if await _member(api, action, login) is None:
            raise
        yield _pending(api, login, status="was there already")
        return
    yield Stepped(name="user", ref=str(task.id), data={"task": task.id})
    yield _pending(api, login, status=task.status)


async def update(api: Api, action: Action) -> AsyncGenerator[Told, None]:
    """Change a person; a rename is a change of the key, sent to the old one."""
    key = _key(action)
    body = {
        "firstName": action.detail.get("first_name"),
        "lastName": action.detail.get("last_name"),
        "usageLocation": _country(action),
        "activationEmail": _login(action) if action.detail.get("previously") else None,
    }
    yield Step(name=f"user/{key}", data={"login": _login(action)})
    changed = {name: value for name, value in body.items() if value is not None}
    await api.do("PUT", f"{_users(action)}{path(key)}", changed)
    yield Stepped(name=f"user/{key}", ref=_login(action))
    yield _pending(api, _login(action), status="updating")


async def deactivate(api: Api, action: Action) -> AsyncGenerator[Told, None]:
    """Delete a person and with them their licence; who holds two is not taken apart."""
    login = _login(action)
    member = await _member(api, action, login)
    if member is None:
        yield Done(ref=login, data={"login": login})
        return
    _one_licence(action, member)
    yield Step(name=f"delete/{login}", data={"login": login})
    try:
        task = await api.send(Task, "DELETE", f"{_users(action)}{path(login)}")
    except Missing:
        yield Done(ref=login, data={"login": login})
        return
    yield Stepped(name=f"delete/{login}", ref=str(task.id), data={"task": task.id})
    yield _pending(api, login, status=task.status)


async def poll(api: Api, action: Action, ticket: str, steps: tuple[StepRecord, ...]) -> Outcome:
    """Ask whether a person is as wanted and the provider has finished with them."""
    login = _login(action)
    member = await _member(api, action, login)
    if _is_so(action, member):
        return Done(ref=login, data={"login": login})
    step = last(steps)
    number = (member.task_pending_id if member else 0) or (step.data.get("task") if step else None)
    task = await _task(api, action, number)
    if task is not None and task.failed:
        raise Rejected(
            f"task {number} for {login} ended as {task.status}",
            hint="look at the person in the OVHcloud Control Panel, then plan again",
            code="task-failed",
        )
    idle = member is None or member.settled
    if idle and (task is None or not task.open) and await settled(api, step):
        raise not_changed(
            f"{login} was asked to change, nothing is under way any more, and nothing has changed",
            look_at="the person in the OVHcloud Control Panel",
        )
    return _pending(api, ticket, status=task.status if task else member.status if member else "not there yet")


async def find(
    api: Api, action: Action, steps: tuple[StepRecord, ...], since: datetime
) -> Done | Accepted | Absent | Unknown:
    """Look for the person by their key, which proves absence once the provider had time to settle."""
    login = _login(action)
    member = await _member(api, action, login)
    if _is_so(action, member):
        return Done(ref=login, data={"login": login})
    step = last(steps)
    if step is None:
        return Absent(why="nothing was sent")
    later = await look_again(api, step.began_at)
    if action.verb is not Verb.ACTIVATE:
        present = member or await _member(api, action, _key(action))
        if present is not None and not present.settled:
            return _pending(api, login, status=present.status)
        if present is None and later is not None:  # between two logins a person may be found by neither
            return Unknown(why=f"neither {_key(action)} nor {login} is there", look_again_at=later)
        return Absent(why=f"{login} is unchanged, and the same change again does no harm")
    if member is not None:
        return _pending(api, login, status=member.status)
    if later is None:
        return Absent(why=f"{login} is not there, long after {since:%H:%M}")
    return Unknown(why=f"{login} is not there yet", look_again_at=later)


def _login(action: Action) -> str:
    return str(action.detail["login"]).lower()


def _key(action: Action) -> str:
    """The key a person has now: the old login while a rename is to be done."""
    return str(action.detail.get("previously") or _login(action)).lower()


def _country(action: Action) -> str | None:
    country = action.detail.get("country")
    return str(country).lower() if country else None


def _users(action: Action) -> str:
    service = action.detail.get("service") or action.detail.get("scope") or ""
    return f"{ROOT}{path(service)}/user"


def _new(action: Action) -> dict[str, Any]:
    local, at, domain = _login(action).partition("@")
    if not (local and at and domain):
        raise Rejected(f"{_login(action)} is no full login", hint="write `domain:` in the tenant's file")
    body = {
        "login": local,
        "domain": domain,
        "firstName": action.detail.get("first_name"),
        "lastName": action.detail.get("last_name"),
        "licence": LICENCES[str(action.detail["product"])],
        "usageLocation": _country(action),
    }
    return {name: value for name, value in body.items() if value is not None}


def _holds(action: Action, member: Member) -> bool:
    product = action.detail.get("product")
    return product is None or product in {PRODUCTS.get(one, one) for one in member.licences}


def _one_licence(action: Action, member: Member) -> None:
    """Refuse what one user with one licence cannot express."""
    others = {PRODUCTS.get(one, one) for one in member.licences} - {action.detail.get("product")}
    if not others:
        return
    verb = "get a second licence" if action.verb is Verb.ACTIVATE else "lose only one of two licences"
    raise Rejected(
        f"{_login(action)} holds {', '.join(sorted(others))} there, and a pay-as-you-go user cannot {verb}",
        hint="take the person out of the other group first",
        code="one-licence",
    )


async def _member(api: Api, action: Action, login: str) -> Member | None:
    return await api.maybe(Member, f"{_users(action)}{path(login)}")


async def _task(api: Api, action: Action, number: object) -> Task | None:
    """Read a task; None when there is none or it has vanished, which tells nothing."""
    if not number:
        return None
    service = action.detail.get("service") or action.detail.get("scope") or ""
    return await api.maybe(Task, f"{ROOT}{path(service)}/pendingTask{path(number)}")


def _is_so(action: Action, member: Member | None) -> bool:
    if action.verb is Verb.DEACTIVATE:
        return member is None
    if member is None or not member.settled or not _holds(action, member):
        return False
    if action.verb is Verb.ACTIVATE:
        return True
    detail = action.detail
    return (
        member.first_name == (detail.get("first_name") or member.first_name)
        and member.last_name == (detail.get("last_name") or member.last_name)
        and member.usage_location.lower() == (_country(action) or member.usage_location.lower())
    )


def _pending(api: Api, login: str, *, status: str) -> Accepted:
    return Accepted(
        ticket=login, ask_again_after=api.settings.poll, status=status or "accepted", data={"login": login}
    )
