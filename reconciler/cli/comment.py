"""The comment on a pull or merge request: one for each kind and workspace, written anew in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from reconciler.cli.output import options
from reconciler.cli.platform import Platform, marker
from reconciler.core.errors import Missing, Rejected
from reconciler.core.serial import run_from_dict
from reconciler.core.serial_report import report_from_dict
from reconciler.render import PLAN, REPORT
from reconciler.render.escape import code
from reconciler.store.documents import read_document

LEAST = 8_000  # characters that any platform takes; below it there is nothing to cut
TOO_LONG = {"413", "422"}
NOTHING = {
    "plan": "## Licence plan\n\n**No plan could be made**; the run tells why. Nothing was changed.\n",
    "report": "## Licence report\n\n**No report was written**: the run ended before. "
    "`reconciler status` tells what the journal knows.\n",
}
"""What is said where there should have been a file: the run before it failed."""

Text = Callable[[int], str]
"""A page of at most so many characters."""


def text_of(kind: str, file: Path) -> Text:
    """The page of a saved plan or report; a file that is not there is said to be missing.

    Raises WorkspaceError for a file that is none of ours, ReconcilerError for one that was changed.
    """
    if not file.exists():
        return lambda _: NOTHING[kind]
    document = read_document(file, kind)
    made = options(plan_file="")
    if kind == "plan":
        run = run_from_dict(document)
        return lambda limit: PLAN["markdown"](run, replace(made, limit=limit))
    report = report_from_dict(document)
    return lambda limit: REPORT["markdown"](report, replace(made, limit=limit))


def body(text: Text, mark: str, foot: str, limit: int) -> str:
    """The marker, the page as far as it fits, and what it is about; never more than `limit` characters."""
    around = len(mark) + len(foot) + 2
    page = text(limit - around)
    if len(page) > limit - around:  # its last part alone is too long: names made to be so
        page = page[: limit - around - len(CUT)].rpartition("\n")[0] + CUT
    return f"{mark}\n{page}\n{foot}"


CUT = "\n\n_The rest did not fit here._\n"


def foot(commit: str, run_url: str) -> str:
    """Which commit it is for and where the run is."""
    about = f"For commit {code(commit[:12])}. " if commit else ""
    where = f"[This run]({run_url}) has it whole. " if run_url.startswith(("https://", "http://")) else ""
    return f"<sub>{about}{where}Written by reconciler, and written anew at each run.</sub>\n"


def put(platform: Platform, number: int, kind: str, workspace: str, text: Text) -> str:
    """Write our comment anew, or create it when there is none; say which. One refused as too long is cut more."""
    mark = marker(kind, workspace)
    last = foot(platform.commit, platform.run_url)
    found = next(iter(platform.remarks(number, mark)), None)
    limit = platform.limit
    while True:
        written = body(text, mark, last, limit)
        try:
            if found is not None:
                platform.say_instead(number, found, written)
                return "updated"
            platform.say(number, written)
        except Missing:
            if found is None:
                raise
            found = None  # somebody deleted it meanwhile
        except Rejected as error:
            if error.code not in TOO_LONG or limit <= LEAST:
                raise
            limit //= 2
        else:
            return "created"


def send(platform: Platform, number: int | None, kind: str, workspace: str, text: Text) -> str:
    """Put a page on its pull request, and tell what was done."""
    number = number or platform.subject()
    if number is None:
        return "there is no pull request to comment on: the commit came to the branch without one"
    done = put(platform, number, kind, workspace, text)
    return f"comment on {platform.name} {'!' if platform.name == 'GitLab' else '#'}{number}: {done}"
