"""plan, drift and show as they are typed."""

import json
import re
import shutil
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped] # it publishes no types

from tests.cli.place import WORLD, Place

SCHEMAS = Path(__file__).parents[2] / "schemas"

TOP = ["format_version", "kind", "tool_version", "created_at", "digest", "tenants", "summary", "cost"]
TENANT = [
    "tenant", "provider", "status", "digest", "actions", "pending", "blocked", "unmanaged", "leaving",
    "findings",
]  # fmt: skip
ACTION = [
    "id", "verb", "address", "summary", "before", "after", "fields", "needs", "how", "repeatable", "reason",
    "source", "price", "scheduled_for", "reversible_until", "instructions",
]  # fmt: skip
SUMMARY = [
    "order", "resize", "activate", "update", "deactivate", "create-user", "delete-user", "schedule", "cancel",
    "scheduled", "by_hand", "pending", "blocked", "tenants",
]  # fmt: skip


@pytest.fixture
def more(place: Place) -> Place:
    """Two more seats, one of them for somebody new."""
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 4")
    return place


def subset(keys: list[str], of: list[str]) -> list[str]:
    return [key for key in of if key in keys]


def test_nothing_to_do_is_said_and_exits_0_in_every_way(place: Place) -> None:
    done = place.run("plan --detailed-exitcode")

    assert done.code == 0
    assert done.out.endswith("No changes. Everything is as the manifests say.\n")


def test_changes_exit_0_and_2_when_asked_in_detail(more: Place) -> None:
    assert more.run("plan").code == 0
    assert more.run("plan --detailed-exitcode").code == 2
    assert more.run("drift --detailed-exitcode").code == 2


def test_the_plan_in_json_has_the_fields_of_the_contract_in_their_order(more: Place) -> None:
    plan = more.plan()
    acme, action = plan["tenants"][0], plan["tenants"][0]["actions"][0]

    assert subset(TOP, list(plan)) == TOP
    assert subset(TENANT, list(acme)) == TENANT
    assert subset(ACTION, list(action)) == ACTION
    assert list(plan["summary"]) == SUMMARY
    assert list(plan["summary"]["tenants"]) == [
        "in_sync",
        "changes",
        "pending",
        "blocked",
        "in_doubt",
        "error",
    ]


def test_the_plan_in_json_says_what_the_contract_says(more: Place) -> None:
    plan = more.plan()
    acme, action = plan["tenants"][0], plan["tenants"][0]["actions"][0]

    assert (plan["format_version"], plan["kind"]) == ("1.0", "plan")
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", plan["digest"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", plan["created_at"])
    assert (acme["tenant"], acme["provider"], acme["status"]) == ("acme", "ovh-prepaid", "changes")
    assert {key: action[key] for key in ACTION if key not in {"id", "needs", "repeatable"}} == {
        "verb": "resize",
        "address": "group/office",
        "summary": "2 -> 4 seats",
        "before": {"seats": 2},
        "after": {"seats": 4},
        "fields": [{"field": "seats", "before": 2, "after": 4}],
        "how": "api",
        "reason": "manifest asks for 4 seats",
        "source": {"file": "tenants/acme.yaml", "line": 6, "column": 46},
        "price": {
            "monthly": "21.00",
            "one_off": "0.00",
            "currency": "EUR",
            "source": action["price"]["source"],
        },
        "scheduled_for": None,
        "reversible_until": None,
        "instructions": None,
    }
    assert [list(one) for one in action["contracts"]] == [["name", "url"]] * len(action["contracts"])
    assert plan["summary"]["resize"] == 1
    assert plan["summary"]["tenants"] == {
        "in_sync": 1, "changes": 1, "pending": 0, "blocked": 0, "in_doubt": 0, "error": 0
    }  # fmt: skip
    assert plan["cost"] == [{"currency": "EUR", "monthly_change": "21.00", "unknown": 0}]


def test_the_plan_in_json_is_valid_under_its_schema(more: Place) -> None:
    more.run("apply --yes --wait 0")  # so that something is pending
    more.edit("tenants/resell.yaml", "seats: 10", "seats: 12")
    schema = json.loads((SCHEMAS / "plan.schema.json").read_text(encoding="utf-8"))

    plan = more.plan()

    assert plan["summary"]["pending"] == 1
    Draft202012Validator(schema).validate(plan)


def test_the_same_manifests_against_the_same_world_give_the_same_digest(more: Place) -> None:
    text = (more.root / "tenants/acme.yaml").read_text(encoding="utf-8")
    first = more.plan()

    head, _, users = text.partition("users:")
    more.write("tenants/acme.yaml", f"# moved\n{head.replace('version: 1', '')}users:{users}version: 1\n")

    assert more.plan()["digest"] == first["digest"]
    assert more.plan("--tenant acme")["digest"] == first["digest"]
    more.edit("tenants/acme.yaml", "seats: 4", "seats: 5")
    assert more.plan()["digest"] != first["digest"]


def test_out_and_json_into_save_the_plan_for_its_owner_alone_beside_what_is_printed(more: Place) -> None:
    done = more.run("plan --out plan.json --json-into again.json --format markdown")

    saved = [json.loads((more.root / name).read_text()) for name in ("plan.json", "again.json")]
    assert saved[0] == saved[1]
    assert saved[0]["kind"] == "plan"
    assert done.out.startswith("## Licence plan")
    assert (more.root / "plan.json").stat().st_mode & 0o777 == 0o600


def test_the_next_command_is_printed_with_what_was_selected(more: Place) -> None:
    digest = more.plan()["digest"]

    assert f"Next: reconciler apply --approved {digest}\n" in more.run("plan").out
    assert f"Next: reconciler apply --tenant acme --approved {digest}\n" in more.run("plan --tenant acme").out
    assert "Next: reconciler apply --plan 'a plan.json'\n" in more.run("plan --out 'a plan.json'").out


@pytest.mark.parametrize(
    ("form", "start"),
    [("text", "Note: "), ("markdown", "## Licence plan"), ("json", "{\n")],
)
def test_show_prints_a_saved_plan_as_plan_printed_it_in_every_format(
    more: Place, form: str, start: str
) -> None:
    printed = more.run(f"plan --out plan.json --format {form}").out

    shown = more.run(f"show plan.json --format {form}")

    assert shown.code == 0
    assert shown.out.lower().startswith(start.lower())
    assert shown.out.replace("&#39;", "'") == printed.replace("&#39;", "'")


def test_a_saved_plan_as_a_page_lacks_only_what_no_plan_file_holds(more: Place) -> None:
    printed = more.run("plan --out plan.json --format html").out

    shown = more.run("show plan.json --format html").out

    digest = json.loads((more.root / "plan.json").read_text())["digest"]
    assert digest in printed
    assert digest in shown
    assert '<section id="renewals"' in printed
    assert '<section id="seats"' in printed
    assert '<section id="renewals"' not in shown
    assert '<section id="seats"' not in shown


def test_show_refuses_what_is_no_plan_and_what_another_major_version_wrote(more: Place) -> None:
    more.run("plan --out plan.json")
    plan = json.loads((more.root / "plan.json").read_text())
    more.write("other.json", json.dumps({**plan, "format_version": "2.0"}))
    more.write("newer.json", json.dumps({**plan, "format_version": "1.7", "unheard_of": 1}))
    more.write("text.json", "no json")
    more.write("list.json", "[]")

    assert more.run("show newer.json").code == 0
    for name in ("other", "text", "list"):
        done = more.run(f"show {name}.json")
        assert (done.code, done.out) == (1, ""), name
        assert done.err.startswith("error: ")


def test_only_the_chosen_tenants_are_looked_at(more: Place) -> None:
    by_name = more.plan("--tenant resell")
    by_path = more.plan("tenants/resell.yaml")

    for plan in (by_name, by_path):
        assert [one["tenant"] for one in plan["tenants"]] == ["resell"]
        assert plan["summary"]["resize"] == 0
    assert "Not looked at: 1 tenant (not selected)" in more.run("plan --tenant resell").out


def test_a_plan_changes_nothing_at_the_provider_and_leaves_no_journal(more: Place) -> None:
    more.write("tenants/new.yaml", NEW)

    plan = more.plan()

    assert plan["summary"]["order"] == 1
    assert more.effects() == []
    assert not (more.root / ".reconciler/journal.db").exists()


NEW = """\
version: 1
tenant: new
provider: ovh-prepaid
account: ovh-main
license_groups:
  - {name: office, product: pro-plus, seats: 1}
"""


def test_a_plan_without_a_journal_says_so(more: Place) -> None:
    assert "there is no journal yet" in more.run("plan").out

    more.run("apply --yes --wait 0")

    assert "there is no journal yet" not in more.run("plan").out


def test_every_output_says_that_the_account_is_a_sandbox(more: Place) -> None:
    more.run("plan --out plan.json")
    report = "apply --yes --wait 0 --report report.json"

    for line in (
        "plan",
        "plan --format markdown",
        "plan --format html",
        "show plan.json",
        report,
        "status",
        "drift",
    ):
        assert "sandbox" in more.run(line).out.lower(), line


def test_what_cannot_be_read_is_an_error_of_its_tenant_and_the_others_are_planned(more: Place) -> None:
    more.ok("sandbox fault fail-list --path '/saas/csp2/*' --times 50")

    done = more.run("plan --format json")

    assert done.code == 3
    acme, resell = done.json["tenants"]
    assert (acme["status"], len(acme["actions"])) == ("changes", 1)
    assert (resell["status"], resell["actions"]) == ("error", [])
    assert done.json["summary"]["tenants"]["error"] == 1


def test_a_guard_that_would_stop_the_apply_exits_5_and_tells_how_to_lift_it_once(more: Place) -> None:
    more.write("reconciler.yaml", (more.root / "reconciler.yaml").read_text() + LIMIT)

    done = more.run("plan")

    assert done.code == 5
    assert "max_monthly_increase" in done.out
    assert "--allow max_monthly_increase=21.00" in done.out
    assert more.run("plan --allow max_monthly_increase=21.00").code == 0
    assert more.run("plan --allow max_monthly_increase=20.99").code == 5


LIMIT = 'policy:\n  max_monthly_increase: {amount: "10.00", currency: EUR}\n'


def test_a_tenant_on_hold_is_shown_and_leaves_the_exit_code_untouched(more: Place) -> None:
    more.edit("tenants/acme.yaml", "tenant: acme", 'tenant: acme\nhold: "incident 812"')

    done = more.run("plan --detailed-exitcode")

    assert done.code == 0
    assert "hold: incident 812" in done.out
    assert "2 -> 4 seats" in done.out


def test_pending_exits_4_when_asked_in_detail_and_the_items_are_told_in_full(more: Place) -> None:
    more.run("apply --yes --wait 0")

    done = more.run("plan --detailed-exitcode --format json")
    item = done.json["tenants"][0]["pending"][0]

    assert done.code == 4
    assert subset(["address", "verb", "reason", "ref", "since", "due_by"], list(item)) == [
        "address", "verb", "reason", "ref", "since", "due_by"
    ]  # fmt: skip
    assert (item["address"], item["verb"]) == ("group/office", "resize")
    assert item["ref"].isdigit()


def test_a_drift_is_what_somebody_changed_outside_of_git(place: Place) -> None:
    assert place.run("drift --detailed-exitcode").code == 0

    place.ok("sandbox change quantity-changed 501 25")
    done = place.run("drift --detailed-exitcode --format json")

    assert done.code == 2
    assert [one["summary"] for one in done.json["tenants"][1]["actions"]] == ["25 -> 10 seats"]


@pytest.mark.parametrize("seats", [1, 2, 5])
def test_somebody_elses_order_for_the_group_counts_as_on_its_way_in_both_directions(
    place: Place, seats: int
) -> None:
    order = "{licence: business, quantity: 3, service: acme.o365.ovh.com, status: delivering, age: 2h}"
    place.world(f"{WORLD}orders: [{order}]\n")
    place.edit("tenants/acme.yaml", "seats: 2", f"seats: {seats}")

    acme = place.tenant("acme")

    assert [one["address"] for one in acme["actions"]] == []
    assert [(one["address"], one["ref"]) for one in acme["pending"]] == [("group/office", "210000001")]


def test_drift_says_who_made_a_difference(place: Place) -> None:
    place.world(WORLD)
    place.ok("apply --yes")
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")

    document = place.run("drift --format json").json

    acme = next(one for one in document["tenants"] if one["tenant"] == "acme")
    assert [(one["address"], one["cause"], one["last"]) for one in acme["drift"]] == [
        ("group/office", "git", {"seats": 2})
    ]
    assert "the manifest changed since the last apply" in place.run("drift").out
    assert "drift" not in place.tenant("acme")


@pytest.mark.parametrize("there", ["a folder's name", "another file"])
def test_a_sandbox_that_cannot_be_opened_is_an_error_in_words(place: Place, there: str) -> None:
    folder = place.root / ".reconciler"
    shutil.rmtree(folder, ignore_errors=True)
    if there == "another file":
        folder.mkdir()
        (folder / "sandbox.db").write_text("no database at all, but long enough to look like one", "utf-8")
    else:
        folder.write_text("", "utf-8")

    done = place.run("plan")

    assert done.code == 1
    assert "sandbox.db: the sandbox cannot be opened (" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("line", ["show absent.json", "apply --plan absent.json"])
def test_a_saved_plan_that_is_not_there_keeps_the_run_from_being_made(more: Place, line: str) -> None:
    done = more.run(line)

    assert (done.code, done.out) == (1, "")
    assert "absent.json: cannot be read" in done.err


@pytest.fixture
def ordered_by_others(place: Place) -> Place:
    """Three seats that somebody else ordered are on their way, and our file wants them."""
    place.world(
        f"{WORLD}orders:\n  - {{licence: business, quantity: 3, service: acme.o365.ovh.com, age: 2h}}\n"
    )
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 5")
    return place


@pytest.mark.parametrize("command", ["plan", "apply --yes --wait 0"])
def test_what_somebody_else_ordered_is_waited_for_and_resume_is_not_offered(
    ordered_by_others: Place, command: str
) -> None:
    done = ordered_by_others.run(f"{command} --tenant acme")

    assert "Next, once that is there: reconciler plan --tenant acme\n" in done.out
    assert "resume" not in done.out


def test_a_status_says_that_a_plan_may_know_more(ordered_by_others: Place) -> None:
    ordered_by_others.run("apply --yes --wait 0")

    said = " ".join(ordered_by_others.ok("status").split())

    assert "acme (ovh-prepaid, ovh-main, SANDBOX): changes" in said
    assert "as far as the journal knows. A plan asks the providers" in said
    assert said.endswith("Next: reconciler plan")
    assert "as far as the journal knows" not in ordered_by_others.ok("status resell")


def test_what_an_apply_waits_for_is_in_every_form_of_its_report(ordered_by_others: Place) -> None:
    ordered_by_others.run("apply --yes --wait 0 --tenant acme --report report.json")

    for form in ("text", "markdown", "html", "json"):
        said = ordered_by_others.ok(f"show report.json --format {form}")
        assert "of 3 seats is on its way" in " ".join(said.split()), form


def test_a_plan_stopped_by_a_guard_names_the_command_that_goes_on_and_it_does(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 150")
    done = place.run("plan --tenant acme")
    (command,) = re.findall(r"^Next, if it is meant: reconciler (.*)$", done.out, re.MULTILINE)

    assert done.code == 5
    assert command.endswith("--allow max_seats_per_action=148")
    assert place.run(f"{command} --wait 0").code == 4


def test_a_guard_lifted_for_a_plan_is_lifted_by_its_next_command_too(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 150")
    said = place.ok("plan --allow max_seats_per_action=200")

    (command,) = re.findall(r"^Next: reconciler (.*)$", said, re.MULTILINE)

    assert place.run(f"{command} --wait 0").code == 4


@pytest.mark.parametrize(
    ("given", "example"),
    [
        ("max_seats_per_action=many", "120"),
        ("max_monthly_increase=12,5", "800.00"),
        ("max_cancellations=-1", "120"),
    ],
)
def test_a_limit_that_is_no_number_is_refused_with_an_example(place: Place, given: str, example: str) -> None:
    done = place.run(f"plan --allow {given}")

    assert done.code == 64
    assert f"hint: write --allow {given.partition('=')[0]}=N, N being a number such as {example}" in done.err
