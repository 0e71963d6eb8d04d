"""Fixtures of the tests of the providers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from reconciler.providers import OPEN, open_session
from reconciler.providers.microsoft.connection import open_partner
from reconciler.sandbox.client import transport
from reconciler.sandbox.world import World
from tests.providers.microsoft.town import DELEGATED, WITH_DIRECTORY, manifest, routed
from tests.providers.rig import KEYS, MICROSOFT, SETTINGS, Open, Rig, Time, roots, written


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def world(tmp_path: Path, time: Time) -> Iterator[World]:
    made = World.open(tmp_path / "sandbox.db", now=lambda: datetime.fromtimestamp(time.now, UTC))
    made.set("rate", "0")
    yield made
    made.close()


@pytest.fixture
def open_rig(world: World, time: Time) -> Open:
    async def opened(
        kind: str,
        scope: str | None,
        document: dict[str, Any] | None = None,
        *,
        writes: bool = True,
        through: httpx.AsyncBaseTransport | None = None,
        credentials: dict[str, str] | None = None,
        **settings: Any,
    ) -> Rig:
        world.load(document or {})
        if kind.endswith(WITH_DIRECTORY):
            joined = manifest(kind.removesuffix(WITH_DIRECTORY), delegated_administration=DELEGATED)
            return routed(world, time, joined, document=None, writes=writes, through=through, **settings)
        wanted = replace(SETTINGS, **settings)
        carrier = through or transport(world)
        if kind == "partner-center":
            connection = open_partner(
                wanted,
                roots(wanted.base_url),
                credentials or MICROSOFT,
                writes=writes,
                transport=carrier,
                clock=time.clock,
            )
            account = OPEN[kind]("ovh-main", connection)
            session = connection.partner_center().session
            return Rig(world, session, account, account.tenant(written("acme", scope, kind)), time)
        session = open_session(
            wanted, credentials or KEYS, writes=writes, transport=carrier, clock=time.clock
        )
        account = OPEN[kind]("ovh-main", session)
        return Rig(world, session, account, account.tenant(written("acme", scope, kind)), time)

    return opened
