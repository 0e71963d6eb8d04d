"""A plan as a comment on a pull request: the verdict, what needs a person, then the details, cut to fit."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.action import Verb
from reconciler.core.plan import Plan, Run, Status, cost
from reconciler.render import words
from reconciler.render.escape import code, fence, markdown, markup
from reconciler.render.fit import Section, brief, fit
from reconciler.render.options import Options
from reconciler.render.page import Page
from reconciler.render.text import rows

FEW = 20  # of what needs a person, listed each; more are counted, so that this part is never cut
LINES = 200  # of one tenant's details
WIDE = 160


def plan(run: Run, options: Options) -> str:
    """The verdict with the money first; then what a reviewer must see; then everything else that fits."""
    return fit(_head(run), list(_middle(run)), _foot(run, options), limit=options.limit)


def needs(title: str, items: list[str]) -> str:
    """A list that is never cut because it is never long."""
    if not items:
        return ""
    more = [f"and {len(items) - FEW} more"] if len(items) > FEW else []
    return f"### {title}\n\n{''.join(f'- {item}{chr(10)}' for item in [*items[:FEW], *more])}\n"


def said(text: str) -> str:
    """Somebody's prose, short and harmless, on one line."""
    return markdown(brief(" ".join(text.split())))


def named(text: str, *, cell: bool = False) -> str:
    """Somebody's name for something, short and harmless."""
    return code(words.short(text), cell=cell)


def resolve(tenant: str, address: str, ref: str | None) -> str:
    """The two ways out of doubt."""
    happened, did_not = words.resolve_commands(words.short(tenant), words.short(address), ref)
    return f"it happened: {code(happened)}, it did not: {code(did_not)}"


def sandboxed(names: list[str]) -> str:
    """That what follows is no real provider's."""
    more = f" and {len(names) - FEW} more" if len(names) > FEW else ""
    return f"**{words.SANDBOX}**: {', '.join(map(named, names[:FEW]))}{more}\n\n" if names else ""


def _head(run: Run) -> str:
    bill = words.bill(run.cost)
    money = f"**{markdown(bill)}.** " if bill else ""
    notes = "".join(f"- {said(note)}\n" for note in run.notes[:FEW])
    sandbox = sandboxed([plan.tenant for plan in run.plans if plan.sandbox])
    return (
        f"## Licence plan\n\n{money}{markdown(words.verdict(run))}\n\n{sandbox}"
        f"{notes}{chr(10) if notes else ''}{needs('Needs a person', list(_human(run)))}"
    )


def _human(run: Run) -> Iterator[str]:
    for plan, item in words.doubts(run):
        where = f"{named(plan.tenant)} {named(item.address)}"
        yield f"**in doubt** {where}: {said(item.reason)} ({resolve(plan.tenant, item.address, item.ref)})"
    for exceeded in run.exceeded:
        yield f"**over a limit** {said(words.guard(exceeded))}: {said(exceeded.hint)}"
    every = [(plan, action) for plan in run.plans for action in plan.actions]
    for plan, action in every:  # before the steps by hand, which may be many: nobody is to miss an end
        if action.verb in FINAL:
            about = f"{named(plan.tenant)} {named(action.address)}: {said(action.summary)}"
            yield f"**{action.verb.value}** {about} ({said(words.why(action))})"
    for plan, action in every:
        if action.how == "by-hand" and action.verb not in FINAL:
            yield f"**by hand** {named(plan.tenant)} {named(action.address)}: {said(action.summary)}"


FINAL = frozenset({Verb.CANCEL, Verb.DELETE_USER})


def _middle(run: Run) -> Iterator[Section]:
    shown = [plan for plan in run.plans if words.worth_showing(plan)]
    table = "### Tenants\n\n| tenant | with | status | actions | monthly |\n|---|---|---|--:|--:|\n"
    yield Section(start=table, items=[_row(plan) for plan in shown], called="tenants", weight=4)
    details = [_details(plan) for plan in shown if plan.error is None]
    yield Section(start="\n", items=details, called="tenants' details", weight=1)
    waits = [line for plan in shown for line in _waits(plan)]
    yield Section(start="### Pending, blocked and scheduled\n\n", items=waits, called="items", weight=3)
    yield Section(start="\n### Not looked at\n\n", items=list(_unseen(run)), called="tenants", weight=2)


def _row(plan: Plan) -> str:
    money = words.bill(cost(plan.actions)).removeprefix("Cost: ")
    status = words.STATUSES[plan.status] + (", on hold" if plan.hold is not None else "")
    where = markdown(words.short(words.seat_of(plan)))
    return f"| {named(plan.tenant, cell=True)} | {where} | {status} | {len(plan.actions)} | {markdown(money)} |\n"


def _details(plan: Plan) -> str:
    page = Page(Options(width=WIDE))
    rows(page, plan, indent=0)
    lines = page.text().splitlines()
    if len(lines) > LINES:
        lines = [*lines[:LINES], f"... and {len(lines) - LINES} more lines"]
    marks = fence(lines)
    diff = "\n".join([f"{marks}diff", *lines, marks]) if lines else ""
    findings = "\n".join(
        f"- {finding.severity} {named(finding.code)} {named(finding.address)}: {said(finding.message)}"
        for finding in plan.findings
    )
    hold = f"On hold: {said(plan.hold)}" if plan.hold is not None else ""
    title = f"{markup(words.short(plan.tenant))}: {words.extent(plan)}"
    body = "\n\n".join(part for part in (hold, findings, diff) if part)
    return f"<details><summary>{title}</summary>\n\n{body}\n\n</details>\n\n"


def _waits(plan: Plan) -> Iterator[str]:
    for items, usual in ((plan.pending, words.PENDING), (plan.blocked, words.BLOCKED)):
        for item in items:
            mark = words.waiting_mark(item, usual)
            yield f"- {mark.legend} {named(plan.tenant)} {named(item.address)}: {said(words.waiting(item))}\n"
    for action in plan.actions:
        if action.scheduled_for:
            when = f"{said(action.summary)} on {action.scheduled_for.isoformat()}"
            yield f"- scheduled {named(plan.tenant)} {named(action.address)}: {when}\n"


def _unseen(run: Run) -> Iterator[str]:
    for plan in run.plans:
        if plan.status is Status.ERROR:
            yield f"- {named(plan.tenant)} could not be planned: {said(plan.error or '')}\n"
    if run.skipped:
        why = "only what was asked for, or what changed, is planned"
        yield f"- {words.count(run.skipped, 'tenant')} not selected: {why}\n"


def _foot(run: Run, options: Options) -> str:
    step = words.next_step(run, options)
    do = f"{step.when}: {code(step.command)}\n\n" if step else ""
    accepted = ", ".join(f"{said(one.name)} {named(one.url)}" for one in words.contracts(run)[:FEW])
    do += f"Consent accepts: {accepted}\n\n" if accepted else ""
    again = f"To see it again: {code(words.plan_command(options))}\n\n"
    made = f"reconciler {markdown(run.tool_version)}, {words.moment(run.created_at)}"
    return f"\n---\n\n{do}{again}Digest {code(run.digest)}\n\n<sub>{made}</sub>\n"
