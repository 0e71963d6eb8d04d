"""Fuzzing, which lives in tests/fuzz: called with a number of seconds, it answers with one line of JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tests.torture.part import Lots, Violation

ROOT = Path(__file__).parents[2]
MODULE = "tests.fuzz.run"
SLICE = 60.0
"""Seconds of one call at most, so that the other parts go on beside it."""


class Fuzz:
    """Files that no person would write, and answers that no provider should give."""

    name = "fuzz"
    share = 1.0
    slots = 1

    def cases(self, lots: Lots, *, seconds: float) -> Iterator[str]:  # noqa: ARG002 - it has a seed of its own
        """Slices of time, as long as the run lasts; none while there is no such module."""
        while (ROOT / "tests" / "fuzz" / "run.py").exists():
            yield f"{min(SLICE, max(10.0, seconds / 6)):.0f}"

    def attempt(self, case: str, folder: Path) -> Counter[str]:
        """Fuzz for some seconds."""
        if find_spec(MODULE) is None:
            raise ValueError(f"there is no {MODULE}")
        ended = subprocess.run(
            [sys.executable, "-m", MODULE, "--seconds", case, "--json"],
            cwd=ROOT,
            env=None,
            capture_output=True,
            text=True,
            check=False,
            timeout=float(case) * 3 + 120,
        )
        lines = ended.stdout.strip().splitlines()
        told = json.loads(lines[-1]) if lines else {}
        if ended.returncode != 0 or told.get("violations"):
            (folder / "fuzz.log").write_text(ended.stdout + ended.stderr)
            raise Violation(f"exit {ended.returncode}: {ended.stdout[-2000:]}{ended.stderr[-4000:]}")
        return Counter({"inputs fuzzed": int(told["inputs"])})
