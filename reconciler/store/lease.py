"""Leases in a database: one row a name, changed in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Row, Select, delete, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from reconciler.core.journal import Lease
from reconciler.store import holding
from reconciler.store.holding import TERM, Holding
from reconciler.store.tables import leases

__all__ = [
    "TERM", "acquire", "check", "held", "release", "remember", "renew", "take_away", "tokens",
]  # fmt: skip

# Inserts a row unless it is there; both dialects word it alike and SQLAlchemy keeps the two apart.
_INSERT: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def acquire(
    connection: Connection, name: str, *, holder: str, about: str, now: datetime, sign: tuple[str, str]
) -> Lease:
    """Take a lease that nobody living holds; `sign` is our machine and the lock file that shows we live."""
    free = asdict(Holding(name=name, token=0, since=now, until=now))
    connection.execute(
        _INSERT[connection.dialect.name](leases).values(free).on_conflict_do_nothing(index_elements=["name"])
    )
    found = _holding(connection.execute(_row(name).with_for_update()).one())
    taken = found.taken(holder=holder, about=about, now=now, sign=sign)
    _keep(connection, taken)
    return taken.lease()


def check(connection: Connection, lease: Lease, *, now: datetime) -> None:
    """Raise LeaseLostError unless `lease` is still held; it stays so until the transaction ends."""
    row = connection.execute(_row(lease.name).with_for_update(read=True)).one_or_none()
    holding.check(None if row is None else _holding(row), lease, now=now)


def renew(connection: Connection, lease: Lease, *, now: datetime) -> datetime:
    """Prolong a lease that is still held; returns until when."""
    row = connection.execute(_row(lease.name).with_for_update()).one_or_none()
    found = holding.check(None if row is None else _holding(row), lease, now=now)
    renewed = found.renewed(now=now)
    _keep(connection, renewed)
    return renewed.until


def release(connection: Connection, lease: Lease, *, now: datetime) -> None:
    """Give a lease back, if it is still ours."""
    row = connection.execute(_row(lease.name).with_for_update()).one_or_none()
    if row is not None and _holding(row).is_of(lease):
        _keep(connection, _holding(row).freed(now=now))


def take_away(connection: Connection, name: str, *, now: datetime) -> bool:
    """Free a lease whoever holds it; false when nobody did."""
    row = connection.execute(_row(name).with_for_update()).one_or_none()
    if row is None or not row.holder or row.until <= now:
        return False
    _keep(connection, _holding(row).freed(now=now))
    return True


def held(connection: Connection, *, now: datetime, machine: str) -> tuple[Lease, ...]:
    """The leases whose holders live, as far as can be known, by name."""
    found = map(_holding, connection.execute(select(leases).order_by(leases.c.name)))
    return tuple(one.lease() for one in found if one.lives(now=now, machine=machine))


def tokens(connection: Connection) -> dict[str, int]:
    """The last token of each name."""
    found = connection.execute(select(leases.c.name, leases.c.token).order_by(leases.c.name))
    return {row.name: row.token for row in found}


def remember(connection: Connection, given: Mapping[str, int], *, now: datetime) -> None:
    """Make the next holder's tokens exceed those that were given elsewhere, and those given here."""
    here = tokens(connection)
    connection.execute(delete(leases))
    free = [
        asdict(Holding(name=name, token=max(given.get(name, 0), here.get(name, 0)), since=now, until=now))
        for name in sorted(given.keys() | here.keys())
    ]
    if free:
        connection.execute(insert(leases), free)


def _row(name: str) -> Select[Any]:
    return select(leases).where(leases.c.name == name)


def _holding(row: Row[Any]) -> Holding:
    return Holding(**row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping


def _keep(connection: Connection, holding: Holding) -> None:
    connection.execute(update(leases).where(leases.c.name == holding.name).values(asdict(holding)))
