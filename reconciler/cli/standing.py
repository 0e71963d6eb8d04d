"""The commands that only read the journal: status and history."""

from __future__ import annotations

import sys
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import click
from msgspec.structs import replace

from reconciler import __version__
from reconciler.cli.options import DETAILED, JOURNAL, NO_COLOR, common, formats, option
from reconciler.cli.output import options, put
from reconciler.cli.wiring import Chosen, World, files, in_sandbox, journal_of, notes_of, notes_on
from reconciler.core.errors import WorkspaceError
from reconciler.core.journal import Event, Kind
from reconciler.core.manifest import Tenant, fingerprint
from reconciler.core.open import Open
from reconciler.core.overview import History, OpenAction, Overview, TenantOverview, fileless
from reconciler.core.plan import Status
from reconciler.core.planner import waiting
from reconciler.core.progress import Progress
from reconciler.core.report import State, worst
from reconciler.engine.setup import progress_of

FAILED = 3
"""The exit code of an apply in which something failed."""

LATEST = 8
"""Events of each tenant that a page shows."""

STATES = {"in-doubt": State.IN_DOUBT, "by-hand": State.BY_HAND, "pending": State.PENDING}


@click.command()
@click.argument("tenants", nargs=-1, metavar="[TENANT]...")
@DETAILED
@formats("text", "markdown", "json", "html")
@NO_COLOR
@JOURNAL
@common
def status(tenants: tuple[str, ...], form: str, **values: Any) -> None:
    """Tell how each tenant stands, from the journal alone: no provider is asked.

    Exits 0; with --detailed-exitcode 3 when something failed, 4 when something is open, 8 when in doubt.
    """
    from reconciler.render import STATUS

    chosen = Chosen(workspace=values["workspace"], tenants=tenants, journal=values["journal"])
    world = files(chosen)
    overview = _overview(world, chosen, latest=LATEST if form == "html" else 0)
    put(STATUS[form](overview, options(no_color=values["no_color"])))
    sys.exit(status_exit(overview) if values["detailed_exitcode"] else 0)


def _overview(world: World, chosen: Chosen, *, latest: int) -> Overview:
    journal = journal_of(world, chosen, create=False)
    try:
        events = journal.events()
        notes = (*notes_of(world), *notes_on(journal))
    finally:
        journal.close()
    progress = progress_of(events, world.selection.every)
    lost = fileless(progress, [one.head for one in world.selection.every])
    closed = {event.tenant: event.at for event in events if event.kind is Kind.CLOSED}
    ends = _ends(events, latest)
    now = datetime.now(UTC)
    return Overview(
        tenants=tuple(
            replace(
                _tenant(one.tenant, progress, now, world, closed.get(one.name)),
                events=tuple(reversed(ends.get(one.name, ()))),
            )
            for one in world.selection.chosen
        ),
        created_at=now,
        tool_version=__version__,
        notes=(*notes, *lost),
        fileless=bool(lost),
    )


def _ends(events: Iterable[Event], latest: int) -> dict[str, deque[Event]]:
    """The last events of each tenant."""
    ends: dict[str, deque[Event]] = defaultdict(lambda: deque(maxlen=latest))
    for event in events:
        ends[event.tenant].append(event)
    return ends


def _tenant(
    tenant: Tenant, progress: Mapping[str, Progress], now: datetime, world: World, applied: datetime | None
) -> TenantOverview:
    known = progress.get(tenant.tenant, Progress())
    return TenantOverview(
        tenant=tenant.tenant,
        provider=tenant.provider,
        account=tenant.account,
        name=tenant.name or "",
        status=_status(known, tenant),
        actions=tuple(_actions(known, tenant.tenant, now)),
        owed=known.owed or None,
        hold=tenant.hold,
        sandbox=in_sandbox(world, tenant),
        applied_at=applied,
    )


def _actions(known: Progress, tenant: str, now: datetime) -> Iterator[OpenAction]:
    """What is open, what failed and blocks its group, and what was planned and is not begun."""
    for one in known.open.values():
        yield _open(one, now)
    for address, stuck in known.stuck.items():
        yield OpenAction(
            address=address,
            verb=stuck.action.verb,
            state=State.FAILED,
            since=stuck.since,
            ref=stuck.ref,
            reason=f"{stuck.why}; blocked until `reconciler resolve {tenant} {address}`",
        )
    for left in known.todo.values():
        yield OpenAction(
            address=left.address, verb=left.verb, state=State.NOT_STARTED, reason="waits for what it needs"
        )


def _open(one: Open, now: datetime) -> OpenAction:
    item = waiting(one, now)
    return OpenAction(
        address=item.address,
        verb=one.action.verb,
        state=STATES[item.state],
        since=item.since,
        due_by=item.due_by,
        ref=item.ref,
        reason="" if item.reason == one.instructions else item.reason,
        instructions=one.instructions,
    )


def _status(known: Progress, tenant: Tenant) -> Status:
    if any(one.stage == "in-doubt" for one in known.open.values()):
        return Status.IN_DOUBT
    if known.stuck:
        return Status.BLOCKED
    if known.open:
        return Status.PENDING
    if known.ended == FAILED and known.seen != fingerprint(tenant):
        return Status.ERROR
    if known.todo or known.owed or known.seen != fingerprint(tenant):
        return Status.CHANGES
    return Status.IN_SYNC


def status_exit(overview: Overview) -> int:
    """8 in doubt, 3 failed, 4 open, 0 else."""
    codes: set[int] = set()
    for one in overview.tenants:
        match one.status:
            case Status.IN_DOUBT:
                codes.add(8)
            case Status.BLOCKED | Status.ERROR:
                codes.add(3)
            case Status.PENDING:
                codes.add(4)
            case _:
                pass
        if one.owed:
            codes.add(3)
    if overview.fileless:
        codes.add(4)
    return worst(codes)


@click.command()
@click.argument("tenant", required=False)
@click.argument("address", required=False)
@formats("text", "json")
@option("--json", "as_json", is_flag=True, help="The same as --format json.")
@NO_COLOR
@JOURNAL
@common
def history(tenant: str | None, address: str | None, form: str, **values: Any) -> None:
    """Print the journal: what, when, by whom, order numbers, plan digests."""
    from reconciler.render import HISTORY

    chosen = Chosen(workspace=values["workspace"], journal=values["journal"])
    world = files(chosen)
    journal = journal_of(world, chosen, create=False)
    try:
        events = journal.stream([tenant] if tenant else None)
        known = {one.name for one in world.selection.every}
        first = next(events, None)
        if tenant is not None and first is None and tenant not in known:
            raise WorkspaceError(f"there is no tenant {tenant!r}, and the journal never heard of it")
        every = events if first is None else chain([first], events)
        found = History(
            events=(one for one in every if address is None or one.address == address),
            created_at=datetime.now(UTC),
            tool_version=__version__,
            notes=(*notes_of(world), *notes_on(journal)),
        )
        if form == "json" or values["as_json"]:
            _pour(found)
        else:
            put(HISTORY[form](found, options(no_color=values["no_color"])))
    finally:
        journal.close()


def _pour(found: History) -> None:
    """Print a history as it is read: a journal of years fits in no memory."""
    from reconciler.render.as_json import history_parts

    for part in history_parts(found):
        click.echo(part, nl=False)
