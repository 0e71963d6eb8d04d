"""Plans, actions and reports survive being written and read, and a changed file is refused."""

import copy
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker  # type: ignore[import-untyped] # it publishes no types

from reconciler.core.action import Action, Verb
from reconciler.core.errors import ReconcilerError
from reconciler.core.model import Contract, Money, Price, Source
from reconciler.core.plan import Exceeded, Finding, Leaving, Plan, Run, Status, Unmanaged, Waiting
from reconciler.core.report import Report, Result, State, TenantReport, Trouble
from reconciler.core.schema_files import plan_schema, report_schema
from reconciler.core.serial import (
    action_from_dict,
    action_to_dict,
    amount,
    changed_fields,
    instant,
    run_from_dict,
    run_to_dict,
)
from reconciler.core.serial_report import report_from_dict, report_to_dict

PLAN = Draft202012Validator(plan_schema(), format_checker=FormatChecker())
REPORT = Draft202012Validator(report_schema(), format_checker=FormatChecker())
TEXT = st.text(max_size=12)
ADDRESSES = st.sampled_from(["group/office", "user/ada", "seat/office/ada"]) | TEXT
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
STATES = st.none() | st.dictionaries(TEXT, JSON, max_size=3)
MOMENTS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 - hypothesis wants a naive limit and adds the zone
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))]),
)
DAYS = st.none() | st.dates()
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=4)
PRICES = st.builds(Price, monthly=AMOUNTS, one_off=AMOUNTS, currency=TEXT, source=TEXT)
SOURCES = st.none() | st.builds(Source, file=TEXT, line=st.integers(0, 99), column=st.integers(0, 99))
ACTIONS = st.builds(
    Action,
    id=TEXT,
    verb=st.sampled_from(Verb),
    address=ADDRESSES,
    summary=TEXT,
    before=STATES,
    after=STATES,
    needs=st.lists(TEXT, max_size=2).map(tuple),
    how=st.sampled_from(["api", "by-hand"]),
    repeatable=st.booleans(),
    reason=TEXT,
    source=SOURCES,
    price=st.none() | PRICES,
    contracts=st.lists(st.builds(Contract, name=TEXT, url=TEXT), max_size=2).map(tuple),
    scheduled_for=DAYS,
    reversible_until=DAYS,
    instructions=st.none() | TEXT,
    detail=st.dictionaries(TEXT, JSON, max_size=3),
)
WAITING = st.builds(
    Waiting,
    address=ADDRESSES,
    verb=st.none() | st.sampled_from(Verb),
    reason=TEXT,
    ref=st.none() | TEXT,
    since=st.none() | MOMENTS,
    due_by=st.none() | MOMENTS,
    state=st.sampled_from(["", "pending", "by-hand", "in-doubt"]),
    source=SOURCES,
)
PLANS = st.builds(
    Plan,
    tenant=TEXT,
    provider=TEXT,
    account=TEXT,
    name=TEXT,
    refs=st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple),
    begun=st.integers(0, 9),
    actions=st.lists(ACTIONS, max_size=2).map(tuple),
    pending=st.lists(WAITING, max_size=1).map(tuple),
    blocked=st.lists(WAITING, max_size=1).map(tuple),
    unmanaged=st.lists(
        st.builds(
            Unmanaged,
            address=ADDRESSES,
            ref=TEXT,
            monthly=st.none() | st.builds(Money, amount=AMOUNTS, currency=TEXT),
        ),
        max_size=1,
    ).map(tuple),
    leaving=st.lists(st.builds(Leaving, address=ADDRESSES, ref=TEXT, on=DAYS), max_size=1).map(tuple),
    findings=st.lists(
        st.builds(
            Finding,
            code=TEXT,
            severity=st.sampled_from(["info", "warning", "error"]),
            address=ADDRESSES,
            message=TEXT,
            source=SOURCES,
        ),
        max_size=1,
    ).map(tuple),
    error=st.none() | TEXT,
    hold=st.none() | TEXT,
    sandbox=st.booleans(),
    in_doubt=st.booleans(),
)
RUNS = st.builds(
    Run,
    plans=st.lists(PLANS, max_size=2).map(tuple),
    created_at=MOMENTS,
    tool_version=TEXT,
    exceeded=st.lists(
        st.builds(Exceeded, rule=TEXT, number=TEXT, limit=TEXT, message=TEXT, hint=TEXT), max_size=1
    ).map(tuple),
    skipped=st.integers(0, 9),
    notes=st.lists(TEXT, max_size=2).map(tuple),
)
TROUBLE = st.none() | st.builds(Trouble, code=TEXT, message=TEXT)
REPORTS = st.builds(
    Report,
    digest=TEXT,
    started_at=MOMENTS,
    finished_at=MOMENTS,
    exit_code=st.sampled_from([0, 3, 4, 8]),
    notes=st.lists(TEXT, max_size=2).map(tuple),
    tenants=st.lists(
        st.builds(
            TenantReport,
            tenant=TEXT,
            status=st.sampled_from(Status),
            actions=st.lists(
                st.builds(
                    Result,
                    id=TEXT,
                    verb=st.sampled_from(Verb),
                    address=ADDRESSES,
                    state=st.sampled_from(State),
                    summary=TEXT,
                    ref=st.none() | TEXT,
                    error=TROUBLE,
                    since=st.none() | MOMENTS,
                    due_by=st.none() | MOMENTS,
                    finished_at=st.none() | MOMENTS,
                    instructions=TEXT,
                    note=TEXT,
                ),
                max_size=2,
            ).map(tuple),
            error=TROUBLE,
            exit_code=st.integers(0, 8),
            hold=st.none() | TEXT,
            sandbox=st.booleans(),
        ),
        max_size=2,
    ).map(tuple),
)


def through_text(value: Any) -> Any:
    return json.loads(json.dumps(value, ensure_ascii=False))


def a_run() -> Run:
    resize = Action(
        id="1",
        verb=Verb.RESIZE,
        address="group/office",
        summary="10 -> 12 seats",
        before={"seats": 10},
        after={"seats": 12},
        reason="manifest asks for 12 seats",
        price=Price(monthly=Decimal(21), one_off=Decimal(0), currency="EUR", source="catalog"),
    )
    plan = Plan(tenant="acme", provider="ovh-prepaid", account="ovh-main", actions=(resize,))
    return Run(plans=(plan,), created_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), tool_version="0.1.0")


@given(ACTIONS)
def test_an_action_is_the_same_after_writing_and_reading(action: Action) -> None:
    assert action_from_dict(through_text(action_to_dict(action))) == action


@given(RUNS)
@settings(max_examples=30)
def test_a_plan_is_the_same_after_writing_and_reading(run: Run) -> None:
    written = run_to_dict(run)

    read = run_from_dict(through_text(written))

    assert read == run
    assert run_to_dict(read) == written
    PLAN.validate(through_text(written))


@given(REPORTS)
@settings(max_examples=30)
def test_a_report_is_the_same_after_writing_and_reading(report: Report) -> None:
    written = through_text(report_to_dict(report))

    assert report_from_dict(written) == report
    REPORT.validate(written)


def test_the_plan_file_is_the_one_of_the_contract() -> None:
    values = run_to_dict(a_run())

    assert list(values)[:8] == [
        "format_version", "kind", "tool_version", "created_at", "digest", "tenants", "summary", "cost",
    ]  # fmt: skip
    assert values["created_at"] == "2026-01-02T03:04:05Z"
    tenant = values["tenants"][0]
    assert list(tenant)[:10] == [
        "tenant", "provider", "status", "digest", "actions", "pending", "blocked", "unmanaged", "leaving",
        "findings",
    ]  # fmt: skip
    action = tenant["actions"][0]
    assert action["fields"] == [{"field": "seats", "before": 10, "after": 12}]
    assert list(action)[list(action).index("after") + 1] == "fields"
    assert action["price"] == {"monthly": "21.00", "one_off": "0.00", "currency": "EUR", "source": "catalog"}
    assert values["summary"]["resize"] == 1
    assert values["summary"]["tenants"]["changes"] == 1
    assert values["cost"] == [{"currency": "EUR", "monthly_change": "21.00", "unknown": 0}]


def test_a_plan_file_that_was_changed_is_refused() -> None:
    values = run_to_dict(a_run())
    values["tenants"][0]["actions"][0]["after"]["seats"] = 1200

    with pytest.raises(ReconcilerError, match="changed after it was written"):
        run_from_dict(values)


def test_unknown_fields_are_ignored_and_a_later_minor_version_is_read() -> None:
    values = run_to_dict(a_run())
    values |= {"format_version": "1.7", "new": 1}
    values["tenants"][0]["actions"][0]["new"] = {"a": 1}

    assert run_from_dict(values) == a_run()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("format_version", "2.0", "has format 2.0"), ("kind", "report", "no plan file")],
)
def test_another_major_version_and_another_kind_are_refused(field: str, value: str, message: str) -> None:
    with pytest.raises(ReconcilerError, match=message):
        run_from_dict({**run_to_dict(a_run()), field: value})


FITS: tuple[tuple[str, Any], ...] = (
    ("skipped", 7), ("exceeded", []), ("notes", []), ("tool_version", "x"),
)  # fmt: skip


@pytest.mark.parametrize("value", [None, 7, "x", [], [7], {"a": 1}])
def test_a_damaged_plan_file_is_refused_and_never_crashed_on(value: Any) -> None:
    whole = run_to_dict(a_run())
    for key in whole:
        damaged = copy.deepcopy(whole)
        damaged[key] = value
        if key in {"summary", "cost"}:  # computed again, never believed
            assert run_from_dict(damaged) == a_run()
        elif (key, value) not in FITS:
            with pytest.raises(ReconcilerError):
                run_from_dict(damaged)
    with pytest.raises(ReconcilerError):
        run_from_dict(value)


def test_what_a_person_is_changed_in_is_named_field_by_field() -> None:
    before = {"first_name": "Ada", "last_name": "Byron", "address": {"city": "London"}, "__x": 1}
    after = {"first_name": "Ada", "last_name": "Lovelace", "address": {"city": "Ockham"}, "__x": 2}

    fields = changed_fields(before, after)

    assert [field["field"] for field in fields] == ["__x", "address", "last_name"]
    assert fields[2] == {"field": "last_name", "before": "Byron", "after": "Lovelace"}


def test_what_is_new_or_gone_has_all_its_fields_named() -> None:
    assert changed_fields(None, {"seats": 3}) == [{"field": "seats", "before": None, "after": 3}]
    assert changed_fields({"seats": 3}, None) == [{"field": "seats", "before": 3, "after": None}]
    assert changed_fields(None, None) == []
    assert changed_fields({"a": None}, {"b": None, "c": 1}) == [
        {"field": "a", "before": None, "after": None},
        {"field": "b", "before": None, "after": None},
        {"field": "c", "before": None, "after": 1},
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [("21", "21.00"), ("-0", "0.00"), ("1E+2", "100.00"), ("0.125", "0.125"), ("10.50000000", "10.50"),
     ("-0.5", "-0.50"), ("1E-7", "0.0000001")],
)  # fmt: skip
def test_money_has_two_decimals_or_more_and_no_exponent(value: str, text: str) -> None:
    assert amount(Decimal(value)) == text


def test_times_are_utc_wherever_they_were_taken() -> None:
    vilnius = datetime(2026, 7, 1, 12, 0, tzinfo=timezone(timedelta(hours=3)))

    assert instant(vilnius) == "2026-07-01T09:00:00Z"
    assert instant(datetime(2026, 7, 1, 12, 0)) == "2026-07-01T12:00:00Z"  # noqa: DTZ001 - no zone is UTC


def test_dates_and_tuples_in_a_state_become_json_with_the_same_digest() -> None:
    plan = a_run().plans[0]
    dated = Action(
        id="2",
        verb=Verb.CANCEL,
        address="group/office",
        summary="",
        before={"on": date(2026, 1, 1), "refs": ("a",)},
    )
    run = Run(
        plans=(Plan(tenant="acme", provider="ovh-prepaid", account="a", actions=(dated, *plan.actions)),),
        created_at=a_run().created_at,
        tool_version="0.1.0",
    )

    assert run_from_dict(run_to_dict(run)).digest == run.digest
