"""What the journal leaves behind of an action: that it is open, that it failed for good, what it cost and brought."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from reconciler.core.action import Action
from reconciler.core.model import Json
from reconciler.core.provider import StepRecord, WaitingOn

Stage = Literal["intended", "accepted", "in-doubt"]


class Open(Struct, frozen=True, kw_only=True):
    """An action that was begun and is not settled.

    stage: `intended` when nobody has its answer, `accepted` when the provider or a person has it.
    told: a person said what the ticket is, and may have been wrong.
    """

    action: Action
    stage: Stage
    since: datetime
    attempt: int = 1
    steps: tuple[StepRecord, ...] = ()
    ticket: str | None = None
    waiting_on: WaitingOn = "provider"
    status: str = ""
    due_by: datetime | None = None
    instructions: str = ""
    why: str = ""
    plan: str = ""
    told: bool = False

    @property
    def ref(self) -> str | None:
        """What a person can look up: the ticket, else the last step's ref."""
        return self.ticket or next((step.ref for step in reversed(self.steps) if step.ref), None)

    @property
    def groups(self) -> frozenset[str]:
        """The licence groups it concerns."""
        detail = self.action.detail
        named = {self.action.group, detail.get("group"), *detail.get("groups", ())}
        return frozenset(str(one) for one in named if one)

    @property
    def logins(self) -> frozenset[str]:
        """The people it concerns, by their old login as well while they are renamed."""
        if self.action.address.startswith("group/"):
            return frozenset()
        detail = self.action.detail
        return frozenset(str(one) for one in (detail.get("login"), detail.get("previously")) if one)


class Stuck(Struct, frozen=True, kw_only=True):
    """A failed purchase whose group stays blocked until a person resolves it."""

    action: Action
    since: datetime
    why: str
    ref: str | None = None


class Spending(Struct, frozen=True):
    """What an action added to the monthly bill, and when."""

    at: datetime
    currency: str
    monthly: Decimal


class Delivery(Struct, frozen=True):
    """How many seats a group had when the last order or change of its number was done.

    names: which they were, where seats have names; the service in front of a name is left out.
    """

    at: datetime
    service: str
    seats: int
    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, at: datetime, service: str, seats: object, data: Json) -> Delivery:
        """Read it from what an action left behind."""
        return cls(at, service, int(str(seats)), tuple(str(one) for one in data.get("names", ())))

    @property
    def full_names(self) -> tuple[str, ...]:
        """The seats' names, whole."""
        return tuple(f"{self.service}{one}" if one.startswith("-") else one for one in self.names)
