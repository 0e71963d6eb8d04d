"""What changed since a revision of git, and what a file was then; asked of the real git."""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from reconciler.core.errors import WorkspaceError

# Set by git for its hooks; they would lead a git started here to another repository or index.
_LEADING = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_NAMESPACE"}

LINK = "120000"
FOLLOWED = 20
"""How many links are followed one after the other, at most."""


def changed_paths(root: Path, ref: str) -> frozenset[Path]:
    """Every file of `root`'s repository that is now not as it was in `ref`, as absolute paths.

    Committed or not, new, deleted, and both names of what was renamed; manifests that git was told to
    ignore count as new. Folders on the way are the real ones, not links that lead there; what changed may be a link.
    """
    top, commit = _top(root), _commit(root, ref)
    listings = (
        [
            "diff",
            "--name-only",
            "-z",
            "--no-renames",
            "--no-ext-diff",
            "--ignore-submodules=none",
            commit,
            "--",
        ],
        ["ls-files", "-z", "--others", "--exclude-standard"],
        ["ls-files", "-z", "--others", "--", "*.yaml", "*.yml"],
    )
    names = (name for listing in listings for name in _git(top, *listing).split(b"\0") if name)
    return frozenset(top / os.fsdecode(name) for name in names)


def file_at(root: Path, ref: str, path: Path) -> bytes | None:
    """What a file of the repository held in `ref`, links followed as they were; None when it was not there."""
    top, commit = _top(root), _commit(root, ref)
    whole = root.absolute() / path
    try:
        name = Path(os.path.realpath(whole.parent), whole.name).relative_to(top).as_posix()
    except ValueError as error:
        raise WorkspaceError(
            f"{path}: not in the git repository of {top}", hint="give a path inside the repository"
        ) from error
    for _ in range(FOLLOWED):
        mode, blob = _entry(top, commit, name)
        if mode != LINK:
            return _git(top, "cat-file", "blob", blob) if blob else None
        target = os.fsdecode(_git(top, "cat-file", "blob", blob))
        name = posixpath.normpath(posixpath.join(posixpath.dirname(name), target))
    return None


def _entry(top: Path, commit: str, name: str) -> tuple[str, str]:
    """Mode and id of a file in a commit; empty when it has none there, or the name leads out of it."""
    if posixpath.isabs(name) or name.startswith(".."):
        return "", ""
    line = _git(top, "ls-tree", "-z", "--full-tree", commit, "--", name)
    match line.rstrip(b"\0").partition(b"\t")[0].split():
        case [mode, b"blob", blob]:
            return mode.decode("ascii"), blob.decode("ascii")
    return "", ""


def has_origin(root: Path) -> bool:
    """Whether a folder, or the nearest that exists above it, is in a repository with a remote `origin`."""
    there = next(one for one in (root, *root.parents) if one.is_dir())
    try:
        return bool(_git(_top(there), "remote", "get-url", "origin").strip())
    except WorkspaceError:
        return False


def inside(root: Path) -> bool:
    """Whether a folder is in a git repository."""
    try:
        _top(root)
    except WorkspaceError:
        return False
    return True


def clean(env: Mapping[str, str]) -> dict[str, str]:
    """An environment for git: the caller's, without what leads elsewhere, and in plain English."""
    kept = {name: value for name, value in env.items() if name not in _LEADING}
    return kept | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}


def _top(root: Path) -> Path:
    """The folder of the whole repository, without links."""
    here = Path(os.path.realpath(root))
    prefix = PurePosixPath(os.fsdecode(_git(here, "rev-parse", "--show-prefix").rstrip(b"\n")))
    return here.parents[len(prefix.parts) - 1] if prefix.parts else here


def _commit(root: Path, ref: str) -> str:
    """The commit that `ref` names."""
    if ref and not ref.startswith("-"):
        try:
            return _git(root, "rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}").decode("ascii").strip()
        except _GitError:
            pass
    shallow = _git(root, "rev-parse", "--is-shallow-repository").strip() == b"true"
    raise WorkspaceError(
        f"{ref or 'an empty name'}: no revision of this git repository",
        hint="this clone is shallow: fetch the whole history (actions/checkout: `fetch-depth: 0`;"
        " GitLab: `GIT_DEPTH: 0`), or `git fetch --unshallow`"
        if shallow
        else "name a branch, a tag or a commit that is here; `git fetch` brings those of the server",
    )


class _GitError(WorkspaceError):
    """Git said no."""


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        done = subprocess.run(
            ["git", "-C", folder, *arguments],
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env=clean(os.environ),
        )
    except FileNotFoundError as error:
        raise WorkspaceError(
            "git is not installed", hint="install git, or leave out --changed-since"
        ) from error
    if done.returncode == 0:
        return done.stdout
    words = done.stderr.decode(errors="replace").strip().removeprefix("fatal: ")
    if "not a git repository" in words:
        raise WorkspaceError(
            f"{folder}: not a git repository",
            hint="--changed-since asks git; run it inside the repository of the manifests",
        )
    raise _GitError(f"git {arguments[0]}: {words}", hint="run the same git command by hand to see more")
