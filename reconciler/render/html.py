"""A plan as one self-contained page: no script, nothing fetched, light and dark, readable without a mouse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from reconciler.core.action import Action
from reconciler.core.plan import Plan, Run, cost
from reconciler.core.serial import amount
from reconciler.render import words
from reconciler.render.departures import departures
from reconciler.render.escape import clean
from reconciler.render.options import Options
from reconciler.render.words import Mark


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a tenant's table; `cells` are the columns between the address and the reason."""

    symbol: str
    word: str
    style: str
    address: str
    cells: tuple[str, ...]
    why: str
    links: tuple[tuple[str, str], ...] = ()
    steps: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One tenant: its title, what is said of it, its table."""

    title: str
    caption: str
    lines: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Human:
    """What needs a person."""

    word: str
    tenant: str
    address: str
    why: str
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """A line at the end, and what of it is to be copied."""

    said: str
    code: str = ""


STYLES = {
    words.ORDER: "add",
    words.DONE: "add",
    words.TAKE: "bad",
    words.BLOCKED: "bad",
    words.FAILED: "bad",
    words.IN_DOUBT: "bad",
}


def plan(run: Run, options: Options) -> str:
    """What apply would do, what waits, what is left alone, what it costs."""
    shown = [plan for plan in run.plans if words.worth_showing(plan)]
    return page(
        title="Licence plan",
        verdict=words.verdict(run),
        bill=words.bill(run.cost),
        sandbox=sandbox(plan.account for plan in run.plans if plan.sandbox),
        notes=run.notes,
        human=list(_human(run)),
        tenant_columns=("tenant", "with", "status", "actions", "monthly"),
        tenants=[_tenant(plan) for plan in shown],
        columns=("do", "address", "what", "monthly", "why"),
        blocks=[_block(plan) for plan in shown],
        last=list(_last(run, options)),
    )


def page(**parts: Any) -> str:
    """Fill the template."""
    text: str = _template().render(**parts)
    return text


@cache
def _template() -> Any:
    """The template; what it shows is escaped for HTML and shows what cannot be seen, all of it."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("reconciler.render", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_seen,
        trim_blocks=True,
        keep_trailing_newline=True,
    ).get_template("page.html")


def _seen(value: object) -> object:
    if isinstance(value, str):
        return "\n".join(clean(line) for line in value.split("\n"))
    return value


def sandbox(names: Iterable[str]) -> str:
    """That what follows is no real provider's; empty when it is."""
    listed = sorted(set(names))
    return f"{words.SANDBOX}: {', '.join(listed)}" if listed else ""


def _human(run: Run) -> Iterator[Human]:
    for plan, item in words.doubts(run):
        commands = words.resolve_commands(plan.tenant, item.address, item.ref)
        yield Human(
            word="in doubt",
            tenant=plan.tenant,
            address=item.address,
            why=words.waiting(item),
            commands=commands,
        )
    for exceeded in run.exceeded:
        why = f"{words.guard(exceeded)}: {exceeded.hint}"
        yield Human(word="over a limit", tenant="policy", address=exceeded.rule, why=why)
    for plan in run.plans:
        for action in plan.actions:
            if action.how == "by-hand":
                yield Human(word="by hand", tenant=plan.tenant, address=action.address, why=action.summary)


def _tenant(plan: Plan) -> tuple[str, ...]:
    status = words.STATUSES[plan.status] + (", on hold" if plan.hold is not None else "")
    money = words.bill(cost(plan.actions)).removeprefix("Cost: ")
    return (plan.tenant, words.seat_of(plan), status, str(len(plan.actions)), money)


def _block(plan: Plan) -> Block:
    lines = [f"On hold: {plan.hold}"] if plan.hold is not None else []
    lines += [f"Error: {plan.error}"] if plan.error is not None else []
    lines += [
        f"{finding.severity} {finding.code}: {finding.address}: {finding.message} {words.place(finding.source)}"
        for finding in plan.findings
    ]
    rows = [*map(_action, plan.actions), *_others(plan)]
    return Block(
        title=words.title(plan), caption=f"Plan of {plan.tenant}", lines=tuple(lines), rows=tuple(rows)
    )


def _action(action: Action) -> Row:
    mark = words.mark(action)
    return Row(
        symbol=mark.symbol,
        word=action.verb.value,
        style=STYLES.get(mark, ""),
        address=action.address,
        cells=(action.summary, words.price(action)),
        why=words.why(action),
        links=tuple((contract.name, _link(contract.url)) for contract in action.contracts),
        steps=action.instructions or "",
    )


def _link(url: str) -> str:
    """A link only where it leads to a page, never to a script."""
    return url if url.startswith(("https://", "http://")) else ""


def _others(plan: Plan) -> Iterator[Row]:
    for items, usual in ((plan.pending, words.PENDING), (plan.blocked, words.BLOCKED)):
        for item in items:
            verb = item.verb.value if item.verb else ""
            yield _other(words.waiting_mark(item, usual), item.address, (verb, ""), words.waiting(item))
    for unmanaged in plan.unmanaged:
        money = unmanaged.monthly
        said = f"{amount(money.amount)} {money.currency}/month" if money else ""
        yield _other(words.UNMANAGED, unmanaged.address, ("in no manifest", said), f"ref {unmanaged.ref}")
    for leaving in departures(plan.leaving):
        yield _other(words.LEAVING, leaving.address, (leaving.said, ""), leaving.why)


def _other(mark: Mark, address: str, cells: tuple[str, ...], why: str) -> Row:
    return Row(
        symbol=mark.symbol,
        word=mark.legend,
        style=STYLES.get(mark, ""),
        address=address,
        cells=cells,
        why=why,
    )


def _last(run: Run, options: Options) -> Iterator[Last]:
    if run.skipped:
        yield Last(said=f"Not looked at: {words.count(run.skipped, 'tenant')} (not selected)")
    command = words.next_command(run, options)
    if command:
        yield Last(said="To do it:", code=command)
    yield Last(said="To see it again:", code=words.plan_command(options))
    yield Last(said="Digest", code=run.digest)
    yield Last(said=f"reconciler {run.tool_version}, {words.moment(run.created_at)}")
