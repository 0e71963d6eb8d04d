"""The commands that look at providers and change them: plan, show, apply, resume."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from reconciler.cli.options import PATHS, common
from reconciler.cli.output import can_ask, formats, options, put
from reconciler.cli.wiring import Chosen, World, duration, files, journal_of, run, setup
from reconciler.core.errors import UsageError
from reconciler.core.journal import Journal
from reconciler.core.plan import Run, Status
from reconciler.core.policy import Allowances, allowances
from reconciler.core.report import Report, worst
from reconciler.engine.clock import SystemClock
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply as apply_run
from reconciler.engine.run import resume as resume_run
from reconciler.engine.setup import Setup, load, plan_run

F = TypeVar("F", bound=Callable[..., Any])

_SELECT = (
    click.option(
        "--tenant",
        "tenants",
        multiple=True,
        envvar="RECONCILER_TENANT",
        help="Only this tenant; may be repeated.",
    ),
    click.option(
        "--changed-since",
        metavar="REF",
        envvar="RECONCILER_CHANGED_SINCE",
        help="Only tenants whose files differ from that git revision, and owed ones.",
    ),
    click.option(
        "--journal", metavar="URL", envvar="RECONCILER_JOURNAL", help="Another journal than the workspace's."
    ),
    click.option(
        "--concurrency",
        type=click.IntRange(1, 256),
        default=16,
        show_default=True,
        envvar="RECONCILER_CONCURRENCY",
        help="Tenants at the same time.",
    ),
    click.option(
        "--no-color",
        is_flag=True,
        envvar="RECONCILER_NO_COLOR",
        help="No colour, whatever the terminal says.",
    ),
)


def selection(function: F) -> F:
    """Add the options that choose tenants."""
    for option in reversed(_SELECT):
        function = option(function)
    return function


def chosen_by(values: dict[str, Any]) -> Chosen:
    """The selection from a command's options."""
    return Chosen(
        paths=tuple(values.get("paths", ())),
        workspace=values["workspace"],
        tenants=tuple(values["tenants"]),
        changed_since=values.get("changed_since"),
        journal=values["journal"],
    )


def prepared(values: dict[str, Any]) -> tuple[Chosen, World, SystemClock]:
    """Read the files that a command's options choose."""
    chosen = chosen_by(values)
    return chosen, files(chosen), SystemClock()


@click.command()
@PATHS
@selection
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="RECONCILER_OUT",
    help="Save the plan as JSON.",
)
@click.option(
    "--json-into",
    type=click.Path(dir_okay=False, path_type=Path),
    envvar="RECONCILER_JSON_INTO",
    help="The same, beside what is printed.",
)
@click.option(
    "--detailed-exitcode",
    is_flag=True,
    envvar="RECONCILER_DETAILED_EXITCODE",
    help="2 for changes, 4 for pending, 8 for in doubt.",
)
@click.option("--at", metavar="DATE", envvar="RECONCILER_AT", help="Plan as if it were that date.")
@click.option("--allow", multiple=True, metavar="RULE=N", help="Lift one guard once.")
@formats("text", "markdown", "json", "html")
@common
def plan(**values: Any) -> None:
    """Show what apply would do. Writes nothing at any provider."""
    chosen, world, clock = prepared(values)
    journal = journal_of(world, chosen, create=False)
    try:
        made = _setup(world, chosen, journal, values, clock, writes=False)
        planned = run(lambda: plan_run(made, load(made)), made, clock)
    finally:
        journal.close()
    _save(planned, values)
    _print_run(planned, values, chosen)
    sys.exit(plan_exit(planned, detailed=values["detailed_exitcode"]))


def _setup(
    world: World,
    chosen: Chosen,
    journal: Journal,
    values: dict[str, Any],
    clock: SystemClock,
    *,
    writes: bool,
    **more: Any,
) -> Setup:
    from reconciler.cli.changed import narrowed, policies

    made = setup(
        world,
        journal,
        writes=writes,
        clock=clock,
        allowed=_allowed(values),
        policies=policies(world, chosen.changed_since),
        concurrency=values["concurrency"],
        notes=_notes(world, chosen, journal),
        at=_at(values.get("at")),
        **more,
    )
    if chosen.changed_since is not None:
        owed = frozenset(name for name, known in load(made).items() if known.owed)
        made.selection = narrowed(world, chosen.changed_since, owed=owed)
    return made


def _notes(world: World, chosen: Chosen, journal: Journal) -> tuple[str, ...]:
    from reconciler.cli.changed import workspace_changes

    said = workspace_changes(world, chosen.changed_since)
    if journal.fresh:
        said = (*said, "there is no journal yet: nothing is known of earlier applies")
    return said


def _allowed(values: dict[str, Any]) -> Allowances:
    return allowances(values.get("allow") or ())


def _at(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise UsageError(f"--at {text}: not a date", hint="write 2026-12-31") from error


def _save(planned: Run, values: dict[str, Any]) -> None:
    targets = [path for path in (values["out"], values["json_into"]) if path is not None]
    if not targets:
        return
    from reconciler.render import PLAN
    from reconciler.store.documents import write_private

    for path in targets:
        write_private(path, PLAN["json"](planned, options()))


def _print_run(planned: Run, values: dict[str, Any], chosen: Chosen) -> None:
    from reconciler.render import PLAN

    made = options(no_color=values["no_color"], selection=chosen.text, plan_file=str(values["out"] or ""))
    put(PLAN[values["form"]](planned, made))


def plan_exit(planned: Run, *, detailed: bool) -> int:
    """0, 3 or 5; with `detailed` 8, 4 and 2 as well."""
    codes: set[int] = set()
    statuses = {one.status for one in planned.plans}
    if planned.exceeded:
        codes.add(5)
    if Status.ERROR in statuses:
        codes.add(3)
    if detailed:
        if any(one.in_doubt for one in planned.plans):
            codes.add(8)
        if any(one.pending for one in planned.plans):
            codes.add(4)
        if any(one.hold is None and (one.actions or one.blocked) for one in planned.plans):
            codes.add(2)
    return worst(codes)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@formats("text", "markdown", "json", "html")
@click.option("--no-color", is_flag=True, envvar="RECONCILER_NO_COLOR")
@common
def show(file: Path, form: str, *, no_color: bool, **_: Any) -> None:
    """Print a saved plan or report again, in any format."""
    from reconciler.core.serial import run_from_dict
    from reconciler.core.serial_report import report_from_dict
    from reconciler.render import PLAN, REPORT
    from reconciler.store.documents import read_document

    document = read_document(file, "plan", "report")
    made = options(no_color=no_color, plan_file=str(file))
    if document["kind"] == "plan":
        put(PLAN[form](run_from_dict(document), made))
    else:
        put(REPORT[form](report_from_dict(document), made))


_DOING = (
    click.option(
        "--wait",
        default="10m",
        show_default=True,
        envvar="RECONCILER_WAIT",
        help="How long to wait for what is pending; 0: not at all.",
    ),
    click.option(
        "--report",
        type=click.Path(dir_okay=False, path_type=Path),
        envvar="RECONCILER_REPORT",
        help="Save the report as JSON.",
    ),
    click.option("--allow", multiple=True, metavar="RULE=N", help="Lift one guard once."),
)


def doing(function: F) -> F:
    """Add the options of commands that act."""
    for option in reversed(_DOING):
        function = option(function)
    return function


@click.command()
@PATHS
@selection
@doing
@click.option(
    "--plan",
    "plan_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="RECONCILER_PLAN",
    help="Do this saved plan, or refuse it as stale.",
)
@click.option(
    "--approved", multiple=True, metavar="DIGEST", help="The run's digest, or TENANT=DIGEST; may be repeated."
)
@click.option("--yes", is_flag=True, envvar="RECONCILER_YES", help="Do not ask.")
@click.option(
    "--new-journal",
    is_flag=True,
    envvar="RECONCILER_NEW_JOURNAL",
    help="In CI: buy although the journal is new.",
)
@formats("text", "markdown", "json", "html")
@common
def apply(**values: Any) -> None:
    """Make it so: what is open first, then what the plan says."""
    consent_given = bool(values["yes"] or values["plan_file"] or values["approved"])
    if not consent_given and not can_ask():
        raise UsageError(
            "apply needs consent and there is no terminal to ask at",
            hint="pass --yes, --plan FILE or --approved DIGEST",
        )
    saved = _saved(values["plan_file"]) if values["plan_file"] else None
    if saved is not None and not values["tenants"]:
        values["tenants"] = tuple(one.tenant for one in saved.plans)
    chosen, world, clock = prepared(values)
    waited = duration(values["wait"])
    journal = journal_of(world, chosen, create=True)
    try:
        with progress(values) as tell:
            made = _setup(
                world,
                chosen,
                journal,
                values,
                clock,
                writes=True,
                wait=waited,
                tell=tell,
                fresh_refused=_fresh(journal, world, chosen, values),
            )
            consent = _consent(values, saved, chosen)
            report = run(lambda: apply_run(made, consent), made, clock)
    finally:
        journal.close()
    _finish(report, values, chosen)


def _fresh(journal: Journal, world: World, chosen: Chosen, values: dict[str, Any]) -> str:
    """Why a purchase must not be made with this journal: a CI runner's disk dies with the job."""
    url = chosen.journal or world.workspace.journal
    if not journal.fresh or not os.environ.get("CI") or values["new_journal"] or not url.startswith("sqlite"):
        return ""
    return f"the journal {url} is new, and in CI a file dies with the job: what is bought would be forgotten"


def _saved(file: Path) -> Run:
    from reconciler.core.serial import run_from_dict
    from reconciler.store.documents import read_document

    return run_from_dict(read_document(file, "plan"))


def _consent(values: dict[str, Any], saved: Run | None, chosen: Chosen) -> Consent:
    tenants = dict(one.split("=", 1) for one in values["approved"] if "=" in one)
    runs = [one for one in values["approved"] if "=" not in one]
    if len(runs) > 1 or (runs and tenants):
        raise UsageError("--approved takes one digest of the run, or TENANT=DIGEST for each tenant")
    if saved is not None and values["approved"]:
        raise UsageError("--plan and --approved do not go together")
    given = bool(values["yes"] or saved or runs or tenants)
    return Consent(
        saved=saved,
        digest=runs[0] if runs else None,
        tenants=tenants,
        ask=None if given else lambda planned: _ask(planned, values, chosen),
    )


def _ask(planned: Run, values: dict[str, Any], chosen: Chosen) -> bool:
    from reconciler.render import PLAN

    put(PLAN["text"](planned, options(no_color=values["no_color"], selection=chosen.text)))
    return click.confirm("Do this?", default=False)


def progress(values: dict[str, Any]) -> Any:
    """What is told on standard error while a run goes on."""
    from reconciler.cli.telling import telling

    return telling(quiet=values["quiet"], log_json=values["log_json"], verbose=values["verbose"])


def _finish(report: Report, values: dict[str, Any], chosen: Chosen) -> None:
    from reconciler.render import REPORT
    from reconciler.store.documents import write_private

    if values["report"] is not None:
        write_private(values["report"], REPORT["json"](report, options()))
    put(REPORT[values["form"]](report, options(no_color=values["no_color"], selection=chosen.text)))
    sys.exit(report.exit_code)


@click.command()
@PATHS
@selection
@doing
@formats("text", "markdown", "json", "html")
@common
def resume(**values: Any) -> None:
    """Go on with everything that is open, in every tenant; plans nothing new."""
    chosen, world, clock = prepared(values)
    waited = duration(values["wait"])
    journal = journal_of(world, chosen, create=True)
    try:
        with progress(values) as tell:
            made = _setup(world, chosen, journal, values, clock, writes=True, wait=waited, tell=tell)
            report = run(lambda: resume_run(made), made, clock)
    finally:
        journal.close()
    _finish(report, values, chosen)
