"""What an account's application is worth at Microsoft: whether it gets tokens, and opens the directories named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from reconciler.core.errors import ProviderError, ReconcilerError, Rejected
from reconciler.core.rights import DELEGATED, Checked
from reconciler.providers.microsoft.api import Api
from reconciler.providers.microsoft.connection import Connection
from reconciler.providers.microsoft.graph.delegation import ROOT
from reconciler.providers.microsoft.graph.directory import Directory
from reconciler.providers.microsoft.graph.wire import Relationship

SKEW = 60.0


async def checkup(
    connection: Connection, directories: Iterable[str], *, sells: bool, delegates: bool = False
) -> list[Checked]:
    """Look at an account.

    directories: those that manifests name. sells: Partner Center is used too. delegates: some manifest asks
    for delegated administration.
    """
    own = connection.graph(connection.application.tenant_id)
    try:
        ahead = (await own.now()).timestamp() - own.session.clock.now()
    except ReconcilerError as error:
        return [Checked("fail", f"no token: {error.message}", error.hint or "try again later")]
    skew = Checked("warn", f"this machine's clock differs by {abs(ahead):.0f} s", "set the clock (NTP)")
    told = [Checked("ok", "credentials are accepted")]
    told.append(skew if abs(ahead) > SKEW else Checked("ok", f"clocks differ by {abs(ahead):.0f} s"))
    if sells:
        told += await asyncio.gather(_partner_center(connection, person=False), _person(connection))
    if delegates:
        told.append(await _relationships(own, person=connection.has_person))
    return told + list(await asyncio.gather(*(_directory(connection, one) for one in sorted(directories))))


async def _partner_center(connection: Connection, *, person: bool) -> Checked:
    api = connection.partner_center(person=person)
    who = "its person" if person else "the application"
    began = api.session.clock.monotonic()
    try:
        await api.document("/customers", {"size": "1"})
    except ReconcilerError as error:
        what = f"Partner Center refuses {who}: {error.message}"
        return Checked(
            "fail", what, error.hint or "add the application under App management in Partner Center"
        )
    took = api.session.clock.monotonic() - began
    return Checked("ok", f"Partner Center answers {who} in {took * 1000:.0f} ms")


async def _person(connection: Connection) -> Checked:
    if connection.has_person:
        return await _partner_center(connection, person=True)
    return Checked(
        "warn",
        "nobody signed in for the application (no refresh_token)",
        "agreements and Microsoft's review of a customer can only be read with one",
    )


async def _relationships(own: Api, *, person: bool) -> Checked:
    """Whether delegated relationships can be read; who may change them shows no sooner than at a change."""
    try:
        await own.values(Relationship, ROOT)
    except ProviderError as error:
        what = f"delegated relationships cannot be read: {error.message}"
        refused = isinstance(error, Rejected)
        return Checked("fail", what, DELEGATED if refused else error.hint or "try again later")
    if not person:
        return Checked("warn", "delegated relationships can be read, and nobody signed in", DELEGATED)
    return Checked("ok", "delegated relationships can be read")


async def _directory(connection: Connection, tenant_id: str) -> Checked:
    own = connection.graph(connection.application.tenant_id)
    directory = Directory(tenant_id, connection.graph(tenant_id), own)
    try:
        found = await directory.check()
        await directory.skus()
    except ProviderError as error:
        return Checked("fail", f"directory {tenant_id}: {error.message}", error.hint or "look at its consent")
    return Checked("ok", f"directory {tenant_id} opens ({found.display_name})")
