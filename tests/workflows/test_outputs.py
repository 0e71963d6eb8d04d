"""What a CI is handed: a page, values on one line each, ten remarks beside the lines, and when a person should look."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from reconciler.cli.danger import dangers
from reconciler.core.action import Verb
from reconciler.core.plan import Run
from reconciler.render import PLAN, REPORT, Options
from tests.cli.place import Ran, run
from tests.render import makers


def saved(folder: Path, value: Run) -> None:
    (folder / "plan.json").write_text(PLAN["json"](value, Options()), encoding="utf-8")


def values(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "::" not in line.partition("=")[0])


def outputs(folder: Path, line: str = "--plan plan.json", **env: str) -> Ran:
    done = run(folder, f"outputs {line}", env)
    assert done.code == 0, done.err
    return done


def test_the_values_of_a_plan(tmp_path: Path) -> None:
    plan = makers.acme()
    saved(tmp_path, makers.run(plan, makers.beta(), makers.in_sync("calm")))

    made = values(outputs(tmp_path).out)

    assert made["status"] == "in_doubt"
    assert made["exit_code"] == "4"  # beta, which is in doubt, is on hold
    assert (made["changes"], made["review"]) == ("true", "true")
    assert made["digests"] == made["approved"] == f"acme={plan.digest}"  # beta is on hold
    assert made["monthly_change"] == "282.00 EUR"
    assert (made["order"], made["cancel"], made["by_hand"], made["pending"]) == ("1", "1", "1", "2")


def test_a_plan_that_a_guard_stops_has_nothing_to_apply(tmp_path: Path) -> None:
    saved(tmp_path, makers.everything())

    made = values(outputs(tmp_path).out)

    assert (made["status"], made["changes"], made["exit_code"]) == ("stopped", "false", "5")
    assert made["errors"] == "1"


def test_the_values_of_a_report(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(REPORT["json"](makers.report(), Options()), encoding="utf-8")

    made = values(outputs(tmp_path, "--report report.json").out)

    assert (made["status"], made["exit_code"], made["errors"]) == ("in_doubt", "8", "1")
    assert (made["done"], made["failed"], made["by_hand"], made["not_started"]) == ("1", "1", "2", "1")


def test_a_file_that_is_not_there_is_told_as_missing(tmp_path: Path) -> None:
    made = values(outputs(tmp_path, "--plan nowhere.json").out)

    assert made == {
        "kind": "plan",
        "status": "missing",
        "exit_code": "1",
        "changes": "false",
        "review": "true",
    }


def test_github_gets_its_summary_and_its_outputs_and_what_was_there_stays(tmp_path: Path) -> None:
    saved(tmp_path, makers.everything())
    (tmp_path / "summary").write_text("before\n", encoding="utf-8")

    done = outputs(tmp_path, GITHUB_STEP_SUMMARY="summary", GITHUB_OUTPUT="output", GITHUB_ACTIONS="true")

    assert (tmp_path / "summary").read_text(encoding="utf-8").startswith("before\n## Licence plan\n")
    assert values((tmp_path / "output").read_text(encoding="utf-8")) == values(done.out)


def test_remarks_stand_beside_their_lines_the_worst_first(tmp_path: Path) -> None:
    saved(tmp_path, makers.everything())

    lines = [line for line in outputs(tmp_path, GITHUB_ACTIONS="true").out.splitlines() if line[:2] == "::"]

    assert lines[0].startswith("::error title=max_monthly_increase::")
    assert "::error file=tenants/acme.yaml,line=30,col=5,title=blocked::acme group/lab: " in "\n".join(lines)
    levels = [line.split()[0] for line in lines]
    assert levels == sorted(levels, key=["::error", "::warning", "::notice"].index)
    assert {"::error", "::warning", "::notice"} == set(levels)


def test_no_more_than_ten_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    blocked = makers.acme().blocked[0]
    many = tuple(replace(blocked, address=f"group/{number}") for number in range(30))
    saved(tmp_path, makers.run(replace(makers.acme(), blocked=many)))

    done = outputs(tmp_path, GITHUB_ACTIONS="true")

    lines = [line for line in done.out.splitlines() if line.startswith("::")]
    assert len(lines) == 10
    assert "(and 23 more, see the log)" in lines[-1]


def test_a_name_cannot_speak_to_the_runner(tmp_path: Path) -> None:
    evil = "x\n::set-output name=changes::true\nreview=false"
    plan = replace(makers.acme(), tenant=evil, error=None)
    plan = replace(plan, blocked=(replace(plan.blocked[0], address=evil, reason=evil),))
    saved(tmp_path, makers.run(plan))

    done = outputs(tmp_path, "--plan plan.json", GITHUB_ACTIONS="true", GITHUB_OUTPUT="output")

    assert not [line for line in done.out.splitlines() if line.startswith(("::set-output", "review=false"))]
    written = (tmp_path / "output").read_text(encoding="utf-8")
    assert "\nreview=false" not in written
    assert len(written.splitlines()) == len(values(written))


def test_gitlab_gets_its_files(tmp_path: Path) -> None:
    saved(tmp_path, makers.everything())

    outputs(
        tmp_path,
        "--plan plan.json -q --dotenv a.env --widget w.json --code-quality q.json --approved-into approved.txt",
    )

    assert json.loads((tmp_path / "w.json").read_text()) == {"create": 1, "update": 4, "delete": 2}
    dotenv = (tmp_path / "a.env").read_text(encoding="utf-8")
    assert "LICENCES_STATUS=stopped\n" in dotenv
    assert "sha256:" in dotenv
    assert "APPROVED" not in dotenv
    found = json.loads((tmp_path / "q.json").read_text(encoding="utf-8"))
    assert {one["severity"] for one in found} == {"major", "minor", "info"}
    assert len({one["fingerprint"] for one in found}) == len(found)
    assert {one["location"]["path"] for one in found} == {"tenants/acme.yaml", "reconciler.yaml"}
    assert (tmp_path / "approved.txt").read_text(encoding="utf-8").startswith("acme=sha256:")


def test_too_many_digests_for_one_variable_become_the_digest_of_the_run(tmp_path: Path) -> None:
    plans = [replace(makers.acme(), tenant=f"t{number:04}") for number in range(1500)]
    every = makers.run(*plans)
    saved(tmp_path, every)

    made = values(outputs(tmp_path).out)

    assert made["approved"] == every.digest
    assert len(made["digests"].split()) == 1500


def test_what_is_no_amount_and_what_is_no_file_is_wrong_usage(tmp_path: Path) -> None:
    saved(tmp_path, makers.run(makers.acme()))

    for text in ("much", "-1", "NaN", "Infinity"):
        assert run(tmp_path, f"outputs --plan plan.json --auto-below={text}").code == 64
    assert run(tmp_path, "outputs").code == 64
    assert run(tmp_path, "outputs --plan plan.json", {"GITHUB_OUTPUT": "/nowhere/at/all"}).code == 1


QUIET = replace(makers.resize(), price=makers.euro("20.00"))


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (QUIET, ""),
        (replace(QUIET, verb=Verb.ACTIVATE, price=None), ""),
        (replace(QUIET, verb=Verb.UPDATE, price=None), ""),
        (replace(QUIET, price=makers.euro("20.01")), "raises the monthly bill"),
        (replace(QUIET, price=makers.euro("1.00", "5.00")), "paid for once"),
        (replace(QUIET, price=None), "nobody knows what"),
        (replace(QUIET, before={"seats": 20}), "takes seats away"),
        (replace(QUIET, verb=Verb.CANCEL, scheduled_for=date(2027, 1, 1)), "cancels"),
        (replace(QUIET, verb=Verb.DEACTIVATE), "takes a licence"),
        (replace(QUIET, verb=Verb.DELETE_USER), "deletes a person"),
    ],
)
def test_a_person_should_look_at_what_takes_away_or_costs(action: object, why: str) -> None:
    plan = replace(makers.in_sync("acme"), actions=(action,))

    found = dangers(makers.run(plan), free_rise=Decimal(20))

    assert bool(found) == bool(why)
    assert why in "; ".join(found)


def test_a_tenant_on_hold_is_no_danger() -> None:
    plan = replace(
        makers.acme(), hold="incident 812", actions=(replace(QUIET, verb=Verb.CANCEL, price=None),)
    )

    assert dangers(makers.run(plan), free_rise=Decimal(0)) == ()
