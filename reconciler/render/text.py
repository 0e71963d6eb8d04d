"""A plan as text for a terminal, in the manner of Terraform and octoDNS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from reconciler.core.action import Action
from reconciler.core.plan import Plan, Run, Waiting
from reconciler.core.serial import amount
from reconciler.render import words
from reconciler.render.departures import departures
from reconciler.render.options import Options
from reconciler.render.page import Page, Piece, Row
from reconciler.render.words import Mark

SEVERITY = {"error": "bold red", "warning": "yellow", "info": ""}


def plan(run: Run, options: Options) -> str:
    """What apply would do, what waits, what is left alone, what it costs and what to type next."""
    page = Page(options)
    notes(page, run.notes)
    _doubts(page, run)
    shown = [plan for plan in run.plans if words.worth_showing(plan)]
    _legend(page, shown)
    for one in shown:
        page.blank()
        _tenant(page, one)
    page.blank()
    _end(page, run)
    return page.text()


def notes(page: Page, said: Iterable[str]) -> None:
    """What a reader should know first."""
    for note in said:
        page.prose(f"Note: {note}", style="yellow", hang=2)


def by_hand(page: Page, instructions: str | None, *, indent: int) -> None:
    """What a person does, step by step."""
    for step in (instructions or "").splitlines():
        page.prose(step, indent=indent, hang=3)


def _doubts(page: Page, run: Run) -> None:
    doubts = list(words.doubts(run))
    if not doubts:
        return
    page.blank()
    page.prose("In doubt: nobody knows whether these took effect, and nothing else is done to them until a"
               " person has looked", style="bold red")  # fmt: skip
    for plan, item in doubts:
        row = _other(words.IN_DOUBT, f"{plan.tenant} {item.address}", _verb(item), "", words.waiting(item))
        page.table([row])
        doubt_commands(page, plan.tenant, item.address, item.ref)


def doubt_commands(page: Page, tenant: str, address: str, ref: str | None, *, indent: int = 6) -> None:
    """The two ways out of doubt, to copy."""
    happened, did_not = words.resolve_commands(tenant, address, ref)
    page.line("it happened:  ", Piece(happened, "bold"), indent=indent)
    page.line("it did not:   ", Piece(did_not, "bold"), indent=indent)


def _legend(page: Page, plans: Iterable[Plan]) -> None:
    seen = {mark for plan in plans for mark in _marks(plan)}
    if seen:
        page.blank()
        legend = (f"{mark.symbol} {mark.legend}" for mark in words.LEGEND if mark in seen)
        page.parts("Symbols: ", legend, style="dim")


def _marks(plan: Plan) -> Iterator[Mark]:
    yield from map(words.mark, plan.actions)
    yield from (words.waiting_mark(item, words.PENDING) for item in plan.pending)
    yield from (words.waiting_mark(item, words.BLOCKED) for item in plan.blocked)
    yield from (words.UNMANAGED for _ in plan.unmanaged)
    yield from (words.LEAVING for _ in plan.leaving)


def _tenant(page: Page, plan: Plan) -> None:
    page.prose(words.title(plan), style="bold", hang=2)
    if plan.hold is not None:
        page.prose(f"hold: {plan.hold}", style="yellow", indent=2, hang=2)
    if plan.error is not None:
        page.prose(f"error: {plan.error}", style="bold red", indent=2, hang=2)
    for finding in plan.findings:
        where = words.place(finding.source)
        said = f"{finding.severity}[{finding.code}]: {finding.address}: {finding.message}"
        page.prose(f"{said} ({where})" if where else said, style=SEVERITY[finding.severity], indent=2, hang=2)
    rows(page, plan)


def rows(page: Page, plan: Plan, *, indent: int = 2) -> None:
    """A tenant's actions and other items, one table, broken only below an action that has more to say."""

    def below(number: int) -> None:
        if number < len(plan.actions):
            action = plan.actions[number]
            if action.how == "by-hand" or action.instructions:
                _below(page, action, indent + 4)
            return
        item = next(iter(plan.pending[number - len(plan.actions) :]), None)
        if item is not None and words.unasked(item):
            command = words.confirm_command(plan.tenant, item.address)
            page.line("once done:  ", Piece(command, "bold"), indent=indent + 4)

    page.table([*map(_row, plan.actions), *_others(plan)], indent=indent, after=below)
    more = len(plan.unmanaged) - words.MANY
    if more > 0:
        page.prose(f"{words.UNMANAGED.symbol} and {more} more unmanaged", style="dim", indent=indent)


def _row(action: Action) -> Row:
    mark = words.mark(action)
    money = words.price(action)
    return [
        Piece(mark.symbol, mark.style),
        Piece(action.verb.value, mark.style),
        Piece(action.address),
        Piece(action.summary),
        Piece(money, "bold" if money else ""),
        Piece(words.why(action), "dim"),
    ]


def _below(page: Page, action: Action, indent: int) -> None:
    by_hand(page, action.instructions, indent=indent)
    if action.how == "by-hand" and action.instructions is None:
        page.prose("a person does this; apply tells how", indent=indent)


def _others(plan: Plan) -> Iterator[Row]:
    for items, usual in ((plan.pending, words.PENDING), (plan.blocked, words.BLOCKED)):
        for item in items:
            mark = words.waiting_mark(item, usual)
            yield _other(mark, item.address, _verb(item), "", words.waiting(item))
    for unmanaged in plan.unmanaged[: words.MANY]:
        money = unmanaged.monthly
        cost = f"{amount(money.amount)} {money.currency}/month" if money else ""
        yield _other(words.UNMANAGED, unmanaged.address, "in no manifest", cost, f"ref {unmanaged.ref}")
    for leaving in departures(plan.leaving):
        yield _other(words.LEAVING, leaving.address, leaving.said, "", leaving.why)


def _verb(item: Waiting) -> str:
    return item.verb.value if item.verb else ""


def _other(mark: Mark, address: str, said: str, cost: str, why: str) -> Row:
    return [
        Piece(mark.symbol, mark.style),
        Piece(mark.legend, mark.style),
        Piece(address),
        Piece(said),
        Piece(cost),
        Piece(why, "dim"),
    ]


def _accepted(page: Page, run: Run) -> None:
    """What consent to this plan accepts, each contract once."""
    contracts = words.contracts(run)
    if contracts:
        page.line("Consent accepts:")
    for contract in contracts:
        page.line(f"{contract.name} {contract.url}".rstrip(), indent=2)


def _end(page: Page, run: Run) -> None:
    page.prose(words.verdict(run), style="bold", hang=6)
    bill = words.bill(run.cost)
    if bill:
        page.prose(bill, hang=6)
    _accepted(page, run)
    if run.skipped:
        page.prose(f"Not looked at: {words.count(run.skipped, 'tenant')} (not selected)", hang=2)
    for exceeded in run.exceeded:
        page.prose(f"Guard: {words.guard(exceeded)}", style="bold red", hang=2)
        page.prose(exceeded.hint, indent=2, hang=2)
    if any(plan.actions for plan in run.plans):
        page.line(f"Digest: {run.digest}")
    step = words.next_step(run, page.options)
    if step is not None:
        page.line(f"{step.said}: ", Piece(step.command, "bold"))
