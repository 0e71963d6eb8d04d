"""The commands that speak with a CI platform: comment, issues, outputs; what each takes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import click

from reconciler.cli.options import EXISTING, FILE, common, option

# The bodies are imported when a command runs, so that help needs no HTTP client.

PLAN = option("--plan", type=FILE, help="A plan, as `plan --out FILE` saved it.")
REPORT = option("--report", type=FILE, help="A report, as `apply --report FILE` saved it.")


@click.command()
@PLAN
@REPORT
@option("--number", type=click.IntRange(1), metavar="N", help="The pull or merge request; else this run's.")
@option("--dry-run", is_flag=True, help="Print the comment, send nothing.")
@common
def comment(**values: Any) -> None:
    """Put a saved plan or report on its pull or merge request, in place of what was said there before.

    Without --number it is the request of this run, else the one whose merge made the commit. GitHub: the
    token is GH_TOKEN or GITHUB_TOKEN; GitLab: GITLAB_TOKEN. Not being able to comment is a warning and
    exits 0; a file that is not ours exits 1; a file that is not there is said in the comment.
    """
    from reconciler.cli.comment import body, foot, send, text_of
    from reconciler.cli.platform import marker
    from reconciler.cli.runner import platform_of

    kind = _one_of(values)
    workspace = str(values["workspace"] or "reconciler.yaml")
    text = text_of(kind, values[kind])
    if values["dry_run"]:
        click.echo(body(text, marker(kind, workspace), foot("", ""), DRY), nl=False)
        return
    _gently(
        "No comment",
        lambda: _say(send(platform_of(os.environ), values["number"], kind, workspace, text), values),
    )


DRY = 65_536
"""The size of a comment on GitHub, the smaller of the two."""


@click.command()
@option("--plan", type=EXISTING, help="What `drift --out FILE` saved.")
@option("--report", type=FILE, help="What `apply` or `resume --report FILE` saved.")
@common
def issues(**values: Any) -> None:
    """Keep one issue for each tenant that differs from its manifest: open it, write it anew, close it.

    With --report: for each that an apply or a resume left to a person, and for a run that wrote no report;
    the next `drift` closes them. Takes the same tokens as `comment`. Not being able to is a warning and exits 0.
    """
    from reconciler.cli.issues import keep, read
    from reconciler.cli.issues_applied import keep_applied, read_report
    from reconciler.cli.platform import Platform
    from reconciler.cli.runner import platform_of

    workspace = str(values["workspace"] or "reconciler.yaml")
    kept: Callable[[Platform], Iterator[str]]
    if _one_of(values) == "plan":
        run, told = read(values["plan"])
        kept = partial(keep, run=run, told=told, workspace=workspace)
    else:
        kept = partial(keep_applied, report=read_report(values["report"]), workspace=workspace)

    def work() -> None:
        for line in kept(platform_of(os.environ)):
            _say(line, values)

    _gently("No issues", work)


@click.command()
@PLAN
@REPORT
@option(
    "--auto-below", default="0", metavar="AMOUNT", help="A monthly rise up to which nobody needs to look."
)
@option("--approved-into", type=FILE, help="Save the digests that `apply` takes in RECONCILER_APPROVED.")
@option("--dotenv", type=FILE, help="GitLab: save the values as a dotenv report.")
@option("--widget", type=FILE, help="GitLab: save the numbers of the merge request's plan widget.")
@option("--code-quality", type=FILE, help="GitLab: save the remarks as a code quality report.")
@common
def outputs(**values: Any) -> None:
    """Hand a saved plan or report to the CI: the job's summary, values for later jobs, remarks beside the lines.

    On GitHub it writes to GITHUB_STEP_SUMMARY and GITHUB_OUTPUT and prints annotations; everywhere it prints
    the values as NAME=VALUE. A file that is not there gives status=missing. Exits 0.
    """
    from reconciler.cli.handing import hand

    hand(_one_of(values), values)


def _one_of(values: dict[str, Any]) -> str:
    given = [kind for kind in ("plan", "report") if values[kind] is not None]
    if len(given) != 1:
        raise click.UsageError("give --plan FILE or --report FILE, one of the two")
    return given[0]


def _say(line: str, values: dict[str, Any]) -> None:
    if not values["quiet"]:
        click.echo(line)


def _gently(title: str, work: Callable[[], None]) -> None:
    """Do what no run may fail for: what goes wrong at the platform is a warning."""
    from reconciler.cli import github
    from reconciler.core.errors import ReconcilerError
    from reconciler.render.escape import clean

    try:
        work()
    except (ReconcilerError, LookupError, TypeError, ValueError, AttributeError) as error:
        # The last four: an answer that is not in the form that the platform documents.
        kind = (
            ""
            if isinstance(error, ReconcilerError)
            else f"an answer that makes no sense ({type(error).__name__}): "
        )
        hint = getattr(error, "hint", "")
        said = clean(f"{kind}{error}{f': {hint}' if hint else ''}")
        if github.wanted():
            click.echo(github.github_warning(title, said))
        else:
            click.echo(f"warning: {title}: {said}", err=True)
