"""One issue a tenant: opened, written anew, closed; what nobody could look at is left as it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from reconciler.core.action import Verb
from reconciler.core.model import Address
from reconciler.core.plan import Plan, Status, Waiting
from reconciler.core.report import Report, State, TenantReport, Trouble
from reconciler.render import PLAN, REPORT, Options
from tests.cli.place import Ran, run
from tests.render import makers
from tests.workflows.hosts import Host, serving


@pytest.fixture(params=["github", "gitlab"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    with serving(Host(kind=request.param)) as made:
        yield made


def text(issue: dict[str, Any]) -> str:
    return str(issue.get("body") or issue.get("description"))


def states(host: Host) -> list[str]:
    return [issue["state"].removesuffix("ed") for issue in host.issues]


def drift(folder: Path, host: Host, *plans: Plan, told: object = None) -> Ran:
    document = json.loads(PLAN["json"](makers.run(*plans), Options()))
    if told is not None:
        document["tenants"][0]["drift"] = told
    (folder / "drift.json").write_text(json.dumps(document), encoding="utf-8")
    done = run(folder, "issues --plan drift.json", host.env)
    assert done.code == 0, done.err
    return done


def test_one_is_opened_written_anew_closed_and_opened_again(tmp_path: Path, host: Host) -> None:
    drift(tmp_path, host, makers.acme(), makers.in_sync("calm"))
    drift(tmp_path, host, replace(makers.acme(), begun=1), makers.in_sync("calm"))
    assert (len(host.issues), states(host)) == (1, ["open"])
    assert "reconciler plan --tenant acme" in text(host.issues[0])
    assert replace(makers.acme(), begun=1).digest in text(host.issues[0])

    drift(tmp_path, host, makers.in_sync("acme"))
    assert states(host) == ["clos"]
    assert "is as its manifest says" in text(host.issues[0])

    drift(tmp_path, host, makers.acme())
    assert (len(host.issues), states(host)) == (1, ["open"])


def test_one_that_a_person_closed_stays_closed_until_something_else_changes(
    tmp_path: Path, host: Host
) -> None:
    drift(tmp_path, host, makers.acme())
    host.issues[0]["state"] = "closed"

    drift(tmp_path, host, makers.acme())
    assert states(host) == ["clos"]
    drift(tmp_path, host, replace(makers.acme(), begun=7))
    assert states(host) == ["open"]


def test_what_could_not_be_looked_at_or_is_on_hold_keeps_its_issue(tmp_path: Path, host: Host) -> None:
    drift(tmp_path, host, makers.acme())
    before = text(host.issues[0])

    drift(tmp_path, host, replace(makers.broken(), tenant="acme"), makers.broken())
    drift(tmp_path, host, replace(makers.in_sync("acme"), hold="incident 812"), makers.beta())

    assert (len(host.issues), text(host.issues[0])) == (1, before)


def test_a_person_s_issue_and_another_workspace_s_are_left_alone(tmp_path: Path, host: Host) -> None:
    host.file("<!-- reconciler:drift:reconciler.yaml:acme -->\nquoted", ours=False)
    host.file("<!-- reconciler:drift:eu/reconciler.yaml:acme -->\nelsewhere")
    for number in range(120):
        host.file(f"<!-- reconciler:drift:reconciler.yaml:other-{number} -->\n", is_open=False)

    drift(tmp_path, host, makers.acme())
    drift(tmp_path, host, makers.acme())

    assert [text(issue).partition("\n")[2] for issue in host.issues[:2]] == ["quoted", "elsewhere"]
    assert len(host.issues) == 123


def test_what_waits_for_a_person_keeps_its_issue_and_what_the_provider_delivers_does_not(
    tmp_path: Path, host: Host
) -> None:
    drift(tmp_path, host, waiting("by-hand"))
    assert states(host) == ["open"]
    assert "A step waits for a person: `reconciler plan --tenant acme` shows" in text(host.issues[0])

    drift(tmp_path, host, waiting("pending"))
    assert states(host) == ["clos"]


def waiting(state: str) -> Plan:
    """A tenant with nothing to do but to wait."""
    one = Waiting(address=Address("group/office"), verb=Verb.ORDER, reason="asked for", state=state)
    return replace(makers.in_sync("acme"), pending=(one,))


def applied(folder: Path, host: Host, report: Report | None) -> Ran:
    file = folder / "report.json"
    file.unlink(missing_ok=True)
    if report is not None:
        file.write_text(REPORT["json"](report, Options()), encoding="utf-8")
    done = run(folder, "issues --report report.json", host.env)
    assert done.code == 0, done.err
    return done


def ended(state: State, name: str = "acme", *, error: Trouble | None = None, code: int = 3) -> Report:
    """An apply of one tenant that ended so."""
    actions = (makers.result(state),)
    tenant = TenantReport(tenant=name, status=Status.CHANGES, actions=actions, error=error, exit_code=code)
    return replace(makers.report(), tenants=(tenant,), exit_code=code)


def test_what_an_apply_left_to_a_person_gets_an_issue_that_drift_closes(tmp_path: Path, host: Host) -> None:
    first = applied(tmp_path, host, ended(State.FAILED))
    again = applied(tmp_path, host, ended(State.IN_DOUBT, code=8))

    assert ("acme: opened" in first.out, "acme: updated #1" in again.out) == (True, True)
    assert (len(host.issues), states(host)) == (1, ["open"])
    assert "**in doubt** " in text(host.issues[0])
    assert "`reconciler status acme` tells" in text(host.issues[0])
    drift(tmp_path, host, makers.in_sync("acme"))
    assert states(host) == ["clos"]
    assert "acme: reopened #1" in applied(tmp_path, host, ended(State.FAILED)).out


@pytest.mark.parametrize("state", [State.DONE, State.PENDING, State.NOT_STARTED])
def test_what_is_done_or_on_its_way_gets_no_issue(tmp_path: Path, host: Host, state: State) -> None:
    applied(tmp_path, host, ended(state, code=4))

    assert host.issues == []


def test_a_tenant_that_was_refused_gets_one_with_the_reason(tmp_path: Path, host: Host) -> None:
    held = Trouble(code="lease", message="somebody else applies acme")

    applied(tmp_path, host, ended(State.NOT_STARTED, error=held, code=7))

    assert "somebody else applies acme" in text(host.issues[0])


def test_a_run_that_did_not_come_to_its_tenants_gets_one_issue_until_a_later_one_did(
    tmp_path: Path, host: Host
) -> None:
    applied(tmp_path, host, None)
    assert "No report was written" in text(host.issues[0])
    assert "s/99)" in text(host.issues[0])  # the run's page, where its log is
    stopped = ended(State.NOT_STARTED, error=Trouble(code="guard", message="too much"), code=5)
    applied(tmp_path, host, stopped)
    assert (len(host.issues), states(host)) == (1, ["open"])
    assert "too much" in text(host.issues[0])

    done = applied(tmp_path, host, ended(State.DONE, code=0))

    assert "the run: closed #1" in done.out
    assert (len(host.issues), states(host)) == (1, ["clos"])
    applied(tmp_path, host, None)
    drift(tmp_path, host, makers.in_sync("acme"))
    assert (len(host.issues), states(host)) == (1, ["clos"])


def test_sixty_failed_tenants_are_told_in_part(tmp_path: Path, host: Host) -> None:
    every = tuple(ended(State.FAILED, f"t{number:03}").tenants[0] for number in range(60))

    done = applied(tmp_path, host, replace(ended(State.FAILED), tenants=every))

    assert len(host.issues) == 50
    assert "t059: not opened" in done.out


def test_either_a_plan_or_a_report_is_given(tmp_path: Path, host: Host) -> None:
    assert run(tmp_path, "issues", host.env).code == 64


def test_who_changed_it_is_told(tmp_path: Path, host: Host) -> None:
    told = [
        {"address": "group/office", "cause": "provider", "since": "2026-11-20T09:00:00Z"},
        {"address": "@all|<b>", "cause": "git"},
        *({"address": f"user/{number}", "cause": "unknown"} for number in range(30)),
        "nonsense",
    ]
    drift(tmp_path, host, makers.in_sync("acme"), told=told)

    said = text(host.issues[0])
    assert "- `group/office`: changed by somebody at the provider, as left on 2026-11-20\n" in said
    assert "- `@all|<b>`: changed by the manifest" in said
    assert "- and 13 more\n" in said


def test_a_hundred_tenants_are_told_in_two_runs(tmp_path: Path, host: Host) -> None:
    plans = [replace(makers.acme(), tenant=f"t{number:03}") for number in range(80)]

    first = drift(tmp_path, host, *plans)
    assert len(host.issues) == 50
    assert "t079: not opened" in first.out
    drift(tmp_path, host, *plans)
    assert len(host.issues) == 80


def test_a_platform_that_refuses_is_a_warning(tmp_path: Path, host: Host) -> None:
    host.moods = [("GET", (403, {"message": "Resource not accessible"}, {}))]

    done = drift(tmp_path, host, makers.acme())

    assert "No issues" in done.out + done.err
    assert "403 Resource not accessible" in done.out + done.err
    assert host.issues == []
