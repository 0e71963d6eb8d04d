"""One run of the engine for one command: its files, journal, listener and setup, opened and closed together."""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from reconciler.cli.telling import Listener, telling
from reconciler.cli.wiring import (
    Chosen,
    World,
    chosen_by,
    duration,
    files,
    journal_of,
    new_in_ci,
    notes_on,
    run,
    setup,
)
from reconciler.core.errors import UsageError
from reconciler.core.journal import Journal
from reconciler.core.policy import allowances
from reconciler.engine.clock import SystemClock
from reconciler.engine.setup import Setup, load

T = TypeVar("T")


class Job(Struct, frozen=True, kw_only=True):
    """Everything that is open while one command runs."""

    chosen: Chosen
    world: World
    made: Setup
    clock: SystemClock
    listener: Listener

    def run(self, main: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Run the engine to its end."""
        return run(main, self.made, self.clock)


@contextmanager
def job(values: dict[str, Any], *, writes: bool, planned: tuple[str, ...] | None = None) -> Iterator[Job]:
    """Open what a command needs. `planned` names the tenants of a saved plan: they alone are looked at."""
    allowed, at = allowances(values.get("allow") or ()), _at(values.get("at"))
    wait = duration(values.get("wait") or "0")
    chosen = chosen_by(values, planned=planned)
    world = files(chosen)
    clock = SystemClock()
    journal = _journal(world, chosen, values, writes=writes)
    told = telling(quiet=values["quiet"], log_json=values["log_json"], verbose=values["verbose"])
    try:
        with told as listener:
            from reconciler.cli.changed import policies

            plain = setup(world, journal, writes=writes, clock=clock, remembers=writes)
            made = replace(
                plain,
                tell=listener.tell,
                wait=wait,
                at=at,
                allowed=allowed,
                policies=policies(world, chosen.changed_since),
                concurrency=values["concurrency"],
                notes=(*plain.notes, *_notes(world, chosen, journal)),
                fresh_refused="" if values.get("new_journal") else new_in_ci(world, chosen, journal),
                accepted=bool(values.get("accept_journal")),
            )
            if made.accepted:
                journal.accept()
            _narrow(made, world, chosen)
            yield Job(chosen=chosen, world=world, made=made, clock=clock, listener=listener)
    finally:
        journal.close()


def _journal(world: World, chosen: Chosen, values: dict[str, Any], *, writes: bool) -> Journal:
    """Open the journal; in CI a new one is not made before it is clear that nothing would be bought with it.

    Made and then refused, it would pass for an old one the next time.
    """
    if writes and os.environ.get("CI") and values.get("new_journal") is False and not values.get("looked"):
        journal = journal_of(world, chosen, create=False)
        if new_in_ci(world, chosen, journal):
            return journal
        journal.close()
    return journal_of(world, chosen, create=writes)


def _narrow(made: Setup, world: World, chosen: Chosen) -> None:
    if chosen.changed_since is None:
        return
    from reconciler.cli.changed import narrowed

    owed = frozenset(name for name, known in load(made).items() if known.owed)
    made.selection = narrowed(world, chosen.changed_since, owed=owed)


def _notes(world: World, chosen: Chosen, journal: Journal) -> tuple[str, ...]:
    from reconciler.cli.changed import workspace_changes

    said = workspace_changes(world, chosen.changed_since)
    if journal.fresh:
        said = (*said, "there is no journal yet: nothing is known of earlier applies")
    said = (*said, *notes_on(journal))
    if journal.behind:
        said = (*said, f"{journal.behind}: put the newer one back before you apply")
    return said


def _at(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"--at {text}: not a date", hint="write 2026-12-31") from error
    return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
