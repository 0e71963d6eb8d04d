"""How tenants stand between two applies: what is open since when, what failed, what is owed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from msgspec import Struct

from reconciler.core.action import Verb
from reconciler.core.journal import Event
from reconciler.core.manifest import Tenant
from reconciler.core.model import Address
from reconciler.core.plan import Status
from reconciler.core.progress import Progress
from reconciler.core.report import State


class OpenAction(Struct, frozen=True, kw_only=True):
    """An action that is not over: pending, by hand, in doubt, or failed and not tried again."""

    address: Address
    verb: Verb
    state: State
    since: datetime | None = None
    due_by: datetime | None = None
    ref: str | None = None
    reason: str = ""
    instructions: str = ""


class TenantOverview(Struct, frozen=True, kw_only=True):
    """One tenant.

    owed: why an apply was refused before it began, while none ended well since.
    changes: how many actions a plan would have, where one was made.
    events: the latest of its journal, the newest first, where they were asked for.
    """

    tenant: str
    provider: str
    status: Status
    account: str = ""
    name: str = ""
    actions: tuple[OpenAction, ...] = ()
    changes: int = 0
    owed: str | None = None
    error: str | None = None
    hold: str | None = None
    sandbox: bool = False
    applied_at: datetime | None = None
    events: tuple[Event, ...] = ()


class Overview(Struct, frozen=True, kw_only=True):
    """All tenants of one `status`, in the order of their names; `fileless`: something is open in others."""

    tenants: tuple[TenantOverview, ...]
    created_at: datetime
    tool_version: str
    notes: tuple[str, ...] = ()
    fileless: bool = False


class History(Struct, frozen=True, kw_only=True):
    """What the journal says happened, in the order of writing; `notes`: what a reader should know first."""

    events: Iterable[Event]
    created_at: datetime
    tool_version: str
    notes: tuple[str, ...] = ()


def fileless(progress: Mapping[str, Progress], tenants: Collection[Tenant]) -> tuple[str, ...]:
    """Say in which tenants something is open although their file is gone: nobody can be asked without it."""
    olds = {one.previously for one in tenants if not progress.get(one.tenant, Progress()).twice}
    named = {one.tenant for one in tenants} | {old for old in olds if old}
    return tuple(
        f"{name} has no file any more, and is not done: {_still(known)}; write the file again, then resume"
        for name, known in sorted(progress.items())
        if known.open and name not in named
    )


def _still(known: Progress) -> str:
    told = (
        f"{one.action.verb} {one.action.address}" + (f" (ref {one.ticket})" if one.ticket else "")
        for one in known.open.values()
    )
    return ", ".join(told)
