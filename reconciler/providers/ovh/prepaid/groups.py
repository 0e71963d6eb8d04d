"""What changes a prepaid group as a whole: more seats, fewer seats, renewal, its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from datetime import datetime

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected, Unavailable
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, StepRecord, Told, Unknown
from reconciler.providers.ovh import lists, orders, purchase, renewal
from reconciler.providers.ovh.carts import Wanted
from reconciler.providers.ovh.orders import Bought
from reconciler.providers.ovh.prepaid.account import ROOT, PrepaidAccount
from reconciler.providers.ovh.prepaid.seats import group_of, product_of


async def reread(account: PrepaidAccount, action: Action) -> Json | None:
    """Read a group again, in the terms that the plan compared.

    Whether ending seats count depends on the manifest's renewal, which is not told here: the plan's number
    fits if either count does. Where seats are taken away only those that go on count. The seats that the action
    itself ends or keeps count as before it while it is half the way: an earlier attempt may have come there.
    """
    before = action.before
    service = action.detail.get("service")
    if before is None or service is None:
        return None
    await account.refresh(str(service))
    names = _of_product(account, action)
    if not names:
        return None
    await account.records(names)
    going = _ending_before(account, action)
    live = [name for name in names if name not in going]
    fewer = int(action.detail.get("quantity", 0)) < 0
    found = {
        "seats": len(names) if before.get("seats") == len(names) and not fewer else len(live),
        "renewal": "auto" if live else "off",
    }
    return {key: found.get(key, value) for key, value in before.items()}


def _ending_before(account: PrepaidAccount, action: Action) -> set[str]:
    """Which seats end, with the action's own as they were before it while it is not all done."""
    targets = {str(one) for one in action.detail.get("targets", ())}
    quantity = int(action.detail.get("quantity", 0))
    if action.verb is Verb.RESIZE and quantity >= 0:
        return account.ending | targets if quantity or targets & account.ending else account.ending
    if action.verb is Verb.CANCEL or (_ends(action) and not targets <= account.ending):
        return account.ending - targets
    return account.ending


def _ends(action: Action) -> bool:
    return action.verb is Verb.RESIZE or action.detail.get("renewal") == "off"


def resize(account: PrepaidAccount, action: Action, *, tenant: str) -> AsyncGenerator[Told, None]:
    """Order seats, or let some end; wanting ending ones back comes before buying."""
    quantity = int(action.detail.get("quantity", 0))
    targets = [str(one) for one in action.detail.get("targets", ())]
    if quantity < 0:
        return _end(account, action, targets, free=True)
    if quantity == 0:
        return _keep(account, action, targets)
    return purchase.buy(account.api, action, _wanted(action), tenant=tenant, first=_undo(account, targets))


def renew(account: PrepaidAccount, action: Action) -> AsyncGenerator[Told, None]:
    """Switch the renewal of every target, or end a whole group."""
    targets = [str(one) for one in action.detail.get("targets", ())]
    if action.verb is Verb.UPDATE and action.detail.get("renewal") != "off":
        return _keep(account, action, targets)
    return _end(account, action, targets, free=False)


async def poll(account: PrepaidAccount, action: Action, ticket: str) -> Outcome:
    """Ask how far an order is: it is done when its seats can be read."""
    waiting = await purchase.progress(account.api, ticket)
    if waiting is not None:
        return waiting
    return await _arrived(account, action, ticket) or Accepted(
        ticket=ticket,
        ask_again_after=account.api.settings.poll,
        status="delivered, not readable yet",
        data={"order": ticket},
    )


async def find(
    account: PrepaidAccount, action: Action, steps: tuple[StepRecord, ...], since: datetime
) -> Done | Accepted | Absent | Unknown:
    """Look for an order; an end or its undoing is looked up where it would be done again."""
    if action.verb is Verb.ORDER or int(action.detail.get("quantity", 0)) > 0:
        return await purchase.find(account.api, steps, since)
    return Absent(why="what is ended already is not ended again, so it is safe to go on")


def _wanted(action: Action) -> Wanted:
    detail = action.detail
    scope = detail.get("scope") or detail.get("service")
    return Wanted(
        product=str(detail["product"]), quantity=int(detail["quantity"]), scope=str(scope) if scope else None
    )


def _of_product(account: PrepaidAccount, action: Action) -> list[str]:
    return _sold(account, str(action.detail.get("service")), action.detail.get("product"))


def _sold(account: PrepaidAccount, service: str, product: object) -> list[str]:
    return [name for name in account.seats.of(service) if product_of(account.seats[name]) == product]


async def _undo(account: PrepaidAccount, targets: list[str]) -> AsyncGenerator[Told, None]:
    async for told in renewal.keep(account.api, ROOT, targets, step="undo"):
        yield told
    account.ending -= set(targets)


async def _keep(account: PrepaidAccount, action: Action, targets: list[str]) -> AsyncGenerator[Told, None]:
    kept = targets or await _all_seats(account, action)
    async for told in _undo(account, kept):
        yield told
    yield Done(ref=str(action.detail.get("service", "")), data={"kept": kept})


async def _end(
    account: PrepaidAccount, action: Action, targets: list[str], *, free: bool
) -> AsyncGenerator[Told, None]:
    ending = targets or await _all_seats(account, action)
    if free:
        await _all_free(account, ending)
    async for told in renewal.end(account.api, ROOT, ending, step="end"):
        yield told
    yield await _ended(account, action, ending)


async def _all_seats(account: PrepaidAccount, action: Action) -> list[str]:
    await account.refresh(str(action.detail.get("service", "")))
    return _of_product(account, action)


async def _all_free(account: PrepaidAccount, targets: Iterable[str]) -> None:
    for name in targets:
        seat = await account.seat(name)
        if seat is not None and not seat.free:
            raise Rejected(
                f"changed meanwhile: {seat.login} sits on {name} by now, so it is not ended",
                hint="plan again",
                code="changed-meanwhile",
            )


async def _ended(account: PrepaidAccount, action: Action, targets: list[str]) -> Done:
    """Read the dates back; only then is the end asked for."""
    records = await account.records(targets)
    running = [name for name, record in records.items() if not record.ending]
    if running:
        raise Unavailable(f"{', '.join(running)} does not show its end yet", hint="resume later")
    day = renewal.last_day(records.values())
    data = {"ends_on": day.isoformat()} if day else {}
    return Done(ref=str(action.detail.get("service", "")), data=data)


async def _arrived(account: PrepaidAccount, action: Action, order: str) -> Done | None:
    """Give what an order brought once all of it can be read; the order's own lines say into which service."""
    wanted = _wanted(action)
    lines = [one for one in await orders.bought(account.api, order) if one.product == wanted.product]
    service = await _service_of(account, lines)
    if service is None:
        return None
    if wanted.scope is not None and service != wanted.scope:
        raise Rejected(
            f"order {order} was delivered into {service}, not into {wanted.scope}",
            hint=f"ask OVHcloud's support to move it, or pin `service: {service}`",
            code="delivered-elsewhere",
        )
    await account.refresh(service)
    readable = _sold(account, service, wanted.product)
    named = {name for one in lines for name in one.names if name != service}
    if not named.issubset(readable):
        return None
    expected = int(action.detail.get("expect", wanted.quantity))
    if len(readable) < expected and len(named) < wanted.quantity:
        return None
    data = {"service": service, "scope": service, "seats": len(readable), "order": order}
    return Done(ref=order, data={**data, "names": [name.removeprefix(service) for name in readable]})


async def _service_of(account: PrepaidAccount, lines: list[Bought]) -> str | None:
    names = {name for one in lines for name in one.names}
    listed = set(await lists.ids(account.api, ROOT))
    services: set[str] = set()
    for name in names:
        if name in listed:
            seat = await account.seat(name)
            if seat is None:
                return None
            services.add(seat.tenant_service_name or group_of(name))
        elif any(group_of(one) == name for one in listed):
            services.add(name)
        else:
            return None
    if len(services) > 1:
        raise Rejected(
            f"order {lines[0].order} was delivered into several services: {', '.join(sorted(services))}",
            hint="pin one of them with `service:`",
            code="delivered-elsewhere",
        )
    return services.pop() if services else None
