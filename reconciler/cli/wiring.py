"""Puts the parts together for one command: files, journal, accounts, clock, who acts; the one place secrets pass."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource
from msgspec import Struct

from reconciler import __version__
from reconciler.cli.faults import listen
from reconciler.cli.offline import show
from reconciler.cli.opening import Opener
from reconciler.cli.options import wants_json
from reconciler.cli.output import remark
from reconciler.core.errors import ManifestError, StalePlanError, UsageError, WorkspaceError
from reconciler.core.fields import seconds
from reconciler.core.journal import Event, Journal
from reconciler.core.manifest import ManifestFile, Tenant
from reconciler.core.workspace import ManualAccount, Workspace
from reconciler.engine.clock import SystemClock
from reconciler.engine.read import Accounts, Selection
from reconciler.engine.scribe import Who
from reconciler.engine.setup import Setup
from reconciler.render.words import count
from reconciler.store.files import default_paths, find_tenants, find_workspace
from reconciler.store.files import show as shown
from reconciler.store.journal import open_journal
from reconciler.store.manifests import Loaded, load
from reconciler.store.moving import refuse
from reconciler.store.secrets import resolve
from reconciler.store.who import holder, identity

T = TypeVar("T")
INTERRUPTED = 130
GRACE = 10.0
"""Seconds that what is in flight gets, once a run that acts was asked to stop."""


class Chosen(Struct, frozen=True, kw_only=True):
    """What the command line selects.

    planned: the tenants of a saved plan, which alone are looked at; it does not fit without them.
    text: the selection as it was typed, for the next command to repeat.
    """

    paths: tuple[Path, ...] = ()
    workspace: Path | None = None
    tenants: tuple[str, ...] = ()
    changed_since: str | None = None
    journal: str | None = None
    planned: tuple[str, ...] | None = None
    text: str = ""


def chosen_by(values: dict[str, Any], *, planned: tuple[str, ...] | None = None) -> Chosen:
    """The selection from a command's options."""
    return Chosen(
        paths=tuple(values.get("paths", ())),
        workspace=values["workspace"],
        tenants=tuple(values.get("tenants", ())),
        changed_since=values.get("changed_since"),
        journal=values["journal"],
        planned=planned,
        text=_typed(values),
    )


def _typed(values: dict[str, Any]) -> str:
    """The words that chose, without what a variable says: it says so next time too."""
    words = [str(path) for path in values.get("paths", ())]
    for name in values.get("tenants", ()) if typed("tenants") else ():
        words += ["--tenant", name]
    for name, option in (("changed_since", "--changed-since"), ("workspace", "--workspace")):
        if typed(name):
            words += [option, str(values[name])]
    return shlex.join(words)


def typed(name: str) -> bool:
    """Whether an option was given on the command line, and not by a variable."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


class World(Struct, frozen=True, kw_only=True):
    """The files of a run, read and found right."""

    loaded: Loaded
    workspace: Workspace
    root: Path
    path: Path
    selection: Selection


def files(chosen: Chosen) -> World:
    """Read every file; errors are shown and end the command."""
    cwd = Path.cwd()
    allowed = frozenset(os.environ.get("RECONCILER_ENDPOINTS", "").split())
    path = find_workspace(chosen.paths, given=chosen.workspace, cwd=cwd)
    everything = [*chosen.paths, *(default_paths(path.parent) if path else ())]
    loaded = load(everything, workspace_file=path, cwd=cwd, allowed_hosts=allowed, version=__version__)
    if loaded.errors or loaded.workspace is None or loaded.workspace_path is None:
        show(loaded.diagnostics, err=True)
        raise ManifestError(
            f"error: {count(len(loaded.errors), 'error')} in the files, nothing was sent",
            hint="`reconciler validate --verbose` tells what to do about each, `reconciler explain CODE` more",
        )
    selected = _select(loaded, chosen, cwd)
    return World(
        loaded=loaded,
        workspace=loaded.workspace,
        root=loaded.root,
        path=loaded.workspace_path,
        selection=Selection(every=loaded.manifests, chosen=selected),
    )


def _select(loaded: Loaded, chosen: Chosen, cwd: Path) -> tuple[ManifestFile, ...]:
    picked = loaded.manifests
    if chosen.paths:
        found, _ = find_tenants(chosen.paths, workspace=loaded.workspace_path, cwd=cwd)
        names = {shown(one, cwd=cwd) for one in found}
        picked = tuple(one for one in picked if one.file in names)
    if chosen.tenants:
        known = {one.name for one in loaded.manifests}
        for name in chosen.tenants:
            if name not in known:
                raise WorkspaceError(
                    f"there is no tenant {name!r}",
                    hint=f"the files name {', '.join(sorted(known)) or 'none'}",
                )
        picked = tuple(one for one in picked if one.name in chosen.tenants)
    return picked if chosen.planned is None else _planned(picked, chosen.planned, loaded)


def _planned(
    picked: tuple[ManifestFile, ...], names: tuple[str, ...], loaded: Loaded
) -> tuple[ManifestFile, ...]:
    missing = sorted(set(names) - {one.name for one in loaded.manifests})
    if missing:
        raise StalePlanError(
            f"the plan is for {', '.join(missing)}, of which there is no manifest any more",
            hint="run `reconciler plan` and review again",
            code="stale",
        )
    return tuple(one for one in picked if one.name in names)


def journal_of(world: World, chosen: Chosen, *, create: bool) -> Journal:
    """Open the journal that flag, variable or file name; to go on with, only one that was not moved elsewhere."""
    url = chosen.journal or world.workspace.journal
    journal = open_journal(url, root=world.root, create=create, env=os.environ)
    if journal.moved and create:
        journal.close()
        refuse(journal.moved)
    return journal


def new_in_ci(world: World, chosen: Chosen, journal: Journal) -> str:
    """Why nothing may be bought with this journal: it is new, and a CI runner's disk dies with the job."""
    if not journal.fresh or not os.environ.get("CI"):
        return ""
    url = chosen.journal or world.workspace.journal
    plain = resolve(url, os.environ) if url.startswith(("env://", "file://")) else url
    if not plain.startswith("sqlite"):
        return ""
    return "the journal is a new file, and in CI a file dies with the job: what is bought would be forgotten"


def duration(text: str) -> timedelta:
    """Read `10m`, `4h`, `0`."""
    found = 0.0 if text.strip() == "0" else seconds(text)
    if found is None:
        raise UsageError(f"{text!r} is not a duration", hint="write 45s, 10m, 4h, 2d or 0")
    return timedelta(seconds=found)


def setup(
    world: World, journal: Journal, *, writes: bool, clock: SystemClock, remembers: bool = True
) -> Setup:
    """Everything one run works with, as the files and this machine have it; what options say is the command's to add.

    remembers: whether the run may write to the journal.
    """
    acting = identity(os.environ, world.root, remembers=remembers)
    return Setup(
        selection=world.selection,
        accounts=Accounts(open=Opener(workspace=world.workspace, root=world.root, writes=writes).account),
        journal=journal,
        policies=(world.workspace.policy,),
        who=Who(by=acting.by, run=acting.run, commit=acting.commit, holder=holder(acting)),
        clock=clock,
        tell=_to_nobody,
        tool_version=__version__,
        prices=tuple(world.workspace.prices),
        notes=notes_of(world),
    )


def _to_nobody(_event: Event) -> None:
    """Hear of every event, and say nothing: for a command that nobody waits for."""


def notes_of(world: World) -> tuple[str, ...]:
    """What every output says first: which accounts are a sandbox, and what is not real there."""
    used = {one.key for one in world.selection.chosen}
    sellers = {seller for seller, _, _ in used}
    directories = {directory for _, _, directory in used if directory} - sellers
    accounts = world.workspace.accounts
    told = ((sellers, "nothing is bought"), (directories, "nobody really gets or loses anything there"))
    named = [(sorted(name for name in some if accounts[name].is_sandbox), what) for some, what in told]
    return tuple(_sandboxes(names, what) for names, what in named if names)


def _sandboxes(names: list[str], what: str) -> str:
    if len(names) == 1:
        return f"account {names[0]} is a sandbox: {what}"
    return f"accounts {', '.join(names[:-1])} and {names[-1]} are sandboxes: {what}"


def in_sandbox(world: World, tenant: Tenant) -> bool:
    """Whether what is done to a tenant is not real: its seller, or where a person buys, its directory is a sandbox."""
    accounts = world.workspace.accounts
    seller = accounts[tenant.account]
    if isinstance(seller, ManualAccount) and tenant.directory:
        return accounts[tenant.directory.account].is_sandbox
    return seller.is_sandbox


def notes_on(journal: Journal) -> tuple[str, ...]:
    """What a reader should know of a journal that was moved elsewhere."""
    said = "what was done since is not known here, write the new one in `journal:`"
    return (f"{journal.moved}: {said}",) if journal.moved else ()


@contextmanager
def stoppable(clock: SystemClock, made: Setup) -> Iterator[None]:
    """Ctrl-C and SIGTERM end a run: at once while it only reads, gently while it acts.

    Gently: what is in flight is finished or journalled, nothing new begins. A second signal, or too long a
    wait, cuts off what is in flight, which the journal knows; a third ends the process where it stands.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    as_json = _as_json()
    signals = 0

    def cut() -> None:
        if task is not None:
            task.cancel()

    def stop() -> None:
        nonlocal signals
        signals += 1
        if signals > 2:
            os._exit(INTERRUPTED)
        if signals > 1 or not made.acting:
            cut()
            return
        remark("stopping: what was sent is finished or journalled, nothing new is begun", as_json=as_json)
        clock.stop()
        loop.call_later(GRACE, cut)

    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stop)
    try:
        yield
    finally:
        for one in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(one)


def run(main: Callable[[], Coroutine[Any, Any, T]], made: Setup, clock: SystemClock) -> T:
    """Run the engine to its end and let go of every connection."""
    listen()

    async def whole() -> T:
        with stoppable(clock, made):
            try:
                return await main()
            finally:
                await made.accounts.close()

    try:
        return asyncio.run(whole())
    except asyncio.CancelledError:
        if made.acting:
            remark(
                "what was sent is in the journal: `reconciler status` shows what is open, "
                "`reconciler resume` goes on",
                as_json=_as_json(),
            )
        raise click.Abort from None


def _as_json() -> bool:
    """Whether what is said beside the result is lines of JSON."""
    context = click.get_current_context(silent=True)
    return wants_json(context.find_root().obj if context else None)
