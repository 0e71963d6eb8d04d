"""status and history as they are typed."""

import re

import pytest

from tests.cli.place import Place

OPEN = ["address", "state", "since", "due_by", "ref"]


@pytest.fixture
def pending(place: Place) -> Place:
    """One more seat, ordered and on its way."""
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    assert place.run("apply --yes --wait 0").code == 4
    return place


@pytest.fixture
def doubtful(place: Place) -> Place:
    """A new subscription of which nobody knows whether it was ordered."""
    place.write(
        "tenants/resell.yaml",
        (place.root / "tenants/resell.yaml").read_text()
        + "  - {name: mail, product: Exchange Online (Plan 1), seats: 4}\n",
    )
    place.ok("sandbox fault lose-reply-before --method POST --path '/saas/csp2/{}/subscription'")
    place.run("apply --yes --wait 0")
    place.ok("sandbox advance 1h")
    assert place.run("resume --wait 0").code == 8
    return place


def test_a_page_shows_the_latest_of_the_journal_and_how_doubt_is_ended(doubtful: Place) -> None:
    page = doubtful.ok("status --format html")

    shown = re.findall('data-l="what" class=short>([a-z-]+)<', page)
    assert "closed" in shown
    assert "in-doubt" in shown
    assert len(shown) <= 2 * 8
    assert "reconciler resolve resell group/mail --did-not-happen" in page


def test_who_was_never_applied_has_changes_as_far_as_the_journal_knows(place: Place) -> None:
    done = place.run("status --detailed-exitcode --format json")

    assert done.code == 0
    assert [(one["tenant"], one["status"], one["actions"]) for one in done.json["tenants"]] == [
        ("acme", "changes", []),
        ("resell", "changes", []),
    ]


def test_a_manifest_that_says_something_else_than_what_was_applied_has_changes(place: Place) -> None:
    place.run("apply --yes --tenant acme")
    before = place.run("status acme --format json").json["tenants"][0]["status"]
    file = next(place.root.glob("tenants/acme*"))
    file.write_text(file.read_text(encoding="utf-8") + "name: Acme Ltd\n", encoding="utf-8")

    after = place.run("status acme --format json").json["tenants"][0]["status"]

    assert (before, after) == ("in_sync", "changes")


def test_what_is_pending_is_told_with_since_when_until_when_and_under_which_number(pending: Place) -> None:
    done = pending.run("status --format json")
    acme = done.json["tenants"][0]
    item = acme["actions"][0]

    assert done.code == 0
    assert (acme["status"], item["address"], item["state"]) == ("pending", "group/office", "pending")
    assert [key for key in OPEN if key not in item] == []
    assert re.fullmatch(r"\d+", item["ref"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", item["since"])
    assert item["since"] < item["due_by"]
    assert pending.run("status --detailed-exitcode").code == 4
    assert pending.run("status resell --detailed-exitcode").code == 0


def test_doubt_exits_8_when_asked_in_detail_and_the_two_ways_out_are_named(doubtful: Place) -> None:
    done = doubtful.run("status --detailed-exitcode")

    assert done.code == 8
    assert doubtful.run("status").code == 0
    assert "reconciler resolve resell group/mail --happened REF" in done.out
    assert "reconciler resolve resell group/mail --did-not-happen" in done.out
    assert doubtful.run("status --format json").json["tenants"][1]["actions"][0]["state"] == "in-doubt"
    assert doubtful.run("plan --detailed-exitcode").code == 8


@pytest.mark.parametrize(
    ("form", "start"), [("text", "Note: "), ("markdown", "## Licence status"), ("html", "<!doctype html>")]
)
def test_status_is_printed_in_every_format(pending: Place, form: str, start: str) -> None:
    done = pending.run(f"status --format {form}")

    assert done.code == 0
    assert done.out.lower().startswith(start.lower())


def test_status_and_history_of_somebody_unknown_are_errors(place: Place) -> None:
    assert place.run("status nobody").code == 1
    assert place.run("history nobody").code == 1


def test_history_tells_what_when_by_whom_under_which_number_and_plan(pending: Place) -> None:
    begun = next(one for one in pending.run("history --json").json["events"] if one["kind"] == "begun")
    done = pending.run("history")

    assert done.code == 0
    assert re.search(r"^\d{4}-\d\d-\d\d \d\d:\d\d UTC +begun +acme", done.out, re.MULTILINE)
    assert re.search(r"step checkout; ref \d+", done.out)
    assert " by " in done.out
    assert re.search(rf"^    plan {begun['plan']}$", done.out, re.MULTILINE)


def test_history_in_json_tells_every_event_in_the_order_of_writing(pending: Place) -> None:
    found = pending.run("history --format json").json
    events = found["events"]

    assert found["kind"] == "history"
    assert events == pending.run("history --json").json["events"]
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
    assert {"seq", "at", "kind", "tenant", "address", "plan", "by", "data"} <= set(events[0])
    kinds = [event["kind"] for event in events if event["action"]]
    assert kinds[:2] == ["intended", "stepping"]
    assert kinds[-1] == "accepted"


def test_history_is_narrowed_to_a_tenant_and_to_an_address(pending: Place) -> None:
    pending.edit("tenants/resell.yaml", "seats: 10", "seats: 11")
    pending.run("apply --yes --wait 0")

    of_tenant = pending.run("history acme --json").json["events"]
    of_address = pending.run("history acme group/office --json").json["events"]

    assert {event["tenant"] for event in of_tenant} == {"acme"}
    assert {event["address"] for event in of_address} == {"group/office"}
    assert len(of_address) < len(of_tenant)


def test_without_a_journal_nothing_has_happened(place: Place) -> None:
    assert place.run("history").out.endswith("\nNothing has happened yet.\n")


def test_history_tells_the_digest_of_the_run_that_was_approved(place: Place) -> None:
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    approved = place.plan()["digest"]
    assert place.run(f"apply --approved {approved} --wait 0").code == 4

    begun = next(one for one in place.run("history --json").json["events"] if one["kind"] == "begun")

    assert begun["data"]["run_digest"] == approved != begun["plan"]
    assert f"    run  {approved}\n" in place.ok("history")


def test_history_in_json_begins_as_the_other_documents_do(pending: Place) -> None:
    status, history = (pending.run(f"{name} --format json").json for name in ("status", "history"))

    heads = ["format_version", "kind", "tool_version", "created_at", "notes"]
    assert [key for key in heads if key not in status or key not in history] == []
    assert (status["tool_version"], status["notes"]) == (history["tool_version"], history["notes"])


def test_what_happened_in_a_sandbox_is_said_to_be_of_a_sandbox(pending: Place) -> None:
    assert pending.ok("history").startswith("Note: account ovh-main is a sandbox")


@pytest.mark.parametrize("command", ["history", "renewals", "doctor", "status", "plan"])
def test_a_format_set_for_all_commands_is_passed_over_where_it_is_not_known(
    pending: Place, command: str
) -> None:
    done = pending.run(command, env={"RECONCILER_FORMAT": "markdown"})

    assert done.code != 64
    knows = command in {"status", "plan"}
    assert ("does not print markdown (RECONCILER_FORMAT): it prints text" in done.err) is not knows
    assert ("## Licence" in done.out) is knows


def test_a_format_that_nobody_knows_and_one_that_is_typed_are_errors(place: Place) -> None:
    assert place.run("history", env={"RECONCILER_FORMAT": "xml"}).code == 64
    assert place.run("history --format markdown").code == 64
    assert place.run("history --format json", env={"RECONCILER_FORMAT": "markdown"}).err == ""


def test_what_is_open_in_a_tenant_without_a_file_is_not_forgotten(pending: Place) -> None:
    file = pending.root / "tenants/acme.yaml"
    text = file.read_text(encoding="utf-8")
    file.unlink()

    status = pending.run("status --detailed-exitcode")
    resumed = pending.run("resume --wait 0")

    assert status.code == resumed.code == 4
    for done in (status, resumed):
        assert re.search(r"Note: acme has no file any more, .* resize group/office \(ref\s+\d+\)", done.out)
    assert pending.run("status").code == 0
    file.write_text(text, encoding="utf-8")
    pending.ok("sandbox advance 5h")
    assert pending.run("resume --wait 0").code == 0


def test_what_a_person_says_did_not_happen_is_not_in_sync(doubtful: Place) -> None:
    said = doubtful.ok("resolve resell group/mail --did-not-happen")

    assert said.endswith("did not happen, and may be planned again\nNext: reconciler plan\n")
    tenants = doubtful.run("status --format json").json["tenants"]
    assert [(one["tenant"], one["status"]) for one in tenants] == [("acme", "in_sync"), ("resell", "changes")]
    assert [one["verb"] for one in doubtful.tenant("resell")["actions"]] == ["order"]


BOUGHT_BY_HAND = """\
version: 1
tenant: mazur
provider: home-pl
account: home
license_groups:
  - {name: office, product: Office 365 Business, seats: 3}
"""


@pytest.fixture
def by_hand(place: Place) -> Place:
    """Only a step that nobody but a person knows to be done is open."""
    place.edit("reconciler.yaml", "accounts:\n", "accounts:\n  home: {api: manual}\n")
    place.write("tenants/mazur.yaml", BOUGHT_BY_HAND)
    return place


@pytest.mark.parametrize("command", ["apply --yes --wait 0", "resume", "status", "plan"])
def test_where_only_a_person_can_go_on_no_resume_is_offered(by_hand: Place, command: str) -> None:
    assert by_hand.run("apply --yes --wait 0 --tenant mazur").code == 4

    done = by_hand.run(
        f"{command} {'' if command == 'status' else '--tenant mazur'}".replace("status", "status mazur")
    )

    confirm = "reconciler confirm mazur group/office --by NAME"
    assert f"      once done:  {confirm}\n" in done.out
    assert f"Next, once it is done: {confirm}\n" in done.out


def test_of_several_steps_by_hand_each_is_confirmed(by_hand: Place) -> None:
    by_hand.edit(
        "tenants/mazur.yaml", "seats: 3}", "seats: 3}\n  - {name: mail, product: Exchange, seats: 1}"
    )

    done = by_hand.run("apply --yes --wait 0 --tenant mazur")
    planned = by_hand.run("plan --tenant mazur")

    for said in (done.out, planned.out):
        assert "Next, once each is done: reconciler confirm TENANT ADDRESS --by NAME\n" in said
    assert "Nothing to do now: 2 by hand.\n" in planned.out
    assert "! by hand mazur group/mail: waits for a person\n" in done.err
