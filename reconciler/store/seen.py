"""The newest event that this workspace has seen in a journal, remembered beside it: an older journal is noticed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from datetime import UTC
from pathlib import Path

from reconciler.core.journal import Event

FOLDER = Path(".reconciler/seen")
SIZE = 512
"""Bytes of a mark: always the same, so that it is written in one piece over the last one."""


class Seen:
    """The mark of one journal; kept as well as it goes, for it only ever makes us more careful."""

    def __init__(self, root: Path, where: str) -> None:
        self._path = root.absolute() / FOLDER / f"{hashlib.sha256(where.encode()).hexdigest()[:16]}.json"
        self._file: int | None = None

    def last(self) -> tuple[int, str, str] | None:
        """The number of that event, its sign, and what a person calls it; None when nothing is remembered."""
        try:
            values = json.loads(self._path.read_bytes())
            return int(values["seq"]), str(values["sign"]), str(values["told"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, event: Event) -> None:
        """Remember an event that is in the journal."""
        values = {"seq": event.seq, "sign": sign(event), "told": _told(event)[:300]}
        with contextlib.suppress(OSError):
            if self._file is None:
                self._file = self._open()
            os.pwrite(self._file, json.dumps(values).encode().ljust(SIZE), 0)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> int:
        for folder in (self._path.parent.parent, self._path.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        return os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def sign(event: Event) -> str:
    """What tells an event from any other of the same number."""
    parts = (
        event.tenant,
        event.kind,
        event.action,
        event.at.astimezone(UTC).isoformat(),
        event.by,
        event.run,
    )
    return hashlib.sha256("\0".join(parts).encode(errors="replace")).hexdigest()[:32]


def _told(event: Event) -> str:
    who = f" by {event.by}" if event.by else ""
    what = " ".join(word for word in (event.kind.value, event.tenant, event.address) if word)
    text = f"{what}, {event.at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC{who}"
    return "".join(sign if sign.isprintable() and sign.isascii() else "?" for sign in text)
