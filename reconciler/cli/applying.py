"""Changes something at providers: asks for consent, applies or resumes, reports."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import click
from msgspec.structs import replace

from reconciler.cli.exits import exit_of
from reconciler.cli.job import Job, job
from reconciler.cli.outlet import lost
from reconciler.cli.output import can_ask, complain, options, put
from reconciler.cli.wiring import World, in_sandbox
from reconciler.core.errors import JournalError, ReconcilerError, StalePlanError, UsageError, WorkspaceError
from reconciler.core.money import buys
from reconciler.core.plan import Run
from reconciler.core.report import Report, worst
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply as apply_run
from reconciler.engine.run import resume as resume_run
from reconciler.engine.setup import load, plan_run

APPROVED = re.compile(r"([a-z0-9-]+=)?sha256:[0-9a-f]+")
"""What `plan` prints as a digest: the run's, or a tenant's with its name."""


def do_apply(values: dict[str, Any]) -> None:
    """Apply what is selected as far as it was consented to, and end with the report's exit code."""
    with _refusals(values):
        _apply(values)


def _apply(values: dict[str, Any]) -> None:
    tenants, digest = _approved(values)
    if not (values["yes"] or values["plan_file"] or values["approved"] or can_ask()):
        raise UsageError(
            "apply needs consent and there is no terminal to ask at",
            hint="pass --yes, --plan FILE or --approved DIGEST",
        )
    saved = _saved(values["plan_file"]) if values["plan_file"] else None
    planned = None if saved is None else tuple(one.tenant for one in saved.plans)
    with job(values, writes=True, planned=planned) as one:
        _known(tenants, one)
        given = bool(values["yes"] or saved or values["approved"])
        consent = Consent(
            saved=saved,
            digest=digest,
            tenants=tenants,
            ask=None if given else lambda run: _ask(run, values, one),
        )
        one.listener.phase(f"applying {len(one.made.selection.chosen)} tenants")
        journal_may_be_made = values.get("looked") or not one.made.fresh_refused
        if journal_may_be_made:
            report = one.run(lambda: apply_run(one.made, consent))
        else:
            _refuse_purchases(one)
    if journal_may_be_made:
        _finish(report, values, one)
    _apply({**values, "looked": True})


def _refuse_purchases(one: Job) -> None:
    """Refuse to buy with a journal that would have to be made first, and dies with the job."""
    planned = one.run(lambda: plan_run(one.made, load(one.made)))
    if any(buys(action) for plan in planned.plans if plan.hold is None for action in plan.actions):
        raise JournalError(
            one.made.fresh_refused,
            hint="name a journal that outlives the job (postgresql://...), or pass --new-journal",
        )


def do_resume(values: dict[str, Any]) -> None:
    """Go on with what is open, and end with the report's exit code."""
    with _refusals(values):
        with job(values, writes=True) as one:
            one.listener.phase("going on with what is open")
            report = one.run(lambda: resume_run(one.made))
        _finish(report, values, one)


@contextmanager
def _refusals(values: dict[str, Any]) -> Iterator[None]:
    """Let a run that cannot even be made leave a report too, of nothing that was begun."""
    from reconciler.store.documents import ready

    started = datetime.now(UTC)
    if values["report"] is not None:
        ready(values["report"])
    try:
        yield
    except ReconcilerError as error:
        code = exit_of(error)
        ended = datetime.now(UTC)
        refused = Report(digest="", started_at=started, finished_at=ended, exit_code=code, refusal=error)
        if (unsaved := _unsaved(refused, values)) is not None:
            complain(unsaved, as_json=values["log_json"])
        raise


def _approved(values: dict[str, Any]) -> tuple[dict[str, str], str | None]:
    """The approved digests by tenant, and that of the run."""
    for text in values["approved"]:
        if not APPROVED.fullmatch(text):
            raise UsageError(
                f"--approved {text}: not a digest",
                hint="write sha256:DIGEST, or TENANT=sha256:DIGEST, as `plan` prints it",
            )
    tenants = dict(text.split("=", 1) for text in values["approved"] if "=" in text)
    runs = {text for text in values["approved"] if "=" not in text}
    if len(runs) > 1 or (runs and tenants):
        raise UsageError("--approved takes one digest of the run, or TENANT=DIGEST for each tenant")
    if values["plan_file"] and values["approved"]:
        raise UsageError("--plan and --approved do not go together")
    return tenants, next(iter(runs), None)


def _known(tenants: dict[str, str], one: Job) -> None:
    known = {each.name for each in one.world.selection.every}
    missing = sorted(tenants.keys() - known)
    if missing:
        raise WorkspaceError(
            f"approved is {', '.join(missing)}, of which there is no manifest",
            hint=f"the files name {', '.join(sorted(known)) or 'none'}",
        )


def _saved(file: Path) -> Run:
    """Read a saved plan; one that was changed after it was written is not the one that was approved."""
    from reconciler.core.serial import run_from_dict
    from reconciler.store.documents import read_document

    document = read_document(file, "plan")
    try:
        return run_from_dict(document)
    except ReconcilerError as error:
        if error.code != "tampered":
            raise
        raise StalePlanError(error.message, hint=error.hint, code=error.code) from error


def _ask(planned: Run, values: dict[str, Any], one: Job) -> bool:
    from reconciler.render import PLAN

    one.listener.hush()
    put(PLAN["text"](planned, options(no_color=values["no_color"], selection=one.chosen.text)))
    if lost() is not None:
        raise UsageError(
            "the plan could not be shown, so nobody was asked and nothing was done",
            hint="print it where there is room, or pass --plan FILE or --approved DIGEST",
        )
    agreed = click.confirm("Do this?", default=False)
    one.listener.phase("applying")
    return agreed


def _finish(report: Report, values: dict[str, Any], one: Job) -> NoReturn:
    from reconciler.render import REPORT

    report = _marked(report, one.world)
    unsaved = _unsaved(report, values)
    if report.refusal is not None:
        complain(report.refusal, as_json=values["log_json"])
    if report.refusal is None or report.went_on:
        put(REPORT[values["form"]](report, options(no_color=values["no_color"], selection=one.chosen.text)))
    if unsaved is not None:  # and what was done is told all the same
        complain(unsaved, as_json=values["log_json"])
        sys.exit(worst({report.exit_code, 1}))
    sys.exit(report.exit_code)


def _marked(report: Report, world: World) -> Report:
    """Say of each tenant whether it is in a sandbox; a resume does not read what it goes on with."""
    known = {one.name: in_sandbox(world, one.head) for one in world.selection.every}
    tenants = (replace(one, sandbox=known.get(one.tenant, one.sandbox)) for one in report.tenants)
    return replace(report, tenants=tuple(tenants))


def _unsaved(report: Report, values: dict[str, Any]) -> WorkspaceError | None:
    """Save the report where one is asked for; why it could not be, where it could not."""
    if values["report"] is None:
        return None
    from reconciler.render import REPORT
    from reconciler.store.documents import write_private

    try:
        write_private(values["report"], REPORT["json"](report, options()))
    except WorkspaceError as error:
        return error
    return None
