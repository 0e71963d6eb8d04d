#!/usr/bin/env python3
"""Puts the real output of the demo into the README; with --check, says whether it still stands there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
REGION = re.compile(r"(?<=<!-- demo:begin -->\n).*?(?=<!-- demo:end -->)", re.DOTALL)

# What is another in every run, and what stands for it: the README shows one run, and only this may differ.
VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z|\+00:00)?"), "2026-11-21 12:00 UTC"),
    (re.compile(r"\d{4}-\d\d-\d\d(?!T| \d\d:)"), "2026-11-21"),
    (re.compile(r"\bin \d+(\.\d+)? ?(ms|s)\b"), "in 0.1 s"),
    (re.compile(r"sha256:[0-9a-f]{6,64}"), lambda match: "sha256:" + "0" * (len(match[0]) - 7)),
)


def main(arguments: list[str]) -> int:
    """Write the region, or compare it."""
    text = README.read_text(encoding="utf-8")
    region = f"```text\n{steady(demo())}\n```\n"
    if arguments == ["--check"]:
        found = REGION.search(text)
        if found and steady(found[0]) == steady(region):
            return 0
        print("README.md does not show what the demo does now: run scripts/readme.py", file=sys.stderr)
        return 1
    README.write_text(REGION.sub(lambda _: region, text), encoding="utf-8")
    return 0


def demo() -> str:
    """What the demo prints."""
    done = subprocess.run(
        [ROOT / "scripts/demo"], stdout=subprocess.PIPE, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        print(done.stdout)
        raise SystemExit(f"the demo ended with exit code {done.returncode}")
    return done.stdout


def steady(text: str) -> str:
    """The text with one moment, one duration and one digest in place of each."""
    for pattern, stands_for in VARYING:
        text = pattern.sub(stands_for, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
