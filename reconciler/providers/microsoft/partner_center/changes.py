"""Changing a subscription: it is read whole, one thing in it is altered, and it is sent back whole.

A PATCH of a part would switch the renewal off and drop what is scheduled (update-a-subscription-by-id, 2023-10).
Every change is absolute, so each can be looked up and sent again. A change of seats drops what was scheduled for
the renewal, on some pages even when it is sent along: it is read back, and sent again when it is gone.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from msgspec import Struct

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Missing, Rejected, Unavailable, Uncertain
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Attempt, Done, Outcome, Step, Stepped, StepRecord, Told
from reconciler.providers.http import path
from reconciler.providers.microsoft.api import request_id
from reconciler.providers.microsoft.partner_center import holdings
from reconciler.providers.microsoft.partner_center.account import PartnerCenterAccount
from reconciler.providers.microsoft.partner_center.wire import Subscription
from reconciler.providers.published import parse
from reconciler.providers.settle import last, not_changed, settled

SCHEDULE = "scheduledNextTermInstructions"
STALE = "2055"


class Document(Struct, frozen=True, kw_only=True):
    """A subscription as it came, to be sent back whole, and as it is understood."""

    raw: Mapping[str, Any]
    one: Subscription

    def with_(self, **changed: Any) -> dict[str, Any]:
        """Give it with some properties changed; None takes one out."""
        spelled = {key.lower(): key for key in self.raw}
        body = dict(self.raw)
        for key, value in changed.items():
            name = spelled.get(key.lower(), key)
            body.pop(name, None)
            if value is not None:
                body[name] = value
        return body

    @property
    def schedule(self) -> dict[str, Any] | None:
        """What is planned for the renewal, as it came."""
        found = {key.lower(): value for key, value in self.raw.items()}.get(SCHEDULE.lower())
        return found if isinstance(found, dict) and found else None


async def reread(account: PartnerCenterAccount, scope: str, action: Action) -> Json | None:
    """Read a subscription again, in the terms that the plan compared; None for one that is gone."""
    if action.before is None:
        return None
    document = await _read(account, scope, _ref(action))
    if document is None or (document.one.status in holdings.GONE and action.verb is not Verb.CANCEL):
        return None  # one that ended can still be read
    one = document.one
    found: dict[str, object] = {
        "seats": one.quantity,
        "renewal": holdings.renewal(one),
        "term": one.term_duration.upper(),
        "billing": one.billing_cycle,
    }
    if action.verb is Verb.SCHEDULE:
        found |= holdings.next_term(one, one.scheduled_next_term_instructions)
    return {key: found.get(key, value) for key, value in action.before.items()}


async def change(
    account: PartnerCenterAccount, scope: str, action: Action, attempt: Attempt
) -> AsyncGenerator[Told, None]:
    """Make a subscription as the action wants it, alone: what another change did meanwhile would be undone."""
    async with account.alone(_ref(action)), aclosing(_change(account, scope, action, attempt)) as stream:
        async for told in stream:
            yield told


async def _change(
    account: PartnerCenterAccount, scope: str, action: Action, attempt: Attempt
) -> AsyncGenerator[Told, None]:
    ref = _ref(action)
    document = await _read(account, scope, ref)
    if document is None:
        yield _without(action, scope)
        return
    step = f"{_what(action)}/{ref}"
    kept = _kept(action, document, attempt.steps)
    if not _is_so(action, document.one):
        body = await _changed(account, scope, action, document)
        yield Step(name=step, data={"ref": ref, "schedule": kept})
        document = await _send(account, scope, action, ref, body, f"{step}/{attempt.number}")
        yield Stepped(name=step, ref=ref)
    if kept is not None and document.schedule is None and document.one.auto_renew_enabled:
        yield Step(name=f"schedule-again/{ref}", data={"ref": ref, "schedule": kept})
        again = document.with_(**{SCHEDULE: kept})
        await _send(account, scope, action, ref, again, f"{step}/again/{attempt.number}")
        yield Stepped(name=f"schedule-again/{ref}", ref=ref)
    yield _outcome(account, action, document.one)


async def poll(
    account: PartnerCenterAccount, scope: str, action: Action, steps: tuple[StepRecord, ...]
) -> Outcome:
    """Ask whether it is so; a change that does not show by the time things settle was not taken."""
    document = await _read(account, scope, _ref(action))
    outcome = _outcome(account, action, document.one if document else None)
    if isinstance(outcome, Accepted) and await settled(account.api, last(steps)):
        raise not_changed(
            f"subscription {_ref(action)} was changed, and does not show it: nothing has changed",
            look_at="the subscription in Partner Center",
        )
    return outcome


async def find(
    account: PartnerCenterAccount, scope: str, action: Action, steps: tuple[StepRecord, ...]
) -> Done | Accepted | Absent:
    """Look whether it is so; what was scheduled before is put back where the change dropped it."""
    ref = _ref(action)
    document = await _read(account, scope, ref)
    outcome = _outcome(account, action, document.one if document else None)
    if isinstance(outcome, Accepted):
        return Absent(why=f"{ref} is not as wanted yet, and the same change again does no harm")
    kept = _remembered(steps)
    if document is not None and kept is not None and document.schedule is None:
        await _put_back(account, scope, action, document, kept)
    return outcome


async def _put_back(
    account: PartnerCenterAccount, scope: str, action: Action, document: Document, kept: dict[str, Any]
) -> None:
    if not document.one.auto_renew_enabled:
        return
    body = document.with_(**{SCHEDULE: kept})
    try:
        await _send(account, scope, action, document.one.id, body, "put-back")
    except Uncertain as error:  # looking again tells, and it does no harm to send it twice
        raise Unavailable(error.message, hint="look again later", code=error.code) from error


def _kept(action: Action, document: Document, steps: tuple[StepRecord, ...]) -> dict[str, Any] | None:
    """What is scheduled and has to outlive a change of seats; an earlier attempt may have dropped it already."""
    if action.verb is not Verb.RESIZE:
        return None
    return document.schedule or _remembered(steps)


def _remembered(steps: tuple[StepRecord, ...]) -> dict[str, Any] | None:
    found = [step.data["schedule"] for step in steps if step.data.get("schedule")]
    return dict(found[0]) if found else None


async def _changed(
    account: PartnerCenterAccount, scope: str, action: Action, document: Document
) -> dict[str, Any]:
    """The whole document as it is to be sent."""
    _may(action, document.one)
    after = action.after or {}
    match action.verb:
        case Verb.RESIZE:
            return document.with_(quantity=_seats(action))
        case Verb.SCHEDULE:
            planned = await _next_term(account, scope, document, after)
            return document.with_(**{SCHEDULE: planned})
        case Verb.CANCEL if _at_once(action):
            return document.with_(status="deleted")
        case Verb.UPDATE if action.detail.get("renewal") == "auto":
            return document.with_(autoRenewEnabled=True)
    # Without a renewal there is nothing for which something could be scheduled.
    return document.with_(autoRenewEnabled=False, **{SCHEDULE: None})


async def _next_term(
    account: PartnerCenterAccount, scope: str, document: Document, after: Json
) -> dict[str, Any] | None:
    """What to ask for at the renewal; None when the renewal as it is brings just that."""
    one = document.one
    planned = one.scheduled_next_term_instructions
    wish = {**holdings.next_term(one, planned), **after}
    product = one.product
    if planned is not None and planned.product is not None and planned.product.product_id:
        product = f"{planned.product.product_id}:{planned.product.sku_id}".upper()
    plain = holdings.next_term(one, None)
    kept = {key: value for key, value in (document.schedule or {}).items() if key.lower() != "quantity"}
    more = any(key.lower() != "product" and value for key, value in kept.items())
    if product == one.product and not more and all(wish[key] == value for key, value in plain.items()):
        return None
    if kept and after.keys() <= {"seats"}:  # an end date or a promotion that somebody else asked for stays
        return {**kept, "quantity": wish["seats"]}
    item = await account.catalogue.item(scope, product, term=str(wish["term"]), billing=str(wish["billing"]))
    number, variant, availability = item.catalog_id.split(":")
    return {
        "product": {
            "productId": number,
            "skuId": variant,
            "availabilityId": availability,
            "billingCycle": wish["billing"],
            "termDuration": wish["term"],
        },
        "quantity": wish["seats"],
    }


def _may(action: Action, one: Subscription) -> None:
    """Refuse what Partner Center would refuse, in words that say what to do."""
    if one.status in {"expired", "disabled", "suspended"}:
        ended = (
            "it cannot be renewed any more, only bought anew"
            if one.status != "suspended"
            else "resume it first"
        )
        raise Rejected(f"subscription {one.id} is {one.status}: {ended}", hint="plan again", code=one.status)
    if action.verb is Verb.SCHEDULE and one.scheduled_actions:
        raise Rejected(
            f"subscription {one.id} has scheduledActions, beside which nothing else that is scheduled counts",
            hint="look at its scheduled changes in Partner Center, and change them there",
            code="scheduled-elsewhere",
        )
    if action.verb is Verb.SCHEDULE and not one.auto_renew_enabled:
        raise Rejected(
            f"subscription {one.id} does not renew, so nothing can be scheduled for its renewal",
            hint="write `renewal: auto`, or plan again",
            code="not-renewing",
        )


async def _send(
    account: PartnerCenterAccount, scope: str, action: Action, ref: str, body: object, step: str
) -> Document:
    headers = {"MS-RequestId": request_id(action.id, step, 0)}
    try:
        answer = await account.api.do("PATCH", _route(scope, ref), body, headers=headers)
    except Rejected as error:
        if error.code == STALE:
            said = f"changed meanwhile: {error.message}"
            raise Rejected(said, hint=error.hint, code="changed-meanwhile") from error
        raise
    try:
        return _document(answer)
    except ValueError as error:
        raise Uncertain(
            f"PATCH of {ref}: the answer is not as published ({error})", code="unreadable"
        ) from None


def _is_so(action: Action, one: Subscription) -> bool:
    after = action.after or {}
    match action.verb:
        case Verb.RESIZE:
            return one.quantity == _seats(action)
        case Verb.SCHEDULE:
            shown = holdings.next_term(one, one.scheduled_next_term_instructions)
            return all(shown.get(key) == value for key, value in after.items())
        case Verb.CANCEL if _at_once(action):
            return one.status in holdings.GONE
        case Verb.UPDATE if action.detail.get("renewal") == "auto":
            return one.auto_renew_enabled is True
    return one.auto_renew_enabled is False


def _outcome(account: PartnerCenterAccount, action: Action, one: Subscription | None) -> Done | Accepted:
    ref = _ref(action)
    if one is None or one.status in holdings.GONE:
        if action.verb is Verb.CANCEL:
            return Done(ref=ref, data={"ended": True})
    elif _is_so(action, one):
        return Done(ref=ref, data={"seats": one.quantity} if action.verb is Verb.RESIZE else {})
    return Accepted(ticket=ref, ask_again_after=account.api.settings.poll, status="not shown yet")


def _without(action: Action, scope: str) -> Done:
    """What it means that there is no such subscription: it ended, which is what a cancellation wants."""
    ref = _ref(action)
    if action.verb is Verb.CANCEL:
        return Done(ref=ref, data={"ended": True})
    raise Missing(f"subscription {ref} is not at customer {scope}", hint="plan again", code="no-subscription")


async def _read(account: PartnerCenterAccount, scope: str, ref: str) -> Document | None:
    route = _route(scope, ref)
    try:
        raw = await account.api.document(route)
    except Missing:
        return None
    try:
        return _document(raw)
    except ValueError as error:
        raise Unavailable(
            f"GET {route}: the answer is not as published ({error})", code="unreadable"
        ) from None


def _document(raw: Any) -> Document:
    return Document(raw=raw, one=parse(Subscription, raw))


def _route(scope: str, ref: str) -> str:
    return f"/customers{path(scope)}/subscriptions{path(ref)}"


def _what(action: Action) -> str:
    match action.verb:
        case Verb.RESIZE:
            return "quantity"
        case Verb.SCHEDULE:
            return "schedule"
        case Verb.CANCEL if _at_once(action):
            return "delete"
    return "renewal"


def _at_once(action: Action) -> bool:
    """Whether a cancelled group is to end now: asked for, and planned while its window was open."""
    return bool(action.detail.get("ends_now")) and action.scheduled_for is None


def _seats(action: Action) -> int:
    return int((action.after or {}).get("seats") or action.detail["expect"])


def _ref(action: Action) -> str:
    return str(action.detail.get("service") or "")
