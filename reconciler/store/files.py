"""Which files a run reads: the workspace, and the tenants below the paths given."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from reconciler.core.diagnostic import Diagnostic, Position, Problem, diagnostic, one_line
from reconciler.core.errors import WorkspaceError
from reconciler.store.links import Bounds, bounds, check, leads_out, there
from reconciler.store.yaml import MAX_BYTES, Unreadable

WORKSPACE_NAME = "reconciler.yaml"
DEFAULT_FOLDER = "tenants"
SUFFIXES = (".yaml", ".yml")


def find_workspace(paths: Sequence[Path], *, given: Path | None, cwd: Path) -> Path | None:
    """Find the workspace: as given, else in the current folder, else in the nearest one above the paths.

    Raises WorkspaceError where paths belong to several: a tenant would be bought with another's account.
    """
    found = find_workspaces(paths, given=given, cwd=cwd)
    if len(found) > 1:
        raise WorkspaceError(
            f"the paths belong to {' and to '.join(show(one, cwd=cwd) for one in found)}",
            hint="give paths of one workspace at a time, or name the one that is meant with --workspace FILE",
        )
    return found[0] if found else None


def find_workspaces(paths: Sequence[Path], *, given: Path | None, cwd: Path) -> list[Path]:
    """Find the one that is meant for all paths, else the nearest one above each."""
    if given is not None:
        return [cwd / given]
    if _is_file(cwd / WORKSPACE_NAME):
        return [cwd / WORKSPACE_NAME]
    found = (one for path in paths if (one := _above(cwd / path)))
    return list({os.path.realpath(one): one for one in found}.values())


def _above(path: Path) -> Path | None:
    start = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would leave the tree of a symbolic link
    names = (folder / WORKSPACE_NAME for folder in (start, *start.parents))
    return next((name for name in names if _is_file(name)), None)


def _is_file(path: Path) -> bool:
    return there(path) and path.is_file()


def default_paths(root: Path) -> tuple[Path, ...]:
    """What is read when no path is given: the tenants' folder beside the workspace, if there is one."""
    folder = root / DEFAULT_FOLDER
    # A link that leads nowhere, or where nobody may look, is no missing folder: who goes through it says so.
    return (folder,) if os.path.lexists(folder) else ()


def find_tenants(
    paths: Sequence[Path], *, workspace: Path | None, cwd: Path
) -> tuple[tuple[Path, ...], tuple[Diagnostic, ...]]:
    """List the tenants' files below the paths, each once, in a stable order; a link that leads out is a fault."""
    found: dict[str, Path] = {}
    faults = []
    root = workspace.parent if workspace is not None else cwd
    for path in paths:
        within = bounds(cwd / path, root=root)
        try:
            for each in _below(cwd / path, within):
                real = os.path.realpath(each)
                if within.hold(real):
                    found.setdefault(real, each)
                else:
                    faults.append(refused(show(each, cwd=cwd), leads_out()))
        except OSError as error:
            faults.append(_unfound(cwd / path, error, cwd=cwd))
    if workspace is not None:
        found.pop(os.path.realpath(workspace), None)
    return tuple(sorted(found.values(), key=lambda path: show(path, cwd=cwd))), tuple(faults)


def _tenants_of(folder: Path) -> Path:
    """A workspace's own folder stands for its tenants: other YAML files lie beside them."""
    below = folder / DEFAULT_FOLDER
    return below if _is_file(folder / WORKSPACE_NAME) and below.is_dir() else folder


def show(path: Path, *, cwd: Path) -> str:
    """Name a file for people: relative to the current folder when it is below it."""
    whole = os.path.abspath(path)  # noqa: PTH100 - see _above
    prefix = str(cwd).rstrip(os.sep) + os.sep
    return one_line(whole.removeprefix(prefix).replace(os.sep, "/"))


def read_workspace(path: Path) -> bytes:
    """Read the workspace file; raises `Unreadable` for what is none, or leads out of its repository."""
    check(path)
    return read_bytes(path)


def size_of(files: Iterable[Path]) -> int:
    """How many bytes files have together; what cannot be looked at counts for nothing."""
    total = 0
    for file in files:
        with suppress(OSError):
            total += file.stat().st_size
    return total


def read_bytes(path: Path) -> bytes:
    """Read a file of bearable size; raises `Unreadable` for what is none."""
    try:
        # Asked before it is opened: opening a pipe would wait for whoever writes into it.
        told = path.stat()
        if not stat.S_ISREG(told.st_mode):
            raise Unreadable("RC1001", "not a file", hint="name a YAML file or a folder")
        # One byte more than is allowed, so that the reader sees when it is too large; and no more memory than it
        # takes, unless it grows meanwhile.
        most = MAX_BYTES + 1
        likely = min(told.st_size + 1, most)
        with path.open("rb") as file:
            data = file.read(likely)
            return data if len(data) < likely else data + file.read(most - likely)
    except OSError as error:
        reason = (error.strerror or "it cannot be read").lower()
        raise Unreadable(
            "RC1001", f"cannot be read: {reason}", hint="check the path and its rights"
        ) from None


def refused(file: str, error: Unreadable) -> Diagnostic:
    """Tell that a file cannot be read, and from where."""
    problem = Problem(error.code, (), error.message, hint=error.hint)
    return diagnostic(problem, Position(file, error.line, error.column))


def _unfound(path: Path, error: OSError, *, cwd: Path) -> Diagnostic:
    """Tell why a path leads to nothing; a folder that cannot be listed is never an empty one."""
    reason = (error.strerror or "it cannot be read").lower()
    where = Path(os.fsdecode(error.filename)) if error.filename else path
    problem = Problem("RC1001", (), f"cannot be read: {reason}", hint="check the path and its rights")
    return diagnostic(problem, Position(show(where, cwd=cwd), 1, 1))


def _below(path: Path, within: Bounds) -> Iterator[Path]:
    """List the tenants' files that a path means; raises OSError for one that leads to nothing."""
    if not within.hold(os.path.realpath(path)) or not stat.S_ISDIR(path.stat().st_mode):
        yield path
        return
    for each in _walk(str(_tenants_of(path)), set(), within):
        if Path(each).name != WORKSPACE_NAME:
            yield Path(each)


def _walk(folder: str, seen: set[tuple[int, int]], within: Bounds) -> Iterator[str]:
    """Go through a folder and what is below it, hidden ones left out, links followed once and not out of it."""
    state = os.stat(folder)  # noqa: PTH116 - os.scandir gives strings; this is the hot path
    if (state.st_dev, state.st_ino) in seen:
        return
    seen.add((state.st_dev, state.st_ino))
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if entry.is_symlink() and not within.hold(os.path.realpath(entry.path)):
                yield entry.path  # to be refused, not entered
            else:
                yield from _walk(entry.path, seen, within)
        elif entry.name.endswith(SUFFIXES) and (entry.is_file() or entry.is_symlink()):
            # A link that leads nowhere is a file that cannot be read, not one that is not there.
            yield entry.path
