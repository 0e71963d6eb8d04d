"""When a service renews and ends: the service record, of which only `renew` can be written."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from datetime import date
from typing import Any

from reconciler.core.errors import Rejected, Unavailable
from reconciler.core.provider import Step, Stepped, Told
from reconciler.providers.http import path
from reconciler.providers.ovh.api import Api
from reconciler.providers.ovh.wire import Service
from reconciler.providers.published import parse


async def end(api: Api, root: str, names: Iterable[str], *, step: str) -> AsyncGenerator[Told, None]:
    """Let services end at their expiration, each as a step of its own; what ends already is left alone."""
    async for told in _write(api, root, names, step=step, ending=True):
        yield told


async def keep(api: Api, root: str, names: Iterable[str], *, step: str) -> AsyncGenerator[Told, None]:
    """Take the end back where it was asked for."""
    async for told in _write(api, root, names, step=step, ending=False):
        yield told


def last_day(records: Iterable[Service | None]) -> date | None:
    """Give the day on which the last of them ends."""
    return max((one.expiration for one in records if one and one.expiration), default=None)


async def _write(
    api: Api, root: str, names: Iterable[str], *, step: str, ending: bool
) -> AsyncGenerator[Told, None]:
    for name in names:
        route = f"{root}{path(name)}/serviceInfos"
        body = (await api.session.read(route)).data
        record = _record(route, body)
        if record.ending is ending:
            continue
        if ending and record.can_delete_at_expiration is False:
            raise Rejected(
                f"{name} cannot be ended at its expiration: OVHcloud says so in its service record",
                hint="ask OVHcloud's support, or let it run",
                code="cannot-end",
            )
        renew: dict[str, Any] = dict(body.get("renew") or {})
        yield Step(name=f"{step}/{name}", data={"ref": name})
        await api.do("PUT", route, {"renew": {**renew, "deleteAtExpiration": ending}})
        yield Stepped(name=f"{step}/{name}", ref=name)
        if _record(route, (await api.session.read(route)).data).ending is not ending:
            raise Unavailable(
                f"PUT {route} was answered, and the record does not show it yet",
                hint="run `reconciler resume` later",
                code="not-shown",
            )


def _record(route: str, body: Any) -> Service:
    try:
        return parse(Service, body)
    except ValueError as error:
        raise Unavailable(
            f"GET {route}: the answer is not as published ({error})", code="unreadable"
        ) from None
