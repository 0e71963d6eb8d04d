"""`journal copy` and `journal reopen` as they are typed, and what the other commands say of a journal that was left."""

from __future__ import annotations

import pytest

from tests.cli.place import Place

NEW = "sqlite:///.reconciler/new.db"


@pytest.fixture
def left(place: Place) -> Place:
    """A workspace with an order on its way, whose journal was copied and that still names the old one."""
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 3")
    assert place.run("apply --yes --wait 0").code == 4
    place.ok(f"journal copy --to {NEW}")
    return place


def switched(place: Place) -> Place:
    place.write("reconciler.yaml", f"{(place.root / 'reconciler.yaml').read_text()}journal: {NEW}\n")
    return place


def test_it_says_what_was_copied_and_what_to_write(place: Place) -> None:
    place.run("apply --yes --tenant acme")

    said = place.ok(f"journal copy --to {NEW}")

    assert "of 1 tenant copied, read again and compared: " in said
    assert ".reconciler/new.db" in said
    assert f"Next: write `journal: {NEW}` in the workspace file" in said
    assert "were copied before" in place.ok(f"journal copy --to {NEW}")


def test_with_the_new_one_the_open_order_goes_on_and_nothing_is_ordered_twice(left: Place) -> None:
    switched(left)
    left.ok("sandbox advance 4h")

    assert left.run("resume").code == 0
    assert left.run("plan --tenant acme --detailed-exitcode").code == 0
    assert sum(row["what"] == "order-placed" for row in left.ledger()) == 1


@pytest.mark.parametrize(
    "command",
    ["apply --yes", "resume", "adopt acme", "release acme", "lease release acme",
     "apply --yes --accept-journal", "resolve acme group/office --did-not-happen",
     "confirm acme group/office --by ada"],
)  # fmt: skip
def test_whatever_writes_is_refused_with_the_old_one(left: Place, command: str) -> None:
    asked = left.ok("sandbox requests")

    done = left.run(command)

    assert done.code == 1
    assert ".reconciler/journal.db: this journal was moved to " in done.err
    assert "hint: write the new one in `journal:`" in done.err
    assert left.ok("sandbox requests") == asked


@pytest.mark.parametrize(
    "command", ["plan", "plan --format markdown", "status", "history", "renewals", "drift"]
)
def test_whatever_reads_says_that_it_is_the_old_one(left: Place, command: str) -> None:
    done = left.run(command)

    assert done.code == 0
    assert "this journal was moved to" in (done.out + done.err).replace("\n  ", " ").replace("\\", "")
    assert "what was done since is not known here" in (done.out + done.err).replace("\n  ", " ")


def test_doctor_says_so_too(left: Place) -> None:
    done = left.run("doctor")

    assert done.code == 1
    assert "this journal was moved to" in done.out


def test_the_history_shows_when_it_was_moved_and_where_to(left: Place) -> None:
    events = left.run("history", env={"COLUMNS": "300"}).out.splitlines()

    assert "moved" in events[-1]
    assert f"to {left.root}/.reconciler/new.db" in events[-1]


def test_one_whose_copy_came_to_nothing_is_taken_again(left: Place) -> None:
    (left.root / ".reconciler/new.db").unlink()

    assert left.run("journal reopen").code == 64
    assert "this is the journal again" in left.ok("journal reopen --yes")

    left.ok("sandbox advance 4h")
    assert left.run("resume").code == 0


def test_without_a_journal_there_is_nothing_to_copy(place: Place) -> None:
    done = place.run(f"journal copy --to {NEW}")

    assert done.code == 1
    assert "there is no journal yet" in done.err
    assert not (place.root / ".reconciler/new.db").exists()
    assert not (place.root / ".reconciler/journal.db").exists()


def test_an_address_that_may_hold_a_password_is_not_repeated(place: Place, postgres_url: str) -> None:
    place.run("apply --yes --tenant acme")
    secret = postgres_url.replace("postgres@", "postgres:hunter2@")

    said = place.ok(f"journal copy --to {secret}")
    moved = place.run("apply --yes").err

    assert "Next: write the new one as `journal:` in the workspace file" in said
    assert "hunter2" not in said + moved
    assert "was moved to postgresql://postgres:***@127.0.0.1" in moved
