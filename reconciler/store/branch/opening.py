"""Opens the journal on a branch: where its copy is kept, and what is done where none can be kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from reconciler.store.branch.address import parse
from reconciler.store.branch.clone import Clone
from reconciler.store.branch.journal import BranchJournal

FOLDER = Path(".reconciler/journal.git")


def open_branch(
    address: str, *, root: Path, now: Callable[[], datetime] | None, create: bool
) -> BranchJournal:
    """Open the journal at `REMOTE#BRANCH`; a remote's name is one of the repository that `root` is in."""
    root = root.absolute()
    clone = Clone(root / FOLDER, parse(address), root=root)
    return BranchJournal(clone, write=create, now=now, root=root)
