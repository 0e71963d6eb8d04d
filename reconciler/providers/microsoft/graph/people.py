"""People of a directory: created, taken back out of the bin, changed, renamed, deleted.

A login is unique in its directory, so a second creation is refused by Graph and an answer that was lost is
looked for by the login. A password is made where it is sent and kept nowhere: an administrator sets another.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncGenerator
from typing import Any

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Missing, Rejected
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, Step, Stepped, StepRecord, Told, Unknown
from reconciler.providers.http import Session, path
from reconciler.providers.microsoft.graph.batch import says
from reconciler.providers.microsoft.graph.directory import Directory
from reconciler.providers.microsoft.graph.wire import Made, User
from reconciler.providers.settle import last, not_changed, settled

FIELDS = {
    "login": "userPrincipalName",
    "first_name": "givenName",
    "last_name": "surname",
    "country": "usageLocation",
}
"""A person's details, as an action and as Graph spell them."""


def is_person(action: Action) -> bool:
    """Whether an action is about somebody's entry in the directory, not about a licence."""
    return action.verb in {Verb.CREATE_USER, Verb.DELETE_USER} or (
        action.verb is Verb.UPDATE and action.address.startswith(("user/", "seat/"))
    )


async def reread(directory: Directory, action: Action) -> Json | None:
    """Read a person again, in the terms that the plan compared; None when they are not there."""
    user = await directory.user(_key(action))
    if user is None or user.id == action.detail.get("restore"):
        return None  # out of the bin already, which is the first half of it
    found = shown(user)
    return {key: found.get(key, value) for key, value in (action.before or found).items()}


async def create(directory: Directory, action: Action) -> AsyncGenerator[Told, None]:
    """Create a person, or take them out of the bin; one who is there already is not made again."""
    login = _login(action)
    binned = action.detail.get("restore")
    if binned:
        async for told in _restore(directory, action, str(binned)):
            yield told
        return
    there = await directory.user(login)
    if there is not None:
        yield _done(there)
        return
    yield Step(name=f"user/{login}", data={"login": login})
    ref = await _post(directory, action, login)
    yield Stepped(name=f"user/{login}", ref=ref)
    yield Done(ref=ref, data={"user": ref, "login": login})


async def update(directory: Directory, action: Action) -> AsyncGenerator[Told, None]:
    """Change a person's details or login."""
    user = await directory.user(_key(action))
    if user is None:
        raise Missing(f"{_key(action)} is not in the directory", hint="plan again", code="no-user")
    async for told in _change(directory, action, user):
        yield told
    yield await _changed(directory, action, user.id)


async def delete(directory: Directory, action: Action) -> AsyncGenerator[Told, None]:
    """Put a person into the bin, where they stay for thirty days; their licences are free at once."""
    user = await directory.user(_key(action))
    if user is None:
        yield _gone(action)
        return
    yield Step(name=f"delete/{user.id}", data={"login": user.login, "user": user.id})
    try:
        await directory.api.do("DELETE", f"/users{path(user.id)}")
    except Missing:
        yield _gone(action)
        return
    yield Stepped(name=f"delete/{user.id}", ref=user.id)
    yield _gone(action)


async def poll(directory: Directory, action: Action, steps: tuple[StepRecord, ...]) -> Outcome:
    """Ask whether a person reads as wanted: what was accepted goes round among Graph's servers first."""
    outcome = await _changed(directory, action, _key(action))
    if isinstance(outcome, Accepted) and await settled(directory.api, last(steps)):
        raise not_changed(
            f"{_login(action)} was asked to change, and nothing has changed",
            look_at="the person in the Microsoft 365 admin center",
        )
    return outcome


async def find(directory: Directory, action: Action) -> Done | Accepted | Absent | Unknown:
    """Look for the effect. What is not there may be sent again: a login twice is refused, the rest is absolute."""
    login = _login(action)
    if action.verb is Verb.DELETE_USER:
        there = await directory.user(_key(action))
        return _gone(action) if there is None else Absent(why=f"{there.login} is still there")
    user = await directory.user(login)
    if action.verb is Verb.CREATE_USER and user is not None and not action.detail.get("restore"):
        return _done(user)
    user = user or await directory.user(_key(action))
    if user is not None and _is_so(action, user):
        return _done(user)
    return Absent(why=f"{login} is not as wanted, and the same again does no harm")


def shown(user: User) -> Json:
    """A person's details in the terms of a plan."""
    return {
        "login": user.login,
        "first_name": user.given_name,
        "last_name": user.surname,
        "country": user.country,
    }


async def _restore(directory: Directory, action: Action, ref: str) -> AsyncGenerator[Told, None]:
    user = await directory.user(ref)
    if user is None:
        yield Step(name=f"restore/{ref}", data={"login": _login(action), "user": ref})
        await directory.api.do("POST", f"/directory/deletedItems{path(ref)}/restore")
        yield Stepped(name=f"restore/{ref}", ref=ref)
        user = await directory.user(ref)
    if user is not None:  # details are as they were at the deletion
        async for told in _change(directory, action, user):
            yield told
    yield await _changed(directory, action, ref)


async def _change(directory: Directory, action: Action, user: User) -> AsyncGenerator[Told, None]:
    body = _body(action, user)
    if not body:
        return
    yield Step(name=f"user/{user.id}", data={"login": _login(action), "fields": sorted(body)})
    try:
        await directory.api.do("PATCH", f"/users{path(user.id)}", body)
    except Rejected as error:
        raise _explained(error, _login(action)) from error
    yield Stepped(name=f"user/{user.id}", ref=user.id)


async def _changed(directory: Directory, action: Action, key: str) -> Outcome:
    """Believe a change when it is read back."""
    user = await directory.user(key) or await directory.user(_login(action))
    if user is not None and _is_so(action, user):
        return _done(user)
    return Accepted(ticket=key, ask_again_after=min(5.0, directory.api.settings.poll), status="updating")


async def _post(directory: Directory, action: Action, login: str) -> str:
    try:
        body = _new(action, login, password=_password(directory.api.session))
        made = await directory.api.send(Made, "POST", "/users", body)
    except Rejected as error:
        # Refused as a second one: somebody, perhaps we, made this person a moment ago.
        there = await directory.user(login) if says(error, "already exists", "conflict") else None
        if there is None:
            raise _explained(error, login) from error
        return there.id
    return made.id


def _new(action: Action, login: str, *, password: str) -> dict[str, Any]:
    local, at, domain = login.partition("@")
    if not (local and at and domain):
        raise Rejected(f"{login} is no full login", hint="write `domain:` in the tenant's file")
    body = {
        "accountEnabled": True,
        "displayName": _display_name(action) or local,
        "mailNickname": local,
        "userPrincipalName": login,
        "givenName": action.detail.get("first_name") or None,
        "surname": action.detail.get("last_name") or None,
        "usageLocation": _country(action),
        "passwordProfile": {"forceChangePasswordNextSignIn": True, "password": password},
    }
    return {name: value for name, value in body.items() if value is not None}


def _password(session: Session) -> str:
    """A password that nobody sees: it is sent once and kept nowhere, and no message repeats it."""
    made = f"{secrets.token_urlsafe(24)}aA1!"  # the end: every class of characters that Graph asks for
    session.hidden.add(made)
    return made


def _body(action: Action, user: User) -> dict[str, Any]:
    """What differs, as Graph spells it; a display name that somebody chose is left alone."""
    wanted = {
        "login": _login(action),
        "first_name": action.detail.get("first_name"),
        "last_name": action.detail.get("last_name"),
        "country": _country(action),
    }
    now = shown(user)
    body: dict[str, Any] = {
        FIELDS[key]: value
        for key, value in wanted.items()
        if value is not None and _plain(value) != _plain(now[key])
    }
    usual = f"{user.given_name} {user.surname}".strip()
    if body.keys() & {"givenName", "surname"} and user.display_name in {usual, ""}:
        body["displayName"] = _display_name(action) or usual
    return body


def _is_so(action: Action, user: User) -> bool:
    return not _body(action, user)


def _plain(value: Any) -> Any:
    return value.lower() if isinstance(value, str) and len(value) == COUNTRY else value


COUNTRY = 2
"""Letters of a country, which Graph keeps in capitals."""


def _explained(error: Rejected, login: str) -> Rejected:
    if says(error, "domain portion", "verified domain"):
        domain = login.partition("@")[2]
        hint = f"write {domain} under `domains:`, so that the directory gets and verifies it"
        return Rejected(error.message, hint=hint, code="domain-not-verified")
    return error


def _display_name(action: Action) -> str:
    return f"{action.detail.get('first_name') or ''} {action.detail.get('last_name') or ''}".strip()


def _login(action: Action) -> str:
    return str(action.detail["login"]).lower()


def _key(action: Action) -> str:
    """What a person is known by now: the id, else the old login while a rename is to be done."""
    detail = action.detail
    return str(detail.get("user") or detail.get("restore") or detail.get("previously") or _login(action))


def _country(action: Action) -> str | None:
    country = action.detail.get("country")
    return str(country).upper() if country else None


def _done(user: User) -> Done:
    return Done(ref=user.id, data={"user": user.id, "login": user.login})


def _gone(action: Action) -> Done:
    return Done(ref=_key(action), data={"login": _login(action)})
