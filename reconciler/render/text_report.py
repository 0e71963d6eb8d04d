"""Reports, standings, the journal and errors as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from reconciler.core.errors import ManifestError, ReconcilerError
from reconciler.core.journal import Event, Kind
from reconciler.core.overview import History, OpenAction, Overview, TenantOverview
from reconciler.core.report import Report, Result, State, TenantReport, Trouble
from reconciler.render import endings, words
from reconciler.render.options import Options
from reconciler.render.page import Page, Piece, Row
from reconciler.render.text import by_hand, doubt_commands, notes
from reconciler.render.words import Step


def report(value: Report, options: Options) -> str:
    """How an apply ended, for each tenant and action, and what to do next."""
    page = Page(options)
    notes(page, value.notes)
    for tenant in value.tenants:
        page.blank()
        _tenant_report(page, tenant)
    page.blank()
    page.prose(endings.report_verdict(value), style="bold", hang=8)
    page.prose(f"Exit code {value.exit_code}: {words.EXITS.get(value.exit_code, 'unknown')}.", hang=2)
    _next(page, endings.after_report(value, options))
    return page.text()


def status(value: Overview, options: Options) -> str:
    """How tenants stand now: one line each, and below it what is open."""
    page = Page(options)
    notes(page, value.notes)
    for tenant in value.tenants:
        if tenant.actions:
            page.blank()
        _standing(page, tenant)
        if tenant.actions:
            page.blank()
    page.blank()
    page.prose(endings.overview_verdict(value), style="bold", hang=2)
    if caveat := endings.caveat(value):
        page.prose(caveat, style="dim", hang=2)
    _next(page, endings.after_status(value, options))
    return page.text()


def history(value: History, options: Options) -> str:
    """The journal: what, when, by whom, order numbers, digests of the tenant's plan and of the run's."""
    page = Page(options)
    notes(page, value.notes)
    listed = list(value.events)
    if not listed:
        page.prose("Nothing has happened yet.")

    def below(number: int) -> None:
        event = listed[number]
        if event.kind is Kind.BEGUN:
            page.line(f"plan {event.plan}", indent=4)
            if event.data.get("run_digest"):
                page.line(f"run  {event.data['run_digest']}", indent=4)

    said = ["; ".join(_by(event)) for event in listed]
    rows = [
        _event(event, "" if number and said[number - 1] == said[number] else said[number])
        for number, event in enumerate(listed)
    ]
    page.table(rows, indent=0, after=below)
    return page.text()


def error(value: ReconcilerError, options: Options) -> str:
    """What happened, to what, and what to do next."""
    page = Page(options)
    code = f"[{value.code}]" if value.code.startswith("RC") else ""
    start = "" if isinstance(value, ManifestError) else f"error{code}: "  # that one opens with its place
    for number, line in enumerate(f"{start}{value.message}".splitlines()):
        page.line(Piece(line, "bold red"), indent=2 if number and start else 0)
    for number, line in enumerate(value.hint.splitlines()):
        page.line(f"      {line}" if number else f"hint: {line}")
    return page.text()


def _tenant_report(page: Page, tenant: TenantReport) -> None:
    sandbox = f" ({words.SANDBOX})" if tenant.sandbox else ""
    page.prose(f"{tenant.tenant}{sandbox}: {words.STATUSES[tenant.status]}", style="bold", hang=2)
    if tenant.hold is not None:
        page.prose(f"hold: {tenant.hold}", style="yellow", indent=2, hang=2)
    if tenant.error is not None:
        code = f"[{tenant.error.code}]" if tenant.error.code else ""
        page.prose(f"error{code}: {tenant.error.message}", style="bold red", indent=2, hang=2)
    for waits in tenant.waits:
        page.prose(f"pending: {waits}", indent=2, hang=2)

    def below(number: int) -> None:
        result = tenant.actions[number]
        _to_do(page, tenant.tenant, result, result.instructions)

    page.table([_result(_without(tenant.error, result)) for result in tenant.actions], after=below)


def _without(said: Trouble | None, result: Result) -> Result:
    """A result that does not repeat what was said of its whole tenant."""
    repeats = said is not None and result.error is not None and result.error.message == said.message
    return replace(result, error=None) if repeats else result


def _result(result: Result) -> Row:
    mark = words.STATES[result.state]
    return [
        Piece(mark.symbol, mark.style),
        Piece(mark.legend, mark.style),
        Piece(result.address),
        Piece(f"{result.verb.value}: {result.summary}" if result.summary else result.verb.value),
        Piece(endings.result_why(result), "dim"),
    ]


def _standing(page: Page, tenant: TenantOverview) -> None:
    page.prose(endings.title(tenant), style="bold", hang=2)
    for word, said, style in (
        ("hold", tenant.hold, "yellow"),
        ("error", tenant.error, "bold red"),
        ("owed", tenant.owed, "yellow"),
    ):
        if said is not None:
            page.prose(f"{word}: {said}", style=style, indent=2, hang=2)

    def below(number: int) -> None:
        item = tenant.actions[number]
        _to_do(page, tenant.tenant, item, item.instructions)

    page.table([_open(item) for item in tenant.actions], after=below)


def _open(item: OpenAction) -> Row:
    mark = words.STATES[item.state]
    return [
        Piece(mark.symbol, mark.style),
        Piece(mark.legend, mark.style),
        Piece(item.address),
        Piece(item.verb.value),
        Piece(endings.open_why(item), "dim"),
    ]


def _to_do(page: Page, tenant: str, item: Result | OpenAction, instructions: str) -> None:
    """What a person does about one action."""
    by_hand(page, instructions, indent=6)
    match item.state:
        case State.BY_HAND if item.ref is None:
            page.line("once done:  ", Piece(words.confirm_command(tenant, item.address), "bold"), indent=6)
        case State.IN_DOUBT:
            doubt_commands(page, tenant, item.address, item.ref)


def _next(page: Page, step: Step | None) -> None:
    if step is not None:
        page.line(f"{step.said}: ", Piece(step.command, "bold"))


def _event(event: Event, by: str) -> Row:
    """One event; who did it and under which plan is said when it is not as on the line before."""
    told = "; ".join(part for part in endings.event_parts(event) if part)
    return [
        Piece(words.moment(event.at)),
        Piece(event.kind.value, "bold" if event.kind in LOUD else ""),
        Piece(f"{event.tenant} {event.address}".strip()),
        Piece(told),
        Piece(by, "dim"),
    ]


SHORT = 12
LOUD = frozenset({Kind.FAILED, Kind.IN_DOUBT, Kind.OWED, Kind.LIFTED})


def _by(event: Event) -> Sequence[str]:
    parts = [f"by {event.by}"] if event.by else []
    parts += [f"run {event.run}"] if event.run else []
    parts += [f"commit {event.commit[:SHORT]}"] if event.commit else []
    plan = event.plan.removeprefix("sha256:")[:SHORT]
    return [*parts, f"plan {plan}"] if plan else parts
