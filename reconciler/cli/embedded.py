"""The sandbox inside this process: the real adapters, over a transport without a network."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from reconciler.core.errors import WorkspaceError
from reconciler.providers.libraries import httpx
from reconciler.providers.settings import Settings
from reconciler.sandbox.client import BASE_URL, MICROSOFT_URLS, TOKEN_URL, transport
from reconciler.sandbox.microsoft import keys
from reconciler.sandbox.ovh import gate
from reconciler.sandbox.world import World

_OVH = {
    "application_key": gate.APPLICATION_KEY,
    "application_secret": gate.APPLICATION_SECRET,
    "consumer_key": gate.CONSUMER_KEY,
}
_MICROSOFT = {
    "tenant_id": keys.PARTNER_TENANT,
    "client_id": keys.CLIENT_ID,
    "client_secret": keys.CLIENT_SECRET,
    "refresh_token": keys.REFRESH_TOKEN,
}


def embedded(root: Path, settings: Settings) -> tuple[Settings, Mapping[str, str], httpx.AsyncBaseTransport]:
    """The settings, OVHcloud's credentials and the transport of the sandbox beside a workspace file."""
    return replace(settings, base_url=BASE_URL, token_url=TOKEN_URL), _OVH, _way(root)


def embedded_microsoft(root: Path) -> tuple[Mapping[str, str], Mapping[str, str], httpx.AsyncBaseTransport]:
    """The roots, Microsoft's credentials and the transport of the sandbox beside a workspace file."""
    return MICROSOFT_URLS, _MICROSOFT, _way(root)


def _way(root: Path) -> httpx.AsyncBaseTransport:
    """The way into the sandbox's file; WorkspaceError when it cannot be made or read."""
    path = root / ".reconciler" / "sandbox.db"
    try:
        return transport(World.open(path))
    except OSError as error:
        why = error.strerror or str(error)
    except (ValueError, sqlite3.Error) as error:  # another version's, or none of ours
        why = str(error)
    raise WorkspaceError(
        f"{path}: the sandbox cannot be opened ({why})",
        hint="the sandbox keeps what was done in this file: run as its owner, in a folder that can be written",
    )
