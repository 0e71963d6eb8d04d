"""Where the journal is kept: copied to another place once, and taken again when that came to nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast

import click

from reconciler.cli.options import JOURNAL, common, option
from reconciler.cli.output import can_ask
from reconciler.cli.wiring import Chosen, World, files
from reconciler.core.errors import JournalError, UsageError
from reconciler.render.words import count
from reconciler.store.journal import open_journal
from reconciler.store.moving import Movable, move, reopen
from reconciler.store.who import identity


@click.group()
def journal() -> None:
    """Move the journal to another place."""


@journal.command("copy")
@option("--from", "source", metavar="URL", help="The journal to copy; else the workspace's.")
@option(
    "--to", "target", metavar="URL", required=True, help="An empty one; env://NAME for one with a password."
)
@common
def copy(source: str | None, target: str, **values: Any) -> None:
    """Copy a journal into an empty one of any kind, and leave it: nobody can apply with the old one any more.

    Cut off in the middle, the same command goes on. Refused while somebody applies.
    """
    world = files(Chosen(workspace=values["workspace"]))
    who = identity(os.environ, world.root)
    with _opened(source or world.workspace.journal, world, there=True) as old, _opened(target, world) as new:
        done = move(old, new, at=datetime.now(UTC), by=who.by)
        shown = new.where
    what = f"{count(done.events, 'event')} of {count(done.tenants, 'tenant')}"
    click.echo(f"{what} {'were copied before' if done.again else 'copied, read again and compared'}: {shown}")
    written = (
        f"`journal: {target}`" if "@" not in target else "the new one as `journal:`"
    )  # it may hold a password
    click.echo(f"Next: write {written} in the workspace file; the old one takes no apply any more")


@journal.command("reopen")
@JOURNAL
@option("--yes", is_flag=True, help="Do not ask.")
@common
def reopen_(journal: str | None, *, yes: bool, **values: Any) -> None:
    """Go on with a journal that was copied elsewhere, because the copy came to nothing.

    What was done with the copy is not known here: only take it when nothing was.
    """
    world = files(Chosen(workspace=values["workspace"]))
    with _opened(journal or world.workspace.journal, world, there=True) as old:
        if not yes:
            _ask(old)
        reopen(old, at=datetime.now(UTC), by=identity(os.environ, world.root).by)
        click.echo(f"{old.where}: this is the journal again")


def _ask(old: Movable) -> None:
    """Let a person say that nothing was done with the copy."""
    if not can_ask():
        raise UsageError(
            "reopen needs consent and there is no terminal to ask at",
            hint="pass --yes when nobody applied with the copy",
        )
    if old.moved:
        click.echo(old.moved, err=True)
        click.confirm("Did nobody apply with the copy, and is it to be forgotten?", abort=True)


@contextmanager
def _opened(url: str, world: World, *, there: bool = False) -> Iterator[Movable]:
    """Open a journal for writing; with `there` only one that exists."""
    if there:
        found = open_journal(url, root=world.root, create=False, env=os.environ)
        fresh = found.fresh
        found.close()
        if fresh:
            raise JournalError(
                "there is no journal yet, so nothing has to be copied",
                hint="write the new place in `journal:`; the first apply makes it",
            )
    opened = cast("Movable", open_journal(url, root=world.root, create=True, env=os.environ))
    try:
        yield opened
    finally:
        opened.close()
