"""Every `run:` of the workflows that `init --ci github` writes, executed: branch, plan, merge, apply, resume, drift."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.workflows.hosts import Host, serving
from tests.workflows.runner import Result, Runner
from tests.workflows.town import Town, town

pytestmark = pytest.mark.unmeasured

MORE = ("seats: 2", "seats: 3")
PUSH = {"github.event_name": "push"}
SCHEDULE = {"github.event_name": "schedule"}


@pytest.fixture
def here(tmp_path: Path) -> Town:
    return town(tmp_path, "github")


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host(kind="github")) as made:
        yield made


@pytest.fixture
def runner(here: Town, host: Host, tmp_path: Path) -> Runner:
    return Runner(origin=here.origin, folder=tmp_path / "jobs", sandbox=here.sandbox, env=host.env)


def pull_request(here: Town, *, source: str = "o/r", author: str = "ada") -> dict[str, Any]:
    return {
        "github.event_name": "pull_request",
        "github.event.pull_request.number": 7,
        "github.event.pull_request.base.sha": here.sha("main"),
        "github.event.pull_request.head.repo.full_name": source,
        "github.event.pull_request.user.login": author,
    }


def planned(runner: Runner, here: Town, **event: str) -> Result:
    file = here.origin / ".github/workflows/licences-pull-request.yml"
    return runner.run(file, pull_request(here, **event), head="change")


def pushed(runner: Runner, here: Town, host: Host) -> Result:
    runner.env = host.pushed
    return runner.run(here.origin / ".github/workflows/licences-apply.yml", PUSH)


def scheduled(runner: Runner, here: Town, name: str) -> Result:
    return runner.run(here.origin / f".github/workflows/licences-{name}.yml", SCHEDULE)


def test_from_a_branch_to_seats_that_were_delivered(runner: Runner, here: Town, host: Host) -> None:
    here.change(*MORE)

    plan = planned(runner, here)

    assert set(plan.results.values()) == {"success"}, plan.output
    assert "| `acme` |" in plan.summary
    assert "`resell`" not in plan.summary  # it did not change
    [comment] = host.bodies()
    assert "## Licence plan" in comment
    assert plan.environments["plan"] == "licences-plan"

    here.merge()
    applied = pushed(runner, here, host)

    assert set(applied.results.values()) == {"success"}, applied.output
    assert applied.environments["apply"] == "licences-reviewed"
    assert "## Licence report" in host.bodies()[1]
    assert here.sha("reconciler-journal")

    here.reconciler("sandbox", "advance", "4h")
    resumed = scheduled(runner, here, "resume")
    assert resumed.results == {"resume": "success", "issues": "skipped"}, resumed.output
    assert "1 done" in resumed.summary

    again = pushed(runner, here, host)
    assert again.results["apply"] == "skipped", again.output
    assert "No changes" in again.summary

    drifted = scheduled(runner, here, "drift")
    assert drifted.results == {"drift": "success", "issues": "success"}, drifted.output
    assert host.issues == []

    said = "".join(run.output for run in (plan, applied, resumed, again, drifted))
    lines = [
        step["run"]
        for file in (here.origin / ".github/workflows").iterdir()
        for job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].values()
        for step in job["steps"]
        if "run" in step
    ]
    assert lines
    assert [line for line in lines if line not in said] == []


def test_each_push_writes_the_same_comment(runner: Runner, here: Town, host: Host) -> None:
    here.change(*MORE)
    planned(runner, here)
    here.change("seats: 2", "seats: 4")
    planned(runner, here)

    [comment] = host.bodies()
    assert "2 to order" in comment or "4 seats" in comment


def test_a_fork_is_validated_and_not_planned_and_the_required_check_is_red(
    runner: Runner, here: Town
) -> None:
    here.change(*MORE)

    for event in ({"source": "stranger/r"}, {"author": "dependabot[bot]"}):
        result = planned(runner, here, **event)

        assert result.results == {
            "validate": "success",
            "plan": "skipped",
            "comment": "skipped",
            "licences": "failure",
        }
        assert "a maintainer pushes the branch" in result.output


def test_a_pull_request_that_touches_no_manifest_is_green_and_asks_no_provider(
    runner: Runner, here: Town
) -> None:
    here.change("quantity: 10", "quantity:  10", file="world.yaml")
    before = here.reconciler("sandbox", "requests", "--format", "json")

    result = planned(runner, here)

    assert set(result.results.values()) == {"success"}, result.output
    assert "No changes" in result.summary
    assert here.reconciler("sandbox", "requests", "--format", "json") == before


def test_a_merge_queue_plans_what_it_merged_and_comments_nowhere(
    runner: Runner, here: Town, host: Host
) -> None:
    here.change(*MORE)
    event = {"github.event_name": "merge_group", "github.event.merge_group.base_sha": here.sha("main")}

    result = runner.run(here.origin / ".github/workflows/licences-pull-request.yml", event, head="change")

    assert result.results == {
        "validate": "success",
        "plan": "success",
        "comment": "skipped",
        "licences": "success",
    }
    assert host.remarks == []


def test_a_plan_that_a_guard_stops_is_commented_and_the_required_check_is_red(
    runner: Runner, here: Town, host: Host
) -> None:
    here.change("seats: 2", "seats: 250")

    result = planned(runner, here)

    expected = {"validate": "success", "plan": "failure", "comment": "success", "licences": "failure"}
    assert result.results == expected, result.output
    assert "::error title=max_seats_per_action::" in result.output
    assert "max\\_seats\\_per\\_action" in host.bodies()[0]


def test_a_broken_manifest_stops_before_any_credential(runner: Runner, here: Town) -> None:
    here.change("seats: 2", "seats: [")

    result = planned(runner, here)

    assert (result.results["validate"], result.results["plan"]) == ("failure", "skipped")
    assert "tenants/acme.yaml:" in result.output
    assert "::error file=tenants/acme.yaml," in result.output


def test_a_tenant_that_cannot_be_planned_keeps_none_of_the_others_and_the_run_is_red(
    runner: Runner, here: Town, host: Host
) -> None:
    here.change(*MORE)
    here.merge()
    here.reconciler("sandbox", "fault", "add", "error-before", "--path", "*contoso*", "--times", "99")

    result = pushed(runner, here, host)

    assert result.results == {
        "plan": "success",
        "apply": "failure",
        "report": "success",
        "planned": "failure",
    }
    assert "::error title=not planned::resell: " in result.output
    assert "order" in here.reconciler("sandbox", "ledger")  # acme has its seat


def test_an_apply_that_fails_leaves_an_issue_until_what_was_merged_is_done(
    runner: Runner, here: Town, host: Host
) -> None:
    here.merge_what_fails(*MORE)

    failed = pushed(runner, here, host)

    assert (failed.results["apply"], failed.results["report"]) == ("failure", "success"), failed.output
    assert "**failed** `acme` " in host.bodies()[0]
    [issue] = host.issues
    assert "What was merged stays to be applied" in issue["body"]
    scheduled(runner, here, "drift")
    assert issue["state"] == "open"
    assert "Change the manifest, or let an apply repair it" in issue["body"]  # merged, and not so
    assert pushed(runner, here, host).results["apply"] == "success"  # run again
    scheduled(runner, here, "drift")
    assert (len(host.issues), issue["state"]) == (1, "closed")


def test_a_merge_that_a_guard_stops_is_told_on_its_pull_request_and_in_one_issue(
    runner: Runner, here: Town, host: Host
) -> None:
    here.change("seats: 2", "seats: 250")
    here.merge()  # though its check was red

    stopped = pushed(runner, here, host)

    expected = {"plan": "failure", "apply": "skipped", "report": "success", "planned": "skipped"}
    assert stopped.results == expected, stopped.output
    assert "max\\_seats\\_per\\_action" in host.bodies()[0]
    [issue] = host.issues
    assert issue["body"].startswith(
        "<!-- reconciler:drift:reconciler.yaml -->\n## Licence report\n\n**No report"
    )


def test_an_order_that_is_cancelled_on_its_way_is_found_by_resume_and_leaves_an_issue(
    runner: Runner, here: Town, host: Host
) -> None:
    here.change(*MORE)
    here.merge()
    here.reconciler("sandbox", "fault", "add", "order-cancelled")
    assert pushed(runner, here, host).results["apply"] == "success"  # pending
    assert host.issues == []
    here.reconciler("sandbox", "advance", "4h")

    resumed = scheduled(runner, here, "resume")

    assert resumed.results == {"resume": "failure", "issues": "success"}, resumed.output
    [issue] = host.issues
    assert "cancelled" in issue["body"]
    scheduled(runner, here, "drift")
    assert issue["state"] == "open"  # blocked until somebody says what happened


def test_what_takes_nothing_and_costs_little_needs_no_reviewer(
    runner: Runner, here: Town, host: Host
) -> None:
    here.change(*MORE)
    here.merge()
    runner.variables = {"RECONCILER_AUTO_BELOW": "1000"}

    result = pushed(runner, here, host)

    assert result.environments["apply"] == "licences-auto", result.output
    assert result.results["apply"] == "success", result.output


def test_a_job_that_is_run_again_orders_nothing(runner: Runner, here: Town, host: Host) -> None:
    here.change(*MORE)
    here.merge()
    first = pushed(runner, here, host)

    file = here.origin / ".github/workflows/licences-apply.yml"
    again = runner.run(file, PUSH, before={"plan": first.outputs["plan"]})

    assert first.results["apply"] == "success", first.output
    assert again.results["apply"] == "failure", again.output
    assert "::error title=not done::acme: " in again.output
    # By number: what is delivered a moment later is the same order.
    assert set(re.findall(r"order=(\d+)", here.reconciler("sandbox", "ledger"))) == {"210000001"}


def test_drift_opens_one_issue_and_closes_it(runner: Runner, here: Town, host: Host) -> None:
    here.change(*MORE)
    here.merge()  # and nobody applies it

    for _ in range(2):
        result = scheduled(runner, here, "drift")
        assert result.results == {"drift": "success", "issues": "success"}, result.output

    [issue] = host.issues
    assert issue["body"].startswith("<!-- reconciler:drift:reconciler.yaml:acme -->")
    assert issue["state"] == "open"
    pushed(runner, here, host)
    scheduled(runner, here, "drift")
    assert host.issues[0]["state"] == "closed"
    assert len(host.issues) == 1
