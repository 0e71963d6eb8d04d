"""Reports and standings as one self-contained page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from reconciler.core.journal import Event
from reconciler.core.overview import OpenAction, Overview, TenantOverview
from reconciler.core.plan import Status
from reconciler.core.report import Report, Result, State, TenantReport
from reconciler.render import endings, words
from reconciler.render.html_page import (
    HOLD,
    SANDBOX,
    STATUSES,
    Anchors,
    Block,
    Card,
    Cell,
    Chip,
    Command,
    Ending,
    Section,
    Table,
    Tile,
    chip,
    page,
)
from reconciler.render.html_todo import doubt_commands
from reconciler.render.options import Options
from reconciler.render.words import Step

WORST = (State.IN_DOUBT, State.FAILED, State.BY_HAND, State.PENDING, State.NOT_STARTED, State.DONE)
"""What needs somebody first."""


def report(value: Report, options: Options) -> str:
    """How an apply ended, for each tenant and action."""
    states = [result.state for tenant in value.tenants for result in tenant.actions]
    took = f"{words.moment(value.started_at)} to {words.moment(value.finished_at)}"
    said = words.EXITS.get(value.exit_code, "unknown")
    blocks = [tenant for tenant in value.tenants if tenant.actions or _said(tenant)]
    at = Anchors(tenant.tenant for tenant in blocks)
    cards = _cards(((tenant.tenant, item) for tenant in value.tenants for item in tenant.actions), at)
    return page(
        title="Licence report",
        verdict=endings.report_verdict(value),
        said=(f"Exit code {value.exit_code}: {said}.", took),
        sandboxes=(tenant.tenant for tenant in value.tenants if tenant.sandbox),
        notes=value.notes,
        tiles=_tiles(states),
        first=(_person(cards), _tenants(value, at)),
        blocks=[_block(tenant, at) for tenant in blocks],
        last=(Section(id="unseen", title="What was not done", intro=tuple(_undone(value))),),
        ending=Ending(
            commands=tuple(_next(endings.after_report(value, options))),
            facts=(("Digest of the plan that was done", value.digest),),
            made=f"Begun {words.moment(value.started_at)}, ended {words.moment(value.finished_at)}",
        ),
    )


def status(value: Overview, options: Options) -> str:
    """How tenants stand now, with the latest of the journal."""
    states = [item.state for tenant in value.tenants for item in tenant.actions]
    blocks = [tenant for tenant in value.tenants if _worth_telling(tenant)]
    at = Anchors(tenant.tenant for tenant in blocks)
    cards = _cards(((tenant.tenant, item) for tenant in value.tenants for item in tenant.actions), at)
    made = f"reconciler {value.tool_version}, {words.moment(value.created_at)}"
    again = Command(when="To see it again", code="reconciler status")
    return page(
        title="Licence status",
        verdict=endings.overview_verdict(value),
        said=(
            f"From the journal alone, {words.moment(value.created_at)}: no provider was asked.",
            endings.caveat(value),
        ),
        sandboxes=(tenant.tenant for tenant in value.tenants if tenant.sandbox),
        notes=value.notes,
        tiles=(*_tiles(states), *_standings(value)),
        first=(_person(cards), _standing(value, at)),
        blocks=[_open_block(tenant, at) for tenant in blocks],
        last=(),
        ending=Ending(commands=(*_next(endings.after_status(value, options)), again), facts=(), made=made),
    )


def _tiles(states: Iterable[State]) -> Iterator[Tile]:
    counts = Counter(states)
    for state in WORST:
        if counts[state]:
            href = "#person" if state in _PERSONS else "#each"
            yield Tile(number=str(counts[state]), chip=chip(words.STATES[state]), href=href)


def _standings(value: Overview) -> Iterator[Tile]:
    counts = Counter(tenant.status for tenant in value.tenants)
    for state in (Status.ERROR, Status.CHANGES, Status.IN_SYNC):
        one = STATUSES[state]
        if counts[state]:
            word = f"tenants: {one.word}"
            yield Tile(number=str(counts[state]), chip=Chip(one.symbol, word, one.tone), href="#tenants")


_PERSONS = frozenset({State.IN_DOUBT, State.BY_HAND, State.FAILED})


def _person(cards: Iterable[Card]) -> Section:
    return Section(id="person", title="Needs a person", cards=tuple(cards))


def _cards(items: Iterable[tuple[str, Result | OpenAction]], at: Anchors) -> Iterator[Card]:
    """What only a person can go on with; what is in doubt first."""
    for tenant, item in sorted(items, key=lambda one: WORST.index(one[1].state)):
        if item.state in _PERSONS:
            yield Card(
                chip=chip(words.STATES[item.state]),
                tenant=tenant,
                href=at.href(tenant),
                address=item.address,
                why=f"{item.verb.value}: {_why(item)}".removesuffix(": "),
                steps=item.instructions,
                commands=_commands(tenant, item),
            )


def _commands(tenant: str, item: Result | OpenAction) -> tuple[Command, ...]:
    match item.state:
        case State.IN_DOUBT:
            return doubt_commands(tenant, item.address, item.ref)
        case State.BY_HAND if item.ref is None:
            done = words.confirm_command(tenant, item.address)
            return (Command(when="Once it is done", code=done),)
        case _:
            return ()


def _why(item: Result | OpenAction) -> str:
    return endings.result_why(item) if isinstance(item, Result) else endings.open_why(item)


def _chips(tenant: TenantReport | TenantOverview) -> tuple[Chip, ...]:
    held = (HOLD,) if tenant.hold is not None else ()
    return (STATUSES[tenant.status], *held, *((SANDBOX,) if tenant.sandbox else ()))


def _tenants(value: Report, at: Anchors) -> Section:
    rows = tuple(
        (
            Cell(code=tenant.tenant, href=at.href(tenant.tenant)),
            Cell(chips=_chips(tenant)),
            Cell(text=str(len(tenant.actions)), number=True),
            Cell(text="; ".join(_said(tenant))),
        )
        for tenant in value.tenants
    )
    columns = ("tenant", "status", "actions", "said")
    table = Table(caption="How each tenant ended", columns=columns, rows=rows)
    return Section(id="tenants", title="Tenants", tables=(table,) if rows else ())


def _said(tenant: TenantReport) -> list[str]:
    parts = [f"error: {tenant.error.message}"] if tenant.error else []
    parts += [f"on hold: {tenant.hold}"] if tenant.hold is not None else []
    return [*parts, *(f"pending: {waits}" for waits in tenant.waits)]


def _undone(value: Report) -> Iterator[str]:
    for tenant in value.tenants:
        for said in _said(tenant):
            yield f"{tenant.tenant}: {said}"
        left = sum(result.state is State.NOT_STARTED for result in tenant.actions)
        if left:
            yield f"{tenant.tenant}: {words.count(left, 'action')} not started"


def _block(tenant: TenantReport, at: Anchors) -> Block:
    rows = tuple(_line(result, Cell(text=result.summary)) for result in tenant.actions)
    columns = ("state", "address", "do", "what", "why")
    table = Table(caption=f"Actions of {tenant.tenant}", columns=columns, rows=rows)
    return Block(
        id=at.id(tenant.tenant),
        title=tenant.tenant,
        said=words.count(len(tenant.actions), "action"),
        chips=_chips(tenant),
        lines=tuple(_said(tenant)),
        tables=(table,) if rows else (),
    )


def _line(item: Result | OpenAction, *more: Cell) -> tuple[Cell, ...]:
    return (
        Cell(chips=(chip(words.STATES[item.state]),)),
        Cell(code=item.address),
        Cell(text=item.verb.value, short=True),
        *more,
        Cell(text=_why(item), steps=item.instructions),
    )


def _worth_telling(tenant: TenantOverview) -> bool:
    said = (tenant.actions, tenant.events, tenant.owed, tenant.error, tenant.hold)
    return tenant.status is not Status.IN_SYNC or any(said)


def _standing(value: Overview, at: Anchors) -> Section:
    rows = tuple(
        (
            Cell(code=tenant.tenant, href=at.href(tenant.tenant), more=(tenant.name,) if tenant.name else ()),
            Cell(chips=_chips(tenant)),
            Cell(text=tenant.provider, more=(f"account {tenant.account}",) if tenant.account else ()),
            Cell(text=words.moment(tenant.applied_at) if tenant.applied_at else "never", short=True),
            Cell(text="; ".join(_told(tenant))),
        )
        for tenant in value.tenants
    )
    columns = ("tenant", "status", "with", "last applied", "said")
    table = Table(caption="How each tenant stands", columns=columns, rows=rows)
    return Section(id="tenants", title="Tenants", tables=(table,) if rows else ())


def _told(tenant: TenantOverview) -> list[str]:
    pairs = (("owed", tenant.owed), ("on hold", tenant.hold), ("error", tenant.error))
    return [f"{word}: {text}" for word, text in pairs if text is not None]


def _open_block(tenant: TenantOverview, at: Anchors) -> Block:
    rows = tuple(_line(item) for item in tenant.actions)
    events = tuple(_event(event) for event in tenant.events)
    made = (
        Table(caption=f"Open in {tenant.tenant}", columns=("state", "address", "do", "why"), rows=rows),
        Table(
            caption="The latest of the journal", columns=("at", "what", "address", "said", "by"), rows=events
        ),
    )
    return Block(
        id=at.id(tenant.tenant),
        title=f"{tenant.tenant} {tenant.name}".rstrip(),
        said="; ".join(_extent(tenant)),
        chips=_chips(tenant),
        lines=tuple(_told(tenant)),
        tables=tuple(table for table in made if table.rows),
    )


def _extent(tenant: TenantOverview) -> Iterator[str]:
    yield tenant.provider
    if tenant.changes:
        yield f"{words.count(tenant.changes, 'action')} to do"
    yield f"last applied {words.moment(tenant.applied_at)}" if tenant.applied_at else "never applied"


def _event(event: Event) -> tuple[Cell, ...]:
    by = ", ".join(part for part in (event.by, f"run {event.run}" if event.run else "") if part)
    return (
        Cell(text=words.moment(event.at), short=True),
        Cell(text=event.kind.value, short=True),
        Cell(code=event.address),
        Cell(text="; ".join(endings.event_parts(event))),
        Cell(text=by),
    )


def _next(step: Step | None) -> Iterator[Command]:
    if step is not None:
        yield Command(when=step.when, code=step.command)
