"""A user's repository with the workflows that `init` writes, and the world its tenants start from."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from reconciler.cli.ci import Kind, write_ci
from tests.cli.place import ACME, RESELLER, WORKSPACE, WORLD
from tests.workflows.runner import clean_environment, git, lend

BRANCH = "git+origin#reconciler-journal"


@dataclass(frozen=True)
class Town:
    """origin: the repository, on main. sandbox: the provider's file."""

    origin: Path
    sandbox: Path

    def reconciler(self, *arguments: str) -> str:
        """What a person types in a clone of main, with the journal that all share."""
        clone = self.origin.parent / "clone"
        if not clone.exists():
            git(self.origin.parent, "clone", "-q", str(self.origin), str(clone))
            lend(self.sandbox, clone)
        git(clone, "pull", "-q", "origin", "main")
        done = subprocess.run(
            ["reconciler", *arguments],
            cwd=clone,
            env={**clean_environment(), "RECONCILER_JOURNAL": BRANCH},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def change(self, old: str, new: str, *, file: str = "tenants/acme.yaml", branch: str = "change") -> None:
        """Commit a change on a branch of its own."""
        git(self.origin, "checkout", "-q", "-B", branch, "main")
        path = self.origin / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")
        git(self.origin, "commit", "-q", "-a", "-m", "Change")
        git(self.origin, "checkout", "-q", "main")

    def merge(self, branch: str = "change") -> None:
        git(self.origin, "merge", "-q", "--no-ff", "-m", "Merge", branch)

    def merge_what_fails(self, old: str, new: str) -> None:
        """Merge a change whose purchase the provider will refuse."""
        self.change(old, new)
        self.merge()
        checkout = ("--method", "POST", "--path", "/order/cart/{}/checkout")
        self.reconciler("sandbox", "fault", "add", "expired", *checkout)

    def sha(self, ref: str) -> str:
        return git(self.origin, "rev-parse", ref)


def town(folder: Path, kind: Kind) -> Town:
    """A repository whose tenants are as written."""
    origin, sandbox = folder / "origin", folder / "sandbox.db"
    (origin / "tenants").mkdir(parents=True)
    for name, text in (
        ("reconciler.yaml", WORKSPACE),
        ("tenants/acme.yaml", ACME),
        ("tenants/resell.yaml", RESELLER),
        ("world.yaml", WORLD),
        (".gitignore", ".reconciler\n"),
    ):
        (origin / name).write_text(text, encoding="utf-8")
    write_ci(kind, origin)
    git(origin, "init", "-q")
    git(origin, "add", "-A")
    git(origin, "commit", "-q", "-m", "Start")
    made = Town(origin, sandbox)
    sandbox.touch()
    made.reconciler("sandbox", "reset", "--world", "world.yaml")
    return made
