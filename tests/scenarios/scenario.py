"""A scenario is a page: files, commands, and what the commands say; it is run, compared and rewritten."""

import itertools
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.cli.place import run

FENCE = re.compile(r"^```(?P<kind>\w+)(?: (?P<name>\S+))?\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"\s+# exit (\d+)$")
ASSIGNS = re.compile(r"[A-Z_0-9]+=")
OTHERS = {"git", "sed", "rm"}  # besides ours: what a person does to files in between

# What is another in every run, and what stands for it.
VARYING = (
    (re.compile(r"(?<=UTC by )\w+"), "SOMEBODY"),
    (re.compile(r"(?<=^    by )[^;]+(?=; plan)", re.MULTILINE), "SOMEBODY"),
    (re.compile(r"\d{4}-\d\d-\d\d(T|\s+)\d\d:\d\d(:\d\d(\.\d+)?)?(Z|\+00:00|\s+UTC)?"), "TIME"),
    (re.compile(r"\b\d\d:\d\d UTC\b"), "TIME"),
    (re.compile(r"\b\d{4}-\d\d-\d\d\b"), "DATE"),
    (re.compile(r"sha256:[0-9a-f]{64}\b"), "DIGEST"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "ID"),
    (re.compile(r"\b[0-9a-f]{12}\b"), "DIGEST"),
    (re.compile(r"/\S+/(?=\.reconciler/)"), ""),
)


@dataclass(frozen=True)
class Block:
    """A fenced part of a page: a file by its name, or commands with what they say."""

    kind: str
    name: str
    body: str


def blocks(page: str) -> Iterator[tuple[re.Match[str], Block]]:
    """The fenced parts of a page, and where each stands."""
    for found in FENCE.finditer(page):
        yield found, Block(found["kind"], found["name"] or "", found["body"])


def perform(page: str, folder: Path) -> str:
    """Write the files and type the commands of a page in order; the page as it then reads."""
    parts, at = [], 0
    for found, block in blocks(page):
        parts.append(page[at : found.start()])
        at = found.end()
        if block.kind == "console":
            parts.append(f"```console\n{_type(block.body, folder)}```")
        else:
            assert block.name, f"a block of {block.kind} says which file it is"
            path = folder / block.name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
            parts.append(found[0])
    return "".join([*parts, page[at:]])


def same(one: str, other: str) -> bool:
    """Whether two pages say the same; how lines are broken depends on what stands in them."""
    return one.split() == other.split()


def _type(body: str, folder: Path) -> str:
    written = []
    for line in body.splitlines():
        if line.startswith("$ "):
            command = EXIT.sub("", line.removeprefix("$ "))
            code, said = _run(command, folder)
            expected = f"$ {command}{f'  # exit {code}' if code else ''}"
            written += [expected, *said]
    return "".join(f"{line}\n" for line in written)


def _run(command: str, folder: Path) -> tuple[int, list[str]]:
    typed = shlex.split(command)
    variables = dict(word.split("=", 1) for word in itertools.takewhile(ASSIGNS.match, typed))
    name, *words = typed[len(variables) :]
    if name == "reconciler":
        done = run(folder, shlex.join(words), variables)
        return done.code, _steady(done.out + _errors(done.err))
    assert name in OTHERS, f"a scenario has no {name}"
    other = subprocess.run(
        [name, *words],
        cwd=folder,
        env={**_identity(folder), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert other.returncode == 0, f"$ {command}\n{other.stdout}{other.stderr}"
    return 0, _steady(other.stdout)


def _errors(text: str) -> str:
    """What went wrong, without the progress that came before."""
    lines = text.splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if "error" in line.split(":")[0]), len(lines))
    return "".join(lines[start:])


def _steady(text: str) -> list[str]:
    for pattern, stands_for in VARYING:
        text = pattern.sub(stands_for, text)
    return [
        line.rstrip()
        for line in text.splitlines()
        if not line.startswith(("Note: account ", "Note: accounts "))
    ]


def _identity(folder: Path) -> dict[str, str]:
    names = {
        f"GIT_{role}_{what}": "scenario" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    return {**names, "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
