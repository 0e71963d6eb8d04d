"""Reports and standings as one self-contained page."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.overview import OpenAction, Overview, TenantOverview
from reconciler.core.report import Report, Result, State, TenantReport
from reconciler.render import endings, words
from reconciler.render.html import STYLES, Block, Human, Last, Row, page, sandbox
from reconciler.render.options import Options


def report(value: Report, options: Options) -> str:
    """How an apply ended, for each tenant and action."""
    states = {result.state for tenant in value.tenants for result in tenant.actions}
    took = f"{words.moment(value.started_at)} to {words.moment(value.finished_at)}"
    said = words.EXITS.get(value.exit_code, "unknown")
    return page(
        title="Licence report",
        verdict=endings.report_verdict(value),
        bill=f"Exit code {value.exit_code}: {said}.",
        sandbox=sandbox(tenant.tenant for tenant in value.tenants if tenant.sandbox),
        notes=value.notes,
        human=[
            found
            for tenant in value.tenants
            for result in tenant.actions
            for found in _human(tenant.tenant, result, endings.result_why(result))
        ],
        tenant_columns=("tenant", "status", "actions", "said"),
        tenants=[_row(tenant) for tenant in value.tenants],
        columns=("state", "address", "do", "what", "why"),
        blocks=[_block(tenant) for tenant in value.tenants if tenant.actions],
        last=[*_next(states, options), Last(said="Digest", code=value.digest), Last(said=took)],
    )


def status(value: Overview, options: Options) -> str:
    """How tenants stand now."""
    states = {item.state for tenant in value.tenants for item in tenant.actions}
    made = f"reconciler {value.tool_version}, {words.moment(value.created_at)}"
    return page(
        title="Licence status",
        verdict=endings.overview_verdict(value),
        bill="",
        sandbox=sandbox(tenant.tenant for tenant in value.tenants if tenant.sandbox),
        notes=value.notes,
        human=[
            found
            for tenant in value.tenants
            for item in tenant.actions
            for found in _human(tenant.tenant, item, endings.open_why(item))
        ],
        tenant_columns=("tenant", "with", "status", "said"),
        tenants=[_standing(tenant) for tenant in value.tenants],
        columns=("state", "address", "do", "why"),
        blocks=[_open_block(tenant) for tenant in value.tenants if tenant.actions],
        last=[*_next(states, options), Last(said=made)],
    )


def _human(tenant: str, item: Result | OpenAction, why: str) -> Iterator[Human]:
    commands: tuple[str, ...] = ()
    match item.state:
        case State.IN_DOUBT:
            commands = words.resolve_commands(tenant, item.address, item.ref)
        case State.BY_HAND if item.ref is None:
            commands = (words.confirm_command(tenant, item.address),)
        case State.BY_HAND | State.FAILED:
            pass
        case _:
            return
    word = words.STATES[item.state].legend
    yield Human(word=word, tenant=tenant, address=item.address, why=why, commands=commands)


def _row(tenant: TenantReport) -> tuple[str, ...]:
    parts = [f"error: {tenant.error.message}"] if tenant.error else []
    parts += [f"on hold: {tenant.hold}"] if tenant.hold is not None else []
    parts += [words.SANDBOX] if tenant.sandbox else []
    return (tenant.tenant, words.STATUSES[tenant.status], str(len(tenant.actions)), "; ".join(parts))


def _block(tenant: TenantReport) -> Block:
    rows = tuple(
        _line(result, (result.verb.value, result.summary), endings.result_why(result), result.instructions)
        for result in tenant.actions
    )
    title = f"{tenant.tenant}: {words.STATUSES[tenant.status]}"
    return Block(title=title, caption=f"Actions of {tenant.tenant}", lines=(), rows=rows)


def _standing(tenant: TenantOverview) -> tuple[str, ...]:
    parts = [
        f"{word}: {text}"
        for word, text in (("owed", tenant.owed), ("on hold", tenant.hold), ("error", tenant.error))
        if text is not None
    ]
    parts += [words.SANDBOX] if tenant.sandbox else []
    return (tenant.tenant, tenant.provider, words.STATUSES[tenant.status], "; ".join(parts))


def _open_block(tenant: TenantOverview) -> Block:
    rows = tuple(
        _line(item, (item.verb.value,), endings.open_why(item), item.instructions) for item in tenant.actions
    )
    return Block(title=endings.title(tenant), caption=f"Open in {tenant.tenant}", lines=(), rows=rows)


def _line(item: Result | OpenAction, cells: tuple[str, ...], why: str, steps: str) -> Row:
    mark = words.STATES[item.state]
    return Row(
        symbol=mark.symbol,
        word=mark.legend,
        style=STYLES.get(mark, ""),
        address=item.address,
        cells=cells,
        why=why,
        steps=steps,
    )


def _next(states: set[State], options: Options) -> Iterator[Last]:
    command = endings.next_command(states, options)
    if command:
        yield Last(said="Next:", code=command)
