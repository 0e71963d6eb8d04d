"""Coverage-guided fuzzing of every target for so many seconds: `python -m tests.fuzz.run --seconds 60 --json`.

Each target runs in a process of its own, which atheris steers towards code that no input has reached yet. The
last line tells how many inputs were tried and how many kinds of violation were found; with one the exit code is 1.
Needs Linux on x86_64 and CPython, for which atheris has wheels; elsewhere it says so and exits with 2.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NAMES = (
    "manifests", "workspace", "plans", "reports", "journal", "branch", "journal-url", "options", "headers",
    "models", "answers", "adapters",
)  # fmt: skip
SEEDS = (b"", b"\x00" * 16, bytes(range(64)), b"\xff" * 40, b"10m", b"max_cancellations=3", b"2026-12-31")
START = 60.0
"""Seconds that a process may take beside its fuzzing: imports, and a last input that takes its time."""
MEMORY = 2048
"""Megabytes that a process may take."""


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--json", action="store_true", help="only the last line, as JSON")
    parser.add_argument("--target", choices=NAMES, action="append", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other inputs; 0 draws one")
    parser.add_argument("--inside", nargs=2, metavar=("NAME", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if find_spec("atheris") is None:
        print("atheris is not installed: `pip install atheris` (Linux on x86_64, CPython)", file=sys.stderr)
        return 2
    if asked.inside:
        return _inside(asked.inside[0], Path(asked.inside[1]), asked.seconds, asked.seed)
    names = asked.target or list(NAMES)
    results = [_outside(name, asked.seconds / len(names), asked.seed, quiet=asked.json) for name in names]
    total = {key: sum(result[key] for result in results) for key in ("inputs", "violations")}
    print(json.dumps(total) if asked.json else f"{total['inputs']} inputs, {total['violations']} violations")
    return 1 if total["violations"] else 0


def _outside(name: str, seconds: float, seed: int, *, quiet: bool) -> dict[str, int]:
    """Fuzz one target in another process; one that dies or does not end is a violation too."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        command = [sys.executable, "-m", "tests.fuzz.run", "--seconds", str(seconds), "--seed", str(seed)]
        try:
            done = subprocess.run(
                [*command, "--inside", name, folder],
                capture_output=True, text=True, errors="replace", timeout=seconds + START, check=False,
            )  # fmt: skip
            ended, said = done.returncode == 0, done.stdout + done.stderr
        except subprocess.TimeoutExpired as late:
            ended, said = False, f"it did not end: {late.stderr!r}"
        told = Path(folder, "result.json")
        result: dict[str, Any] = json.loads(told.read_text()) if told.exists() else {"inputs": 0, "found": {}}
    found: dict[str, Any] = result["found"]
    if not ended:
        found["the process"] = {"input": "", "trace": said[-3000:]}
    for kind, one in found.items():
        print(f"{name}: {kind}\ninput {one['input']}\n{one['trace']}", file=sys.stderr)
    if not quiet:
        print(f"{name}: {result['inputs']} inputs, {len(found)} violations")
    return {"inputs": int(result["inputs"]), "violations": len(found)}


def _inside(name: str, folder: Path, seconds: float, seed: int) -> int:
    import atheris

    with atheris.instrument_imports(include=["reconciler"]):
        from tests.fuzz import targets
    counted: dict[str, Any] = {"inputs": 0, "found": {}}
    until = time.monotonic() + seconds

    def one(data: bytes) -> None:
        counted["inputs"] += 1
        error = targets.violates(name, data)
        if error is not None:
            _keep(counted["found"], data, error)
        if time.monotonic() > until:
            (folder / "result.json").write_text(json.dumps(counted))
            os._exit(0)

    one(b"")  # what is read once is read before the first input counts
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(SEEDS):
        (corpus / str(number)).write_bytes(data)
    flags = ["-max_len=400", f"-rss_limit_mb={MEMORY}", "-timeout=120", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *flags, f"-seed={seed}", str(corpus)], one)
    atheris.Fuzz()
    return 0


def _keep(found: dict[str, Any], data: bytes, error: BaseException) -> None:
    """Keep one input of each kind of violation: what, and where it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/reconciler/" in frame.filename] or frames
    kind = f"{type(error).__name__} in {Path(ours[-1].filename).name}:{ours[-1].lineno}"
    found.setdefault(kind, {"input": data.hex(), "trace": "".join(traceback.format_exception(error))})


if __name__ == "__main__":
    sys.exit(main())
