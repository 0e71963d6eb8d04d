"""Where a tenant stands: what is open, what is ours, which service is which group."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct, field

from reconciler.core.action import Action
from reconciler.core.model import Address, Json
from reconciler.core.open import Delivery, Open, Spending, Stuck


class Progress(Struct):
    """Where one tenant stands.

    begun: how many plans with actions were begun. spent: a plan's digest, or its run's, to (when, by whom).
    todo: actions of the last plan not begun yet. failed: ids of those that failed for good.
    arrived: numbers of orders that were seen delivered; nobody needs to ask about them again.
    inherited: the tenant's name before a rename, while all of this is only known under that name.
    took: the name from which it was taken over. twice: the name before, while that is another tenant's memory.
    services: group to (ref, product, scope). endings: the same of groups that an apply cancelled.
    owned: (group, login in full) to the login as written.
    created: people this tool put into a directory, and the key each has there; empty where that was not told.
    settings: what became so at an address of the tenant.
    customer: the customer's id at the seller, once an apply created it.
    last: what an apply left at an address, and when. strangers: what nobody wrote, when it looked.
    ended: the exit code of the last apply. seen: the fingerprint of the manifest that was last applied well.
    delivered: how many seats each group had last. seated: how many people sat where when the plan began.
    """

    begun: int = 0
    spent: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    open: dict[str, Open] = field(default_factory=dict)
    todo: dict[str, Action] = field(default_factory=dict)
    finished: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)
    stuck: dict[Address, Stuck] = field(default_factory=dict)
    services: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    endings: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    owned: dict[tuple[str, str], str] = field(default_factory=dict)
    created: dict[str, str] = field(default_factory=dict)
    settings: dict[Address, Json] = field(default_factory=dict)
    customer: str = ""
    last: dict[Address, tuple[datetime, Json | None]] = field(default_factory=dict)
    strangers: frozenset[str] = frozenset()
    spending: dict[str, Spending] = field(default_factory=dict)
    orders: set[str] = field(default_factory=set)
    arrived: set[str] = field(default_factory=set)
    delivered: dict[str, Delivery] = field(default_factory=dict)
    seated: dict[str, int] = field(default_factory=dict)
    plan: str = ""
    owed: str = ""
    ended: int = 0
    seen: str = ""
    last_seq: int = 0
    inherited: str = ""
    took: str = ""
    twice: str = ""

    @property
    def unsettled(self) -> bool:
        """Whether `resume` has anything to do or to ask."""
        return bool(self.todo) or any(one.stage != "in-doubt" for one in self.open.values())

    @property
    def remembered(self) -> dict[str, tuple[str, str, str]]:
        """Every group that has, or had until an apply cancelled it, a service: (ref, product, scope)."""
        return self.endings | self.services

    def at(self, address: Address) -> tuple[Open, ...]:
        """The open actions on an address: a group's renewal and its display name are two."""
        return tuple(one for one in self.open.values() if one.action.address == address)
