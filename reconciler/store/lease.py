"""Leases: who may do something now, until when; one row a name, changed in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, Select, select, update
from sqlalchemy.dialects import postgresql, sqlite

from reconciler.core.errors import LeaseHeldError, LeaseLostError
from reconciler.core.journal import Lease
from reconciler.store.alive import is_dead
from reconciler.store.tables import leases

TERM = timedelta(minutes=2)  # how long a lease lasts after it was last renewed

# Inserts a row unless it is there; both dialects word it alike and SQLAlchemy keeps the two apart.
_INSERT: dict[str, Callable[..., Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def acquire(
    connection: Connection, name: str, *, holder: str, about: str, now: datetime, sign: tuple[str, str]
) -> Lease:
    """Take a lease that nobody living holds; `sign` is our machine and the lock file that shows we live."""
    machine, lockfile = sign
    row = {"name": name, "token": 0, "holder": "", "about": "", "since": now, "until": now}
    row |= {"machine": "", "lockfile": ""}
    connection.execute(
        _INSERT[connection.dialect.name](leases).values(row).on_conflict_do_nothing(index_elements=["name"])
    )
    found = connection.execute(_row(name).with_for_update()).one()
    if _lives(found, now=now, machine=machine):
        raise _held(found)
    lease = Lease(name=name, holder=holder, token=found.token + 1, until=now + TERM, since=now, about=about)
    connection.execute(
        update(leases)
        .where(leases.c.name == name)
        .values(
            token=lease.token,
            holder=holder,
            about=about,
            since=now,
            until=lease.until,
            machine=machine,
            lockfile=lockfile,
        )
    )
    return lease


def check(connection: Connection, lease: Lease, *, now: datetime) -> None:
    """Raise LeaseLostError unless `lease` is still held; it stays so until the transaction ends."""
    found = connection.execute(_row(lease.name).with_for_update(read=True)).one_or_none()
    if found is None or not _is(found, lease):
        taker = f"now held by {found.holder}" if found is not None and found.holder else "now free"
        raise LeaseLostError(f"{lease.name}: the lease was taken away from this run; {taker}", hint=_GO_ON)
    if found.until <= now:
        raise LeaseLostError(f"{lease.name}: the lease ran out at {_clock(found.until)}", hint=_GO_ON)


def renew(connection: Connection, lease: Lease, *, now: datetime) -> datetime:
    """Prolong a lease that is still held; returns until when."""
    connection.execute(_row(lease.name).with_for_update())
    check(connection, lease, now=now)
    until = now + TERM
    connection.execute(update(leases).where(leases.c.name == lease.name).values(until=until))
    return until


def release(connection: Connection, lease: Lease, *, now: datetime) -> None:
    """Give a lease back, if it is still ours."""
    connection.execute(
        update(leases)
        .where(leases.c.name == lease.name, leases.c.token == lease.token, leases.c.holder == lease.holder)
        .values(_FREE | {"until": now})
    )


def take_away(connection: Connection, name: str, *, now: datetime) -> bool:
    """Free a lease whoever holds it; false when nobody did."""
    found = connection.execute(_row(name).with_for_update()).one_or_none()
    if found is None or not found.holder or found.until <= now:
        return False
    connection.execute(update(leases).where(leases.c.name == name).values(_FREE | {"until": now}))
    return True


def held(connection: Connection, *, now: datetime, machine: str) -> tuple[Lease, ...]:
    """The leases whose holders live, as far as can be known, by name."""
    rows = connection.execute(select(leases).order_by(leases.c.name)).all()
    return tuple(
        Lease(
            name=row.name,
            holder=row.holder,
            token=row.token,
            until=row.until,
            since=row.since,
            about=row.about,
        )
        for row in rows
        if _lives(row, now=now, machine=machine)
    )


_FREE = {"holder": "", "about": "", "machine": "", "lockfile": ""}
_GO_ON = "nothing more was sent; `reconciler status` shows where things stand, `reconciler resume` goes on"


def _row(name: str) -> Select[Any]:
    return select(leases).where(leases.c.name == name)


def _is(row: Row[Any], lease: Lease) -> bool:
    return bool(row.token == lease.token and row.holder == lease.holder)


def _lives(row: Row[Any], *, now: datetime, machine: str) -> bool:
    """Whether a row is held: not given back, not run out, its holder not known to be dead."""
    if not row.holder or row.until <= now:
        return False
    return not (row.lockfile and row.machine == machine and is_dead(row.lockfile))


def _held(row: Row[Any]) -> LeaseHeldError:
    about = f" ({row.about})" if row.about else ""
    return LeaseHeldError(
        f"{row.name}: {row.holder}{about} holds the lease since {_clock(row.since)}, "
        f"until {_clock(row.until)} unless it is renewed",
        hint="wait for it to end; if that run is surely gone, free it with"
        f" `reconciler lease release {row.name}`",
    )


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
