"""What is looked at before a confirmation is believed: a product key's form and past, the seats a directory shows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable

import click

from reconciler.cli.wiring import run
from reconciler.core.action import Action, Verb
from reconciler.core.errors import ProviderError, WorkspaceError
from reconciler.core.journal import Event
from reconciler.core.manifest import ManifestFile
from reconciler.core.open import Open
from reconciler.core.provider import Absent, Unknown
from reconciler.engine.clock import SystemClock
from reconciler.engine.setup import Setup
from reconciler.store.secrets import resolve

# "a unique 25-character alphanumeric code" (seed 004); printed as five groups of five.
KEY = re.compile(r"[A-Za-z0-9]{5}(-?[A-Za-z0-9]{5}){4}")
SPELLED = re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{5}(-[A-Za-z0-9]{5}){4}(?![A-Za-z0-9])")
FINGERPRINT = 16
"""Hexadecimal digits that tell one key from another and nothing of the key."""


def no_key(*words: str) -> None:
    """Refuse words that hold a product key: what a person says is written down for ever."""
    if any(SPELLED.search(word) for word in words):
        raise WorkspaceError(
            "a product key is in what you say, and the journal never holds one",
            hint="say who did it, and a ticket or a link that shows it",
            code="product-key",
        )


def proof(made: Setup, manifest: ManifestFile, one: Open) -> dict[str, str]:
    """Look whether a step by hand can have been done; what the journal should know of that."""
    action = one.action
    if reference := action.detail.get("key_at"):
        return _of_key(str(reference), action, made.journal.events())
    if manifest.tenant.directory and action.verb in {Verb.ORDER, Verb.RESIZE}:
        _of_seats(made, manifest, one)
    return {}


def _of_key(reference: str, action: Action, events: Iterable[Event]) -> dict[str, str]:
    """Check a key's form and that nobody confirmed it before, where it can be read here."""
    try:
        key = resolve(reference, os.environ)
    except WorkspaceError as error:
        click.echo(f"note: the key was not looked at: {error.message}", err=True)
        return {}
    if KEY.fullmatch(key.strip()) is None:
        raise WorkspaceError(
            f"{reference}: what it holds is no product key",
            hint="a key is 25 letters and digits, as five groups of five",
            code="product-key",
        )
    mark = fingerprint(key)
    for event in events:
        if event.data.get("key") == mark and event.action != action.id:
            raise WorkspaceError(
                f"{reference}: this key was redeemed before, at {event.tenant} {event.address} "
                f"on {event.at:%Y-%m-%d}",
                hint="a key works once: write another one",
                code="product-key",
            )
    return {"key": mark}


def fingerprint(key: str) -> str:
    """Tell one key from another without saying it."""
    plain = key.strip().replace("-", "").upper()
    return hashlib.sha256(plain.encode()).hexdigest()[:FINGERPRINT]


def _of_seats(made: Setup, manifest: ManifestFile, one: Open) -> None:
    """Refuse a confirmation that the directory contradicts."""
    found = None
    try:
        found = _run(made, manifest, one)
    except ProviderError as error:
        click.echo(f"note: the directory could not be asked: {error.message}", err=True)
    match found:
        case Absent(why=why):
            raise WorkspaceError(
                f"{manifest.tenant.tenant} {one.action.address} is not done: {why}",
                hint="confirm it once the directory shows the seats",
                code="not-done",
            )
        case Unknown(why=why):
            click.echo(f"note: the directory does not tell: {why}", err=True)


def _run(made: Setup, manifest: ManifestFile, one: Open) -> object:
    async def look() -> object:
        account = made.accounts.of(manifest.tenant)
        return await account.tenant(manifest.tenant).find(one.action, one.steps, one.since)

    return run(look, made, SystemClock())
