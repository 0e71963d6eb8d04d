"""Reports, tenants and journal events as JSON values, and reports back."""

from __future__ import annotations

from reconciler.core.journal import Event
from reconciler.core.model import Json
from reconciler.core.overview import History, OpenAction, Overview, TenantOverview
from reconciler.core.plan import FORMAT_VERSION
from reconciler.core.report import Report, Result, TenantReport, Trouble
from reconciler.core.serial import Values, check_header, damaged, instant, maybe, moment, plain, read


def report_to_dict(report: Report) -> Values:
    """The report file."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "report",
        "digest": report.digest,
        "started_at": instant(report.started_at),
        "finished_at": instant(report.finished_at),
        "exit_code": report.exit_code,
        "tenants": [_tenant_to_dict(tenant) for tenant in report.tenants],
        "notes": [*(f"refused: {why.message}" for why in [report.refusal] if why), *report.notes],
    }


def report_from_dict(values: Json) -> Report:
    """Read a report file; unknown fields are ignored, another major version is refused."""
    check_header(values, kind="report")
    try:
        return Report(
            digest=read(str, values["digest"]),
            started_at=moment(values["started_at"]),
            finished_at=moment(values["finished_at"]),
            exit_code=read(int, values["exit_code"]),
            tenants=read(tuple[TenantReport, ...], values["tenants"]),
            notes=read(tuple[str, ...], values.get("notes", ())),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged("report", error) from error


def overview_to_dict(overview: Overview) -> Values:
    """What `status --format json` prints."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "status",
        "tool_version": overview.tool_version,
        "created_at": instant(overview.created_at),
        "tenants": [_overview_tenant(tenant) for tenant in overview.tenants],
        "notes": list(overview.notes),
    }


def history_to_dict(history: History) -> Values:
    """What `history --format json` prints."""
    return {
        "format_version": FORMAT_VERSION,
        "kind": "history",
        "tool_version": history.tool_version,
        "created_at": instant(history.created_at),
        "notes": list(history.notes),
        "events": [event_to_dict(event) for event in history.events],
    }


def event_to_dict(event: Event) -> Values:
    """One thing that happened."""
    return {
        "seq": event.seq,
        "at": instant(event.at),
        "kind": event.kind.value,
        "tenant": event.tenant,
        "address": event.address,
        "action": event.action,
        "plan": event.plan,
        "by": event.by,
        "run": event.run,
        "commit": event.commit,
        "data": plain(event.data),
    }


def _tenant_to_dict(tenant: TenantReport) -> Values:
    return {
        "tenant": tenant.tenant,
        "status": tenant.status.value,
        "actions": [_result_to_dict(result) for result in tenant.actions],
        "error": _trouble_to_dict(tenant.error),
        "exit_code": tenant.exit_code,
        "hold": tenant.hold,
        "sandbox": tenant.sandbox,
        "waits": list(tenant.waits),
    }


def _result_to_dict(result: Result) -> Values:
    return {
        "id": result.id,
        "verb": result.verb.value,
        "address": result.address,
        "state": result.state.value,
        "ref": result.ref,
        "error": _trouble_to_dict(result.error),
        "since": maybe(result.since),
        "due_by": maybe(result.due_by),
        "finished_at": maybe(result.finished_at),
        "summary": result.summary,
        "instructions": result.instructions,
        "note": result.note,
    }


def _trouble_to_dict(trouble: Trouble | None) -> Values | None:
    if trouble is None:
        return None
    return {"code": trouble.code, "message": trouble.message}


def _overview_tenant(tenant: TenantOverview) -> Values:
    return {
        "tenant": tenant.tenant,
        "provider": tenant.provider,
        "status": tenant.status.value,
        "actions": [_open_to_dict(item) for item in tenant.actions],
        "changes": tenant.changes,
        "owed": tenant.owed,
        "error": tenant.error,
        "hold": tenant.hold,
        "account": tenant.account,
        "name": tenant.name,
        "sandbox": tenant.sandbox,
        "applied_at": maybe(tenant.applied_at),
    }


def _open_to_dict(item: OpenAction) -> Values:
    return {
        "address": item.address,
        "verb": item.verb.value,
        "state": item.state.value,
        "since": maybe(item.since),
        "due_by": maybe(item.due_by),
        "ref": item.ref,
        "reason": item.reason,
        "instructions": item.instructions,
    }
