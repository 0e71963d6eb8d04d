"""Figures taken side by side: each case in a process of its own, round by round, ratios inside each round."""

from __future__ import annotations

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus import KEYS

HERE = Path(__file__).resolve().parent
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Case:
    """Something to run: a command, where, and how much of it is left to extrapolate (stated, never hidden)."""

    command: tuple[str, ...]
    folder: Path | None = None
    times: float = 1.0
    codes: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what was measured against which limit."""

    goal: str
    what: str
    ratios: tuple[float, ...]
    limit: float
    at_least: bool = False
    note: str = ""

    @property
    def median(self) -> float:
        """The middle of all rounds."""
        return statistics.median(self.ratios)

    @property
    def met(self) -> bool:
        """Whether the middle is within the limit."""
        return self.median >= self.limit if self.at_least else self.median <= self.limit


def rounds(cases: dict[str, Case], number: int) -> list[dict[str, Figures]]:
    """Run A B C A B C ...; one round more goes ahead unmeasured, so that bytecode and files are warm."""
    for case in cases.values():
        once(case)
    return [{name: once(case) for name, case in cases.items()} for _ in range(number)]


def once(case: Case) -> Figures:
    """Run a case to its end: CPU of the whole process, peak memory, and what it tells of itself."""
    environment = {**os.environ, **KEYS, "PYTHONPYCACHEPREFIX": str(bytecode())}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as said:
        running = subprocess.Popen(
            case.command, cwd=case.folder, stdout=said, stderr=subprocess.STDOUT, env=environment
        )
        _, status, used = os.wait4(running.pid, 0)
        running.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        text = said.read().decode("utf-8", "replace")
    if running.returncode not in case.codes:
        raise SystemExit(f"{' '.join(case.command)} ended with {running.returncode}:\n{text[-2000:]}")
    found: Figures = {"cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024}
    for line in text.splitlines():
        if line.startswith("@@"):
            found |= json.loads(line[2:])
    return {name: value * case.times if name in {"cpu", "inner"} else value for name, value in found.items()}


def ratios(found: list[dict[str, Figures]], one: str, other: str, *, of: str = "cpu") -> tuple[float, ...]:
    """One case's figure over another's, round by round."""
    return tuple(each[one][of] / each[other][of] for each in found)


def python(script: str, *arguments: object) -> tuple[str, ...]:
    """A command that runs one of these files."""
    return (sys.executable, str(HERE / script), *(str(one) for one in arguments))


def tell(**figures: float) -> None:
    """What a case tells of itself, for `once` to read."""
    print("@@" + json.dumps(figures))


@contextmanager
def serving(*arguments: object) -> Iterator[str]:
    """A provider in a process of its own; its URL."""
    running = subprocess.Popen(python("server.py", *arguments), stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(running.stdout.readline())}/1.0"
    finally:
        running.terminate()
        running.wait()
        running.stdout.close()


def bytecode() -> Path:
    """Where compiled modules are kept between the rounds, whatever the environment says."""
    return Path(tempfile.gettempdir()) / f"reconciler-bench-bytecode-{os.getuid()}"


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| goal | what | limit | median | min to max | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        limit = f"{'>=' if row.at_least else '<='} {row.limit:g}" if math.isfinite(row.limit) else "none"
        spread = f"{min(row.ratios):.3g} to {max(row.ratios):.3g}"
        what = f"{row.what} ({row.note})" if row.note else row.what
        lines.append(
            f"| {row.goal} | {what} | {limit} | {row.median:.3g} | {spread} |"
            f" {'-' if limit == 'none' else 'yes' if row.met else '**no**'} |"
        )
    return "\n".join(lines)


def as_json(rows: Sequence[Row]) -> str:
    """The rows for a program."""
    made: list[dict[str, Any]] = [
        {"goal": row.goal, "what": row.what, "ratios": row.ratios, "limit": row.limit, "met": row.met}
        for row in rows
    ]
    return json.dumps(made, indent=1)
