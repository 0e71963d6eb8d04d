"""Who moves between two groups of one service, where a login sits on one seat only: the old seat makes way."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from reconciler.core.journal import Kind
from reconciler.engine.consent import Consent
from reconciler.engine.run import apply
from tests.engine.conftest import Make
from tests.engine.harness import Bench, begun, planned, results, states
from tests.engine.stories import STORIES, begin, in_two_groups, seated
from tests.engine.test_partial import Twisted

MOVE = next(story for story in STORIES if story.name == "prepaid-move")
JOINS, LEAVES = "seat/pro/ada", "seat/office/ada"
SOON = timedelta(0)


@pytest.fixture
def moving(bench: Make) -> Bench:
    """Ada is about to move from Business to Pro Plus."""
    return begin(bench, MOVE)


def test_the_old_seat_is_given_back_only_after_the_new_one_was_refused(moving: Bench) -> None:
    assert moving.apply().exit_code == 0

    told = [(event.kind, event.address) for event in moving.events() if event.address in {JOINS, LEAVES}]
    refused = told.index((Kind.FAILED, JOINS))
    assert told.index((Kind.INTENDED, JOINS)) < refused < told.index((Kind.INTENDED, LEAVES))
    assert told[-1] == (Kind.FINISHED, JOINS)
    assert told.index((Kind.FINISHED, LEAVES)) < len(told) - 1


def test_while_the_old_seat_is_being_freed_the_new_one_waits_for_it(moving: Bench) -> None:
    report = moving.apply(wait=SOON)

    assert report.exit_code == 4
    assert states(report) == {JOINS: "pending", LEAVES: "pending"}
    (joins,) = [one for one in results(report) if one.address == JOINS]
    assert joins.note == "the old seat is given back first, which is under way"
    moving.world.advance(timedelta(hours=1))
    assert moving.resume().exit_code == 0
    assert seated(moving) == MOVE.end
    assert not planned(moving.plan()).actions


def test_where_the_old_seat_cannot_be_freed_it_is_kept_and_told(moving: Bench) -> None:
    moving.world.fault("task-error", method="POST", path="/license/officePrepaid/{}/unconfigure")

    report = moving.apply()

    assert report.exit_code == 3
    assert states(report) == {JOINS: "failed", LEAVES: "failed"}
    assert seated(moving)[0] == "ada officeBusiness"
    assert moving.apply().exit_code == 0
    assert seated(moving) == MOVE.end


def test_another_refusal_of_the_new_seat_leaves_the_old_one_alone(moving: Bench) -> None:
    def refuses(request: httpx.Request) -> httpx.Response | None:
        body = {"class": "Client::BadRequest", "message": "usageLocation is not sold to"}
        return httpx.Response(400, json=body) if request.method == "PUT" else None

    process = moving.process()
    process.wire.inner = Twisted(process.wire.inner, refuses)

    report = begun(process.run(lambda setup: apply(setup, Consent())))

    assert report.exit_code == 3
    assert states(report) == {JOINS: "failed", LEAVES: "not-started"}
    assert seated(moving)[0] == "ada officeBusiness"
    assert moving.count("seat-unconfigured") == 0


@pytest.mark.parametrize(
    "words",
    [
        "activationEmail ada@acme.o365.ovh.com already exists",
        "This login is in use",
        "Duplicate user",
    ],
)
def test_a_taken_login_is_known_by_the_providers_words_too(moving: Bench, words: str) -> None:
    told: list[str] = []

    def refuses(request: httpx.Request) -> httpx.Response | None:
        if request.method == "PUT" and not told:
            told.append(words)
            return httpx.Response(400, json={"class": "Client::BadRequest", "message": words})
        return None

    process = moving.process()
    process.wire.inner = Twisted(process.wire.inner, refuses)

    assert begun(process.run(lambda setup: apply(setup, Consent()))).exit_code == 0
    assert told
    assert seated(moving) == MOVE.end


def test_who_only_wants_a_second_seat_is_refused_and_keeps_the_first(bench: Make) -> None:
    one = bench(MOVE.world, acme=in_two_groups(("ada", "bob"), ("eve",)))
    assert one.apply().exit_code == 0
    both = in_two_groups(("ada", "bob"), ("eve",)).replace(
        "gb, licenses: [office]", "gb, licenses: [office, pro]"
    )
    one.write(acme=both)

    report = one.apply()

    assert report.exit_code == 3
    assert states(report) == {JOINS: "failed"}
    assert seated(one) == ["ada officeBusiness", "bob officeBusiness", "eve officeProPlus"]


def test_two_people_who_change_places_by_a_free_seat_both_arrive(bench: Make) -> None:
    one = bench(MOVE.world, acme=in_two_groups(("ada", "bob"), ("eve",)))
    assert one.apply().exit_code == 0
    one.write(acme=in_two_groups(("bob", "eve"), ("ada",)))

    report = one.apply()

    assert report.exit_code == 0
    assert seated(one) == ["ada officeProPlus", "bob officeBusiness", "eve officeBusiness"]
    assert not planned(one.plan()).actions
