"""Who holds a lease, judged from what is written about it, wherever it is written."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from reconciler.core.errors import LeaseHeldError, LeaseLostError
from reconciler.core.journal import Lease
from reconciler.store.alive import is_dead

TERM = timedelta(minutes=2)  # how long a lease lasts after it was last renewed


class Holding(Struct, frozen=True, kw_only=True):
    """What is written about a lease; without a holder it is free, and only its token is remembered.

    machine, lockfile: where the holder runs, and the locked file that shows it lives.
    """

    name: str
    token: int
    since: datetime
    until: datetime
    holder: str = ""
    about: str = ""
    machine: str = ""
    lockfile: str = ""

    def lease(self) -> Lease:
        """As the holder and others see it."""
        return Lease(
            name=self.name,
            holder=self.holder,
            token=self.token,
            until=self.until,
            since=self.since,
            about=self.about,
        )

    def lives(self, *, now: datetime, machine: str) -> bool:
        """Whether it is held: not given back, not run out, its holder not known to be dead."""
        if not self.holder or self.until <= now:
            return False
        return not (self.lockfile and self.machine == machine and is_dead(self.lockfile))

    def taken(self, *, holder: str, about: str, now: datetime, sign: tuple[str, str]) -> Holding:
        """Take it, unless somebody living holds it; `sign` is our machine and the lock file of ours."""
        machine, lockfile = sign
        if self.lives(now=now, machine=machine):
            raise self._refusal()
        return Holding(
            name=self.name,
            token=self.token + 1,
            holder=holder,
            about=about,
            since=now,
            until=now + TERM,
            machine=machine,
            lockfile=lockfile,
        )

    def freed(self, *, now: datetime) -> Holding:
        """Nobody's, with the token that the next holder's is to exceed."""
        return Holding(name=self.name, token=self.token, since=self.since, until=now)

    def renewed(self, *, now: datetime) -> Holding:
        """Prolonged."""
        return replace(self, until=now + TERM)

    def is_of(self, lease: Lease) -> bool:
        """Whether this is that very lease, not a later one of the same name."""
        return self.token == lease.token and self.holder == lease.holder

    def _refusal(self) -> LeaseHeldError:
        about = f" ({self.about})" if self.about else ""
        return LeaseHeldError(
            f"{self.name}: {self.holder}{about} holds the lease since {_clock(self.since)}, "
            f"until {_clock(self.until)} unless it is renewed",
            hint="wait for it to end; if that run is surely gone, free it with"
            f" `reconciler lease release {self.name}`",
            code="lease-held",
        )


def living(kept: Iterable[Holding], *, now: datetime, machine: str) -> tuple[Lease, ...]:
    """The leases that are held, by name."""
    found = [one.lease() for one in kept if one.lives(now=now, machine=machine)]
    return tuple(sorted(found, key=lambda lease: lease.name))


def check(found: Holding | None, lease: Lease, *, now: datetime) -> Holding:
    """What is written of `lease`, which is still held; else LeaseLostError."""
    if found is None or not found.is_of(lease):
        taker = f"now held by {found.holder}" if found is not None and found.holder else "now free"
        raise LeaseLostError(f"{lease.name}: the lease was taken away from this run; {taker}", hint=_GO_ON)
    in_time(lease, found.until, now=now)
    return found


def in_time(lease: Lease, until: datetime, *, now: datetime) -> None:
    """Raise LeaseLostError when a lease that ends at `until` has ended."""
    if until <= now:
        raise LeaseLostError(f"{lease.name}: the lease ran out at {_clock(until)}", hint=_GO_ON)


_GO_ON = "nothing more was sent; `reconciler status` shows where things stand, `reconciler resume` goes on"


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
