"""Which symbolic links are followed: those that stay in the repository; the others may lead to anybody's files.

A pull request can bring a link as well as a file. What it leads to would be read, and repeated in messages, wherever
the pull request is checked.
"""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from reconciler.store.yaml import Unreadable


class Bounds(Struct, frozen=True):
    """The real folders below which links may lead."""

    folders: tuple[str, ...]

    def hold(self, real: str) -> bool:
        """Whether a path lies within; all links in it are followed already."""
        return any(real == one or real.startswith(one.rstrip(os.sep) + os.sep) for one in self.folders)


def bounds(path: Path, *, root: Path) -> Bounds:
    """How far links may lead from a path that was named: out of its repository only if it was named out there.

    root: the workspace's folder, or the current one.
    """
    home = _home(root)
    inside = Bounds((home,))
    named = Path(os.path.abspath(path))  # noqa: PTH100 - as it was named, links and all
    if any(inside.hold(os.path.realpath(parent)) for parent in named.parents):
        return inside
    return Bounds((home, os.path.realpath(path)))


def check(path: Path) -> None:
    """Refuse a file that is a link out of its folder's repository; raises `Unreadable`."""
    if _is_link(path) and not Bounds((_home(path.parent),)).hold(os.path.realpath(path)):
        raise leads_out()


def _is_link(path: Path) -> bool:
    try:
        return path.is_symlink()
    except OSError:  # as `there`
        return False


def leads_out() -> Unreadable:
    """What is said of a link that is not followed; not where it leads, nor whether anything is there."""
    return Unreadable(
        "RC1016",
        "is a symbolic link that leads out of the repository, and is not followed",
        hint="put the file itself here, or name the place it leads to on the command line",
    )


def _home(folder: Path) -> str:
    """The real folder of the repository around a folder; without a repository, the folder itself."""
    real = Path(os.path.realpath(folder))
    return str(next((one for one in (real, *real.parents) if there(one / ".git")), real))


def there(path: Path) -> bool:
    """Whether something is there as far as this user sees; who reads what was named is told why it cannot be."""
    try:
        return path.exists()
    except OSError:  # a folder that others may not enter, a name that no system bears
        return False
