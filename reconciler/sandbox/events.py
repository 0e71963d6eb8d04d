"""What happens later: stored with its time, and done when the world is next touched."""

import json
from collections.abc import Callable
from typing import Any

from reconciler.sandbox.store import Tx

Event = Callable[[Tx, dict[str, Any]], None]

_EVENTS: dict[str, Event] = {}


def event(name: str) -> Callable[[Event], Event]:
    """Let a function do what was stored under a name; it sees the time it was due."""

    def register(function: Event) -> Event:
        _EVENTS[name] = function
        return function

    return register


def settle(tx: Tx) -> None:
    """Do everything that is due by now, in the order of its time."""
    while True:
        due = tx.one("SELECT * FROM due WHERE at <= ? ORDER BY at, id LIMIT 1", tx.now)
        ending = tx.one(
            "SELECT id, expiration FROM service WHERE state = 'ok' AND expiration <= ? ORDER BY expiration LIMIT 1",
            tx.now,
        )
        if ending is not None and (due is None or ending["expiration"] < due["at"]):
            _EVENTS["expiration"](tx.at(ending["expiration"]), {"service": ending["id"]})
            continue
        if due is None:
            return
        tx.run("DELETE FROM due WHERE id = ?", due["id"])
        _EVENTS[due["what"]](tx.at(due["at"]), json.loads(due["data"]))
