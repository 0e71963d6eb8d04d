"""A real git remote for journals: what is on its branch, hooks that misbehave once, and others who push."""

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.store.makers import bare

BRANCH = "journal"


def wait_for(path: Path) -> str:
    """A line of a hook that waits until a file is there, for ten seconds at most."""
    return f'for i in $(seq 500); do [ -e "{path}" ] && break; sleep 0.02; done'


class Remote:
    """A bare repository that holds a journal's branch, seen from the server's side."""

    def __init__(self, folder: Path) -> None:
        self.folder = bare(folder)
        self.address = f"git+file://{folder}#{BRANCH}"

    def git(self, *arguments: str, given: str = "") -> str:
        done = subprocess.run(
            ["git", "-C", self.folder, "-c", "user.name=Eve", "-c", "user.email=eve@example.com", *arguments],
            check=True,
            capture_output=True,
            text=True,
            input=given,
        )
        return done.stdout.strip()

    @property
    def head(self) -> str:
        return self.git("for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}")

    @property
    def commits(self) -> int:
        return int(self.git("rev-list", "--count", BRANCH))

    def show(self, path: str) -> str:
        return self.git("show", f"{BRANCH}:{path}")

    def json(self, path: str) -> Any:
        return json.loads(self.show(path))

    def edit(self, path: str, text: str) -> None:
        """Somebody changes a file by hand, in a commit on top."""
        blob = self.git("hash-object", "-w", "--stdin", given=text)
        entries = self.git("ls-tree", "-r", BRANCH).splitlines() if self.head else []
        kept = [line for line in entries if not line.endswith(f"\t{path}")]
        index = {"GIT_INDEX_FILE": str(self.folder / "by-hand")}
        lines = "\n".join([*kept, f"100644 blob {blob}\t{path}"])
        for arguments in (["read-tree", "--empty"], ["update-index", "--index-info"]):
            subprocess.run(
                ["git", "-C", self.folder, *arguments], input=lines, text=True, check=True, env=index
            )
        written = subprocess.run(
            ["git", "-C", self.folder, "write-tree"], capture_output=True, text=True, check=True, env=index
        )
        parent = ["-p", self.head] if self.head else []
        commit = self.git("commit-tree", written.stdout.strip(), *parent, "-m", "By hand")
        self.git("update-ref", f"refs/heads/{BRANCH}", commit)

    def back(self, commits: int) -> None:
        """Somebody pushes over the last commits with other ones."""
        self.git("update-ref", f"refs/heads/{BRANCH}", f"{BRANCH}~{commits}")
        self.edit("README.md", "rewritten\n")

    def hook(self, name: str, *lines: str) -> None:
        """Do something at the next push, and at no later one."""
        hook = self.folder / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        once = f'mkdir "{self.folder}/was-{name}" 2>/dev/null || exit 0'
        hook.write_text("\n".join(["#!/bin/sh", once, *lines, ""]))
        hook.chmod(0o755)

    def lines(self, path: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.show(path).splitlines()]
