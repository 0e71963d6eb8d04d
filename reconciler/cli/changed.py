"""`--changed-since REF`: which tenants differ from a git revision, and what that revision's workspace allowed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from reconciler.cli.wiring import World
from reconciler.core.workspace import WORKSPACE, Policy, Workspace
from reconciler.engine.read import Selection
from reconciler.render.escape import clean
from reconciler.store.files import show
from reconciler.store.revisions import changed_paths, file_at
from reconciler.store.yaml import Unreadable, read

SHOWN_FIRST = ("accounts", "journal", "policy", "prices")


def narrowed(world: World, ref: str, *, owed: frozenset[str]) -> Selection:
    """The tenants whose files, or whose workspace file, differ from `ref`, and those an apply still owes."""
    cwd = Path.cwd()
    paths = changed_paths(world.root, ref)
    # Odd letters of a name are not as they were in what is shown.
    named = {show(path, cwd=cwd) for path in paths}
    # What a link leads to counts as changed when the link is: both names of a file have one real one.
    real = {os.path.realpath(path) for path in paths}
    folders = tuple(path + os.sep for path in real if Path(path).is_dir())

    def differs(path: Path) -> bool:
        there = os.path.realpath(path)
        return there in real or there.startswith(folders)

    if differs(world.path):
        return world.selection
    chosen = tuple(
        one
        for one in world.selection.chosen
        if one.name in owed or one.file in named or differs(cwd / one.file)
    )
    return Selection(every=world.selection.every, chosen=chosen)


def base(world: World, ref: str | None) -> Workspace | None:
    """The workspace as `ref` has it; None without a ref, or when it had none that can be read."""
    if ref is None:
        return None
    data = file_at(world.root, ref, world.path)
    if data is None:
        return None
    try:
        return WORKSPACE.validate_python(read(data).value)
    except (Unreadable, ValidationError):
        return None


def policies(world: World, ref: str | None) -> tuple[Policy, ...]:
    """The policies that hold: the present one, and that of `ref`, so that a pull request cannot lift its own guard."""
    before = base(world, ref)
    now = world.workspace.policy
    return (now,) if before is None or before.policy == now else (now, before.policy)


def workspace_changes(world: World, ref: str | None) -> tuple[str, ...]:
    """What `ref` had otherwise in accounts, journal, policy or prices, and tenants it had; a reader sees this first."""
    before = base(world, ref)
    if ref is None:
        return ()
    if before is None:
        said = f"CHANGED since {ref}: it has no {world.path.name} here that can be read"
        said = f"{said}, so {', '.join(SHOWN_FIRST)} are new and only the present policy judges"
        return (said, *_deleted(world, ref))
    changed = [key for key in SHOWN_FIRST if getattr(before, key) != getattr(world.workspace, key)]
    said = f"CHANGED since {ref} in {world.path.name}: {', '.join(changed)}"
    return (*((said,) if changed else ()), *_deleted(world, ref))


def _deleted(world: World, ref: str) -> tuple[str, ...]:
    """The tenants of `ref` that no file names any more: whoever takes a file away may think that it cancels."""
    here = [one.head for one in world.selection.every]
    known = {name for one in here for name in (one.tenant, one.previously)}
    names = [
        name
        for path in sorted(changed_paths(world.root, ref))
        if not path.exists() and path.is_relative_to(os.path.realpath(world.root))
        for name in _tenant_at(world, ref, path)
        if name not in known
    ]
    if not names:
        return ()
    more = f" and {len(names) - FEW} more" if names[FEW:] else ""
    said = f"DELETED since {ref}: {', '.join(names[:FEW])}{more}"
    return (f"{said}. That cancels nothing: what is there goes on being paid (`state: cancelled` ends it)",)


FEW = 10  # deleted tenants that are named; more are counted


def _tenant_at(world: World, ref: str, path: Path) -> Iterator[str]:
    """The tenant that a file of `ref` was about; none when it was no manifest."""
    data = file_at(world.root, ref, path) if path.suffix in {".yaml", ".yml"} else None
    try:
        raw = read(data).value if data is not None else None
    except Unreadable:
        return
    if isinstance(raw, dict) and "provider" in raw and isinstance(raw.get("tenant"), str):
        yield clean(raw["tenant"])
