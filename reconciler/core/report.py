"""How an apply ended: for each tenant and action, what was done, failed, not begun, is open or in doubt."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from reconciler.core.action import Verb
from reconciler.core.errors import ReconcilerError
from reconciler.core.model import Address
from reconciler.core.plan import Status


class State(StrEnum):
    """How one action stands."""

    DONE = "done"
    FAILED = "failed"
    PENDING = "pending"
    BY_HAND = "by-hand"
    IN_DOUBT = "in-doubt"
    NOT_STARTED = "not-started"


class Trouble(Struct, frozen=True, kw_only=True):
    """Why an action or a tenant failed, or could not be begun."""

    code: str
    message: str


class Result(Struct, frozen=True, kw_only=True):
    """How one action stands; `summary` and `instructions` are for people."""

    id: str
    verb: Verb
    address: Address
    state: State
    summary: str = ""
    ref: str | None = None
    error: Trouble | None = None
    since: datetime | None = None
    due_by: datetime | None = None
    finished_at: datetime | None = None
    instructions: str = ""
    note: str = ""


class TenantReport(Struct, frozen=True, kw_only=True):
    """How one tenant stands; `exit_code` is what it adds to the run's.

    waits: what is on its way without being an action of ours, for people.
    """

    tenant: str
    status: Status
    actions: tuple[Result, ...] = ()
    error: Trouble | None = None
    exit_code: int = 0
    hold: str | None = None
    sandbox: bool = False
    waits: tuple[str, ...] = ()


class Report(Struct, frozen=True, kw_only=True):
    """How an apply or a resume ended.

    refusal: why the run was refused as a whole, before anything new was begun; a note in what is written.
    """

    digest: str
    started_at: datetime
    finished_at: datetime
    exit_code: int
    tenants: tuple[TenantReport, ...] = ()
    notes: tuple[str, ...] = ()
    refusal: ReconcilerError | None = None

    @property
    def went_on(self) -> bool:
        """Whether anything was done or gone on with."""
        return any(one.state is not State.NOT_STARTED for each in self.tenants for one in each.actions)


WORST_FIRST = (8, 1, 6, 5, 7, 3, 4, 2, 0)


def worst(codes: set[int]) -> int:
    """The exit code of a run in which several hold."""
    return next(code for code in WORST_FIRST if code in codes | {0})
