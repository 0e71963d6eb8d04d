"""How a command writes what a person says into the journal: opened with the files, under the tenant's lease."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from reconciler.cli.output import note
from reconciler.cli.wiring import Chosen, World, files, journal_of, notes_of, run, setup
from reconciler.core.errors import LeaseHeldError, StalePlanError, WorkspaceError
from reconciler.core.journal import Journal
from reconciler.core.manifest import ManifestFile
from reconciler.core.progress import Progress
from reconciler.engine.clock import SystemClock
from reconciler.engine.inherit import inherit
from reconciler.engine.scribe import Scribe
from reconciler.engine.setup import Setup
from reconciler.engine.tenant import leased


@contextmanager
def opened(values: dict[str, Any], *, create: bool) -> Iterator[tuple[World, Journal]]:
    """The files and the journal that a command is about; what one should know first is said."""
    chosen = Chosen(workspace=values["workspace"], journal=values["journal"])
    world = files(chosen)
    for each in notes_of(world):
        note(each, as_json=values["log_json"])
    journal = journal_of(world, chosen, create=create)
    try:
        yield world, journal
    finally:
        journal.close()


def reading(world: World, journal: Journal, clock: SystemClock) -> Setup:
    """Everything the command works with; nothing is sent that changes anything."""
    return setup(world, journal, writes=False, clock=clock)


def manifest_of(world: World, tenant: str) -> ManifestFile:
    """A tenant's manifest; WorkspaceError where no file names it."""
    found = next((one for one in world.selection.every if one.name == tenant), None)
    if found is None:
        names = ", ".join(sorted(one.name for one in world.selection.every))
        raise WorkspaceError(f"there is no tenant {tenant!r}", hint=f"the files name {names or 'none'}")
    return found


def scribe_of(made: Setup, tenant: str, progress: Progress) -> Scribe:
    """Who writes down what is said of a tenant."""
    return Scribe(
        journal=made.journal,
        tenant=tenant,
        progress=progress,
        who=made.who,
        now=made.clock.now,
        tell=made.tell,
        plan=progress.plan,
    )


def under_lease(made: Setup, scribe: Scribe, about: str, write: Any) -> None:
    """Write under the tenant's lease, so that nobody applies meanwhile; these commands end with 0 or 1."""
    clock = SystemClock()

    async def locked() -> None:
        async with leased(scribe, scribe.tenant, holder=made.who.holder, about=about):
            await inherit(scribe)
            write()

    try:
        run(locked, made, clock)
    except (LeaseHeldError, StalePlanError) as error:
        raise WorkspaceError(error.message, hint=error.hint, code=error.code) from error
