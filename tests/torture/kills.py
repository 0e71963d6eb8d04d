"""Real processes, killed with SIGKILL at any moment and gone on with by others; the provider's ledger judges."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import cycle
from pathlib import Path
from types import FrameType

from reconciler.sandbox.world import World
from reconciler.store.branch.journal import BranchJournal
from reconciler.store.sql import SqlJournal
from tests.engine.processes import Child, Death, Place, forked
from tests.engine.town import PATIENCE, Town
from tests.torture import postgres
from tests.torture.part import EVERY, Lots, Violation, family_of, story_of

MEDIA = ("embedded", "http")
JOURNALS = ("sqlite", "sqlite", "sqlite", "sqlite", "postgresql", "git")
KILLS = (1, 1, 1, 2, 3)
"""How many processes are killed, one after the other, before one may live."""
RIVALS = 0.25
"""How often another process applies the same at the same time, and lives."""
OUTCOMES = frozenset({0, 3, 4, 6, 7, 8})
APPENDS = frozenset({SqlJournal.append.__code__, BranchJournal.append.__code__})
HANDLE = frozenset({World.handle.__code__})
LONGEST = 0.8
"""Seconds in which a process is killed at a random moment; few live longer."""
EVENTS = {"ovh-prepaid": 16, "partner-center+graph": 20, "partner-center": 14}
WRITES = {"ovh-payg": 1, "ovh-prepaid": 12, "ovh-csp2": 1, "partner-center": 3, "partner-center+graph": 6}
USUAL_EVENTS, USUAL_WRITES = 10, 3
"""About how many events and how many writing calls a story of a family has; of other families, as usual."""
WRITING = "/license/*|/order/*|/saas/*|/me/*|/partner-center/*|/graph/*"
"""Where a call changes something; fetching a token does not."""


class Kills:
    """Apply, killed once or more; then resume and apply until all is done."""

    name = "kills"
    share = 3.0
    slots = 64

    def cases(self, lots: Lots, *, seconds: float) -> Iterator[str]:  # noqa: ARG002 - as many as are asked for
        """The families in turn, and of each family its stories in turn."""
        families = cycle(sorted({family_of(story) for story in EVERY}))
        turns = {
            family: cycle([story.name for story in EVERY if family_of(story) == family])
            for family in {family_of(story) for story in EVERY}
        }
        known = [one for one in JOURNALS if one != "postgresql" or postgres.there()]
        for family in families:
            journal, medium = lots.choice(known), lots.choice(MEDIA)
            yield f"{next(turns[family])} {medium} {journal} {lots.randrange(10**9)}"

    def attempt(self, case: str, folder: Path) -> Counter[str]:
        """Begin a story, kill who does it, and let others go on."""
        name, medium, journal, _ = case.split()
        lots = random.Random(case)  # noqa: S311 - chaos, not secrecy
        story = story_of(name)
        with ExitStack() as stack:
            address = _journal(journal, folder, stack)
            one = Town(folder / "town", story, address, delay=0.1, settle="1s", start_with=forked)
            if medium == "http":
                stack.enter_context(one.served())
            try:
                killed = _killed(one, lots, over_http=medium == "http")
                one.goes_on()
            except (AssertionError, subprocess.TimeoutExpired) as error:
                raise Violation(f"{'; '.join(one.log)}: {type(error).__name__} {error}") from error
        return Counter(
            {
                f"kills {family_of(story)}": killed,
                f"kills over {medium}": killed,
                f"kills with a journal on {journal}": killed,
                f"stories after a kill {family_of(story)}": int(killed > 0),
            }
        )


def _journal(kind: str, folder: Path, stack: ExitStack) -> str:
    match kind:
        case "postgresql":
            return stack.enter_context(postgres.database())
        case "git":
            remote = folder / "journal.git"
            subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", remote], check=True)
            return f"git+file://{remote}#journal"
    return "sqlite:///journal.db"


def _killed(one: Town, lots: Lots, *, over_http: bool) -> int:
    """Begin the story and kill process after process; gives how many really died of it."""
    one.begin()
    wanted = lots.choice(KILLS)
    rival = one.start("apply", "--yes", "--quiet", "--wait", "20s") if lots.random() < RIVALS else None
    killed = sum(_kill(one, lots, first=number == 0, over_http=over_http) for number in range(wanted))
    if rival is not None:
        one.log.append("beside a rival")
        code = one.end(*rival).code
        assert code in OUTCOMES, f"the rival ended with {code}"
    return killed


def _kill(one: Town, lots: Lots, *, first: bool, over_http: bool) -> bool:
    words = ("apply", "--yes", "--quiet") if first or lots.random() < 0.5 else ("resume", "--quiet")
    words = (*words, "--wait", "20s")
    family = family_of(one.story)
    events, writes = EVENTS.get(family, USUAL_EVENTS), WRITES.get(family, USUAL_WRITES)
    match lots.choice(("time", "event", "event", "request", "request")):
        case "time":
            after = lots.uniform(0, LONGEST)
            process, place = one.start(*words)
            one.log.append(f"{words[0]} killed after {after:.3f} s")
            _wait(process, after)
            process.kill()
        case "event":
            death = Death(codes=APPENDS, nth=lots.randint(1, events), after=lots.random() < 0.5)
            one.log.append(f"{words[0]} killed {'after' if death.after else 'before'} event {death.nth}")
            process, place = one.start(*words, how=partial(forked, death=death))
        case _ if over_http:
            process, place = _held(one, words, lots.randint(1, writes))
        case _:
            death = Death(
                codes=HANDLE, nth=lots.randint(1, writes), after=lots.random() < 0.7, counts=_is_write
            )
            one.log.append(f"{words[0]} killed {'after' if death.after else 'before'} write {death.nth}")
            process, place = one.start(*words, how=partial(forked, death=death))
    return one.end(process, place).code == -signal.SIGKILL


def _held(one: Town, words: tuple[str, ...], number: int) -> tuple[Child, Place]:
    """Kill a process whose write the provider has done, and not answered yet."""
    with closing(one.world()) as world:
        world.fault("slow", method="POST|PUT|PATCH|DELETE", path=WRITING, skip=number - 1, seconds=PATIENCE)
    one.log.append(f"{words[0]} killed while the answer to write {number} is held")
    process, place = one.start(*words)
    one.wait_for(lambda world: world.faults()[-1]["fired"], process)
    process.kill()
    with closing(one.world()) as world:
        world.clear_faults()
    return process, place


def _wait(process: Child, seconds: float) -> None:
    until = time.monotonic() + seconds
    while process.poll() is None and (left := until - time.monotonic()) > 0:
        time.sleep(min(0.002, left))


def _is_write(frame: FrameType) -> bool:
    request = frame.f_locals.get("request")
    return request is not None and request.method != "GET" and not request.raw_path.startswith("/login/")
