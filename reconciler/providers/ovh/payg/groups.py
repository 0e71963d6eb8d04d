"""A pay-as-you-go group as a whole: whether it renews, its display name, and its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected, Unavailable
from reconciler.core.model import Json
from reconciler.core.provider import Absent, Accepted, Done, Outcome, Step, Stepped, StepRecord, Told, Unknown
from reconciler.providers.http import path
from reconciler.providers.ovh import lists, renewal
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.capabilities import PRODUCTS
from reconciler.providers.ovh.payg.account import ROOT
from reconciler.providers.ovh.wire import Member, Tenant
from reconciler.providers.settle import last, look_again, not_changed, settled

RECORD = (
    "address",
    "city",
    "creationDate",
    "displayName",
    "firstName",
    "lastName",
    "mcaAgreed",
    "phone",
    "serviceName",
    "serviceType",
    "status",
    "zipCode",
)
"""`license.office.OfficeTenantNative`, what a changed service is sent as; what is read has an `iam` block besides."""


async def reread(api: Api, action: Action) -> Json | None:
    """Read a group again, in the terms that the plan compared."""
    before = action.before
    if before is None:
        return None
    service = _service(action)
    if service not in await lists.ids(api, ROOT):
        return None
    found = dict(before)
    if "renewal" in before:
        record = await api.service(f"{ROOT}{path(service)}")
        found["renewal"] = "off" if record and record.ending else "auto"
    if "name" in before:
        found["name"] = await _shown(api, service)
    return found


async def rename(api: Api, action: Action) -> AsyncGenerator[Told, None]:
    """Give the service another display name: its whole record is sent back, as OVHcloud's own pages do.

    `PUT /license/office/{serviceName}` is ALPHA and answers nothing (API console, verified 2026-08-04), so it
    is done when reading shows it.
    """
    service, name = _service(action), str(action.detail["name"])
    route = f"{ROOT}{path(service)}"
    body = (await api.session.read(route)).data
    if not isinstance(body, dict):
        raise Unavailable(f"GET {route}: the answer is not as published", code="unreadable")
    yield Step(name="name", data={"name": name})
    record = {key: body[key] for key in RECORD if body.get(key) is not None}
    await api.do("PUT", route, {**record, "displayName": name})
    yield Stepped(name="name", ref=service)
    yield await _named(api, action)


async def poll(api: Api, action: Action, steps: tuple[StepRecord, ...]) -> Outcome:
    """Ask whether the display name is shown; one that is not by the time things settle was not taken."""
    outcome = await _named(api, action)
    if isinstance(outcome, Accepted) and await settled(api, last(steps)):
        raise not_changed(
            f"{outcome.ticket} was given the name {action.detail['name']!r} and does not show it",
            look_at="the service's name in the OVHcloud Control Panel",
        )
    return outcome


async def find(api: Api, action: Action, steps: tuple[StepRecord, ...]) -> Done | Accepted | Absent | Unknown:
    """Look whether the display name is as wanted; what is not shown once things settle was not taken."""
    outcome = await _named(api, action)
    if isinstance(outcome, Done) or any(step.ref for step in steps):
        return outcome
    step = last(steps)
    later = await look_again(api, step.began_at) if step else None
    if later is None:
        return Absent(why=f"{outcome.ticket} shows another name, and the same name again does no harm")
    return Unknown(why=f"{outcome.ticket} does not show the new name yet", look_again_at=later)


async def _named(api: Api, action: Action) -> Done | Accepted:
    """Done when the name is shown; it may be shown a while after it was taken."""
    service = _service(action)
    if await _shown(api, service) == action.detail["name"]:
        return Done(ref=service, data={"name": action.detail["name"]})
    return Accepted(ticket=service, ask_again_after=api.settings.poll, status="not shown yet")


async def _shown(api: Api, service: str) -> str:
    return (await api.get(Tenant, f"{ROOT}{path(service)}")).display_name


async def renew(api: Api, action: Action) -> AsyncGenerator[Told, None]:
    """Let a group go on, or end; it is not ended while somebody is left on it."""
    service = _service(action)
    if action.verb is Verb.UPDATE and action.detail.get("renewal") != "off":
        async for told in renewal.keep(api, ROOT, [service], step="undo"):
            yield told
        yield Done(ref=service, data={"renewal": "auto"})
        return
    if action.verb is Verb.CANCEL and not await _is_empty(api, action):
        yield Done(ref=service, data={"kept_for": "another group's people"})
        return
    async for told in renewal.end(api, ROOT, [service], step="end"):
        yield told
    record = await api.service(f"{ROOT}{path(service)}")
    day = renewal.last_day([record])
    yield Done(ref=service, data={"ends_on": day.isoformat()} if day else {})


async def _is_empty(api: Api, action: Action) -> bool:
    """Whether nobody is left; false when only people of another product are."""
    route = f"{ROOT}{path(_service(action))}/user"
    members = (await lists.listing(api, route, Member, key=lambda one: one.activation_email)).whole()
    product = action.detail.get("product")
    staying = [
        name
        for name, one in members.items()
        if product in {PRODUCTS.get(licence, licence) for licence in one.licences}
    ]
    if staying:
        raise Rejected(
            f"changed meanwhile: {', '.join(sorted(staying))} still sit in {_service(action)}, so it is not ended",
            hint="plan again",
            code="changed-meanwhile",
        )
    return not members


def _service(action: Action) -> str:
    return str(action.detail.get("service") or action.detail.get("scope") or "")
