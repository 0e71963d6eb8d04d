"""Fuzzing, which lives in tests/fuzz: called with a number of seconds, it answers with one line of JSON.

It needs atheris, which is there for Linux on x86_64 only; elsewhere the long suite does without.
"""

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
MISSING = "atheris is not installed (it is locked for Linux on x86_64: scripts/setup)"
SLICE = 60.0
"""Seconds of one call at most, so that the other parts go on beside it."""
PATIENCE = 900.0
"""Seconds that its processes may need beside: it ends those itself that do not end."""


class Fuzz:
    """Files that no person would write, and answers that no provider should give."""

    name = "fuzz"
    share = 1.0
    slots = 1

    def cases(self, lots: Lots, *, seconds: float) -> Iterator[str]:  # noqa: ARG002 - it has a seed of its own
        """Slices of time, as long as the run lasts; none where it cannot be run, which is said."""
        if find_spec("atheris") is None:
            sys.stderr.write(f"fuzz: not tried, {MISSING}\n")
            return
        while True:
            yield f"{min(SLICE, max(10.0, seconds / 6)):.0f}"

    def attempt(self, case: str, folder: Path) -> Counter[str]:
        """Fuzz for some seconds."""
        ended = subprocess.run(
            [sys.executable, "-m", MODULE, "--seconds", case, "--json"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=float(case) + PATIENCE,
        )
        lines = ended.stdout.strip().splitlines()
        if ended.returncode != 0 or not lines:
            (folder / "fuzz.log").write_text(ended.stdout + ended.stderr)
            raise Violation(f"exit {ended.returncode}: {ended.stdout[-2000:]}{ended.stderr[-4000:]}")
        return Counter({"inputs fuzzed": int(json.loads(lines[-1])["inputs"])})
