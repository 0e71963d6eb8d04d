"""Coverage-guided fuzzing of every target for so many seconds: `python -m tests.fuzz.run --seconds 60 --json`.

Each target runs in a process of its own, which atheris steers towards code that no input has reached yet. The
last line tells how many inputs were tried and how many kinds of violation were found; with one the exit code is 1.
Needs Linux on x86_64 and CPython, for which atheris has wheels; elsewhere it says so and exits with 2.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

NAMES = (
    "manifests", "workspace", "plain", "plans", "reports", "journal", "branch", "journal-url", "options", "headers",
    "models", "answers", "adapters", "microsoft-models", "microsoft-answers", "microsoft-adapters",
)  # fmt: skip
SEEDS = (b"", b"\x00" * 16, bytes(range(64)), b"\xff" * 40, b"10m", b"max_cancellations=3", b"2026-12-31")
LEAST = 1.0
"""Seconds that each target gets at least."""
GRACE = 60.0
"""Seconds that a process may take beside its fuzzing: a last input that takes its time."""
MEMORY = 2048
"""Megabytes that a process may take."""


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together")
    parser.add_argument("--json", action="store_true", help="only the last line, as JSON")
    parser.add_argument("--target", choices=NAMES, action="append", help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=0, help="another seed, other inputs; 0 draws one")
    asked = parser.parse_args()
    if find_spec("atheris") is None:
        print("atheris is not installed: `pip install atheris` (Linux on x86_64, CPython)", file=sys.stderr)
        return 2
    names = asked.target or list(NAMES)
    begun = time.monotonic()
    targets = _instrumented()  # takes its part of the time, once for all processes
    left = max(asked.seconds - (time.monotonic() - begun), len(names) * LEAST)
    results = [_outside(targets, name, left / len(names), asked.seed, quiet=asked.json) for name in names]
    total = {key: sum(result[key] for result in results) for key in ("inputs", "violations")}
    print(json.dumps(total) if asked.json else f"{total['inputs']} inputs, {total['violations']} violations")
    return 1 if total["violations"] else 0


def _instrumented() -> Any:
    """The targets, and of all that they import our own code in a form that tells where it was."""
    import atheris

    with atheris.instrument_imports(include=["reconciler"]):
        from tests.fuzz import targets

        targets.violates("plans", b"")  # imports what is imported late, and makes what is made once
        for name in ("adapters", "microsoft-adapters", "journal"):
            targets.violates(name, b"")
    return targets


def _outside(targets: Any, name: str, seconds: float, seed: int, *, quiet: bool) -> dict[str, int]:
    """Fuzz one target in another process; one that dies or does not end is a violation too."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as made:
        folder = Path(made)
        sys.stdout.flush()
        child = os.fork()
        if not child:
            _inside(targets, name, folder, seconds, seed)
        ended = _ended(child, seconds + GRACE)
        told = folder / "result.json"
        result: dict[str, Any] = json.loads(told.read_text()) if told.exists() else {"inputs": 0, "found": {}}
        said = (folder / "said").read_text(errors="replace")[-3000:]
    found: dict[str, Any] = result["found"]
    if not ended or not result["inputs"]:
        found["the process"] = {"input": "", "trace": said}
    for kind, one in found.items():
        print(f"{name}: {kind}\ninput {one['input']}\n{one['trace']}", file=sys.stderr)
    if not quiet:
        print(f"{name}: {result['inputs']} inputs, {len(found)} violations")
    return {"inputs": int(result["inputs"]), "violations": len(found)}


def _ended(child: int, seconds: float) -> bool:
    """Wait for a process; whether it ended well, and in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0
        time.sleep(0.05)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


def _inside(targets: Any, name: str, folder: Path, seconds: float, seed: int) -> NoReturn:
    """Be the process that fuzzes: tell what came of it in a file, and end without a word."""
    import atheris

    said = os.open(folder / "said", os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
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

    corpus = folder / "corpus"
    corpus.mkdir()
    for number, data in enumerate(SEEDS):
        (corpus / str(number)).write_bytes(data)
    flags = ["-max_len=400", f"-rss_limit_mb={MEMORY}", "-timeout=120", f"-artifact_prefix={folder}/"]
    atheris.Setup([sys.argv[0], *flags, f"-seed={seed}", str(corpus)], one)
    atheris.Fuzz()
    os._exit(3)


def _keep(found: dict[str, Any], data: bytes, error: BaseException) -> None:
    """Keep one input of each kind of violation: what, and where it came up."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "/reconciler/" in frame.filename] or frames
    kind = f"{type(error).__name__} in {Path(ours[-1].filename).name}:{ours[-1].lineno}"
    found.setdefault(kind, {"input": data.hex(), "trace": "".join(traceback.format_exception(error))})


if __name__ == "__main__":
    sys.exit(main())
