"""Measure the goals as ratios, side by side, and print a table: met or not.

See README.md. Nothing here judges a test: machines differ and are noisy, ratios less so.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from goals import FULL, GOALS, SMOKE, Bench, Sizes
from measure import Row, as_json, table
from zones import program


def main() -> None:
    """Run the goals that are asked for."""
    given = options().parse_args()
    sizes = SMOKE if given.smoke else FULL if given.full else Sizes()
    if given.rounds:
        sizes = replace(sizes, rounds=given.rounds)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="reconciler-bench-") as name:
        bench = Bench(
            root=Path(name),
            sizes=sizes,
            say=lambda text: print(text, flush=True),
            octodns=None if given.smoke else program(given.octodns),
        )
        for goal in given.goals or GOALS:
            began = time.perf_counter()
            rows += GOALS[goal](bench)
            if not given.json:
                print(f"{goal}: {time.perf_counter() - began:.0f} s", flush=True)
    print(as_json(rows) if given.json else f"\n{table(rows)}")


def options() -> argparse.ArgumentParser:
    """What can be asked for."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("goals", nargs="*", metavar="GOAL", help=f"of: {', '.join(GOALS)}; without one, all")
    size = made.add_mutually_exclusive_group()
    size.add_argument("--smoke", action="store_true", help="tiny sizes, one round: does it run at all")
    size.add_argument("--full", action="store_true", help="500,000 people where the goal says so")
    made.add_argument("--rounds", type=int, help="how often each case is run")
    made.add_argument(
        "--octodns", type=Path, metavar="PROGRAM", help="octodns-sync, when it is not on the PATH"
    )
    made.add_argument("--json", action="store_true", help="for a program instead of a table")
    return made


if __name__ == "__main__":
    main()
