"""One apply for thousands of tenants against a served sandbox that misbehaves; prints as JSON what it took.

    python -m tests.torture.crowd FOLDER TENANTS SEED

Runs in a process of its own, whose memory, open files and tasks are then those of the tool and nobody else's.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from reconciler.cli.wiring import Chosen, files, journal_of, setup
from reconciler.core.journal import Event
from reconciler.core.plan import Run
from reconciler.core.report import Report
from reconciler.engine.clock import SystemClock
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from reconciler.sandbox.world import World
from tests.engine.processes import Place, forked
from tests.engine.stories import csp2, payg, prepaid, world_payg, world_prepaid
from tests.engine.town import address, environment, workspace

FAULTS = {
    "error-before": 0.005,
    "html": 0.005,
    "error-after": 0.005,
    "lose-reply-before": 0.005,
    "lose-reply-after": 0.005,
}
"""How likely each is to hit a call: one call in a hundred, and of the writes more than two."""
ROUNDS = 8
SAMPLE_EVERY = 50
EXPECTED = {
    "user-created": {0, 1, 2, 3},
    "seat-configured": {6, 7, 8},
    "order-placed": {8},
    "subscription-changed": {9},
}
"""Of which of ten tenants something must take effect, once."""
SUBSCRIBED = """
csp2:
  - service: acme-csp
    subscriptions:
      - {licence: 11, quantity: 10}
"""
PAGE = 4096


@dataclass
class Figures:
    """What an apply took: seconds of the processor, megabytes, and what it left behind.

    growth: kilobytes a tenant that the memory grew from a quarter of the events to the end.
    """

    tenants: int
    actions: int = 0
    seconds: float = 0.0
    requests: int = 0
    faults: int = 0
    before: float = 0.0
    planned: float = 0.0
    after: float = 0.0
    growth: float = 0.0
    files_left: int = 0
    tasks_left: int = 0
    most_tasks: int = 0
    states: dict[str, int] = field(default_factory=dict)
    codes: list[int] = field(default_factory=list)


def tenant(number: int) -> tuple[str, str]:
    """One tenant: its part of the world, and its file; ten kinds in turn."""
    match number % 10:
        case 0 | 1 | 2 | 3:
            return world_payg("ada"), payg("ada", "bob")
        case 4 | 5:
            return world_payg("ada"), payg("ada").replace("Lovelace", "King")
        case 6 | 7:
            return world_prepaid(1, "ada"), prepaid(2, "ada", "bob")
        case 8:
            return world_prepaid(0, "ada"), prepaid(2, "ada", "bob")
    return SUBSCRIBED, csp2("  - {name: basic, product: '11', seats: 14}")


def write(root: Path, tenants: int) -> None:
    """Write every tenant's file and fill the world."""
    (root / "tenants").mkdir(parents=True)
    (root / ".reconciler").mkdir(mode=0o700)
    families: dict[str, list[Any]] = {}
    for number in range(tenants):
        name = f"t{number:05d}"
        world, file = (text.replace("acme", name) for text in tenant(number))
        (root / "tenants" / f"{name}.yaml").write_text(file)
        for family, groups in yaml.load(world, Loader=yaml.CSafeLoader).items():
            families.setdefault(family, []).extend(groups)
    with closing(the_world(root)) as made:
        made.load(families)
        made.set("delay", "0.5")


def the_world(root: Path) -> World:
    """The provider, seen from its own side."""
    return World.open(root / ".reconciler" / "sandbox.db")


@contextmanager
def served(root: Path) -> Iterator[None]:
    """Serve the world, and write the workspace that reaches it."""
    place = Place(cwd=root, env=environment(), out=root / "serve.out", err=root / "serve.err")
    server = forked(("sandbox", "serve", "--port", "0"), place)
    try:
        text = workspace(address(place.out, server), settle="3s", journal="sqlite:///journal.db")
        (root / "reconciler.yaml").write_text(text)
        yield
    finally:
        server.kill()
        server.wait(10)


class Watch:
    """What the tool's own process takes while it runs, looked at every so many events."""

    def __init__(self) -> None:
        self.seen = 0
        self.memory: list[float] = []
        self.most_tasks = 0

    def tell(self, _event: Event) -> None:
        """Look, at every fiftieth event."""
        self.seen += 1
        if self.seen % SAMPLE_EVERY == 1:
            self.memory.append(resident())
            self.most_tasks = max(self.most_tasks, len(asyncio.all_tasks()))


def resident() -> float:
    """Megabytes of memory that this process has in use."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def open_files() -> int:
    """How many files and connections this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - only counted


def one_apply(root: Path, figures: Figures, watch: Watch) -> tuple[list[Run], Report]:
    """Apply once, as the command does; the plans that were consented to, and the report."""
    world = files(Chosen(workspace=root / "reconciler.yaml"))
    clock = SystemClock()
    agreed: list[Run] = []

    def agree(run: Run) -> bool:
        agreed.append(run)
        return True

    held = open_files()
    with closing(journal_of(world, Chosen(), create=True)) as journal:
        made = setup(world, journal, writes=True, clock=clock)
        made.tell, made.wait = watch.tell, timedelta(minutes=10)

        async def whole() -> Report:
            try:
                return await apply(made, Consent(ask=agree))
            finally:
                await made.accounts.close()
                await asyncio.sleep(0)
                figures.tasks_left += len(asyncio.all_tasks()) - 1

        report = asyncio.run(whole())
    figures.files_left += open_files() - held
    return agreed, report


def accounted(runs: list[Run], report: Report) -> Counter[str]:
    """Every planned action stands in the report exactly once, and what is wrong is said; how each ended."""
    planned = Counter(
        (plan.tenant, action.id) for run in runs for plan in run.plans for action in plan.actions
    )
    told = [(tenant.tenant, action) for tenant in report.tenants for action in tenant.actions]
    assert Counter((name, action.id) for name, action in told) == planned, "planned and told are not the same"
    for name, action in told:
        if action.state.value in {"failed", "in-doubt"}:
            assert action.error is not None, (name, action)
            assert action.error.message, (name, action)
    return Counter(action.state.value for _, action in told)


def judged(root: Path, tenants: int) -> None:
    """What was to happen happened at the provider exactly once for each tenant."""
    with closing(the_world(root)) as world:
        happened = Counter(entry["what"] for entry in world.ledger())
    expected = {
        what: sum(number % 10 in kinds for number in range(tenants)) for what, kinds in EXPECTED.items()
    }
    assert {what: happened[what] for what in EXPECTED} == expected, happened


def main(root: Path, tenants: int, seed: int) -> Figures:
    """Apply under faults, then without, until all is done; AssertionError when something is not as promised."""
    os.environ.update(environment())
    write(root, tenants)
    figures, watch = Figures(tenants), Watch()
    with served(root):
        with closing(the_world(root)) as world:
            for fault, probability in FAULTS.items():
                world.fault(fault, probability=probability, seed=seed, times=10**9)
        figures.before, began = resident(), time.process_time()
        runs, report = one_apply(root, figures, watch)
        figures.seconds, figures.after = time.process_time() - began, resident()
        figures.planned, figures.most_tasks = watch.memory[0], watch.most_tasks
        quarter = watch.memory[len(watch.memory) // 4]
        figures.growth = (watch.memory[-1] - quarter) * 1000 / (tenants * 0.75)
        states = accounted(runs, report)
        figures.states, figures.actions = dict(states), states.total()
        figures.codes.append(report.exit_code)
        with closing(the_world(root)) as world:
            figures.requests = world.state()["counts"]["request"]
            figures.faults = sum(fault["fired"] for fault in world.faults())
            world.clear_faults()
        while figures.codes[-1] != 0 and len(figures.codes) < ROUNDS:
            figures.codes.append(one_apply(root, figures, Watch())[1].exit_code)
    assert figures.codes[-1] == 0, figures.codes
    judged(root, tenants)
    return figures


if __name__ == "__main__":
    print(json.dumps(asdict(main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])))))
