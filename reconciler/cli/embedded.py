"""The sandbox inside this process: the real adapter, signing real requests, over a transport without a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from reconciler.providers.libraries import httpx
from reconciler.providers.settings import Settings
from reconciler.sandbox.client import BASE_URL, TOKEN_URL, transport
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World

_CREDENTIALS = {
    "application_key": gate.APPLICATION_KEY,
    "application_secret": gate.APPLICATION_SECRET,
    "consumer_key": gate.CONSUMER_KEY,
}


def embedded(root: Path, settings: Settings) -> tuple[Settings, Mapping[str, str], httpx.AsyncBaseTransport]:
    """The settings, the credentials and the transport of the sandbox that lives beside a workspace file."""
    world = World.open(root / ".reconciler" / "sandbox.db")
    return replace(settings, base_url=BASE_URL, token_url=TOKEN_URL), _CREDENTIALS, transport(world)
