"""Subscriptions of a reseller tenant: buying one, changing its seats, ending it.

Buying answers a task, never the new id: that is found as what was not in the list before, so the list stands
in the step. Seats are set as an absolute number and an end is an end, so both can be looked up and repeated.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Missing, Rejected
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, Step, Stepped, StepRecord, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.ovh import lists
from reconciler.providers.ovh.csp2.account import ROOT, Csp2Account
from reconciler.providers.ovh.wire import Licence, Subscription, Task
from reconciler.providers.settle import last, look_again, not_changed, settled


async def reread(account: Csp2Account, scope: str, action: Action) -> Json | None:
    """Read a subscription again, in the terms that the plan compared."""
    if action.before is None:
        return None
    one = await _read(account, scope, action)
    if one is None:
        return None
    found = {"seats": one.quantity}
    return {key: found.get(key, value) for key, value in action.before.items()}


async def order(account: Csp2Account, scope: str, action: Action) -> AsyncGenerator[Told, None]:
    """Buy a subscription of a licence."""
    number = _licence_id(account, scope, action)
    quantity = int(action.detail["quantity"])
    licence = await account.licence(scope, number)
    _allowed(licence, number, quantity, new=True)
    before = await account.subscriptions(scope)
    await _nothing_on_its_way(account, scope, before)
    known = sorted(one.id for one in before.values() if one.license_id == number)
    yield Step(
        name="subscription",
        exclusive=True,
        data={"before": known, "licence": number, "quantity": quantity, "scope": scope},
    )
    body = {"licenseId": number, "quantity": quantity}
    task = await account.api.send(Task, "POST", f"{ROOT}{path(scope)}/subscription", body)
    account.began[scope].add(str(task.id))
    yield Stepped(name="subscription", ref=str(task.id), data={"task": task.id})
    yield _pending(account, str(task.id), status=task.status)


async def _nothing_on_its_way(account: Csp2Account, scope: str, there: dict[int, Subscription]) -> None:
    """Refuse while a task is open that may become a subscription of somebody else, or one we have forgotten."""
    route = f"{ROOT}{path(scope)}/task"
    theirs = {str(one.task_pending_id) for one in there.values()} | account.began[scope]
    for number in await lists.ids(account.api, route):
        if number in theirs:
            continue
        task = await account.api.maybe(Task, f"{route}{path(number)}")
        if task is not None and task.open:
            raise Rejected(
                f"task {number} of {scope} is open ({task.function}) and may be a subscription on its way",
                hint="plan again when it has ended",
                code="task-open",
            )


async def resize(account: Csp2Account, scope: str, action: Action) -> AsyncGenerator[Told, None]:
    """Set the number of seats."""
    ref, seats = _ref(action), _seats(action)
    one = await _read(account, scope, action)
    if one is None:
        raise Missing(f"subscription {ref} is not in {scope}", hint="plan again", code="no-subscription")
    if seats > one.quantity:
        _allowed(await account.licence(scope, one.license_id), one.license_id, seats, new=False)
    yield Step(name=f"quantity/{ref}", data={"from": one.quantity, "to": seats})
    route = f"{ROOT}{path(scope)}/subscription{path(ref)}/changeQuantity"
    task = await account.api.send(Task, "POST", route, {"quantity": seats})
    yield Stepped(name=f"quantity/{ref}", ref=str(task.id), data={"task": task.id})
    yield _pending(account, str(task.id), status=task.status)


async def cancel(account: Csp2Account, scope: str, action: Action) -> AsyncGenerator[Told, None]:
    """End a subscription at once, with all its seats."""
    ref = _ref(action)
    yield Step(name=f"delete/{ref}", data={"ref": ref})
    try:
        task = await account.api.send(Task, "DELETE", f"{ROOT}{path(scope)}/subscription{path(ref)}")
    except Missing:
        yield _gone(ref)
        return
    yield Stepped(name=f"delete/{ref}", ref=str(task.id), data={"task": task.id})
    yield _pending(account, str(task.id), status=task.status)


async def poll(
    account: Csp2Account, scope: str, action: Action, ticket: str, steps: tuple[StepRecord, ...]
) -> Outcome:
    """Ask how far it is: the task says when it failed, the subscription when it is so."""
    step = last(steps)
    task = await account.api.maybe(Task, f"{ROOT}{path(scope)}/task{path(ticket)}")
    failed = task is not None and task.failed
    if not (failed and action.verb is Verb.ORDER):  # what is new beside a failed purchase is somebody else's
        done = await _done(account, scope, action, step)
        if done is not None:
            return done
    if task is not None and failed:
        raise Rejected(
            f"task {ticket} of {scope} ended as {task.status}",
            hint="look at the tenant in the OVHcloud Control Panel, then plan again",
            code="task-failed",
        )
    over = task is None or not task.open
    if over and action.verb is not Verb.ORDER and await settled(account.api, step):
        raise not_changed(
            f"task {ticket} of {scope} is over, and nothing has changed",
            look_at="the tenant in the OVHcloud Control Panel",
        )
    return _pending(account, ticket, status=task.status if task else "not there yet")


async def find(
    account: Csp2Account,
    scope: str,
    action: Action,
    steps: tuple[StepRecord, ...],
    since: datetime,
) -> Done | Accepted | Absent | Unknown:
    """Look for the effect; a new subscription that does not show proves nothing, so it is never sent again."""
    step = last(steps)
    if step is None:
        return Absent(why="nothing was sent")
    done = await _done(account, scope, action, step)
    if done is not None:
        return done
    if step.ref is not None:
        return _pending(account, step.ref, status="accepted")
    if action.verb is not Verb.ORDER:
        one = await _read(account, scope, action)
        if one is not None and one.task_pending_id:
            return _pending(account, str(one.task_pending_id), status="under way")
        return Absent(why=f"it is as it was at {since:%H:%M}, and the same call again does no harm")
    several = await _new(account, scope, step)
    if len(several) > 1:
        names = ", ".join(str(one.id) for one in several)
        return Unknown(why=f"subscriptions {names} of {scope} are new, and each could be this one")
    why = f"no new subscription shows in {scope}"
    return Unknown(why=why, look_again_at=await look_again(account.api, step.began_at))


async def _done(account: Csp2Account, scope: str, action: Action, step: StepRecord | None) -> Done | None:
    """Give the end of an action when the provider shows it."""
    if action.verb is Verb.ORDER:
        new = await _new(account, scope, step) if step else []
        if len(new) != 1 or new[0].task_pending_id or not _fits(new[0], step):
            return None
        account.taken[scope].add(new[0].id)
        data = {"service": str(new[0].id), "scope": scope, "seats": new[0].quantity}
        return Done(ref=str(new[0].id), data=data)
    one = await _read(account, scope, action)
    if action.verb is Verb.CANCEL:
        return _gone(_ref(action)) if one is None else None
    if one is None or one.task_pending_id or one.quantity != _seats(action):
        return None
    return Done(ref=_ref(action), data={"seats": one.quantity})


def _fits(one: Subscription, step: StepRecord | None) -> bool:
    """Whether a new subscription can be what was asked for; after an answer somebody may have changed its seats."""
    return step is not None and (step.ref is not None or one.quantity == step.data.get("quantity"))


async def _new(account: Csp2Account, scope: str, step: StepRecord) -> list[Subscription]:
    """Give the subscriptions of the licence that were not there before and are no other order's."""
    # What other tenants claimed may be an order or a service of another family: compared as it is written.
    known = {str(one) for one in (*step.data.get("before", ()), *step.data.get("claimed", ()))}
    known |= {str(one) for one in account.taken[scope]}
    licence, quantity = step.data.get("licence"), step.data.get("quantity")
    new = [
        one
        for one in (await account.subscriptions(scope)).values()
        if one.license_id == licence and str(one.id) not in known
    ]
    alike = [one for one in new if one.quantity == quantity]
    return alike if len(new) > 1 and alike else new


async def _read(account: Csp2Account, scope: str, action: Action) -> Subscription | None:
    return await account.api.maybe(Subscription, f"{ROOT}{path(scope)}/subscription{path(_ref(action))}")


def _licence_id(account: Csp2Account, scope: str, action: Action) -> int:
    product = str(action.detail["product"])
    number = account.product_id(scope, product) or (product if product.isdecimal() else None)
    if number is None:
        raise Rejected(f"{scope} cannot buy {product!r}: its orderableLicenses do not name it")
    return int(number)


def _allowed(licence: Licence | None, number: int, quantity: int, *, new: bool) -> None:
    """Refuse what the tenant's own list says will be refused."""
    if licence is None:
        raise Rejected(f"licence {number} is not orderable in this tenant", code="not-orderable")
    name = licence.name or str(number)
    if new and licence.licence_type == "ADDON":
        raise Rejected(
            f"{name} is an add-on, which is bought for a subscription and not by itself",
            hint="buy it at OVHcloud, then pin it with `subscription:`",
            code="add-on",
        )
    if new and licence.new_subscriptions_allowed is False:
        raise Rejected(f"{name} takes no new subscriptions in this tenant", code="no-new-subscriptions")
    if not new and licence.new_seats_allowed is False:
        raise Rejected(f"{name} takes no more seats in this tenant", code="no-new-seats")
    if licence.limit is not None and quantity > licence.limit:
        raise Rejected(f"{name} takes at most {licence.limit} seats, not {quantity}", code="above-limit")


def _ref(action: Action) -> str:
    return str(action.detail.get("service") or "")


def _seats(action: Action) -> int:
    return int((action.after or {}).get("seats") or action.detail["expect"])


def _gone(ref: str) -> Done:
    return Done(ref=ref, data={"ended": True})


def _pending(account: Csp2Account, ticket: str, *, status: str) -> Accepted:
    return Accepted(
        ticket=ticket, ask_again_after=account.api.settings.poll, status=status, data={"task": ticket}
    )
