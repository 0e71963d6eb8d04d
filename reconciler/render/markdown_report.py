"""Reports and standings as Markdown: for a job summary or a comment, cut to fit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.core.overview import OpenAction, Overview, TenantOverview
from reconciler.core.report import Report, Result, State, TenantReport
from reconciler.render import endings, words
from reconciler.render.escape import code, markdown, markup
from reconciler.render.fit import Section, fit
from reconciler.render.markdown import FEW, named, needs, resolve, said, sandboxed
from reconciler.render.options import Options
from reconciler.render.words import Step

ACTIONS = "| action | address | what | state | |\n|---|---|---|---|---|\n"
MOST = 200  # actions of one tenant


def report(value: Report, options: Options) -> str:
    """How it ended, what needs a person, then every tenant."""
    human = [
        line
        for tenant in value.tenants
        for result in tenant.actions
        for line in _human(tenant.tenant, result)
    ]
    sandbox = sandboxed([tenant.tenant for tenant in value.tenants if tenant.sandbox])
    code_said = f"Exit code {value.exit_code}: {words.EXITS.get(value.exit_code, 'unknown')}."
    first = (
        f"## Licence report\n\n{markdown(endings.report_verdict(value))} {code_said}\n\n{sandbox}"
        f"{_notes(value.notes)}{needs('Needs a person', human)}"
    )
    table = "### Tenants\n\n| tenant | status | actions | |\n|---|---|--:|---|\n"
    middle = [
        Section(start=table, items=[_row(tenant) for tenant in value.tenants], called="tenants", weight=2),
        Section(
            start="\n",
            items=[_details(tenant) for tenant in value.tenants if tenant.actions],
            called="tenants' details",
            weight=1,
        ),
    ]
    took = f"{words.moment(value.started_at)} to {words.moment(value.finished_at)}"
    last = f"{_next(endings.after_report(value, options))}Digest {code(value.digest)}\n\n<sub>{took}</sub>\n"
    return fit(first, middle, f"\n---\n\n{last}", limit=options.limit)


def status(value: Overview, options: Options) -> str:
    """How many tenants stand how, what needs a person, then every tenant."""
    human = [
        line for tenant in value.tenants for item in tenant.actions for line in _open_human(tenant, item)
    ]
    sandbox = sandboxed([tenant.tenant for tenant in value.tenants if tenant.sandbox])
    first = (
        f"## Licence status\n\n{markdown(f'{endings.overview_verdict(value)} {endings.caveat(value)}'.rstrip())}"
        f"\n\n{sandbox}"
        f"{_notes(value.notes)}{needs('Needs a person', human)}"
    )
    table = "### Tenants\n\n| tenant | with | status | |\n|---|---|---|---|\n"
    opened = "\n### Open\n\n| tenant | action | address | state | |\n|---|---|---|---|---|\n"
    middle = [
        Section(
            start=table, items=[_standing(tenant) for tenant in value.tenants], called="tenants", weight=1
        ),
        Section(
            start=opened,
            items=[_open(tenant, item) for tenant in value.tenants for item in tenant.actions],
            called="open actions",
            weight=2,
        ),
    ]
    made = f"reconciler {markdown(value.tool_version)}, {words.moment(value.created_at)}"
    last = f"\n---\n\n{_next(endings.after_status(value, options))}<sub>{made}</sub>\n"
    return fit(first, middle, last, limit=options.limit)


def _notes(notes: Iterable[str]) -> str:
    lines = [f"- {said(note)}\n" for note in notes][:FEW]
    return f"{''.join(lines)}\n" if lines else ""


def _human(tenant: str, result: Result) -> Iterator[str]:
    where = f"{named(tenant)} {named(result.address)}"
    match result.state:
        case State.IN_DOUBT:
            why = said(endings.result_why(result))
            yield f"**in doubt** {where}: {why} ({resolve(tenant, result.address, result.ref)})"
        case State.FAILED:
            yield f"**failed** {where}: {said(endings.result_why(result))}"
        case State.BY_HAND:
            yield f"**by hand** {where}: {said(result.instructions or result.note)}{_done(tenant, result)}"


def _open_human(tenant: TenantOverview, item: OpenAction) -> Iterator[str]:
    where = f"{named(tenant.tenant)} {named(item.address)}"
    match item.state:
        case State.IN_DOUBT:
            why = said(endings.open_why(item))
            yield f"**in doubt** {where}: {why} ({resolve(tenant.tenant, item.address, item.ref)})"
        case State.BY_HAND:
            yield f"**by hand** {where}: {said(item.instructions or item.reason)}{_done(tenant.tenant, item)}"


def _done(tenant: str, item: Result | OpenAction) -> str:
    if item.ref is not None:  # it can be asked about, and is
        return ""
    return f" (once done: {code(words.confirm_command(words.short(tenant), words.short(item.address)))})"


def _row(tenant: TenantReport) -> str:
    parts = [f"error: {tenant.error.message}"] if tenant.error else []
    parts += [f"on hold: {tenant.hold}"] if tenant.hold is not None else []
    parts += [f"pending: {waits}" for waits in tenant.waits]
    parts += [words.SANDBOX] if tenant.sandbox else []
    return (
        f"| {named(tenant.tenant, cell=True)} | {words.STATUSES[tenant.status]} | {len(tenant.actions)} "
        f"| {said('; '.join(parts))} |\n"
    )


def _details(tenant: TenantReport) -> str:
    rows = "".join(
        f"| {result.verb.value} | {named(result.address, cell=True)} | {said(result.summary)} "
        f"| {words.STATES[result.state].legend} | {said(endings.result_why(result))} |\n"
        for result in tenant.actions[:MOST]
    )
    more = len(tenant.actions) - MOST
    rest = f"\nand {more} more\n" if more > 0 else ""
    title = f"{markup(words.short(tenant.tenant))}: {words.count(len(tenant.actions), 'action')}"
    return f"<details><summary>{title}</summary>\n\n{ACTIONS}{rows}{rest}\n</details>\n\n"


def _standing(tenant: TenantOverview) -> str:
    parts = [
        f"{word}: {text}"
        for word, text in (("owed", tenant.owed), ("on hold", tenant.hold), ("error", tenant.error))
        if text is not None
    ]
    parts += [words.SANDBOX] if tenant.sandbox else []
    return (
        f"| {named(tenant.tenant, cell=True)} | {said(tenant.provider)} | {words.STATUSES[tenant.status]} "
        f"| {said('; '.join(parts))} |\n"
    )


def _open(tenant: TenantOverview, item: OpenAction) -> str:
    return (
        f"| {named(tenant.tenant, cell=True)} | {item.verb.value} | {named(item.address, cell=True)} "
        f"| {words.STATES[item.state].legend} | {said(endings.open_why(item))} |\n"
    )


def _next(step: Step | None) -> str:
    return f"{step.said}: {code(step.command)}\n\n" if step else ""
