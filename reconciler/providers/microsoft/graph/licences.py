"""Licences of people: given and taken one person at a time, and never fought over with a group that gives them."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from reconciler.core.action import Action, Verb
from reconciler.core.errors import NOT_YET, Rejected, Unavailable
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, Step, Stepped, StepRecord, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.microsoft.graph.batch import says
from reconciler.providers.microsoft.graph.directory import Directory
from reconciler.providers.microsoft.graph.wire import User
from reconciler.providers.settle import last, not_changed, settled

SOON = 25.0
"""Seconds after which a location, a person or a bought seat may have gone round among Graph's servers."""

_NOWHERE = "the directory does not know the country of {} everywhere yet"
PASSING = {
    "usage location": _NOWHERE,
    "usagelocation": _NOWHERE,
    "any available licenses": "the directory shows no free seat for {} yet",
    "valid company license": "what was bought for {} does not show in the directory yet",
}
"""Refusals that pass: a new location, or what was just bought, is not everywhere yet (reference section 12)."""


async def reread(directory: Directory, action: Action, sku: str) -> Json | None:
    """Read whether a person has the licence; a joiner is looked at right before the licence is given."""
    if action.verb is Verb.ACTIVATE:
        return None
    user = await directory.user(_key(action))
    return {**(action.before or {}), "login": user.login} if user is not None and user.has(sku) else None


async def assign(directory: Directory, action: Action, sku: str) -> AsyncGenerator[Told, None]:
    """Give a person a licence; one they have already is not given again, which would reset its parts."""
    user = await directory.user(_key(action))
    if user is None:
        raise Unavailable(
            f"{_login(action)} is not in the directory yet",
            hint="plan again if it was deleted",
            code="no-user-yet",
            retry_after=soon(directory),
        )
    if user.has(sku):
        yield _done(user, sku)
        return
    if not user.country and not action.detail.get("country"):
        raise Rejected(
            f"{user.login} has no country, without which there is no licence",
            hint="write `country:` for the person",
            code="no-country",
        )
    name = f"licence/{user.id}"
    yield Step(name=name, data={"login": user.login, "user": user.id, "sku": sku})
    await _send(directory, user, add=[sku])
    yield Stepped(name=name, ref=user.id)
    yield await _now(directory, action, sku, user.id)


async def take(directory: Directory, action: Action, sku: str) -> AsyncGenerator[Told, None]:
    """Take a licence that was given to the person; what a group gives is taken at the group, not here."""
    user = await directory.user(_key(action))
    if user is None or not user.has(sku):
        yield Done(ref=_key(action), data={"login": _login(action)})
        return
    if not user.directly(sku):
        raise Rejected(
            f"{user.login} has the licence through group {user.via(sku)}",
            hint="take the person out of that group in the directory",
            code="group-licence",
        )
    name = f"licence/{user.id}"
    yield Step(name=name, data={"login": user.login, "user": user.id, "sku": sku})
    await _send(directory, user, remove=[sku])
    yield Stepped(name=name, ref=user.id)
    yield await _now(directory, action, sku, user.id)


async def poll(directory: Directory, action: Action, sku: str, steps: tuple[StepRecord, ...]) -> Outcome:
    """Ask whether the licence reads as wanted."""
    outcome = await _now(directory, action, sku, _key(action))
    if isinstance(outcome, Accepted) and await settled(directory.api, last(steps)):
        raise not_changed(
            f"the licence of {_login(action)} was asked to change, and nothing has changed",
            look_at="the person in the Microsoft 365 admin center",
        )
    return outcome


async def find(directory: Directory, action: Action, sku: str) -> Done | Accepted | Absent | Unknown:
    """Look whether it is so; a licence is there or not, so the same again does no harm."""
    outcome = await _now(directory, action, sku, _key(action))
    return outcome if isinstance(outcome, Done) else Absent(why=f"{_login(action)} is as before")


def soon(directory: Directory) -> float:
    """How long to leave alone what has to go round first; a local provider is quicker than the real one."""
    return min(SOON, directory.api.settings.poll)


async def _send(
    directory: Directory, user: User, *, add: list[str] | None = None, remove: list[str] | None = None
) -> None:
    """Send both lists, of which Graph wants neither left out."""
    body = {
        "addLicenses": [{"skuId": one, "disabledPlans": []} for one in add or ()],
        "removeLicenses": remove or [],
    }
    try:
        await directory.api.do("POST", f"/users{path(user.id)}/assignLicense", body)
    except Rejected as error:
        for words, told in PASSING.items():
            if says(error, words):
                raise Unavailable(
                    told.format(user.login),
                    hint="try again later",
                    code=NOT_YET,
                    retry_after=soon(directory),
                ) from error
        if remove and says(error, "does not have a corresponding license"):
            return  # somebody was faster
        raise


async def _now(directory: Directory, action: Action, sku: str, key: str) -> Outcome:
    """Read the licence; a person who is gone has lost it."""
    user = await directory.user(key)
    wanted = action.verb is Verb.ACTIVATE
    if user is None and not wanted:
        return Done(ref=key, data={"login": _login(action)})
    if user is not None and (user.has(sku) if wanted else not user.directly(sku)):
        return _done(user, sku)
    return Accepted(ticket=key, ask_again_after=soon(directory), status="assigning")


def _login(action: Action) -> str:
    return str(action.detail["login"]).lower()


def _key(action: Action) -> str:
    """The person's id; the seat's own key is that id too."""
    targets = action.detail.get("targets") or ()
    return str(action.detail.get("user") or next(iter(targets), None) or _login(action))


def _done(user: User, sku: str) -> Done:
    return Done(ref=user.id, data={"user": user.id, "login": user.login, "sku": sku})
