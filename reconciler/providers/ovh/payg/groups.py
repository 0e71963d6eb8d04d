"""A pay-as-you-go group as a whole: whether it renews, its display name, and its end."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from reconciler.core.action import Action, Verb
from reconciler.core.errors import Rejected
from reconciler.core.model import Json
from reconciler.core.provider import Done, Told
from reconciler.providers.http import path
from reconciler.providers.ovh import lists, renewal
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.capabilities import PRODUCTS
from reconciler.providers.ovh.payg.account import ROOT
from reconciler.providers.ovh.wire import Member


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
    return found


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
            f"{', '.join(sorted(staying))} still sit in {_service(action)}, so it is not ended",
            hint="plan again",
            code="changed-meanwhile",
        )
    return not members


def _service(action: Action) -> str:
    return str(action.detail.get("service") or action.detail.get("scope") or "")
