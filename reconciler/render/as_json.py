"""Plans, reports, standings and the journal as JSON for programs; the same bytes for the same value."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from reconciler.core.overview import History, Overview
from reconciler.core.plan import Run
from reconciler.core.report import Report
from reconciler.core.serial import run_to_dict
from reconciler.core.serial_report import event_to_dict, history_to_dict, overview_to_dict, report_to_dict
from reconciler.render.options import Options


def plan(run: Run, _: Options) -> str:
    """The plan file."""
    return _dump(run_to_dict(run))


def report(value: Report, _: Options) -> str:
    """The report file."""
    return _dump(report_to_dict(value))


def status(value: Overview, _: Options) -> str:
    """How tenants stand."""
    return _dump(overview_to_dict(value))


def history(value: History, _: Options) -> str:
    """What happened."""
    return "".join(history_parts(value))


def history_parts(value: History) -> Iterator[str]:
    """What happened, event by event: the same bytes, and a long journal needs no memory."""
    head, _, tail = _dump(history_to_dict(replace(value, events=()))).rpartition("[]")
    yield f"{head}["
    before = "\n"
    for event in value.events:
        yield before + "    " + json.dumps(event_to_dict(event), indent=2).replace("\n", "\n    ")
        before = ",\n"
    yield f"]{tail}" if before == "\n" else f"\n  ]{tail}"


def _dump(value: dict[str, Any]) -> str:
    """In ASCII, so that nothing in it can steer a terminal it is printed on."""
    return json.dumps(value, indent=2) + "\n"
