"""The log of what happened, where things stand by replay, and what a journal must be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from msgspec import Struct, field

from reconciler.core.model import Address, Json


class Kind(StrEnum):
    """What can happen."""

    BEGUN = "begun"  # a plan with actions was begun; data: actions, number, refs, run_digest
    INTENDED = "intended"  # an action is about to be tried; data: action, attempt
    STEPPING = "stepping"  # an effective write is about to be sent; data: step, data
    STEPPED = "stepped"  # it was answered; data: step, ref, data
    ACCEPTED = "accepted"  # the provider or a person has it; data: ticket, waiting_on, status, due_by, ...
    FINISHED = "finished"  # it is so; data: ref, and what is to be remembered
    FAILED = "failed"  # it did not happen; data: final, code, message
    IN_DOUBT = "in-doubt"  # nobody can tell; data: why
    ADOPTED = "adopted"  # a seat is ours, or a service is a group's; data: login/written or ref
    RELEASED = "released"  # the opposite
    CLOSED = "closed"  # the plan's apply is over; data: exit_code
    OWED = "owed"  # an apply was refused before it began; data: why
    LIFTED = "lifted"  # a guard was lifted once; data: rule, value
    SEEN = "seen"  # an apply ended well for this manifest; data: manifest (its fingerprint)
    MOVED = (
        "moved"  # of the journal itself, tenant "": it is kept elsewhere now; data: to (empty: here again)
    )


class Event(Struct, frozen=True, kw_only=True):
    """One thing that happened to one tenant. `seq` rises by the order of writing and is set by the journal.

    by: the CI actor or the user. run: the CI run. commit: the revision of the manifests. plan: its digest.
    """

    kind: Kind
    tenant: str
    at: datetime
    action: str = ""
    address: Address = ""
    plan: str = ""
    data: Json = field(default_factory=dict)
    by: str = ""
    run: str = ""
    commit: str = ""
    seq: int = 0


class Lease(Struct, frozen=True, kw_only=True):
    """Who may do something now, until when; `token` rises with every new holder, so that a late one is known."""

    name: str
    holder: str
    token: int
    until: datetime
    since: datetime
    about: str = ""


class Journal(Protocol):
    """Where events are kept. An event is durable when `append` returns.

    `fresh` is true when the journal did not exist before this process opened it. `distant`: a write takes the
    time of a network's answer, and those made at the same time from several threads share it. `behind`: why it
    is older than what was seen of it before, else empty; nothing is written to it until `accept`. `moved`: that it
    was moved elsewhere, and where to, else empty; nobody begins anything with it any more.
    """

    fresh: bool
    distant: bool
    behind: str
    moved: str

    def events(self, tenants: Iterable[str] | None = None) -> Sequence[Event]:
        """Every event, or those of some tenants, in order."""
        ...

    def stream(self, tenants: Iterable[str] | None = None) -> Iterator[Event]:
        """The same one after another, for who keeps none of them."""
        ...

    def append(self, *events: Event, lease: Lease | None = None) -> tuple[Event, ...]:
        """Write events in one transaction; with `lease`, only while it is still ours (LeaseLostError)."""
        ...

    def acquire(self, name: str, *, holder: str, about: str = "") -> Lease:
        """Take a lease, or raise LeaseHeldError that names the holder and until when."""
        ...

    def renew(self, lease: Lease) -> Lease:
        """Prolong a lease; LeaseLostError when it is no longer ours."""
        ...

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is no longer ours."""
        ...

    def leases(self) -> Sequence[Lease]:
        """The leases that are held now."""
        ...

    def break_lease(self, name: str) -> bool:
        """Take a lease away from its holder by hand; false when nobody held it."""
        ...

    def accept(self) -> None:
        """Go on with a journal that is behind: a person has looked at what it does not know."""
        ...

    def close(self) -> None:
        """Let go of the connection and of the lock that shows we live."""
        ...
