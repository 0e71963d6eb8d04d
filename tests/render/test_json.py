"""JSON for programs: every rendered file fits its schema, and `status` and `history` have their shape."""

import json

import pytest
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped] # it publishes no types

from reconciler.core.plan import Run
from reconciler.core.schema_files import plan_schema, report_schema
from reconciler.core.serial import run_from_dict
from reconciler.render import HISTORY, PLAN, REPORT, STATUS, Options
from tests.render import makers
from tests.render.golden import check


@pytest.mark.parametrize(
    "run",
    [makers.everything(), makers.run(), makers.run(makers.in_sync("calm")), makers.run(makers.broken())],
    ids=["everything", "nobody", "in sync", "broken"],
)
def test_a_plan_fits_its_schema_and_is_read_back(run: Run) -> None:
    text = PLAN["json"](run, Options())

    Draft202012Validator(plan_schema(), format_checker=FormatChecker()).validate(json.loads(text))
    assert run_from_dict(json.loads(text)) == run


def test_a_plan_is_as_in_the_golden_file() -> None:
    run = makers.run(makers.acme(), makers.beta(), makers.broken(), makers.in_sync("calm"))

    check("plan.json", PLAN["json"](run, Options()))


def test_a_report_fits_its_schema_and_is_as_in_the_golden_file() -> None:
    text = REPORT["json"](makers.report(), Options())

    Draft202012Validator(report_schema(), format_checker=FormatChecker()).validate(json.loads(text))
    check("report.json", text)


def test_every_open_action_of_a_status_has_what_the_contract_promises() -> None:
    text = STATUS["json"](makers.overview(), Options())

    tenants = json.loads(text)["tenants"]
    actions = [action for tenant in tenants for action in tenant["actions"]]
    assert len(actions) == 4
    assert all({"address", "state", "since", "due_by", "ref"} <= action.keys() for action in actions)
    check("status.json", text)


def test_the_journal_is_listed_with_all_it_holds() -> None:
    found = json.loads(HISTORY["json"](makers.history(), Options()))
    events = found["events"]

    assert list(found)[:4] == ["format_version", "kind", "tool_version", "created_at"]
    assert found["created_at"] == "2026-11-21T09:12:00Z"
    assert [event["seq"] for event in events] == [1, 2, 3, 4, 5, 6]
    assert events[3]["data"] == {"ticket": "4711", "waiting_on": "provider"}
