"""The tenants of a plan: all of them in one table, and each with everything that is said of it."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.action import Action
from reconciler.core.plan import Finding, Plan, Run, Status, cost
from reconciler.core.serial import amount
from reconciler.render import words
from reconciler.render.departures import departures
from reconciler.render.html_money import link
from reconciler.render.html_page import (
    HOLD,
    SANDBOX,
    STATUSES,
    Anchors,
    Block,
    Cell,
    Chip,
    Section,
    Table,
    chip,
)
from reconciler.render.words import Mark


def tenants(run: Run, at: Anchors) -> Section:
    """How each tenant stands, the worst first; those that are as written are counted and named."""
    shown = [plan for plan in run.plans if words.worth_showing(plan)]
    calm = [plan.tenant for plan in run.plans if not words.worth_showing(plan)]
    columns = ("tenant", "status", "with", "actions", "change of the bill", "idle seats")
    rows = tuple(_row(plan, at) for plan in sorted(shown, key=lambda one: (_worst(one), one.tenant)))
    table = Table(caption="Tenants with something to say, worst first", columns=columns, rows=rows)
    return Section(
        id="tenants",
        title="Tenants",
        tables=(table,) if rows else (),
        names=tuple(calm),
        named=f"{words.count(len(calm), 'tenant')} as the manifests say",
    )


_ORDER = list(Status)


def _worst(plan: Plan) -> int:
    return _ORDER.index(plan.status)


def _chips(plan: Plan) -> tuple[Chip, ...]:
    held = (HOLD,) if plan.hold is not None else ()
    return (STATUSES[plan.status], *held, *((SANDBOX,) if plan.sandbox else ()))


def _bill(plan: Plan) -> str:
    return words.bill(cost(plan.actions)).removeprefix("Cost: ")


def _row(plan: Plan, at: Anchors) -> tuple[Cell, ...]:
    idle = [one.idle for one in plan.usage if one.idle is not None]
    return (
        Cell(code=plan.tenant, href=at.href(plan.tenant), more=(plan.name,) if plan.name else ()),
        Cell(chips=_chips(plan)),
        Cell(text=plan.provider, more=(f"account {plan.account}",) if plan.account else ()),
        Cell(text=str(len(plan.actions)), number=True),
        Cell(text=_bill(plan), number=True),
        Cell(text=str(sum(idle)) if idle else "", number=True),
    )


def block(plan: Plan, at: Anchors) -> Block:
    """One tenant: what would be done in order, and everything beside it."""
    account = f"account {plan.account}" if plan.account else ""
    lines = [f"On hold: {plan.hold}"] if plan.hold is not None else []
    lines += [f"Error: {plan.error}"] if plan.error is not None else []
    lines += [f"Bill: {_bill(plan)}"] if _bill(plan) else []
    actions = tuple(map(_action, plan.actions))
    others = tuple(_others(plan))
    findings = tuple(map(_finding, plan.findings))
    made = (
        Table(caption="What apply would do, in order", columns=_DOING, rows=actions),
        Table(caption="What it leaves alone", columns=_BESIDE, rows=others),
        Table(caption="Findings", columns=_FOUND, rows=findings),
    )
    return Block(
        id=at.id(plan.tenant),
        title=f"{plan.tenant} {plan.name}".rstrip(),
        said=", ".join(part for part in (words.extent(plan), plan.provider, account) if part),
        chips=_chips(plan),
        lines=tuple(lines),
        tables=tuple(table for table in made if table.rows),
    )


_DOING = ("do", "address", "what", "change of the bill", "why")
_BESIDE = ("state", "address", "what", "why")
_FOUND = ("code", "address", "what", "written in")


def _action(action: Action) -> tuple[Cell, ...]:
    return (
        Cell(chips=(chip(words.mark(action), action.verb.value),)),
        Cell(code=action.address),
        Cell(text=action.summary),
        Cell(text=words.price(action), number=True),
        Cell(
            text=words.why(action),
            links=tuple((contract.name, link(contract.url)) for contract in action.contracts),
            steps=action.instructions or "",
        ),
    )


def _others(plan: Plan) -> Iterator[tuple[Cell, ...]]:
    for items, usual in ((plan.pending, words.PENDING), (plan.blocked, words.BLOCKED)):
        for item in items:
            verb = item.verb.value if item.verb else ""
            yield _other(words.waiting_mark(item, usual), item.address, verb, words.waiting(item))
    for unmanaged in plan.unmanaged:
        money = unmanaged.monthly
        said = f"in no manifest, {amount(money.amount)} {money.currency}/month" if money else "in no manifest"
        yield _other(words.UNMANAGED, unmanaged.address, said, f"ref {unmanaged.ref}")
    for leaving in departures(plan.leaving):
        yield _other(words.LEAVING, leaving.address, leaving.said, leaving.why)


def _other(mark: Mark, address: str, what: str, why: str) -> tuple[Cell, ...]:
    return (Cell(chips=(chip(mark),)), Cell(code=address), Cell(text=what), Cell(text=why))


def _finding(one: Finding) -> tuple[Cell, ...]:
    tones = {"error": Chip("x", "error", "bad"), "warning": Chip("!", "warning", "warn")}
    mark = tones.get(one.severity, Chip("i", one.severity, "info"))
    return (
        Cell(chips=(mark,), code=one.code),
        Cell(code=one.address),
        Cell(text=one.message),
        Cell(code=words.place(one.source)),
    )
