"""What every renderer says alike: marks, amounts, moments, sums and the next command."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from reconciler.core.action import Action, Verb
from reconciler.core.model import Address, Contract, Source
from reconciler.core.plan import Cost, Exceeded, Plan, Run, Status, Waiting
from reconciler.core.report import State
from reconciler.core.serial import amount, utc
from reconciler.render.options import Options


class Mark(NamedTuple):
    """A symbol, what the legend says of it, and its colour."""

    symbol: str
    legend: str
    style: str


ORDER = Mark("+", "order or add", "green")
CHANGE = Mark("~", "change", "yellow")
TAKE = Mark("-", "take away", "red")
LATER = Mark("v", "at a later date", "blue")
BY_HAND = Mark("!", "by hand", "bold magenta")
PENDING = Mark("…", "pending", "cyan")
BLOCKED = Mark("x", "blocked", "bold red")
UNMANAGED = Mark("?", "unmanaged", "dim")
LEAVING = Mark(">", "leaving", "dim")
IN_DOUBT = Mark("‼", "in doubt", "bold red")
DONE = Mark("=", "done", "green")
FAILED = Mark("x", "failed", "bold red")
NOT_STARTED = Mark("o", "not started", "dim")

LEGEND = (ORDER, CHANGE, TAKE, LATER, BY_HAND, IN_DOUBT, PENDING, BLOCKED, UNMANAGED, LEAVING)

_VERBS = {
    Verb.ORDER: ORDER,
    Verb.CREATE_USER: ORDER,
    Verb.RESIZE: CHANGE,
    Verb.UPDATE: CHANGE,
    Verb.ACTIVATE: CHANGE,
    Verb.SCHEDULE: LATER,
    Verb.DEACTIVATE: TAKE,
    Verb.DELETE_USER: TAKE,
    Verb.CANCEL: TAKE,
}

STATES = {
    State.DONE: DONE,
    State.FAILED: FAILED,
    State.PENDING: PENDING,
    State.BY_HAND: BY_HAND,
    State.IN_DOUBT: IN_DOUBT,
    State.NOT_STARTED: NOT_STARTED,
}

STATUSES = {
    Status.ERROR: "error",
    Status.IN_DOUBT: "in doubt",
    Status.BLOCKED: "blocked",
    Status.PENDING: "pending",
    Status.CHANGES: "changes",
    Status.IN_SYNC: "in sync",
}

EXITS = {
    0: "all done",
    1: "the run could not be made",
    2: "there are changes",
    3: "something failed or is blocked, the rest went on",
    4: "pending at the provider or by hand",
    5: "stopped by a guard",
    6: "the plan is stale, spent or not the approved one",
    7: "somebody else applies this",
    8: "in doubt: a person must look",
}

SANDBOX = "SANDBOX"
NUMBERED = frozenset({Verb.ORDER, Verb.RESIZE, Verb.SCHEDULE, Verb.CANCEL})
MANY = 10  # unmanaged things listed a tenant; more are counted

# Verbs as the summary line says them, in its order.
_TO = {verb: verb.value.replace("-", " ") for verb in Verb}


def mark(action: Action) -> Mark:
    """The symbol of an action: who does it and when weigh more than what it does."""
    if action.how == "by-hand":
        return BY_HAND
    return LATER if action.scheduled_for else _VERBS[action.verb]


def waiting_mark(item: Waiting, usual: Mark) -> Mark:
    """The symbol of what waits: doubt and a person's turn weigh more than the list it stands in."""
    special = {State.IN_DOUBT.value: IN_DOUBT, State.BY_HAND.value: BY_HAND}
    return special.get(item.state, usual)


def count(number: int, thing: str) -> str:
    """A number and its noun."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def rise(value: Decimal, currency: str) -> str:
    """What the monthly bill rises by, with its sign."""
    return f"{'+' if value > 0 else ''}{amount(value)} {currency}/month"


def price(action: Action) -> str:
    """What an action changes on the bill; empty when nothing, as for a change of a name."""
    if action.price is None:
        return "price unknown" if action.verb in {Verb.ORDER, Verb.RESIZE, Verb.CANCEL} else ""
    return rise(action.price.monthly, action.price.currency) if action.price.monthly else ""


def once(action: Action) -> str:
    """What an action costs at once; empty when nothing."""
    if action.price is None or not action.price.one_off:
        return ""
    return f"{amount(action.price.one_off)} {action.price.currency} once"


def moment(value: datetime) -> str:
    """A time for people."""
    return f"{utc(value):%Y-%m-%d %H:%M} UTC"


def since_and_due(since: datetime | None, due_by: datetime | None) -> list[str]:
    """Since when and until when; a day is said once."""
    if since is None or due_by is None:
        return [f"since {moment(since)}"] if since else [f"due by {moment(due_by)}"] if due_by else []
    start, end = utc(since), utc(due_by)
    due = f"{end:%H:%M} UTC" if start.date() == end.date() else moment(end)
    return [f"since {start:%Y-%m-%d %H:%M}, due by {due}"]


def reference(verb: Verb | None, ref: str | None) -> list[str]:
    """The number by which somebody looks it up; a person's seat is found by its address already."""
    return [f"ref {ref}"] if ref and (verb is None or verb in NUMBERED) else []


def place(source: Source | None) -> str:
    """Where it is written."""
    return f"{source.file}:{source.line}" if source else ""


def why(action: Action) -> str:
    """The reason of an action, when it happens, until when it can be undone and where it is written."""
    parts = (
        "by hand" if action.how == "by-hand" else "",
        f"on {action.scheduled_for.isoformat()}" if action.scheduled_for else "",
        action.reason,
        once(action),
        f"can be undone until {action.reversible_until.isoformat()}" if action.reversible_until else "",
    )
    said = "; ".join([part for part in parts if part])
    where = place(action.source)
    return f"{said} ({where})" if said and where else said or where


def waiting(item: Waiting) -> str:
    """The reason of what waits, what to look it up by, since when and until when."""
    ref = reference(item.verb, item.ref)
    said = [item.reason] if item.reason else []
    where = place(item.source)
    return "; ".join([*said, *ref, *since_and_due(item.since, item.due_by)]) + (
        f" ({where})" if where else ""
    )


def contracts(run: Run) -> list[Contract]:
    """What consent to a plan accepts, each contract once."""
    found = (contract for plan in run.plans for action in plan.actions for contract in action.contracts)
    return list(dict.fromkeys(found))


def doubts(run: Run) -> Iterator[tuple[Plan, Waiting]]:
    """Everything in doubt, of every tenant."""
    for plan in run.plans:
        for item in (*plan.pending, *plan.blocked):
            if item.state == State.IN_DOUBT:
                yield plan, item


def resolve_commands(tenant: str, address: Address, ref: str | None) -> tuple[str, str]:
    """The two ways out of doubt."""
    start = f"reconciler resolve {shlex.quote(tenant)} {shlex.quote(address)}"
    return f"{start} --happened {shlex.quote(ref) if ref else 'REF'}", f"{start} --did-not-happen"


def confirm_command(tenant: str, address: Address) -> str:
    """What to type once a step by hand is done."""
    return f"reconciler confirm {shlex.quote(tenant)} {shlex.quote(address)} --by NAME"


def title(plan: Plan) -> str:
    """Who a tenant is and how much is to be done."""
    name = f" {plan.name}" if plan.name else ""
    return f"{plan.tenant}{name} ({seat_of(plan)}): {extent(plan)}"


def seat_of(plan: Plan) -> str:
    """With whom and through which account."""
    parts = [
        plan.provider,
        f"account {plan.account}" if plan.account else "",
        SANDBOX if plan.sandbox else "",
    ]
    return ", ".join(part for part in parts if part)


def extent(plan: Plan) -> str:
    """How much is to be done."""
    if plan.error is not None:
        return "could not be planned"
    return count(len(plan.actions), "action") if plan.actions else "no actions"


def worth_showing(plan: Plan) -> bool:
    """Whether there is anything to say of a tenant beyond that it is as written."""
    others = (plan.unmanaged, plan.leaving, plan.findings, plan.hold)
    return plan.status is not Status.IN_SYNC or any(others)


def verdict(run: Run) -> str:
    """The one line that says it all."""
    summary, tenants = run.summary, run.tenants
    states = Counter(item.state for plan in run.plans for item in plan.pending)
    in_doubt, by_hand = states[State.IN_DOUBT], states[State.BY_HAND]
    summary = {
        **summary,
        "in_doubt": in_doubt,
        "by_hand": summary["by_hand"] + by_hand,
        "pending": summary["pending"] - in_doubt - by_hand,
    }
    to_do = [f"{summary[verb]} to {word}" for verb, word in _TO.items() if summary[verb]]
    asides = [
        f"{summary[key]} {word}"
        for key, word in (
            ("scheduled", "scheduled"),
            ("by_hand", "by hand"),
            ("pending", "pending"),
            ("in_doubt", "in doubt"),
            ("blocked", "blocked"),
        )
        if summary[key]
    ]
    failed = tenants[Status.ERROR]
    if failed:
        asides.append(f"{count(failed, 'tenant')} could not be planned")
    held = sum(plan.hold is not None for plan in run.plans)
    if held:
        asides.append(f"{count(held, 'tenant')} on hold")
    if not to_do and not asides:
        return "No changes. Everything is as the manifests say."
    start = f"Plan: {', '.join(to_do)}" if to_do else "Nothing to do now"
    unchanged = tenants[Status.IN_SYNC]
    rest = f" {count(unchanged, 'tenant')} unchanged." if unchanged else ""
    return f"{start}{'; ' if to_do else ': '}{', '.join(asides)}.{rest}" if asides else f"{start}.{rest}"


def bill(costs: Iterable[Cost]) -> str:
    """What the monthly bill changes by; empty when nothing costs."""
    parts, unknown = [], 0
    for cost in costs:
        unknown = max(unknown, cost.unknown)  # the same number stands in each currency
        if cost.currency:
            parts.append(rise(cost.monthly_change, cost.currency))
    if unknown:
        parts.append(f"{count(unknown, 'action')} of unknown price")
    return f"Cost: {', '.join(parts)}" if parts else ""


class Step(NamedTuple):
    """What to type next: how a terminal introduces it, how a page does, and the command."""

    said: str
    when: str
    command: str


def next_step(run: Run, options: Options) -> Step | None:
    """What to type to make it so, or to go on; None when there is nothing to do."""
    if any(plan.actions and plan.hold is None for plan in run.plans):
        return _apply(run, options)
    waiting = [(plan, item) for plan in run.plans for item in plan.pending if item.state != State.IN_DOUBT]
    ours = [(plan.tenant, item) for plan, item in waiting if item.ours]
    by_hand = [(tenant, item.address) for tenant, item in ours if unasked(item)]
    if len(ours) > len(by_hand):
        return Step("Next", "To go on", f"reconciler resume {options.selection}".rstrip())
    if by_hand:
        return once_done(by_hand)
    if waiting:  # what others ordered, or what passes by itself: nobody but time can go on with it
        return once_there(options)
    return None


def unasked(item: Waiting) -> bool:
    """Whether it waits for a person who has to say that it is done, because nobody can be asked."""
    return item.ours and item.state == State.BY_HAND and item.ref is None


def once_done(steps: Sequence[tuple[str, Address]]) -> Step:
    """What helps with steps that only a person knows to be done: to do them, and to say so."""
    if len(steps) == 1:
        return Step("Next, once it is done", "Once it is done", confirm_command(*steps[0]))
    command = "reconciler confirm TENANT ADDRESS --by NAME"
    return Step("Next, once each is done", "Once each is done", command)


def once_there(options: Options) -> Step:
    """What helps with what is on its way and nobody here has asked for: looking again, later."""
    return Step("Next, once that is there", "Once that is there", plan_command(options))


def _apply(run: Run, options: Options) -> Step:
    """The command that does this plan; where a guard stops it, the one that lifts the guard for once."""
    lifts = [*options.allow, *(one.hint.rpartition("--allow ")[2] for one in run.exceeded)]
    rules = {lift.partition("=")[0] if not lift.startswith("protected=") else lift: lift for lift in lifts}
    selection = "" if options.plan_file else options.selection
    consent = f"--plan {shlex.quote(options.plan_file)}" if options.plan_file else f"--approved {run.digest}"
    parts = [
        "reconciler apply",
        selection,
        consent,
        *(f"--allow {shlex.quote(lift)}" for lift in rules.values()),
    ]
    command = " ".join(part for part in parts if part)
    if run.exceeded:
        return Step("Next, if it is meant", "To do it all the same, once", command)
    return Step("Next", "To do it", command)


def guard(exceeded: Exceeded) -> str:
    """The guard that stops the run, with number and limit."""
    return f"{exceeded.rule}: {exceeded.message} ({exceeded.number} is over {exceeded.limit})"


def short(text: str, most: int = 300) -> str:
    """A text that does not fill a page, with a mark where it was cut."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def plan_command(options: Options) -> str:
    """What to type to see the same plan."""
    return f"reconciler plan {options.selection}".rstrip()
