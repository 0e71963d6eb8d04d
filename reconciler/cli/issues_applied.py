"""One issue for each tenant that an apply or a resume left to a person, so that nothing fails unseen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec.structs import replace

from reconciler.cli.comment import NOTHING, body, foot
from reconciler.cli.issues import LABEL, MOST_NEW, known_issues, settle_run, title
from reconciler.cli.output import options
from reconciler.cli.platform import Issue, Platform, marker
from reconciler.core.report import Report, State, TenantReport
from reconciler.core.serial_report import report_from_dict
from reconciler.render import REPORT
from reconciler.render.escape import code
from reconciler.store.documents import read_document

FOR_A_PERSON = {State.FAILED, State.IN_DOUBT, State.BY_HAND}
STOPPED = 5  # the exit code of a run that a guard stopped: it says nothing of single tenants
HEAD = "The run did not do all that the manifest says. What was merged stays to be applied:\n\n"
WHOLE = "Licences: a run ended before it came to its tenants"


def read_report(file: Path) -> Report | None:
    """A saved report; None when the run wrote none."""
    return report_from_dict(read_document(file, "report")) if file.exists() else None


def keep_applied(platform: Platform, report: Report | None, workspace: str) -> Iterator[str]:
    """Open or write anew an issue for each tenant that needs a person, one line for each.

    A run that wrote no report, or that a guard stopped, gets one issue for all. None is closed here but that
    one: whether a tenant is as its manifest says, `drift` finds out.
    """
    tenants = report.tenants if report else ()
    known = known_issues(platform, workspace, (tenant.tenant for tenant in tenants))
    if report is None or report.exit_code == STOPPED:
        yield _told(platform, known.get(""), WHOLE, _run(platform, report, workspace), "the run")
        return
    yield from settle_run(platform, known, workspace)
    opened = 0
    for tenant in tenants:
        if not needs_a_person(tenant):
            continue
        issue = known.get(tenant.tenant)
        opened += issue is None
        if opened > MOST_NEW and issue is None:
            yield f"{tenant.tenant}: not opened, {MOST_NEW} in one run are enough; `drift` goes on"
            continue
        said = _tenant(platform, report, tenant, workspace)
        yield _told(platform, issue, title(tenant.tenant), said, tenant.tenant)


def needs_a_person(tenant: TenantReport) -> bool:
    """Whether something failed, is in doubt or is to be done by hand; what is on its way needs nobody."""
    return tenant.error is not None or any(result.state in FOR_A_PERSON for result in tenant.actions)


def _told(platform: Platform, issue: Issue | None, name: str, said: str, what: str) -> str:
    if issue is None:
        platform.open_issue(name, said, LABEL)
        return f"{what}: opened"
    platform.change_issue(issue, said, is_open=True)
    return f"{what}: {'updated' if issue.is_open else 'reopened'} #{issue.number}"


def _run(platform: Platform, report: Report | None, workspace: str) -> str:
    def text(limit: int) -> str:
        if report is None:
            return NOTHING["report"]
        return REPORT["markdown"](report, replace(options(), limit=limit))

    last = foot(platform.commit, platform.run_url)
    return body(text, marker("drift", workspace), last, platform.limit)


def _tenant(platform: Platform, report: Report, tenant: TenantReport, workspace: str) -> str:
    alone = replace(report, tenants=(tenant,), exit_code=tenant.exit_code or report.exit_code)
    shows = f"{code(f'reconciler status {tenant.tenant}')} tells how it stands now.\n\n"

    def text(limit: int) -> str:
        left = limit - len(HEAD) - len(shows)
        return f"{HEAD}{shows}{REPORT['markdown'](alone, replace(options(), limit=left))}"

    last = foot(platform.commit, platform.run_url)
    return body(text, marker("drift", workspace, tenant.tenant), last, platform.limit)
