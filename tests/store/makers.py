"""Makers and tools of the store's tests: events, a clock to turn, a git repository, an unprivileged user."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from msgspec.structs import replace

from reconciler.core.journal import Event, Journal, Kind

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Opener = Callable[..., Journal]


class Clock:
    """A clock that stands still until it is turned."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def turn(self, by: timedelta) -> None:
        self.now += by


def event(kind: Kind = Kind.BEGUN, tenant: str = "acme", *, number: int = 0) -> Event:
    return replace(Event(kind=kind, tenant=tenant, at=NOW), data={"number": number} if number else {})


@contextmanager
def unprivileged(folder: Path) -> Iterator[None]:
    """Be a user whom file permissions bind, also when the tests run as root; `folder` becomes theirs."""
    if os.geteuid() != 0:
        yield
        return
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 65534, 65534)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def bare(folder: Path) -> Path:
    """A real git remote."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", folder], check=True)
    subprocess.run(["git", "-C", folder, "config", "gc.auto", "0"], check=True)
    return folder


class Repository:
    """A real git repository to commit to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")
        for name, value in (("user.name", "Ada"), ("user.email", "ada@example.com"), ("gc.auto", "0")):
            self.git("config", name, value)

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.folder), *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def commit(self, message: str = "Change") -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")
