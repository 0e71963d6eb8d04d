"""Another journal's events in the tables of this one, under the numbers that they have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, insert, select, text

from reconciler.store.tables import events

PAGE = 1000  # events written by one statement


def alone(connection: Connection) -> None:
    """Let nobody else take a lease or write until the transaction ends; on SQLite nobody does anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(_ALONE)


def last(connection: Connection) -> int:
    """The number of the last event; 0 when there is none."""
    return int(connection.scalar(select(func.max(events.c.seq))) or 0)


def receive(connection: Connection, values: Sequence[Mapping[str, object]], *, last: int) -> None:
    """Write events with their numbers; what is written later gets a number above `last`."""
    for start in range(0, len(values), PAGE):
        connection.execute(insert(events), [dict(one) for one in values[start : start + PAGE]])
    match connection.dialect.name:
        case "sqlite":
            connection.execute(_FORGET)
            connection.execute(_COUNT_FROM, {"last": last})
        case _:
            connection.execute(_GO_ON, {"last": last})


# SQLite keeps the last number of a table with AUTOINCREMENT in a row of its own.
_FORGET = text("DELETE FROM sqlite_sequence WHERE name = 'events'")
_COUNT_FROM = text("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', :last)")
# In this order, which is that of a write under a lease.
_ALONE = text("LOCK TABLE leases, events IN EXCLUSIVE MODE")
_GO_ON = text("SELECT setval(pg_get_serial_sequence('events', 'seq'), :last)")
