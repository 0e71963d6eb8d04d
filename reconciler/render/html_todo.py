"""What a plan leaves to a person, what is blocked and what is on its way, with what to type about each."""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.core.action import Action
from reconciler.core.plan import Plan, Run, Waiting
from reconciler.core.report import State
from reconciler.render import words
from reconciler.render.html_page import (
    LIMIT,
    OVERDUE,
    Anchors,
    Card,
    Cell,
    Command,
    Section,
    Table,
    chip,
    shown,
)
from reconciler.render.markdown import FINAL


def person(run: Run, at: Anchors) -> Section:
    """What is in doubt, over a limit, or a step that only a person can do."""
    cards = (*_doubts(run, at), *_limits(run), *_begun(run, at), *_by_hand(run, at))
    return Section(id="person", title="Needs a person", cards=cards)


def doubt_commands(tenant: str, address: str, ref: str | None) -> tuple[Command, ...]:
    """The two ways out of doubt."""
    happened, not_so = words.resolve_commands(tenant, address, ref)
    return (Command(when="If it happened", code=happened), Command(when="If it did not", code=not_so))


def _doubts(run: Run, at: Anchors) -> Iterator[Card]:
    for plan, item in words.doubts(run):
        yield Card(
            chip=chip(words.IN_DOUBT),
            tenant=plan.tenant,
            href=at.href(plan.tenant),
            address=item.address,
            why=item.reason,
            more=_times(item),
            commands=doubt_commands(plan.tenant, item.address, item.ref),
        )


def _limits(run: Run) -> Iterator[Card]:
    for one in run.exceeded:
        yield Card(chip=LIMIT, tenant="policy", address=one.rule, why=words.guard(one), more=(one.hint,))


def _begun(run: Run, at: Anchors) -> Iterator[Card]:
    """Steps by hand that an apply has begun: they wait for whom does them."""
    for plan, item in _waiting(run):
        if item.state != State.BY_HAND:
            continue
        done = words.confirm_command(plan.tenant, item.address)
        yield Card(
            chip=chip(words.BY_HAND),
            tenant=plan.tenant,
            href=at.href(plan.tenant),
            address=item.address,
            why=f"{item.verb.value}, waiting for a person" if item.verb else "waiting for a person",
            steps=item.reason,
            more=_times(item),
            commands=(Command(when="Once it is done", code=done),) if item.ref is None else (),
        )


def _by_hand(run: Run, at: Anchors) -> Iterator[Card]:
    """Steps by hand that an apply will begin."""
    for plan in run.plans:
        for action in plan.actions:
            if action.how != "by-hand":
                continue
            done = words.confirm_command(plan.tenant, action.address)
            yield Card(
                chip=chip(words.BY_HAND),
                tenant=plan.tenant,
                href=at.href(plan.tenant),
                address=action.address,
                why=action.summary,
                steps=action.instructions or "",
                more=(words.why(action),),
                commands=(Command(when="After the apply, once it is done", code=done),),
            )


def _times(item: Waiting) -> tuple[str, ...]:
    parts = (*words.reference(item.verb, item.ref), *words.since_and_due(item.since, item.due_by))
    where = words.place(item.source)
    said = "; ".join((*parts, where) if where else parts)
    return (said,) if said else ()


def _waiting(run: Run) -> Iterator[tuple[Plan, Waiting]]:
    for plan in run.plans:
        for item in plan.pending:
            yield plan, item


def final(run: Run, at: Anchors) -> Section:
    """What ends or deletes something: a review is not to miss it among the rest."""
    found = [(plan, action) for plan in run.plans for action in plan.actions if action.verb in FINAL]
    rows = tuple(_final(plan, action, at) for plan, action in found)
    columns = ("tenant", "do", "address", "what", "change of the bill", "why")
    table = Table(caption="What takes something away for good", columns=columns, rows=rows)
    return Section(id="final", title="Ends and deletions", tables=(table,) if rows else ())


def _final(plan: Plan, action: Action, at: Anchors) -> tuple[Cell, ...]:
    return (
        Cell(code=plan.tenant, href=at.href(plan.tenant)),
        Cell(chips=(chip(words.mark(action), action.verb.value),)),
        Cell(code=action.address),
        Cell(text=action.summary),
        Cell(text=words.price(action), number=True),
        Cell(text=words.why(action)),
    )


def blocked(run: Run, at: Anchors) -> Section:
    """What cannot be done, and why."""
    found = [(plan, item) for plan in run.plans for item in plan.blocked]
    rows, after = shown([_blocked(plan, item, at) for plan, item in found], "thing")
    columns = ("tenant", "address", "what", "why", "written in")
    table = Table(caption="What cannot be done", columns=columns, rows=rows, after=after)
    return Section(id="blocked", title="Blocked", tables=(table,) if rows else ())


def _blocked(plan: Plan, item: Waiting, at: Anchors) -> tuple[Cell, ...]:
    return (
        Cell(code=plan.tenant, href=at.href(plan.tenant)),
        Cell(code=item.address),
        Cell(text=item.verb.value if item.verb else "", short=True),
        Cell(text=item.reason),
        Cell(code=words.place(item.source)),
    )


def pending(run: Run, at: Anchors) -> Section:
    """What is on its way, since when, until when, and by which number it is looked up."""
    found = [(plan, item) for plan, item in _waiting(run) if item.state != State.IN_DOUBT]
    rows, after = shown([_pending(run, plan, item, at) for plan, item in found], "thing")
    columns = ("tenant", "address", "state", "since", "due by", "number", "why")
    table = Table(caption="What is on its way", columns=columns, rows=rows, after=after)
    return Section(id="pending", title="Pending", tables=(table,) if rows else ())


def _pending(run: Run, plan: Plan, item: Waiting, at: Anchors) -> tuple[Cell, ...]:
    late = item.due_by is not None and item.due_by < run.created_at
    mark = chip(words.waiting_mark(item, words.PENDING))
    return (
        Cell(code=plan.tenant, href=at.href(plan.tenant)),
        Cell(code=item.address, more=(item.verb.value,) if item.verb else ()),
        Cell(chips=(mark, OVERDUE) if late else (mark,)),
        Cell(text=words.moment(item.since) if item.since else "", short=True),
        Cell(text=words.moment(item.due_by) if item.due_by else "", short=True),
        Cell(code=item.ref or ""),
        Cell(text=item.reason),
    )
