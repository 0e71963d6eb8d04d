"""The documentation is true: every command in it is executed, every link in it leads somewhere.

The rule: in README.md and docs/, a block fenced as ```console holds lines `$ reconciler ...`, executed in
order, a file at a time, in a copy of `examples/` whose sandbox was just reset. `# exit 4` behind a command is
the exit code that it must end with (0 when unsaid). Lines below a command are its output; `...` stands for
what was left out. `$ sed -i ...` is somebody who edits a file; `env://NEW_JOURNAL` is an empty database of a real
PostgreSQL. A command that serves never ends by itself, so
it is not executed; tests/sandbox does that.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.cli.place import Ran
from tests.cli.place import run as typed

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)\s]+)\)")


@dataclass
class Command:
    """A command as a page shows it: its words, how it ends, what it says."""

    line: str
    exit: int
    said: list[str] = field(default_factory=list)


def commands(text: str) -> Iterator[Command]:
    """The commands of a page, in order."""
    for block in FENCE.findall(text):
        current: Command | None = None
        for line in block.splitlines():
            if line.startswith("$ "):
                if current:
                    yield current
                words, _, code = line.removeprefix("$ ").partition("# exit ")
                current = Command(line=words.strip(), exit=int(code or 0))
            elif current:
                current.said.append(line.rstrip())
            else:
                pytest.fail(f"a console block starts with a command, not with {line!r}")
        if current:
            yield current


def shows(said: list[str], output: str) -> bool:
    """Whether the output is what the page says, `...` standing for any lines."""
    if not said:
        return True
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "..." else re.escape(line) + r"[ ]*\n" for line in said
    )
    return re.fullmatch(rf"\n*{pattern}\n*", output + "\n") is not None


def run(line: str, folder: Path, environment: Mapping[str, str] | None = None) -> Ran:
    """Type one command of a page in that folder, or edit a file as it says."""
    if line.startswith("sed -i "):
        subprocess.run(shlex.split(line), cwd=folder, check=True)
        return Ran(0, "", "")
    return typed(folder, line.removeprefix("reconciler "), environment)


def _page(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_page)
def test_the_commands_of_a_page_do_what_it_says(
    page: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shown = list(commands(page.read_text(encoding="utf-8")))
    if any("env://NEW_JOURNAL" in command.line for command in shown):
        environment = {"NEW_JOURNAL": str(request.getfixturevalue("postgres_url"))}
    else:
        environment = {}
    if not shown:
        return  # a page without commands says nothing that could be wrong
    folder = tmp_path / "examples"
    shutil.copytree(ROOT / "examples", folder, ignore=shutil.ignore_patterns(".reconciler"))
    assert run("reconciler sandbox reset --world world.yaml", folder).code == 0

    for command in shown:
        assert command.line.startswith(("reconciler", "sed -i")), (
            f"a console block holds only our commands: {command.line}"
        )
        if " serve" in command.line:
            continue
        done = run(command.line, folder, environment)
        assert done.code == command.exit, f"$ {command.line}\n{done.out}{done.err}"
        assert shows(command.said, done.out), f"$ {command.line}\n{done.out}{done.err}"


@pytest.mark.parametrize("page", PAGES, ids=_page)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = [
        target for target in LINK.findall(text) if "://" not in target and not target.startswith("mailto:")
    ]

    lost = [target for target in targets if not (page.parent / target.split("#")[0]).exists()]

    assert not lost


def test_a_command_and_what_it_says_are_read_from_a_page() -> None:
    text = "```console\n$ reconciler plan  # exit 3\nfirst\n...\nlast\n$ reconciler status\n```\n"

    assert list(commands(text)) == [
        Command(line="reconciler plan", exit=3, said=["first", "...", "last"]),
        Command(line="reconciler status", exit=0),
    ]


def test_what_was_left_out_may_be_anything_and_what_was_not_must_be_there() -> None:
    assert shows(["first", "...", "last"], "first\nsecond\nthird\nlast\n")
    assert shows(["first", "...", "last"], "first\nlast\n")
    assert not shows(["first", "last"], "first\nsecond\nlast\n")
    assert not shows(["first", "..."], "second\n")
