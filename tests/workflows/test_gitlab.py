"""Every `script:` of what `init --ci gitlab` writes, executed: branch, plan, merge, apply, resume, drift."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.workflows.gitlab import OWN, Gitlab, Pipeline
from tests.workflows.hosts import Host, serving
from tests.workflows.town import Town, town

pytestmark = pytest.mark.unmeasured

MORE = ("seats: 2", "seats: 3")
REVIEWED = frozenset({"licences-apply-reviewed"})


@pytest.fixture
def here(tmp_path: Path) -> Town:
    return town(tmp_path, "gitlab")


@pytest.fixture
def host() -> Iterator[Host]:
    with serving(Host(kind="gitlab", limit=1_000_000)) as made:
        yield made


@pytest.fixture
def gitlab(here: Town, host: Host, tmp_path: Path) -> Gitlab:
    env = {**host.pushed, "CI_DEFAULT_BRANCH": "main"}
    return Gitlab(origin=here.origin, folder=tmp_path / "jobs", sandbox=here.sandbox, env=env)


def requested(gitlab: Gitlab, here: Town, *, source: str = "12") -> Pipeline:
    event = {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source,
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": here.sha("main"),
    }
    return gitlab.run(event, head="change")


def pushed(gitlab: Gitlab, *, started: frozenset[str] = frozenset()) -> Pipeline:
    return gitlab.run({"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}, started=started)


def scheduled(gitlab: Gitlab, what: str) -> Pipeline:
    event = {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "main", "LICENCES": what}
    return gitlab.run(event)


def test_it_fits_gitlab_s_schema(here: Town) -> None:
    done = subprocess.run(
        [
            Path(sys.executable).parent / "check-jsonschema",
            "--builtin-schema",
            "vendor.gitlab-ci",
            here.origin / ".gitlab-ci.yml",
        ],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_from_a_branch_to_an_issue_for_drift(gitlab: Gitlab, here: Town, host: Host) -> None:
    here.change(*MORE)

    plan = requested(gitlab, here)

    assert plan.results == dict.fromkeys(
        ("licences-validate", "licences-plan", "licences-comment"), "success"
    ), plan.output
    assert json.loads((gitlab.folder / "licences-plan-terraform").read_text(encoding="utf-8"))["update"] == 1
    assert json.loads((gitlab.folder / "licences-plan-codequality").read_text(encoding="utf-8")) == []
    [note] = host.bodies()
    assert "## Licence plan" in note

    here.merge()
    drifted = scheduled(gitlab, "drift")
    assert set(drifted.results.values()) == {"success"}, drifted.output
    assert [issue["state"] for issue in host.issues] == ["opened"]

    waiting = pushed(gitlab)
    assert waiting.results["licences-apply-reviewed"] == "manual"
    assert waiting.results["licences-report-reviewed"] == "skipped"
    assert "licences-apply-reviewed, because it raises the monthly bill" in waiting.output
    assert "order" not in here.reconciler("sandbox", "ledger")

    applied = pushed(gitlab, started=REVIEWED)
    assert set(applied.results.values()) == {"success"}, applied.output
    assert "order" in here.reconciler("sandbox", "ledger")
    assert host.bodies()[-1].startswith("<!-- reconciler:report:")

    here.reconciler("sandbox", "advance", "4h")
    resumed = scheduled(gitlab, "resume")
    expected = {"licences-resume": "success", "licences-resume-issues": "skipped"}
    assert resumed.results == expected, resumed.output
    assert "status=done" in resumed.output
    scheduled(gitlab, "drift")
    assert [issue["state"] for issue in host.issues] == ["closed"]

    every = yaml.safe_load((here.origin / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    said = "".join(run.output for run in (plan, drifted, waiting, applied, resumed))
    lines = [
        line
        for name, job in every.items()
        if name not in OWN and not name.startswith(".")
        for line in (*job["script"], *job.get("after_script", ()))
    ]
    assert lines
    assert [line for line in lines if line not in said] == []


def test_what_needs_no_look_is_applied_at_once_and_told(gitlab: Gitlab, here: Town, host: Host) -> None:
    here.change(*MORE)
    here.merge()
    gitlab.env = {**gitlab.env, "RECONCILER_AUTO_BELOW": "1000"}

    applied = pushed(gitlab)

    assert applied.results["licences-apply"] == "success", applied.output
    assert "order" in here.reconciler("sandbox", "ledger")
    assert host.bodies()[0].startswith("<!-- reconciler:report:")


def test_a_request_from_a_fork_is_validated_alone(gitlab: Gitlab, here: Town, host: Host) -> None:
    here.change(*MORE)

    assert requested(gitlab, here, source="99").results == {"licences-validate": "success"}
    assert host.remarks == []


def test_a_plan_that_a_guard_stops_is_told_and_the_pipeline_is_red(
    gitlab: Gitlab, here: Town, host: Host
) -> None:
    here.change("seats: 2", "seats: 250")

    result = requested(gitlab, here)

    assert (result.results["licences-plan"], result.results["licences-comment"]) == ("failed", "success")
    assert "max\\_seats\\_per\\_action" in host.bodies()[0]


def test_what_could_not_be_planned_makes_it_red(gitlab: Gitlab, here: Town) -> None:
    here.reconciler("sandbox", "fault", "add", "error-before", "--path", "*contoso*", "--times", "99")

    result = pushed(gitlab)

    assert result.results["licences-plan-again"] == "success", result.output
    assert result.results["licences-planned"] == "failed"


def test_what_was_started_by_hand_and_failed_is_told_and_the_pipeline_is_red(
    gitlab: Gitlab, here: Town, host: Host
) -> None:
    here.merge_what_fails(*MORE)

    failed = pushed(gitlab, started=REVIEWED)

    assert failed.results["licences-apply-reviewed"] == "warning", failed.output
    assert failed.results["licences-report-reviewed"] == "failed"
    assert "**failed** `acme` " in host.bodies()[0]
    assert [issue["state"] for issue in host.issues] == ["opened"]


def test_a_merge_that_a_guard_stops_is_told_on_its_request_and_in_one_issue(
    gitlab: Gitlab, here: Town, host: Host
) -> None:
    here.change("seats: 2", "seats: 250")
    here.merge()

    stopped = pushed(gitlab)

    assert stopped.results["licences-plan-again"] == "failed"
    assert stopped.results["licences-report"] == "success", stopped.output
    assert "max\\_seats\\_per\\_action" in host.bodies()[0]
    assert [issue["state"] for issue in host.issues] == ["opened"]


def test_an_order_that_is_cancelled_on_its_way_leaves_an_issue(
    gitlab: Gitlab, here: Town, host: Host
) -> None:
    here.change(*MORE)
    here.merge()
    here.reconciler("sandbox", "fault", "add", "order-cancelled")
    pushed(gitlab, started=REVIEWED)
    here.reconciler("sandbox", "advance", "4h")

    resumed = scheduled(gitlab, "resume")

    assert resumed.results == {"licences-resume": "failed", "licences-resume-issues": "success"}
    assert "cancelled" in host.issues[0]["description"]
