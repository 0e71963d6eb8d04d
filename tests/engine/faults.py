"""The fault table: every call of a story's apply, with every fault that can hit it, and what a person does then."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from reconciler.cli.hand import _resolution
from reconciler.core.journal import Kind
from reconciler.core.open import Open
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from reconciler.engine.scribe import Scribe
from reconciler.engine.setup import load
from tests.engine.harness import Bench, planned
from tests.engine.stories import Story

ON_WRITES = (
    "refuse",
    "lose-reply-before",
    "lose-reply-after",
    "error-before",
    "error-after",
    "throttle",
    "html",
    "malformed",
    "wrong-types",
    "busy",
    "slow",
)
ON_READS = ("error-before", "throttle", "html", "malformed", "wrong-types", "slow")
ON_TASKS = ("task-error",)
ON_CHECKOUT = ("delivered-then-404", "late-delivery", "order-cancelled", "order-documents")
LISTS = frozenset(
    {"officePrepaid", "office", "order", "user", "subscription", "details"}
    | {"customers", "subscriptions", "orders", "users", "subscribedSkus", "domains"}
    | {"microsoft.graph.user", "delegatedAdminRelationships", "accessAssignments", "operations"}
)
"""Last words of the paths of lists."""
PAST_RETRIES = 4
"""How often a read is tried; a fault that hits it as often reaches the engine."""


class Cell(NamedTuple):
    """One fault at one call: the `skip`-th of those that look alike, `times` in a row."""

    fault: str
    method: str
    path: str
    skip: int
    times: int

    @property
    def id(self) -> str:
        """How the cell is called in a test's name."""
        return f"{self.fault}@{self.method}{self.path}#{self.skip}"

    @classmethod
    def parse(cls, text: str) -> Cell:
        """The cell of an id; ValueError when it is none."""
        found = re.fullmatch(r"([a-z0-9-]+)@([A-Z]+)(/.*)#(\d+)", text)
        if found is None:
            raise ValueError(f"{text!r} is no fault at a call: write FAULT@METHOD/path#SKIP")
        fault, method, path, skip = found.groups()
        return cls(fault, method, path, int(skip), PAST_RETRIES if method == "GET" or _asks(path) else 1)


def pattern(path: str) -> str:
    """A path with everything that is a name or a number left open."""
    parts = path.strip("/").split("/")
    return "/" + "/".join("{}" if re.search(r"[\d@,.]", part) else part for part in parts)


def cells(one: Bench, *, every: bool) -> Iterator[Cell]:
    """The table's cells for one story, from the calls of a run without faults.

    every: all calls; else of calls that look alike the first one, and of minor calls' faults some in turn.
    """
    process = one.process()
    process.run(lambda setup: apply(setup, Consent()))
    yield from cells_of(process.wire.sent, every=every)


def cells_of(calls: Iterable[tuple[str, str]], *, every: bool) -> Iterator[Cell]:
    """The table's cells for some calls."""
    seen: Counter[tuple[str, str]] = Counter()
    for number, (method, path) in enumerate(calls):
        call = (method, pattern(path))
        skip = seen[call]
        seen[call] += 1
        if skip and not every:
            continue
        if method == "GET" or _asks(path):
            some = ON_READS if every else ON_READS[number % len(ON_READS) :][:1]
            yield from (Cell(fault, *call, skip, PAST_RETRIES) for fault in some)
            if every and method == "GET" and _is_list(path):
                yield Cell("fail-list", *call, skip, PAST_RETRIES)
            continue
        # Up to the checkout a cart buys nothing, so the short table gives its calls some faults in turn.
        minor = ("/order/cart" in path or "/carts" in path) and not path.endswith("/checkout") and not every
        chosen = [fault for place, fault in enumerate(ON_WRITES) if not minor or (place + number) % 4 == 0]
        yield from (Cell(fault, *call, skip, 1) for fault in chosen)
        if path.endswith("/checkout"):
            yield from (Cell(fault, *call, skip, 1) for fault in ON_CHECKOUT)
        elif not path.startswith("/order") and "/carts" not in path:
            yield from (Cell(fault, *call, skip, 1) for fault in ON_TASKS)


def _is_list(path: str) -> bool:
    return path.rpartition("/")[2] in LISTS


def _asks(path: str) -> bool:
    """Whether a POST changes nothing: a token, many readings in one, an address that is looked at."""
    return path.startswith("/login/") or path.endswith(("/$batch", "/validations/address"))


@dataclass
class Told:
    """What a run with one fault came to: exit codes in order, and what a person had to do."""

    codes: list[int]
    person: list[str]


def play(one: Bench, story: Story, *faulty: Cell, rounds: int = 8) -> Told:
    """Apply under faults, then again and again with the clock turned; a person acts where one is asked for."""
    for cell in faulty:
        one.world.fault(cell.fault, method=cell.method, path=cell.path, skip=cell.skip, times=cell.times)
    told = Told([], [])
    for turn in range(rounds):
        report = one.apply()
        told.codes.append(report.exit_code)
        never_twice(one, story, told)
        assert (report.exit_code == 8) == any(
            action.state.value == "in-doubt" for tenant in report.tenants for action in tenant.actions
        ), report
        for tenant in report.tenants:
            for action in tenant.actions:
                if action.state.value in {"failed", "in-doubt"}:
                    assert action.error is not None, action
                    assert action.error.message, action
        if report.exit_code == 0:
            break
        if turn >= 1:
            person(one, told, story.helps)
        one.time.at += 3600 * 2
    return told


def came_true(one: Bench, story: Story, told: Told) -> None:
    """All went well in the end: what the story wants is there, and nothing is left to do."""
    assert told.codes[-1] == 0, told
    assert story.check(one) == story.end, (story.check(one), told)
    plan = planned(one.plan())
    assert not plan.actions, (plan.actions, told)
    assert not plan.pending, (plan.pending, told)


UNDONE = {
    "user-created": ("user-deleted", "its creation failed"),
    "subscription-created": ("subscription-deleted", "its creation failed"),
    "order-placed": ("order-cancelled", None),
    "partner-order-placed": ("partner-order-cancelled", None),
    "graph-access-assigned": ("graph-access-assignment-failed", None),
    "graph-access-changed": ("graph-access-change-failed", None),
}
"""What takes an effect back at the provider, so that it may happen once more."""


def never_twice(one: Bench, story: Story, told: Told) -> None:
    """No effect happened more often than the story wants, but for what the provider took back itself."""
    for what, most in story.effects.items():
        gone, reason = UNDONE.get(what, ("", None))
        happened = one.count(what) - one.count(gone, reason=reason)
        assert happened <= most, f"{what} happened {happened} times: {told}"


def person(one: Bench, told: Told, helps: Iterable[str] = ()) -> None:
    """Do what a person would who reads what is open: pay, hand in papers, resolve by what really happened."""
    for order in one.rows(
        "SELECT id, status FROM purchase WHERE status IN ('notPaid', 'documentsRequested') UNION "
        "SELECT id, status FROM ms_order WHERE status = 'pending po upload'"
    ):
        told.person.append(one.world.pay(order["id"]))
    for failed in one.rows("SELECT id, quantity FROM ms_subscription WHERE provisioning = 'failed'"):
        # Who sold the seats has them, the directory does not: only Microsoft's support can mend that.
        one.world.change(f"subscription-resized {failed['id']} {failed['quantity']}")
        told.person.append("support")
    for failed in one.rows(
        "SELECT relation, json_extract(data, '$.accessContainer.accessContainerId') AS number"
        " FROM ms_relation_part WHERE kind = 'assignment' AND status = 'error'"
    ):
        one.world.change(f"access-taken {failed['relation']} {failed['number']}")
        told.person.append("taken out in Partner Center")
    for change in helps:
        with suppress(ValueError):  # nobody can sign or publish what was not asked for yet
            one.world.change(change)
            told.person.append(change)
    process = one.process()
    try:
        progress = load(process.setup).get("acme")
        if progress is None:
            return
        scribe = Scribe(
            journal=process.journal,
            tenant="acme",
            progress=progress,
            who=process.setup.who,
            now=one.time.now,
            tell=process.setup.tell,
        )
        for doubtful in [each for each in progress.open.values() if each.stage == "in-doubt"]:
            happened = truth(one, doubtful)
            _resolution(scribe, progress, "acme", doubtful.action.address, happened)()
            told.person.append(f"resolved {happened}")
        for address in list(progress.stuck):
            _resolution(scribe, progress, "acme", address, None)()
            told.person.append(f"resolved cancelled {address}")
        for open_ in [each for each in progress.open.values() if by_hand(each)]:
            scribe.write(Kind.FINISHED, open_.action, ref="", confirmed_by="a person", evidence="")
            told.person.append(f"confirmed {open_.action.address}")
    finally:
        process.journal.close()


def by_hand(known: Open) -> bool:
    """Whether a person has it, and nobody but the person can tell."""
    return known.stage == "accepted" and known.waiting_on == "person" and not known.ticket


def truth(one: Bench, doubtful: Open) -> str | None:
    """What really became of an action, as a person would see it in the control panel."""
    if doubtful.action.detail.get("provider") == "ovh-csp2":
        known = doubtful.steps[-1].data.get("before", []) if doubtful.steps else []
        new = [
            row["id"]
            for row in one.rows("SELECT id, licence FROM subscription")
            if row["id"] not in known and str(row["licence"]) == doubtful.action.detail["product"]
        ]
        return str(new[0]) if new else None
    placed = [entry["order"] for entry in one.world.ledger() if entry["what"] == "order-placed"]
    return str(placed[-1]) if placed else None
