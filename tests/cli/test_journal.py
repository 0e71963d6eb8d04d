"""A journal that cannot be used, or should not be: said with exit code 1, and nothing reaches the provider."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.place import Place

JOURNAL = Path(".reconciler/journal.db")


def torn(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:5_000])


def overwritten(file: Path) -> None:
    file.write_bytes(b"\xa5" * 8_192)


def newer(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE journal_version SET version_num = '9999'")


def unknown(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE events SET kind = 'of tomorrow'")


def in_the_way(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize("broken", [torn, overwritten, newer, unknown, in_the_way])
@pytest.mark.parametrize("command", ["apply --yes", "resume", "plan"])
def test_a_journal_that_cannot_be_read_stops_a_run_before_any_call(
    place: Place, broken: Callable[[Path], None], command: str
) -> None:
    place.run("apply --yes")
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 5")
    broken(place.root / JOURNAL)
    asked = place.ok("sandbox requests")

    done = place.run(command)

    assert done.code == 1
    assert "journal.db: " in done.err
    assert "Traceback" not in done.err
    assert place.ok("sandbox requests") == asked


@pytest.fixture
def restored(place: Place) -> Place:
    """Seats were bought after the journal was backed up, and then the backup was put back."""
    place.run("apply --yes")
    backup = (place.root / JOURNAL).read_bytes()
    place.edit("tenants/acme.yaml", "seats: 2", "seats: 5")
    place.run("apply --yes --wait 0")
    (place.root / JOURNAL).write_bytes(backup)
    place.edit("tenants/acme.yaml", "seats: 5", "seats: 6")
    assert ordered(place) == 1
    return place


def ordered(place: Place) -> int:
    return sum(row["what"] == "order-placed" for row in place.ledger())


@pytest.mark.parametrize("delivered", [False, True])
@pytest.mark.parametrize("command", ["apply --yes", "resume"])
def test_an_old_backup_of_the_journal_stops_an_apply(
    restored: Place,
    command: str,
    delivered: bool,  # noqa: FBT001 - a case
) -> None:
    if delivered:
        restored.ok("sandbox advance 5h")

    done = restored.run(command)

    assert done.code == 1
    assert "the journal is older than it was: event" in done.err
    assert "--accept-journal" in done.err
    assert ordered(restored) == 1


def test_what_the_provider_shows_is_named(restored: Place) -> None:
    order = next(row["order"] for row in restored.ledger() if row["what"] == "order-placed")

    done = restored.run("apply --yes")

    assert f"acme group/office (order {order})" in done.err.replace("\n", " ")
    assert "older than it was" in restored.run("plan").out


def test_whoever_has_looked_goes_on_and_buys_only_what_is_missing(restored: Place) -> None:
    restored.ok("sandbox advance 5h")

    restored.run("apply --yes --accept-journal")

    bought = [row["lines"][0]["quantity"] for row in restored.ledger() if row["what"] == "order-placed"]
    assert bought == [3, 1]
    assert "older than it was" not in restored.run("plan").out
    assert restored.run("apply --yes").code in {0, 4}
