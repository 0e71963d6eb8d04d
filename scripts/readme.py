#!/usr/bin/env python3
"""Puts the real output of the demo into the README; with --check, says whether it still stands there."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
REGION = re.compile(r"(?<=<!-- demo:begin -->\n).*?(?=<!-- demo:end -->)", re.DOTALL)

# How much of a long answer is shown: lines at its beginning and at its end. What runs side by side may come in
# any order, so of those answers less is shown.
SHOWN = {"plan": (23, 5), "apply": (12, 3), "status": (5, 2), "resume": (3, 2)}
WHOLE = 12

# What is another in every run; the README shows one run, and only this may differ from another.
VARYING = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)"), "MOMENT"),
    (re.compile(r"\d{4}-\d\d-\d\d|\d\d:\d\d"), "DATE"),
    (re.compile(r"DATE(\s+DATE)+"), "DATE"),  # a time may be of the next day, broken over two lines
    (re.compile(r"\s+"), " "),
    (re.compile(r"sha256:[0-9a-f]+"), "DIGEST"),
    (re.compile(r"\b\d{6,9}\b"), "NUMBER"),  # orders and tasks of different tenants are placed side by side
)


def main(arguments: list[str]) -> int:
    """Write the region, or compare it."""
    text = README.read_text(encoding="utf-8")
    region = f"```text\n{shortened(demo())}\n```\n"
    if arguments == ["--check"]:
        found = REGION.search(text)
        if found and steady(found[0]) == steady(region):
            return 0
        print("README.md does not show what the demo does now: run scripts/readme.py", file=sys.stderr)
        print(region, file=sys.stderr)
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


def shortened(text: str) -> str:
    """The commands of the demo with the beginning and the end of what each said."""
    clean = re.sub(r"/\S*/(?=\.reconciler/)", "", text)
    sections = re.split(r"^(?=\$ )", clean, flags=re.MULTILINE)[1:]
    return "\n\n".join("\n".join(_section(section.rstrip().splitlines())) for section in sections)


def _section(lines: list[str]) -> list[str]:
    command = lines[0].split()[2]
    first, last = SHOWN.get(command, (len(lines), 0))
    if len(lines) <= max(first + last, WHOLE):
        return lines
    return [*lines[:first], "...", *lines[len(lines) - last :]]


def steady(text: str) -> str:
    """The text without what is another in every run."""
    for pattern, stands_for in VARYING:
        text = pattern.sub(stands_for, text)
    return text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
