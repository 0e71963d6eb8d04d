"""One issue for each tenant that differs from its manifest: opened, written anew, closed once it does not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from reconciler.cli.comment import body, foot
from reconciler.cli.output import options
from reconciler.cli.platform import Issue, Platform, marker
from reconciler.core.plan import Plan, Run
from reconciler.core.report import State
from reconciler.core.serial import run_from_dict
from reconciler.render import PLAN
from reconciler.render.escape import code, markdown
from reconciler.render.words import short
from reconciler.store.documents import read_document

LABEL = "licence-drift"
MOST_NEW = 50  # issues opened by one run; the rest are counted, and opened by the next
FEW = 20  # changes listed with who made them; more are counted
OTHERWISE = (
    "What the provider has is not what the manifest says. Change the manifest, or let an apply repair it"
)
BY_HAND = "A step waits for a person"
WHO = {
    "git": "the manifest, which is not applied yet",
    "provider": "somebody at the provider",
    "both": "the manifest and somebody at the provider",
}
"""The causes that `drift` tells apart."""


def read(file: Path) -> tuple[Run, dict[str, list[Any]]]:
    """What `reconciler drift` found, and for each tenant what it says of who changed it."""
    document = read_document(file, "plan")
    told = {one["tenant"]: one["drift"] for one in document["tenants"] if isinstance(one.get("drift"), list)}
    return run_from_dict(document), told


def keep(platform: Platform, run: Run, told: Mapping[str, list[Any]], workspace: str) -> Iterator[str]:
    """Bring the issues up to date, one line for each that was touched.

    A tenant that could not be looked at, or is on hold, keeps its issue as it is. An issue that a person
    closed stays closed while nothing more changed.
    """
    known = known_issues(platform, workspace, (plan.tenant for plan in run.plans))
    yield from settle_run(platform, known, workspace)
    opened = 0
    for plan in run.plans:
        issue = known.get(plan.tenant)
        if plan.error is not None or plan.hold is not None:
            continue
        if not differs(plan, told):
            if issue is not None and issue.is_open:
                said = f"{code(plan.tenant)} is as its manifest says, or on its way there."
                body = _settled(said, platform, marker("drift", workspace, plan.tenant))
                platform.change_issue(issue, body, is_open=False)
                yield f"{plan.tenant}: closed #{issue.number}"
        elif issue is not None:
            if issue.is_open or plan.digest not in issue.body:
                platform.change_issue(issue, _body(plan, run, told, platform, workspace), is_open=True)
                yield f"{plan.tenant}: {'updated' if issue.is_open else 'reopened'} #{issue.number}"
        elif opened < MOST_NEW:
            opened += 1
            said = _body(plan, run, told, platform, workspace)
            platform.open_issue(title(plan.tenant), said, LABEL)
            yield f"{plan.tenant}: opened"
        else:
            yield f"{plan.tenant}: not opened, {MOST_NEW} in one run are enough; the next goes on"


def title(tenant: str) -> str:
    """What an issue is called; it is found by its mark, so a person may write another title."""
    return f"{tenant}: licences differ from the manifest"


def differs(plan: Plan, told: Mapping[str, list[Any]], *, by_hand: bool = True) -> bool:
    """Whether there is something to do, to decide or to look at.

    What is on its way at the provider is no difference; what waits for a person is, unless `by_hand` leaves it out.
    """
    waits = by_hand and any(item.state == State.BY_HAND for item in plan.pending)
    return bool(plan.actions or plan.blocked or plan.in_doubt or waits or told.get(plan.tenant))


def settle_run(platform: Platform, known: Mapping[str, Issue], workspace: str) -> Iterator[str]:
    """Close the issue of a run that did not come to its tenants: a later one did."""
    issue = known.get("")
    if issue is not None and issue.is_open:
        said = "A later run came to its tenants; what they need is said in issues of their own."
        platform.change_issue(issue, _settled(said, platform, marker("drift", workspace)), is_open=False)
        yield f"the run: closed #{issue.number}"


def known_issues(platform: Platform, workspace: str, tenants: Iterable[str]) -> dict[str, Issue]:
    """The issue of each tenant, an open one rather than a closed; that of a whole run under the empty name."""
    marks = {marker("drift", workspace, tenant): tenant for tenant in tenants}
    marks[marker("drift", workspace)] = ""
    found: dict[str, Issue] = {}
    for issue in platform.issues(LABEL, "<!-- reconciler:drift:"):
        tenant = marks.get(issue.body.partition("\n")[0].strip())
        if tenant is not None and (tenant not in found or issue.is_open):
            found[tenant] = issue
    return found


def _body(plan: Plan, run: Run, told: Mapping[str, list[Any]], platform: Platform, workspace: str) -> str:
    alone = replace(run, plans=(plan,), exceeded=(), skipped=0)
    why = OTHERWISE if differs(plan, told, by_hand=False) else BY_HAND
    shows = f"{code(f'reconciler plan --tenant {plan.tenant}')} shows the same.\n\n"
    head = f"{why}: {shows}{''.join(_told(told.get(plan.tenant, ())))}"
    last = f"Tenant digest {code(plan.digest)}\n\n{foot(platform.commit, platform.run_url)}"

    def text(limit: int) -> str:
        made = replace(options(selection=f"--tenant {plan.tenant}"), limit=limit - len(head))
        return head + PLAN["markdown"](alone, made)

    return body(text, marker("drift", workspace, plan.tenant), last, platform.limit)


def _told(items: Any) -> Iterator[str]:
    """Who changed what, as far as `drift` could tell."""
    for item in [item for item in items if isinstance(item, Mapping)][:FEW]:
        by = WHO.get(str(item.get("cause")), "somebody: no apply has seen it before")
        since = f", as left on {markdown(str(item['since'])[:10])}" if item.get("since") else ""
        yield f"- {code(short(str(item.get('address'))))}: changed by {by}{since}\n"
    if items:
        yield f"{f'- and {len(items) - FEW} more{chr(10)}' if len(items) > FEW else ''}\n"


def _settled(said: str, platform: Platform, mark: str) -> str:
    return f"{mark}\n{said}\n\n{foot(platform.commit, platform.run_url)}"
