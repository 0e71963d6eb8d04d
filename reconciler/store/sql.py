"""The journal in a database: SQLite or PostgreSQL, through SQLAlchemy Core."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, Engine, insert, select, text

from reconciler.core.errors import JournalError
from reconciler.core.journal import Event, Kind, Lease
from reconciler.store import arriving, moving
from reconciler.store import lease as rows
from reconciler.store.alive import Alive
from reconciler.store.database import WRITE, durable, told
from reconciler.store.seen import Seen, sign
from reconciler.store.tables import HEAD, REVISIONS, VERSION_TABLE, events, make
from reconciler.store.uncollected import uncollected

Now = Callable[[], datetime]
PAGE = 1000  # events read at once where they are not kept
MANY = 500  # tenants; for more, everything is read and sifted here (databases bound a statement's values)


class SqlJournal:
    """A journal behind an engine; `now` None means the clock of the database (SQLite: of this machine)."""

    distant = False

    def __init__(self, engine: Engine, *, where: str, write: bool, now: Now | None, root: Path) -> None:
        self._engine = engine
        self.where = self._where = where
        self._write = write
        self._now = now
        self._alive = Alive(root)
        self._seen = Seen(root, where)
        self._held: set[str] = set()
        self._turn = threading.Lock()  # one write at a time in this process, first come first served
        try:
            self.fresh = self._open()
            self._empty = self.fresh and not write
            self.behind = "" if self.fresh else self._older()
            self.moved = "" if self.fresh else self._gone()
        except BaseException:
            engine.dispose()
            raise

    def events(self, tenants: Iterable[str] | None = None) -> Sequence[Event]:
        """Every event, or those of some tenants, in order."""
        wanted = None if tenants is None else frozenset(tenants)
        if self._empty or (wanted is not None and not wanted):
            return ()
        query = select(events).order_by(events.c.seq)
        if wanted is not None and len(wanted) <= MANY:
            query = query.where(events.c.tenant.in_(sorted(wanted)))
        with self._reading("read the journal") as connection, uncollected():
            found = connection.execute(query).all()
            if wanted is not None and len(wanted) > MANY:
                found = [row for row in found if row.tenant in wanted]
            read = tuple(self._event(row) for row in found)
        if wanted is None and read and self._write and not self.behind:
            self._seen.note(read[-1])
        return read

    def stream(self, tenants: Iterable[str] | None = None) -> Iterator[Event]:
        """The same one after another: no more than a page of them is in memory."""
        wanted = None if tenants is None else frozenset(tenants)
        if self._empty or (wanted is not None and not wanted):
            return
        query = select(events).order_by(events.c.seq).limit(PAGE)
        if wanted is not None and len(wanted) <= MANY:
            query = query.where(events.c.tenant.in_(sorted(wanted)))
        last, page = 0, None
        while page is None or len(page) == PAGE:
            with self._reading("read the journal") as connection:
                page = connection.execute(query.where(events.c.seq > last)).all()
            for row in page:
                last = row.seq
                if wanted is None or row.tenant in wanted:
                    yield self._event(row)

    def append(self, *events: Event, lease: Lease | None = None) -> tuple[Event, ...]:
        """Write events in one transaction; with `lease`, only while it is still ours (LeaseLostError)."""
        values = [_values(event) for event in events]
        if not values and lease is None:
            return ()
        if self.behind:
            raise JournalError(self.behind, hint=_RESTORE, code="journal-behind")
        with self._writing("write to the journal") as connection:
            if lease is not None:
                rows.check(connection, lease, now=self._moment(connection))
            numbers = connection.scalars(_INSERT, values).all() if values else []
            if lease is None:
                self._stay(connection)
        written = tuple(replace(event, seq=seq) for event, seq in zip(events, numbers, strict=True))
        if written:
            self._seen.note(written[-1])
        return written

    def acquire(self, name: str, *, holder: str, about: str = "") -> Lease:
        """Take a lease, or raise LeaseHeldError that names the holder and until when."""
        with self._writing("take a lease") as connection:
            lease = rows.acquire(
                connection,
                name,
                holder=holder or "unknown",
                about=about,
                now=self._moment(connection),
                sign=(self._alive.machine, self._alive.path),
            )
            self._stay(connection)  # at last: who moves it has waited for us, or we for him
        self._held.add(name)
        self._alive.touch()
        return lease

    def renew(self, lease: Lease) -> Lease:
        """Prolong a lease; LeaseLostError when it is no longer ours, or ran out."""
        with self._writing("renew a lease") as connection:
            until = rows.renew(connection, lease, now=self._moment(connection))
        self._alive.touch()
        return replace(lease, until=until)

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is no longer ours."""
        with self._writing("give back a lease") as connection:
            rows.release(connection, lease, now=self._moment(connection))
        self._held.discard(lease.name)

    def leases(self) -> Sequence[Lease]:
        """The leases that are held now, by name."""
        if self._empty:
            return ()
        with self._reading("read the leases") as connection:
            return rows.held(connection, now=self._moment(connection), machine=self._alive.machine)

    def break_lease(self, name: str) -> bool:
        """Take a lease away from its holder by hand; false when nobody held it."""
        with self._writing("take a lease away") as connection:
            return rows.take_away(connection, name, now=self._moment(connection))

    def leave(self, mark: Event) -> None:
        """Write that the journal is kept elsewhere; JournalError while a lease is held, or when it was left."""
        with self._writing("leave the journal") as connection:
            arriving.alone(connection)
            self._stay(connection)
            held = rows.held(connection, now=self._moment(connection), machine=self._alive.machine)
            moving.refuse_held(self.where, held)
            seq = connection.scalars(_INSERT, [_values(mark)]).one()
            self.moved = self._told(connection)
        self._seen.note(replace(mark, seq=seq))

    def come_back(self, mark: Event) -> None:
        """Write that a journal that was left is kept here again."""
        with self._writing("take the journal again") as connection:
            seq = connection.scalars(_INSERT, [_values(mark)]).one()
            self.moved = self._told(connection)
        self._seen.note(replace(mark, seq=seq))

    def tokens(self) -> Mapping[str, int]:
        """The last token of each lease, by name."""
        with self._reading("read the leases") as connection:
            return rows.tokens(connection)

    def receive(self, events: Sequence[Event], tokens: Mapping[str, int], *, last: int) -> None:
        """Take in another journal's events as they are numbered, all or none; JournalError unless empty."""
        with self._writing("copy into the journal") as connection:
            arriving.alone(connection)
            moment = self._moment(connection)
            moving.refuse_written(self.where, arriving.last(connection))
            moving.refuse_held(self.where, rows.held(connection, now=moment, machine=self._alive.machine))
            arriving.receive(connection, [_values(one) | {"seq": one.seq} for one in events], last=last)
            rows.remember(connection, tokens, now=moment)
        if events:
            self._seen.note(events[-1])

    def accept(self) -> None:
        """Go on with a journal that is behind: a person has looked at what it does not know."""
        self.behind = ""

    def close(self) -> None:
        """Let go of the connection and of the lock; leases not given back are seen as a dead holder's."""
        self._engine.dispose()
        self._alive.close(keep=bool(self._held))
        self._seen.close()

    def _open(self) -> bool:
        """Check the schema, and bring it up to date when writing; true when there was no journal."""
        with self._reading("open the journal") as connection:
            version = self._version(connection)
        if not self._write:
            if version not in (None, HEAD):
                raise JournalError(
                    f"{self._where}: the journal has schema {version}, this version reads {HEAD}",
                    hint="a command that writes, such as `reconciler resume`, brings it up to date",
                )
            return version is None
        with self._writing("open the journal") as connection:  # proves that it can be written
            if version == HEAD:
                return False
            if not self._sqlite:
                connection.execute(_ONE_AT_A_TIME)
            version = self._version(connection)  # another process may have been faster
            if version is None:
                make(connection)
            elif version != HEAD:
                from reconciler.store import migrations  # Alembic takes longer to import than all the rest

                migrations.upgrade(connection)
        return version is None

    def _older(self) -> str:
        """Why this is an older journal than the one that was seen here last: its newest event is not in it."""
        mark = self._seen.last()
        if mark is None:
            return ""
        seq, sign_then, told = mark
        with self._reading("read the journal") as connection:
            row = connection.execute(select(events).where(events.c.seq == seq)).one_or_none()
        if row is not None and sign(self._event(row)) == sign_then:
            return ""
        return f"{self._where}: the journal is older than it was: event {seq} ({told}) is not in it any more"

    def _gone(self) -> str:
        with self._reading("read the journal") as connection:
            return self._told(connection)

    def _told(self, connection: Connection) -> str:
        """Where the journal was moved to, in words; empty when it was not."""
        query = select(events).where(events.c.tenant == moving.OURS).order_by(events.c.seq.desc()).limit(1)
        row = connection.execute(query).one_or_none()
        return "" if row is None else moving.told(self.where, self._event(row))

    def _stay(self, connection: Connection) -> None:
        """Refuse to begin anything with a journal that was moved, be it since it was opened."""
        moving.refuse(self._told(connection))

    def _version(self, connection: Connection) -> str | None:
        """The revision of the schema; None when there is none."""
        find = _FIND_SQLITE if self._sqlite else _FIND_POSTGRES
        if connection.scalar(find, {"name": VERSION_TABLE}) is None:
            if self._sqlite and connection.scalar(text("SELECT count(*) FROM sqlite_master")):
                raise JournalError(
                    f"{self._where}: this database is not a journal of reconciler",
                    hint="correct `journal:` in the workspace file",
                )
            return None
        version: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608 - a constant
        if version is not None and version not in REVISIONS:
            raise JournalError(
                f"{self._where}: the journal was written by a newer version of reconciler"
                f" (schema {version}; this one knows up to {HEAD})",
                hint="install that version; nothing was read or changed",
            )
        return version

    @property
    def _sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    @contextlib.contextmanager
    def _reading(self, doing: str) -> Iterator[Connection]:
        engine = self._engine if self._sqlite else self._engine.execution_options(postgresql_readonly=True)
        with told(self._where, doing), engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def _writing(self, doing: str) -> Iterator[Connection]:
        if not self._write:
            raise JournalError(f"{self._where}: cannot {doing}: it was opened for reading only")
        engine = self._engine.execution_options(**{WRITE: True})
        with self._turn, told(self._where, doing), engine.begin() as connection:
            if not self._sqlite:
                durable(connection)
            yield connection

    def _moment(self, connection: Connection) -> datetime:
        """Now, by one clock for all who share this journal."""
        if self._now is not None:
            return self._now().astimezone(UTC)
        if self._sqlite:
            return datetime.now(UTC)
        moment: datetime = connection.scalars(_CLOCK).one()
        return moment.astimezone(UTC)

    def _event(self, row: Any) -> Event:
        seq, tenant, kind, action, address, plan, at, by, run, commit, data = row
        if kind not in _KINDS:
            raise JournalError(
                f"{self._where}: event {seq} is of a kind that this version does not know: {kind}",
                hint="install the version of reconciler that wrote it",
            )
        if not isinstance(data, dict):
            raise JournalError(f"{self._where}: event {seq} is damaged: its data is none", hint=_DAMAGED)
        return Event(
            seq=seq,
            tenant=tenant,
            kind=_KINDS[kind],
            action=action,
            address=address,
            plan=plan,
            at=at,
            by=by,
            run=run,
            commit=commit,
            data=data,
        )


_KINDS = {kind.value: kind for kind in Kind}
_RESTORE = (
    "put back the newer journal: it knows what was done since. If it is lost for good, look at what"
    " `reconciler plan` shows, then `reconciler apply --accept-journal` goes on without it"
)
_DAMAGED = "somebody changed the journal by hand: restore it from a backup. Nothing was sent"
_INSERT = insert(events).returning(events.c.seq, sort_by_parameter_order=True)
_FIND_SQLITE = text("SELECT name FROM sqlite_master WHERE type = 'table' AND name = :name")
# Not to_regclass: it may answer from a cache that is older than another process's migration.
_FIND_POSTGRES = text(
    "SELECT relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace"
    " WHERE relname = :name AND nspname = ANY (current_schemas(false))"
)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(4861952057)")  # any number that nobody else uses
_CLOCK = text("SELECT clock_timestamp()")


def _values(event: Event) -> dict[str, object]:
    values: dict[str, object] = {
        word: getattr(event, word)
        for word in ("tenant", "action", "address", "plan", "at", "by", "run", "commit")
    }
    # Through JSON and back: what is no JSON fails before the transaction, any mapping becomes a dict.
    return values | {"kind": event.kind.value, "data": json.loads(json.dumps(event.data, default=_plain))}


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not JSON")
