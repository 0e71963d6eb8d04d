"""The long suite: tries to break every promise for as long as it is given, and says what it tried.

scripts/torture 10m
scripts/torture 2h --parts kills,pairs --seed 7
scripts/torture --only "kills prepaid-new http sqlite 17"
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shlex
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from reconciler.core.fields import seconds as duration
from tests.torture import postgres
from tests.torture.fuzz import Fuzz
from tests.torture.kills import Kills
from tests.torture.load import Load
from tests.torture.part import Part, Tried
from tests.torture.table import Pairs, Singles

PARTS: dict[str, Part] = {part.name: part for part in (Singles(), Pairs(), Kills(), Load(), Fuzz())}
SAY_EVERY = 30.0
"""Seconds between two lines on how far it is."""
USAGE = 64


def attempt(part: str, case: str) -> Tried:
    """Try one case in a folder of its own, which is kept when something is wrong."""
    folder = Path(tempfile.mkdtemp(prefix=f"torture-{part}-"))
    began = time.monotonic()
    try:
        counts = PARTS[part].attempt(case, folder)
    except Exception as error:  # noqa: BLE001 - whatever it is, the run goes on and tells it
        wrong = f"{type(error).__name__}: {error}\nits files: {folder}"
        return Tried(part, case, time.monotonic() - began, wrong=wrong)
    except SystemExit:  # told to stop
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    return Tried(part, case, time.monotonic() - began, counts)


@dataclass
class Course:
    """One part while the suite runs: what it tries next, what time it had, what came of it."""

    part: Part
    cases: Iterator[str]
    used: float = 0.0
    running: int = 0
    ended: bool = False

    def next(self) -> str | None:
        """The next case; None when all were tried."""
        case = next(self.cases, None)
        self.ended = case is None
        return case


@dataclass
class Suite:
    """All parts side by side, each with its share of the time, until the time is up."""

    courses: list[Course]
    until: float
    jobs: int
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[Tried] = field(default_factory=list)
    said: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        """Try case after case, and wait for what runs when the time is up."""
        spawn = multiprocessing.get_context("spawn")  # a worker forks, so it may have no other thread
        with ProcessPoolExecutor(self.jobs, mp_context=spawn, initializer=_at_work) as pool:
            running: dict[Future[Tried], tuple[Course, float]] = {}
            try:
                while self._begun(pool, running) or running:
                    done, _ = wait(running, timeout=SAY_EVERY, return_when=FIRST_COMPLETED)
                    for future in done:
                        self._end(future.result(), running.pop(future)[0])
                    self._say(len(running))
            except KeyboardInterrupt:
                print("stopped: these are the counts so far", file=sys.stderr)
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in multiprocessing.active_children():
                    worker.terminate()  # whose case then puts away what it started

    def _begun(self, pool: ProcessPoolExecutor, running: dict[Future[Tried], tuple[Course, float]]) -> bool:
        """Keep every worker busy; true when something was begun."""
        begun = False
        while len(running) < self.jobs and time.monotonic() < self.until:
            course = self._turn(running)
            if course is None:
                break
            if (case := course.next()) is not None:
                course.running += 1
                running[pool.submit(attempt, course.part.name, case)] = course, time.monotonic()
                begun = True
        return begun

    def _turn(self, running: dict[Future[Tried], tuple[Course, float]]) -> Course | None:
        """Whose turn it is: who had the least of its share."""
        now = time.monotonic()
        had = {course.part.name: course.used for course in self.courses}
        for course, began in running.values():
            had[course.part.name] += now - began
        open_ = [one for one in self.courses if not one.ended and one.running < one.part.slots]
        return min(open_, key=lambda one: had[one.part.name] / one.part.share, default=None)

    def _end(self, tried: Tried, course: Course) -> None:
        course.running -= 1
        course.used += tried.seconds
        self.counts += tried.counts
        if tried.wrong:
            self.wrong.append(tried)
            print(f"\n{_violation(tried)}\n", flush=True)

    def _say(self, running: int) -> None:
        if time.monotonic() - self.said < SAY_EVERY:
            return
        self.said = time.monotonic()
        left = max(0.0, self.until - self.said)
        told = ", ".join(f"{what} {number}" for what, number in sorted(self.counts.items()))
        print(f"{left:.0f} s left, {running} running; {told}; violations {len(self.wrong)}", flush=True)


def _at_work() -> None:
    """Let a worker that is told to stop leave its case in order."""
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))


def _violation(tried: Tried) -> str:
    case = f"{tried.part} {tried.case}"
    return f"VIOLATION {case}\n{tried.wrong}\nagain: scripts/torture --only {shlex.quote(case)}"


def main(words: Sequence[str]) -> int:
    """Run the suite, or one case; the exit code is 1 when a promise was broken, 64 for wrong usage."""
    given = _usage(words)
    if given.only:
        return _one(given.only)
    seconds = duration(given.budget)
    parts = [name for name in given.parts.split(",") if name]
    if seconds is None or not set(parts) <= set(PARTS):
        print(f"write a budget such as 10m, and parts out of {', '.join(PARTS)}", file=sys.stderr)
        return USAGE
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    print(
        f"scripts/torture {given.budget} --parts {','.join(parts)} --seed {seed} --jobs {given.jobs}",
        flush=True,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # to be told to stop is as good as Ctrl-C
    with postgres.serving() if "kills" in parts else nullcontext():
        courses = [
            Course(PARTS[name], PARTS[name].cases(random.Random(f"{seed} {name}"), seconds=seconds))  # noqa: S311 - chaos
            for name in parts
        ]
        suite = Suite(courses, time.monotonic() + seconds, given.jobs)
        suite.run()
    return _told(suite, seed)


def _one(only: str) -> int:
    part, _, case = only.partition(" ")
    if part not in PARTS:
        print(f"{only!r}: a case begins with one of {', '.join(PARTS)}", file=sys.stderr)
        return USAGE
    with postgres.serving() if " postgresql " in case else nullcontext():
        tried = attempt(part, case)
    print(_violation(tried) if tried.wrong else f"{only}: well, {dict(tried.counts)}")
    return 1 if tried.wrong else 0


def _told(suite: Suite, seed: int) -> int:
    print(f"\nseed {seed}")
    for course in suite.courses:
        print(f"{course.part.name}: {course.used:.0f} s{', all of it' if course.ended else ''}")
    for what, number in sorted(suite.counts.items()):
        print(f"  {what}: {number}")
    for tried in suite.wrong:
        print(f"  {_violation(tried)}")
    print(f"violations: {len(suite.wrong)}")
    return 1 if suite.wrong else 0


def _usage(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__.partition("\n")[0])
    parser.add_argument("budget", nargs="?", default="10m", help="how long: 90s, 10m, 2h")
    parser.add_argument("--parts", default=",".join(PARTS), help="which parts, with commas between")
    parser.add_argument("--seed", type=int, help="try the same cases again, in the same order")
    parser.add_argument("--only", metavar="CASE", help="one case, as a violation names it")
    parser.add_argument("--jobs", type=int, default=max(1, os.cpu_count() or 1), help="workers at once")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
