"""Connections to the journal's database, and its errors in words that say what to do."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, NullPool, QueuePool, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from reconciler.core.errors import JournalError, WorkspaceError

SQLITE = b"SQLite format 3\0"  # what every database begins with
BUSY = 30.0  # seconds to wait for another writer; a write takes milliseconds
WRITE = "reconciler_write"  # execution option of transactions that write


def sqlite_engine(path: Path, *, write: bool) -> Engine:
    """Open a journal file; the folder and the file are made when `write`."""
    if write:
        with told(str(path), "open the journal for writing"):
            _make_private(path)
        engine = create_engine(
            "sqlite+pysqlite://", creator=lambda: _writing(path), poolclass=QueuePool, **_COMMON
        )
    else:
        # A new connection each time, so that each judges anew how the file may be read.
        engine = create_engine(
            "sqlite+pysqlite://", creator=lambda: _reading(path), poolclass=NullPool, **_COMMON
        )
    event.listen(engine, "begin", _begin)
    return engine


def postgres_engine(url: str) -> Engine:
    """Open a PostgreSQL journal; psycopg is an extra."""
    try:
        import psycopg  # noqa: F401 - only asked whether it is there
    except ImportError as error:
        raise WorkspaceError(
            "a journal in PostgreSQL needs the extra `postgres`",
            hint="pip install 'm365-reconciler[postgres]'",
        ) from error
    try:
        parsed = make_url(url).set(drivername="postgresql+psycopg")
        if "@" in f"{parsed.host}{parsed.database}":
            raise ValueError("a part of the password is taken for the host")  # noqa: TRY301 - as unreadable as any
    except (ArgumentError, ValueError):
        # `from None`: the URL may hold a password
        raise WorkspaceError(
            "the journal's PostgreSQL address cannot be read",
            hint="write postgresql://user@host:5432/database; percent-encode a password's special characters",
        ) from None
    patient = {"connect_timeout": "10", "application_name": "reconciler", "tcp_user_timeout": "30000"}
    patient |= {"keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3"}
    query = {**patient, **parsed.query}
    return create_engine(
        parsed.set(query=query),
        pool_pre_ping=True,  # an apply waits for minutes between writes
        connect_args={
            "prepare_threshold": None
        },  # poolers in front of the server know no prepared statements
        **_COMMON,
    )


def shown(url: str | URL) -> str:
    """A PostgreSQL address without its password."""
    return make_url(url).set(drivername="postgresql", query={}).render_as_string(hide_password=True)


def durable(connection: Connection) -> None:
    """Make this PostgreSQL transaction durable whatever the database's default, and bound its waits."""
    connection.execute(_DURABLE)


@contextlib.contextmanager
def told(where: str, doing: str) -> Iterator[None]:
    """Turn what a database or a disk says into a JournalError that tells what to do."""
    try:
        yield
    except DBAPIError as error:
        words = " ".join(str(error.orig).split())
        raise JournalError(f"{where}: cannot {doing}: {words}", hint=_hint(words)) from error
    except OSError as error:
        words = error.strerror or str(error)
        raise JournalError(f"{where}: cannot {doing}: {words}", hint=_hint(words)) from error
    except SQLAlchemyError as error:
        raise JournalError(f"{where}: cannot {doing}: {error}", hint=_HINTS[-1][1]) from error


_COMMON = {"hide_parameters": True}

_DURABLE = text(
    "SELECT set_config('lock_timeout', '30s', true), set_config('synchronous_commit',"
    " CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
    " ELSE current_setting('synchronous_commit') END, true)"
)

# Words of the databases and of the disk, and what a person can do; the first that fits, the last fits all.
_HINTS = (
    (
        ("not a database", "malformed", "disk image"),
        "restore the file from a backup; do not just delete it, it knows what was ordered",
    ),
    (("full", "no space", "too large", "quota"), "free disk space, then run the command again: it goes on"),
    (
        ("readonly", "read-only", "permission denied", "not permitted"),
        "run as the user who owns the journal, or make it writable",
    ),
    (("locked", "lock timeout"), "another process is writing for long; try again when it is done"),
    (("unable to open",), "the journal's folder must exist and be readable and writable for this user"),
    (("already exists",), "give the journal a database, or a schema, of its own"),
    (("does not exist",), "create the database first, or correct `journal:` in the workspace file"),
    (("authentication", "password"), "check the user and the password of the journal's address"),
    (("",), "once the journal can be reached, run the command again: it goes on where this stopped"),
)


def _hint(words: str) -> str:
    words = words.casefold()
    return next(hint for signs, hint in _HINTS if any(sign in words for sign in signs))


def _begin(connection: Connection) -> None:
    """Begin in our own words: a transaction that will write takes the write lock at once."""
    write = connection.get_execution_options().get(WRITE)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _make_private(path: Path) -> None:
    """Make the file and the folders it needs, for its owner alone; narrow a file that is wider."""
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    if _like_ours(path):
        for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm"))):
            if file.exists() and file.stat().st_mode & 0o077:
                file.chmod(0o600)
    if not _writable(path):  # SQLite would open it for reading and fail only at the first event
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _like_ours(path: Path) -> bool:
    """Whether this may be a journal; a folder, or a manifest, named by mistake keeps its rights."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(SQLITE)) in {b"", SQLITE}


def _writing(path: Path) -> sqlite3.Connection:
    connection = _connect(path, "mode=rw")
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        # Locked: another process is at it just now. Durable without WAL too, only slower.
        with contextlib.suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def _reading(path: Path) -> sqlite3.Connection:
    """Open for reading, in the way that needs least: a file that nobody can be writing is read as it lies."""
    if _writable(path) and _writable(path.parent):
        connection = _connect(path, "mode=rw")  # cleans up behind itself, which mode=ro cannot
    else:
        log = path.with_name(f"{path.name}-wal")
        still = not log.exists() or not log.stat().st_size
        connection = _connect(path, "mode=ro&immutable=1" if still else "mode=ro")
    connection.execute("PRAGMA query_only=ON")
    return connection


def _connect(path: Path, options: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?{options}",
        uri=True,
        timeout=BUSY,
        isolation_level=None,  # `_begin` decides when and how
        check_same_thread=False,  # the pool gives a connection to one thread at a time
    )


_EFFECTIVE = os.access in os.supports_effective_ids


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=_EFFECTIVE)
