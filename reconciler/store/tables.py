"""The tables of the journal, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Connection,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    insert,
)
from sqlalchemy.types import TypeEngine

# Revisions of the schema that this version can read, oldest first; the last is the one it writes.
REVISIONS = ("0001",)
HEAD = REVISIONS[-1]
VERSION_TABLE = "journal_version"  # not Alembic's default name: a database may be shared


class Moment(TypeDecorator[datetime]):
    """A moment in UTC: `timestamptz` on PostgreSQL, elsewhere text that sorts by time."""

    impl = String(32)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[datetime] | TypeEngine[str]:
        """Choose the column's type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(32))

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], object]:
        """Turn a moment into what the database keeps."""
        if dialect.name == "postgresql":
            return lambda value: value and value.astimezone(UTC)
        return lambda value: value and value.astimezone(UTC).isoformat(timespec="microseconds")

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[object], datetime | None]:  # noqa: ARG002 - SQLAlchemy's signature
        """Turn what the database keeps into a moment in UTC."""
        if dialect.name == "postgresql":
            return lambda value: value.astimezone(UTC) if isinstance(value, datetime) else None
        return lambda value: datetime.fromisoformat(value) if isinstance(value, str) else None


metadata = MetaData()

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("tenant", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("run", Text, nullable=False),
    Column("commit", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Index("events_by_tenant", "tenant", "seq"),
    sqlite_autoincrement=True,  # a number is never given twice
)

# One row a name for ever: a lease that is given back keeps its token and has no holder.
leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", BigInteger, nullable=False),
    Column("holder", Text, nullable=False),
    Column("about", Text, nullable=False),
    Column("since", Moment, nullable=False),
    Column("until", Moment, nullable=False),
    Column("machine", Text, nullable=False),
    Column("lockfile", Text, nullable=False),
)

# As Alembic makes and reads it; apart, because it is no table of ours to compare or migrate.
_version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))


def make(connection: Connection) -> None:
    """Make all tables of a new journal at once, as the migrations would, without the time to load Alembic."""
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection, checkfirst=False)
    connection.execute(insert(_version).values(version_num=HEAD))
