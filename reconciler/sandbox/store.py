"""Where a world is kept: one SQLite file that several processes may use, or memory."""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from msgspec import Struct

from reconciler.sandbox.clock import moment
from reconciler.sandbox.schema import SCHEMA, VERSION
from reconciler.sandbox.settings import Settings

_PATIENCE = 500


class Store:
    """The file of a world, touched in one immediate transaction a time."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.RLock()
        if path is not None:
            _private(path)
        self._db = sqlite3.connect(
            ":memory:" if path is None else path, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._db.row_factory = sqlite3.Row
        try:
            self._db.execute("PRAGMA synchronous = NORMAL")
            if path is not None:
                _written_ahead(self._db)
            self._prepare(path)
        except BaseException:
            self._db.close()
            raise

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the whole world for a moment; an exception undoes everything."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _prepare(self, path: Path | None) -> None:
        with self.transaction() as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version not in {0, VERSION}:
                raise ValueError(
                    f"{path} was made by another version of the sandbox: delete it and begin anew"
                )
            if version == 0:
                for statement in SCHEMA.split(";"):
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {VERSION}")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()


class Tx(Struct, frozen=True):
    """One transaction at one moment of the world's time."""

    db: sqlite3.Connection
    now: float
    settings: Settings

    def one(self, sql: str, *values: object) -> sqlite3.Row | None:
        """Give the first row, if there is one."""
        row: sqlite3.Row | None = self.db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Give every row."""
        return self.db.execute(sql, values).fetchall()

    def column(self, sql: str, *values: object) -> list[Any]:
        """Give the first value of every row."""
        return [row[0] for row in self.db.execute(sql, values)]

    def run(self, sql: str, *values: object) -> int:
        """Change something; gives the id of what was inserted."""
        return self.db.execute(sql, values).lastrowid or 0

    def serial(self, name: str, start: int) -> int:
        """Draw the next number of a series."""
        row = self.one(
            "INSERT INTO serial VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
            name,
            start,
        )
        assert row is not None  # noqa: S101 - RETURNING gives the row that was written
        return int(row[0])

    def reserve(self, name: str, number: int) -> None:
        """Take a number out of a series that somebody chose by hand."""
        self.run(
            "INSERT INTO serial VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)",
            name,
            number,
        )

    def later(self, at: float, what: str, **data: object) -> None:
        """Let something happen once the world's time is `at`."""
        self.run("INSERT INTO due (at, what, data) VALUES (?, ?, ?)", at, what, json.dumps(data))

    def record(self, what: str, **data: object) -> None:
        """Write down something that took effect."""
        self.run("INSERT INTO ledger (at, what, data) VALUES (?, ?, ?)", self.now, what, json.dumps(data))

    def at(self, moment_: float) -> "Tx":
        """Look at the same transaction at another moment."""
        return Tx(self.db, moment_, self.settings)

    def ledger(self) -> list[dict[str, Any]]:
        """Give everything that took effect, oldest first."""
        return [
            {"at": moment(row["at"]), "what": row["what"], **json.loads(row["data"])}
            for row in self.db.execute("SELECT * FROM ledger ORDER BY id")
        ]


def _written_ahead(db: sqlite3.Connection) -> None:
    # SQLite does not wait for a lock to change this mode, and two processes may open a new file at once.
    for attempt in range(_PATIENCE):
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if attempt == _PATIENCE - 1:
                raise
            time.sleep(0.02)
        else:
            return


def _private(path: Path) -> None:
    # The state holds order passwords and tokens, invented but handled like real ones.
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
