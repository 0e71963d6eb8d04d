"""What every renderer says alike about how things ended or stand: verdicts, reasons, next commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime

from reconciler.core.journal import Event, Kind
from reconciler.core.overview import OpenAction, Overview, TenantOverview
from reconciler.core.plan import Status
from reconciler.core.report import Report, Result, State
from reconciler.render import words
from reconciler.render.options import Options
from reconciler.render.words import Step


def report_verdict(report: Report) -> str:
    """The one line that says how it ended."""
    states = Counter(result.state for tenant in report.tenants for result in tenant.actions)
    said = [f"{states[state]} {words.STATES[state].legend}" for state in State if states[state]]
    broken = sum(tenant.error is not None for tenant in report.tenants)
    if broken:
        said.append(f"{words.count(broken, 'tenant')} could not be done")
    return f"Report: {', '.join(said)}." if said else "Report: nothing to do."


def overview_verdict(overview: Overview) -> str:
    """How many tenants stand how."""
    counts = Counter(tenant.status for tenant in overview.tenants)
    said = [f"{counts[one]} {COUNTED.get(one, word)}" for one, word in words.STATUSES.items() if counts[one]]
    failed = sum(item.state is State.FAILED for tenant in overview.tenants for item in tenant.actions)
    if failed:
        said.append(f"{words.count(failed, 'action')} failed")
    return f"{words.count(len(overview.tenants), 'tenant')}: {', '.join(said) or 'none'}."


COUNTED = {Status.ERROR: "with an error", Status.CHANGES: "with changes"}
"""How tenants are counted whose state is no adjective."""


def title(tenant: TenantOverview) -> str:
    """Who a tenant is and how it stands."""
    name = f" {tenant.name}" if tenant.name else ""
    parts = [tenant.provider, tenant.account]
    parts.append(words.SANDBOX if tenant.sandbox else "")
    said = words.STATUSES[tenant.status]
    if tenant.changes:
        said += f", {words.count(tenant.changes, 'action')} to do"
    if tenant.applied_at:
        said += f", last applied {words.moment(tenant.applied_at)}"
    return f"{tenant.tenant}{name} ({', '.join(part for part in parts if part)}): {said}"


def result_why(result: Result) -> str:
    """What went wrong, what to look it up by, until when it is due."""
    parts = []
    if result.error is not None:
        code = f"[{result.error.code}]" if result.error.code else ""
        parts.append(f"error{code}: {result.error.message}")
    parts += [result.note] if result.note else []
    parts += words.reference(result.verb, result.ref)
    if result.state in OPEN:
        parts += words.since_and_due(result.since, result.due_by)
    return "; ".join(parts)


def open_why(item: OpenAction) -> str:
    """Why it is open, what to look it up by, since when and until when."""
    parts = [item.reason] if item.reason else []
    parts += words.reference(item.verb, item.ref)
    return "; ".join([*parts, *words.since_and_due(item.since, item.due_by)])


OPEN = frozenset({State.PENDING, State.BY_HAND, State.IN_DOUBT})
NOT_DONE = frozenset({State.FAILED, State.NOT_STARTED})


def after_report(report: Report, options: Options) -> Step | None:
    """What to type after an apply; None when all is done."""
    step = _next([(tenant.tenant, result) for tenant in report.tenants for result in tenant.actions], options)
    if step is None and any(tenant.waits for tenant in report.tenants):
        return words.once_there(options)
    return step


def after_status(overview: Overview, options: Options) -> Step | None:
    """What to type after a status; None when all is as written."""
    step = _next([(tenant.tenant, item) for tenant in overview.tenants for item in tenant.actions], options)
    if step is None and any(tenant.status in TO_PLAN for tenant in overview.tenants):
        return Step("Next", "Next", words.plan_command(options))
    return step


TO_PLAN = frozenset({Status.CHANGES, Status.ERROR})


def _next(items: Sequence[tuple[str, Result | OpenAction]], options: Options) -> Step | None:
    """Go on with what can be asked about; else confirm what a person has done, or plan what was not done."""
    states = {item.state for _, item in items}
    by_hand = [
        (tenant, item.address) for tenant, item in items if item.state is State.BY_HAND and not item.ref
    ]
    if State.PENDING in states or any(item.state is State.BY_HAND and item.ref for _, item in items):
        return Step("Next", "Next", f"reconciler resume {options.selection}".rstrip())
    if by_hand:
        return words.once_done(by_hand)
    return Step("Next", "Next", words.plan_command(options)) if states & NOT_DONE else None


def caveat(overview: Overview) -> str:
    """What a status cannot know, because it asks no provider; empty where that makes no difference."""
    if not any(tenant.status is Status.CHANGES for tenant in overview.tenants):
        return ""
    return (
        "Changes: what no apply has done yet, as far as the journal knows. A plan asks the providers, where it "
        "may be done, or on its way, already."
    )


def event_parts(event: Event) -> Iterator[str]:
    """What an event says besides its kind and address; what is not known here stays in the JSON."""
    data = event.data
    match event.kind:
        case Kind.BEGUN:
            yield words.count(_size(data.get("actions")), "action")
        case Kind.INTENDED:
            action = data.get("action")
            if isinstance(action, dict):
                yield f"{action.get('verb', '')}: {action.get('summary', '')}".strip(": ")
    for key in TOLD:
        value = data.get(key)
        if not isinstance(value, str | int | float) or isinstance(value, bool) or value == "":
            continue
        if (key, value) == ("waiting_on", "person"):
            yield "waits for a person"
            continue
        if (key, value) == ("waiting_on", "provider") or (key == "login" and value == data.get("ref")):
            continue  # the usual case, and what was just said
        if key == "ref" and value == data.get("evidence"):
            continue  # where nothing else is known, what shows it is its reference
        yield str(value) if key in PLAIN else f"{key.replace('_', ' ')} {_short(key, value)}"


TOLD = (
    "step", "code", "message", "why", "rule", "value", "status", "ticket", "ref", "waiting_on", "due_by",
    "confirmed_by", "login", "evidence", "exit_code", "to",
)  # fmt: skip
PLAIN = frozenset({"message", "why", "status"})


def _short(key: str, value: object) -> str:
    try:
        return words.moment(datetime.fromisoformat(str(value))) if key == "due_by" else str(value)
    except ValueError:  # somebody changed the journal: it is shown as it is
        return str(value)


def _size(value: object) -> int:
    return len(value) if isinstance(value, Sequence) and not isinstance(value, str) else 0
