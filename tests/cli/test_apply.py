"""apply and resume as they are typed: consent, guards, reports, exit codes."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it publishes no types

from tests.cli.place import ACME, WORLD, Place

SCHEMAS = Path(__file__).parents[2] / "schemas"


@pytest.fixture
def more(place: Place) -> Place:
    """One seat and two subscriptions' seats more."""
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    place.edit("tenants/resell.yaml", "seats: 10", "seats: 12")
    return place


def states(report: Any) -> dict[str, str]:
    return {
        f"{tenant['tenant']} {action['address']}": action["state"]
        for tenant in report["tenants"]
        for action in tenant["actions"]
    }


def test_what_is_pending_exits_4_and_is_done_when_it_came(more: Place) -> None:
    done = more.run("apply --yes --wait 0 --format json")

    assert done.code == 4
    assert states(done.json) == {"acme group/office": "pending", "resell group/basic": "pending"}
    more.ok("sandbox advance 4h")
    assert more.run("resume").code == 0
    assert more.run("plan --detailed-exitcode").code == 0
    assert more.run("apply --yes").code == 0


def test_apply_waits_for_what_is_pending_as_long_as_it_may(more: Place) -> None:
    more.ok("sandbox set delay=0")

    assert more.run("apply --yes --wait 1m").code == 0


def test_the_report_has_the_fields_of_the_contract_and_is_valid_under_its_schema(more: Place) -> None:
    printed = more.run("apply --yes --wait 0 --report report.json --format json")
    saved = more.root / "report.json"
    report = json.loads(saved.read_text())
    tenant = report["tenants"][0]
    action = tenant["actions"][0]

    assert printed.json == report
    assert saved.stat().st_mode & 0o777 == 0o600
    assert list(report)[:7] == [
        "format_version", "kind", "digest", "started_at", "finished_at", "exit_code", "tenants"
    ]  # fmt: skip
    assert (report["format_version"], report["kind"], report["exit_code"]) == ("1.0", "report", 4)
    assert list(tenant)[:3] == ["tenant", "status", "actions"]
    assert list(action)[:9] == [
        "id", "verb", "address", "state", "ref", "error", "since", "due_by", "finished_at"
    ]  # fmt: skip
    assert (action["verb"], action["state"], action["error"]) == ("resize", "pending", None)
    assert re.fullmatch(r"\d+", action["ref"])
    assert action["since"] < action["due_by"]
    schema = json.loads((SCHEMAS / "report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(report)


def test_show_prints_a_saved_report_in_every_format(more: Place) -> None:
    more.run("apply --yes --wait 0 --report report.json")

    assert more.run("show report.json --format json").json["kind"] == "report"
    assert "Report: 2 pending." in more.run("show report.json").out
    assert more.run("show report.json --format markdown").out.startswith("## Licence report")
    assert more.run("show report.json --format html").out.lower().startswith("<!doctype html>")


def test_only_the_chosen_tenants_are_applied(more: Place) -> None:
    done = more.run("apply --yes --wait 0 --format json tenants/resell.yaml")

    assert states(done.json) == {"resell group/basic": "pending"}
    assert more.tenant("acme")["status"] == "changes"


def test_a_saved_plan_is_done_once(more: Place) -> None:
    more.run("plan --out plan.json")

    assert more.run("apply --plan plan.json --wait 0").code == 4
    before = more.effects()
    again = more.run("apply --plan plan.json --wait 0")

    assert again.code == 6
    assert re.search(r"applied already, \d{4}-\d\d-\d\d \d\d:\d\d UTC by \w+", again.err)
    assert more.effects() == before


def test_a_saved_plan_that_no_longer_fits_is_refused_before_the_first_call(more: Place) -> None:
    more.run("plan --out plan.json")
    before = more.effects()

    more.edit("tenants/acme.yaml", "seats: 3", "seats: 4")
    manifest = more.run("apply --plan plan.json --wait 0")
    more.edit("tenants/acme.yaml", "seats: 4", "seats: 3")
    more.ok("sandbox change quantity-changed 501 11")
    provider = more.run("apply --plan plan.json --wait 0")
    (more.root / "tenants/resell.yaml").unlink()
    removed = more.run("apply --plan plan.json --wait 0")

    assert (manifest.code, provider.code, removed.code) == (6, 6, 6)
    assert "acme" in manifest.err
    assert [row for row in more.effects() if row not in before and row["what"] != "interference"] == []


def test_a_saved_plan_does_its_own_tenants_and_no_others(more: Place) -> None:
    more.run("plan --out plan.json --tenant resell")

    done = more.run("apply --plan plan.json --wait 0 --format json")

    assert states(done.json) == {"resell group/basic": "pending"}


def test_a_plan_file_that_was_changed_is_not_the_one_that_was_approved(more: Place) -> None:
    more.run("plan --out plan.json")
    plan = json.loads((more.root / "plan.json").read_text())
    plan["tenants"][0]["actions"][0]["after"]["seats"] = 300
    more.write("plan.json", json.dumps(plan))

    done = more.run("apply --plan plan.json")

    assert done.code == 6
    assert "was changed after it was written" in done.err
    assert "was changed after it was written" in more.ok("show plan.json")


def test_a_price_above_the_saved_plans_stops_that_tenant_alone(more: Place) -> None:
    more.run("plan --out plan.json")
    text = (more.root / "plan.json").read_text()
    more.write("cheap.json", text.replace('"monthly": "10.50"', '"monthly": "10.49"'))

    dearer_now = more.run("apply --plan cheap.json --wait 0 --format json")
    assert dearer_now.code == 6
    assert states(dearer_now.json) == {"acme group/office": "not-started", "resell group/basic": "pending"}
    assert "10.50 EUR a month" in dearer_now.json["tenants"][0]["error"]["message"]


def test_a_price_below_the_saved_plans_is_no_reason_to_refuse(more: Place) -> None:
    more.run("plan --out plan.json")
    text = (more.root / "plan.json").read_text()
    more.write("dear.json", text.replace('"monthly": "10.50"', '"monthly": "10.51"'))

    assert more.run("apply --plan dear.json --wait 0").code == 4


def test_the_runs_digest_is_all_or_nothing(more: Place) -> None:
    digest = more.plan()["digest"]

    wrong = more.run(f"apply --wait 0 --approved sha256:{'0' * 64}")
    right = more.run(f"apply --wait 0 --approved {digest}")
    again = more.run(f"apply --wait 0 --approved {digest}")

    assert (wrong.code, right.code, again.code) == (6, 4, 6)


def test_digests_by_tenant_apply_these_tenants_and_refuse_a_stale_one_alone(more: Place) -> None:
    digests = {one["tenant"]: one["digest"] for one in more.plan()["tenants"]}

    one = more.run(f"apply --wait 0 --format json --approved resell={digests['resell']}")

    assert one.code == 4
    assert states(one.json) == {"acme group/office": "not-started", "resell group/basic": "pending"}
    stale = f"apply --wait 0 --format json --approved acme=sha256:{'0' * 64}"
    assert more.run(stale).code == 6
    assert more.run(f"apply --wait 0 --approved acme={digests['acme']}").code == 4


def test_a_stale_digest_of_one_tenant_does_not_hold_up_another(more: Place) -> None:
    digests = {one["tenant"]: one["digest"] for one in more.plan()["tenants"]}

    done = more.run(
        f"apply --wait 0 --format json --approved acme=sha256:{'0' * 64} --approved resell={digests['resell']}"
    )

    assert done.code == 6
    assert states(done.json) == {"acme group/office": "not-started", "resell group/basic": "pending"}


def test_a_digest_for_a_tenant_that_nobody_wrote_is_an_error(more: Place) -> None:
    assert more.run("apply --approved nobody=sha256:1").code == 1


def test_ten_to_twelve_to_ten_to_twelve_are_three_plans(place: Place) -> None:
    place.ok("sandbox set delay=0")
    digests = []
    for before, after in ((10, 12), (12, 10), (10, 12)):
        place.edit("tenants/resell.yaml", f"seats: {before}", f"seats: {after}")
        digests.append(place.plan()["digest"])
        assert place.run("apply --yes").code == 0

    assert len(set(digests)) == 3


def test_a_guard_stops_the_whole_run_before_the_first_call_and_is_lifted_once(more: Place) -> None:
    more.write(
        "reconciler.yaml",
        (more.root / "reconciler.yaml").read_text() + "policy: {max_seats_per_action: 1}\n",
    )
    before = more.effects()

    stopped = more.run("apply --yes --wait 0")

    assert stopped.code == 5
    assert "max_seats_per_action" in stopped.err
    assert "--allow max_seats_per_action=2" in stopped.err
    assert more.effects() == before
    assert more.run("apply --yes --wait 0 --allow max_seats_per_action=2").code == 4


def test_in_ci_a_new_journal_in_a_file_buys_nothing(more: Place) -> None:
    refused = more.run("apply --yes --wait 0", {"CI": "true"})

    assert refused.code == 1
    assert "--new-journal" in refused.err
    assert [row for row in more.effects() if "order" in row["what"]] == []
    assert more.run("apply --yes --wait 0 --new-journal", {"CI": "true"}).code == 4


def test_in_ci_a_refused_apply_makes_no_journal_that_would_pass_for_an_old_one(more: Place) -> None:
    for _ in range(2):
        assert more.run("apply --yes --wait 0", {"CI": "true"}).code == 1

    assert not (more.root / ".reconciler/journal.db").exists()


def test_in_ci_an_apply_that_buys_nothing_may_make_its_journal(place: Place) -> None:
    assert place.run("apply --yes", {"CI": "true"}).code == 0

    assert (place.root / ".reconciler/journal.db").exists()


def test_in_ci_a_journal_that_a_variable_names_is_judged_by_what_it_is(more: Place) -> None:
    more.edit("reconciler.yaml", "version: 1", "version: 1\njournal: env://SOME_JOURNAL")

    done = more.run("apply --yes --wait 0", {"CI": "true", "SOME_JOURNAL": "sqlite:///.reconciler/ci.db"})

    assert done.code == 1
    assert "--new-journal" in done.err


def test_a_failed_action_exits_3_and_the_others_went_on(more: Place) -> None:
    more.ok("sandbox set delay=0")
    more.ok("sandbox fault task-error --path '/saas/csp2/*'")

    done = more.run("apply --yes --wait 1m --format json")
    failed = done.json["tenants"][1]["actions"][0]

    assert done.code == 3
    assert states(done.json) == {"acme group/office": "done", "resell group/basic": "failed"}
    assert list(failed["error"]) == ["code", "message"]


def test_a_tenant_on_hold_is_not_applied_and_leaves_the_exit_code_untouched(more: Place) -> None:
    for name in ("acme", "resell"):
        more.edit(f"tenants/{name}.yaml", f"tenant: {name}", f'tenant: {name}\nhold: "incident 812"')
    before = more.effects()

    done = more.run("apply --yes --wait 0")

    assert done.code == 0
    assert more.effects() == before


def test_resume_without_anything_open_exits_0(place: Place) -> None:
    assert place.run("resume").code == 0


def test_at_a_terminal_the_plan_is_shown_and_a_person_asked(more: Place) -> None:
    before = more.effects()

    declined, shown = more.at_terminal("apply --wait 0", b"n\n")

    assert declined == 1
    assert "2 -> 3 seats" in shown
    assert "Do this? [y/N]" in shown
    assert more.effects() == before
    agreed, _ = more.at_terminal("apply --wait 0", b"y\n")
    assert agreed == 4


def test_a_tenant_whose_approval_is_stale_is_owed_until_an_apply_ends_well(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    assert place.run(f"apply --approved acme=sha256:{'1' * 64} --wait 0").code == 6

    assert "owed: plan 111111111111 was approved" in place.ok("status acme")


@pytest.mark.parametrize("digest", ["garbage", "acme=garbage", "=sha256:1", "sha256:"])
def test_what_is_no_digest_cannot_be_approved(more: Place, digest: str) -> None:
    done = more.run(f"apply --approved {digest}")

    assert done.code == 64
    assert "sha256:DIGEST, or TENANT=sha256:DIGEST" in done.err


def test_an_approval_of_another_plan_is_refused_although_nothing_is_left_to_do(place: Place) -> None:
    place.world(WORLD)
    place.ok("apply --yes")

    done = place.run(f"apply --approved acme=sha256:{'0' * 64}")

    assert done.code == 6
    assert "was approved, but the plan is now" in done.out + done.err


def test_an_apply_names_what_it_waits_for(place: Place) -> None:
    place.world(
        WORLD + "orders:\n  - {licence: business, quantity: 3, service: acme.o365.ovh.com, age: 2h}\n"
    )

    done = place.run("apply --yes --tenant acme")

    assert done.code == 4
    assert "pending: group/office: order" in done.out


LIMIT = "policy: {max_seats_per_action: 1}\n"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("apply --yes", 5),
        ("apply --approved sha256:0123", 6),
        ("apply --yes --journal postgresql://nobody@127.0.0.1:1/none", 1),
        ("apply", 64),
    ],
)
def test_a_run_that_is_refused_leaves_a_report_too(more: Place, line: str, code: int) -> None:
    more.write("reconciler.yaml", (more.root / "reconciler.yaml").read_text() + LIMIT)

    done = more.run(f"{line} --report out/report.json")

    report = json.loads((more.root / "out" / "report.json").read_text())
    schema = json.loads((SCHEMAS / "report.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(report)
    assert (done.code, report["exit_code"]) == (code, code)
    assert done.err.splitlines()[0].removeprefix("error: ") in report["notes"][0]
    assert "refused: " in more.ok("show out/report.json")
    assert more.effects() == []


def test_the_report_of_a_refused_run_says_of_each_action_that_it_was_not_begun(more: Place) -> None:
    more.write("reconciler.yaml", (more.root / "reconciler.yaml").read_text() + LIMIT)

    more.run("apply --yes --report report.json")

    report = json.loads((more.root / "report.json").read_text())
    assert states(report) == {"acme group/office": "not-started", "resell group/basic": "not-started"}
    assert report["digest"] == more.plan()["digest"]


def test_a_run_that_cannot_be_made_leaves_a_report_too(more: Place) -> None:
    more.edit("tenants/acme.yaml", "seats: 3", 'seats: "3"')

    for command in ("apply --yes", "resume"):
        assert more.run(f"{command} --report {command[0]}.json").code == 1
        assert json.loads((more.root / f"{command[0]}.json").read_text())["exit_code"] == 1


def test_nothing_is_sent_when_the_report_cannot_be_written(more: Place) -> None:
    more.write("file", "")

    done = more.run("apply --yes --report file/report.json")

    assert (done.code, more.effects()) == (1, [])
    assert "file/report.json: cannot be written" in done.err


def test_a_stale_plan_weighs_more_than_a_guard(more: Place) -> None:
    more.run("plan --out plan.json")
    more.write("reconciler.yaml", (more.root / "reconciler.yaml").read_text() + LIMIT)
    digest = more.plan()["digest"]
    more.edit("tenants/acme.yaml", "seats: 3", "seats: 9")

    assert more.run("apply --plan plan.json").code == 6
    assert more.run(f"apply --approved {digest}").code == 6
    assert more.run("apply --approved acme=sha256:0123").code == 6
    assert more.run("apply --yes").code == 5
    assert more.effects() == []


def test_an_approved_digest_that_is_spent_says_when_and_by_whom(more: Place) -> None:
    planned = more.plan()
    digest = planned["digest"]
    acme = next(one["digest"] for one in planned["tenants"] if one["tenant"] == "acme")
    assert more.run(f"apply --approved {digest} --wait 0").code == 4

    again = more.run(f"apply --approved {digest} --wait 0")
    more.ok("sandbox advance 4h")
    assert more.run("resume").code == 0
    more.edit("tenants/acme.yaml", "seats: 3", "seats: 4")
    alone = more.run(f"apply --approved acme={acme} --wait 0")

    assert (again.code, alone.code) == (6, 6)
    for said in (again.err, alone.out):
        assert re.search(r"applied already, \d{4}-\d\d-\d\d \d\d:\d\d UTC by \w+", said)


def test_guards_count_only_what_is_approved(more: Place) -> None:
    more.write(
        "reconciler.yaml",
        (more.root / "reconciler.yaml").read_text() + "policy: {max_tenants_changed: 1}\n",
    )
    shown = more.run("plan --format json")
    acme, resell = (one["digest"] for one in shown.json["tenants"])

    both = more.run(f"apply --approved acme={acme} --approved resell={resell} --wait 0")
    alone = more.run(f"apply --approved resell={resell} --wait 0 --format json")

    assert (shown.code, both.code, alone.code) == (5, 5, 4)
    assert states(alone.json) == {"acme group/office": "not-started", "resell group/basic": "pending"}


def test_a_tenant_changes_its_provider_only_when_nothing_is_under_way_with_the_old_one(acme: Place) -> None:
    payg = "payg: [{service: group7.o365.ovh.com}]\n"
    acme.world("prepaid: [{service: acme.o365.ovh.com, seats: [{licence: business, empty: 2}]}]\n" + payg)
    groups = ACME.partition("users:")[0].replace("seats: 2", "seats: 3")
    acme.write("tenants/acme.yaml", groups)
    assert acme.run("apply --yes --wait 0").code == 4
    moved = "version: 1\ntenant: acme\nprovider: ovh-payg\naccount: ovh-main\nservice: group7.o365.ovh.com\n"
    acme.write("tenants/acme.yaml", moved + "license_groups: [{name: office, product: business}]\n")

    planned = acme.tenant()
    ran = [acme.run(f"{line} --wait 0 --report report.json") for line in ("resume", "apply --yes")]

    assert planned["status"] == "error"
    assert [one.code for one in ran] == [3, 3]
    for one in ran:
        assert "was begun with `provider: ovh-prepaid`" in " ".join(one.out.split())
    (said,) = json.loads((acme.root / "report.json").read_text())["tenants"]
    assert said["error"]["code"] == "elsewhere"
    acme.write("tenants/acme.yaml", groups)
    acme.ok("sandbox advance 1h")
    acme.ok("apply --yes")
    assert [one["what"] for one in acme.effects()].count("order-placed") == 1


@pytest.mark.parametrize(
    ("line", "code"),
    [("--yes", "guard"), (f"--approved sha256:{'1' * 64}", "stale")],
)
def test_a_report_says_by_a_word_of_its_own_why_nothing_was_begun(more: Place, line: str, code: str) -> None:
    more.edit("reconciler.yaml", "version: 1\n", "version: 1\npolicy: {max_tenants_changed: 1}\n")

    more.run(f"apply {line} --wait 0 --report report.json")

    told = json.loads((more.root / "report.json").read_text())["tenants"]
    assert {one["error"]["code"] for one in told} == {code}
    assert {action["error"]["code"] for one in told for action in one["actions"]} == {code}


def test_a_resume_does_not_say_of_a_tenant_on_hold_that_it_is_in_sync(more: Place) -> None:
    assert more.run("apply --yes --wait 0").code == 4
    more.edit("tenants/acme.yaml", "tenant: acme\n", "tenant: acme\nhold: incident\n")

    done = more.run("resume --tenant acme --wait 0 --report report.json")

    (told,) = json.loads((more.root / "report.json").read_text())["tenants"]
    assert done.code == 0
    assert told["status"] == "pending"
