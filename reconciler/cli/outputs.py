"""What a run hands to its CI: a summary, values for the next jobs, remarks beside the lines of the manifests."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from reconciler.cli.comment import text_of
from reconciler.cli.danger import dangers
from reconciler.cli.planning import plan_exit
from reconciler.core.action import Verb
from reconciler.core.diagnostic import Diagnostic
from reconciler.core.model import Source
from reconciler.core.plan import Plan, Run
from reconciler.core.report import Report, State
from reconciler.core.serial import amount, run_from_dict
from reconciler.core.serial_report import report_from_dict
from reconciler.render.escape import clean
from reconciler.store.documents import read_document

SUMMARY = 500_000  # characters; GitHub takes 1 MiB a step, and drops more with an error
LONGEST = 100_000  # characters of a value that a variable has to hold: Linux takes 128 KiB
FEW = 5  # reasons for a look; more are counted

Outputs = dict[str, str]


def summary(kind: str, file: Path) -> str:
    """The page for the job's summary."""
    return text_of(kind, file)(SUMMARY)


def outputs(kind: str, file: Path, *, free_rise: Decimal) -> Outputs:
    """The values of a saved plan or report, each on one line; of a file that is not there, that it is not."""
    if not file.exists():
        return {"kind": kind, "status": "missing", "exit_code": "1", "changes": "false", "review": "true"}
    document = read_document(file, kind)
    made = (
        _of_plan(run_from_dict(document), free_rise)
        if kind == "plan"
        else _of_report(report_from_dict(document))
    )
    return {name: clean(value) for name, value in made.items()}


def _of_plan(run: Run, free_rise: Decimal) -> Outputs:
    found = dangers(run, free_rise=free_rise)
    ready = [plan for plan in run.plans if plan.actions and plan.hold is None]
    digests = " ".join(f"{plan.tenant}={plan.digest}" for plan in ready)
    money = [f"{amount(one.monthly_change)} {one.currency}" for one in run.cost if one.currency]
    return {
        "kind": "plan",
        "status": _worst(run),
        "exit_code": str(plan_exit(run, detailed=True)),
        "changes": _yes(bool(ready) and not run.exceeded),
        "review": _yes(bool(found)),
        "review_reasons": "; ".join(found[:FEW]) + (f"; and {len(found) - FEW} more" if found[FEW:] else ""),
        "digest": run.digest,
        "digests": digests,
        # Too many for one variable: then it is the whole run or nothing.
        "approved": digests if len(digests) <= LONGEST else run.digest,
        "monthly_change": ", ".join(money),
        "unknown_prices": str(max((one.unknown for one in run.cost), default=0)),
        "in_doubt": str(sum(plan.in_doubt for plan in run.plans)),
        "errors": str(sum(plan.error is not None for plan in run.plans)),
        "sandbox": str(sum(plan.sandbox for plan in run.plans)),
        **{name.replace("-", "_"): str(number) for name, number in run.summary.items()},
    }


def _worst(run: Run) -> str:
    if run.exceeded:
        return "stopped"
    return next((status for status, number in reversed(run.tenants.items()) if number), "in_sync")


def _of_report(report: Report) -> Outputs:
    states = Counter(result.state for tenant in report.tenants for result in tenant.actions)
    broken = sum(tenant.error is not None for tenant in report.tenants)
    return {
        "kind": "report",
        "status": STATUS.get(report.exit_code, "failed"),
        "exit_code": str(report.exit_code),
        "changes": _yes(bool(states[State.DONE])),
        "digest": report.digest,
        "errors": str(broken),
        "sandbox": str(sum(tenant.sandbox for tenant in report.tenants)),
        **{state.value.replace("-", "_"): str(states[state]) for state in State},
    }


STATUS = {0: "done", 4: "pending", 5: "stopped", 6: "stale", 7: "held", 8: "in_doubt"}


def _yes(value: object) -> str:
    return "true" if value else "false"


def remarks(kind: str, file: Path) -> list[Diagnostic]:
    """What is worth a look, the most important first; without a place where nobody wrote a line for it."""
    if not file.exists():
        return []
    document = read_document(file, kind)
    found = (
        _plan_remarks(run_from_dict(document))
        if kind == "plan"
        else _report_remarks(report_from_dict(document))
    )
    ranks = {"error": 0, "warning": 1, "info": 2}
    return sorted(found, key=lambda one: ranks[one.severity])  # which keeps the order of what weighs alike


def _plan_remarks(run: Run) -> Iterator[Diagnostic]:
    for exceeded in run.exceeded:
        yield _remark("error", exceeded.rule, f"{exceeded.message} ({exceeded.hint})", None)
    for plan in run.plans:
        if plan.error is not None:
            yield _remark("error", "not planned", f"{plan.tenant}: {plan.error}", None)
        yield from _waiting_remarks(plan)
        yield from _action_remarks(plan)
        for finding in plan.findings:
            said = f"{plan.tenant} {finding.address}: {finding.message}"
            yield _remark(finding.severity, finding.code, said, finding.source)


def _waiting_remarks(plan: Plan) -> Iterator[Diagnostic]:
    for item in (*plan.pending, *plan.blocked):
        said = f"{plan.tenant} {item.address}: {item.reason}"
        if item.state == State.IN_DOUBT:
            yield _remark("error", "in doubt", said, item.source)
        elif item in plan.blocked:
            yield _remark("error", "blocked", said, item.source)


def _action_remarks(plan: Plan) -> Iterator[Diagnostic]:
    for action in plan.actions:
        said = f"{plan.tenant} {action.address}: {action.summary}"
        if action.verb in {Verb.CANCEL, Verb.DELETE_USER}:
            yield _remark("warning", action.verb, said, action.source)
        elif action.how == "by-hand":
            yield _remark("info", "by hand", said, action.source)


def _report_remarks(report: Report) -> Iterator[Diagnostic]:
    for tenant in report.tenants:
        if tenant.error is not None:
            yield _remark("error", "not done", f"{tenant.tenant}: {tenant.error.message}", None)
        for result in tenant.actions:
            where = f"{tenant.tenant} {result.address}"
            why = f": {result.error.message}" if result.error else ""
            match result.state:
                case State.IN_DOUBT | State.FAILED:
                    yield _remark("error", result.state, f"{where}{why}", None)
                case State.BY_HAND:
                    yield _remark("warning", result.state, f"{where}: {result.summary}", None)


def _remark(severity: str, code: str, message: str, source: Source | None) -> Diagnostic:
    place = (source.file, source.line, source.column) if source else ("", 0, 0)
    return Diagnostic(*place, code=str(code), severity=severity, message=clean(message))


LEVELS = {"error": "major", "warning": "minor", "info": "info"}


def code_quality(found: list[Diagnostic], otherwise: str) -> str:
    """GitLab's code quality report: `otherwise` is the file for what has no line of its own."""
    return json.dumps([_quality(one, otherwise) for one in found], indent=2) + "\n"


def _quality(one: Diagnostic, otherwise: str) -> Mapping[str, Any]:
    one = replace(one, file=one.file or otherwise, line=max(one.line, 1))
    name = hashlib.sha256(f"{one.file}|{one.line}|{one.code}|{one.message}".encode()).hexdigest()
    return {
        "description": f"{one.code}: {one.message}",
        "check_name": one.code,
        "fingerprint": name,
        "severity": LEVELS[one.severity],
        "location": {"path": one.file, "lines": {"begin": one.line}},
    }


def widget(made: Outputs) -> str:
    """The three numbers of GitLab's plan widget on a merge request."""

    def count(*names: str) -> int:
        return sum(int(made.get(name, "0")) for name in names)

    return json.dumps(
        {
            "create": count("order", "create_user"),
            "update": count("resize", "activate", "update", "schedule"),
            "delete": count("cancel", "deactivate", "delete_user"),
        }
    )
