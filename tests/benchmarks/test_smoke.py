"""The benchmarks run, measure what they say, and count what can be counted; no test judges a time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unmeasured

ROOT = Path(__file__).parents[2]


def test_the_benchmarks_run_with_tiny_sizes_and_measure_every_goal() -> None:
    result = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "run.py", "--smoke", "--rounds", "1", "--json"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    # What goes before the rows says which rival is not installed.
    rows = json.loads(result.stdout[result.stdout.index("[") :])
    assert {row["goal"] for row in rows} == {"P1", "P3", "P6", "P7", "P8", "P10", "P12", "P13"}
    assert [row["ratios"] for row in rows if row["goal"] == "P8"] == [[1.0]]
