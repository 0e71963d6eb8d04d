"""The door to the journal: from the workspace's `journal:` to an open one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from reconciler.core.errors import JournalError, WorkspaceError
from reconciler.core.journal import Event, Journal, Lease
from reconciler.store.secrets import resolve, secret


def open_journal(
    url: str, *, root: Path, now: Callable[[], datetime] | None = None, create: bool, env: Mapping[str, str]
) -> Journal:
    """Open the journal that `url` names; a relative SQLite path starts at `root`, the workspace's folder.

    With `create` it is made or brought up to date, and can be written. Without, nothing on disk changes:
    a journal that does not exist reads as an empty one that is `fresh`. (Of a git branch a copy is kept on disk.)
    `now` is a clock other than the real one; without it leases on PostgreSQL go by the database's clock.
    """
    url = _plain(url, env)
    scheme, _, rest = url.partition("://")
    match scheme:
        case "sqlite":
            return _sqlite(rest, root=root, now=now, create=create)
        case "postgresql" | "postgres" | "postgresql+psycopg":
            from reconciler.store.database import postgres_engine, shown
            from reconciler.store.sql import SqlJournal

            engine = postgres_engine(url)
            return SqlJournal(engine, where=shown(engine.url), write=create, now=now, root=root)
        case _ if scheme.startswith("git+"):
            from reconciler.store.branch.opening import open_branch

            return open_branch(url.removeprefix("git+"), root=root, now=now, create=create)
    raise WorkspaceError("`journal:` names no kind of journal that is known", hint=_FORMS)


class NoJournal:
    """A journal that does not exist, opened for reading: empty, and nothing can be written."""

    fresh = True
    distant = False
    behind = ""
    moved = ""

    def __init__(self, where: str) -> None:
        self._where = where

    def events(self, tenants: Iterable[str] | None = None) -> Sequence[Event]:  # noqa: ARG002 - the protocol's
        """Nothing ever happened."""
        return ()

    def stream(self, tenants: Iterable[str] | None = None) -> Iterator[Event]:  # noqa: ARG002 - the protocol's
        """Nothing ever happened."""
        return iter(())

    def append(self, *events: Event, lease: Lease | None = None) -> tuple[Event, ...]:  # noqa: ARG002 - the protocol's
        """Refuse."""
        raise self._refusal()

    def acquire(self, name: str, *, holder: str, about: str = "") -> Lease:  # noqa: ARG002 - the protocol's
        """Refuse."""
        raise self._refusal()

    def renew(self, lease: Lease) -> Lease:  # noqa: ARG002 - the protocol's
        """Refuse."""
        raise self._refusal()

    def release(self, lease: Lease) -> None:
        """Do nothing: no lease came from here."""

    def leases(self) -> Sequence[Lease]:
        """Nobody holds anything."""
        return ()

    def break_lease(self, name: str) -> bool:  # noqa: ARG002 - the protocol's
        """Nobody held it."""
        return False

    def accept(self) -> None:
        """There is nothing to be behind."""

    def close(self) -> None:
        """Nothing is open."""

    def _refusal(self) -> JournalError:
        return JournalError(f"{self._where}: there is no journal, and it was opened for reading only")


_FORMS = (
    "write sqlite:///path, postgresql://user@host/database, git+origin#reconciler-journal,"
    " or env://NAME of a variable that holds one"
)


def _plain(url: str, env: Mapping[str, str]) -> str:
    """Follow a reference, once."""
    if not url.startswith(("env://", "file://")):
        return secret(url) if "@" in url else url
    value = resolve(url, env)
    if value.startswith(("env://", "file://")):
        raise WorkspaceError(f"{url}: a reference may not lead to another", hint=_FORMS)
    return value


def _sqlite(rest: str, *, root: Path, now: Callable[[], datetime] | None, create: bool) -> Journal:
    name = rest.removeprefix("/")
    if name == rest or not name or name == ":memory:" or "?" in name or "\0" in name:
        shown = rest.partition("?")[0]  # a path has no query, so nobody knows what stands there
        raise WorkspaceError(f"sqlite://{shown}: not the path of a journal", hint=_FORMS)
    path = root.absolute() / name
    if not create and not _exists(path):
        return NoJournal(str(path))
    from reconciler.store.database import sqlite_engine
    from reconciler.store.sql import SqlJournal

    return SqlJournal(sqlite_engine(path, write=create), where=str(path), write=create, now=now, root=root)


def _exists(path: Path) -> bool:
    """Whether a journal is there; one that this user may not see is never taken for none."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise JournalError(
            f"{path}: cannot open the journal: {error.strerror}",
            hint="run as the user who owns the journal, or correct `journal:` in the workspace file",
        ) from error
    return True
