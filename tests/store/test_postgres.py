"""The journal in PostgreSQL: what is said when the server is away, and that its clock and its rights are used."""

import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from reconciler.core.errors import JournalError, LeaseHeldError, WorkspaceError
from reconciler.store.lease import TERM, check
from tests.store.makers import Clock, Opener, event


def administer(url: str, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        rows: list[tuple[object, ...]] = []
        for statement in statements:
            cursor = connection.execute(statement.encode())
            rows = cursor.fetchall() if cursor.description else []
        return rows


def test_both_spellings_of_the_scheme_are_known(opening: Opener, postgres_url: str) -> None:
    opening(postgres_url).append(event())

    short = opening(postgres_url.replace("postgresql://", "postgres://"))

    assert len(short.events()) == 1


def test_reading_an_empty_database_makes_nothing(opening: Opener, postgres_url: str) -> None:
    journal = opening(postgres_url, create=False)

    assert journal.fresh
    assert journal.events() == ()
    assert administer(postgres_url, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


def test_a_user_who_may_only_read_can_plan(opening: Opener, postgres_url: str) -> None:
    opening(postgres_url).append(event())
    administer(
        postgres_url,
        "DROP ROLE IF EXISTS reader",
        "CREATE ROLE reader LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader",
    )
    url = postgres_url.replace("postgres@", "reader@")

    journal = opening(url, create=False)

    assert len(journal.events()) == 1
    with pytest.raises(JournalError, match="permission denied") as refused:
        opening(url).append(event())
    assert "make it writable" in refused.value.hint
    administer(postgres_url, "DROP OWNED BY reader", "DROP ROLE reader")


def test_leases_go_by_the_clock_of_the_database(opening: Opener, postgres_url: str) -> None:
    journal = opening(postgres_url)
    journal.acquire("acme", holder="ada")

    administer(postgres_url, "UPDATE leases SET until = now() + interval '1 second', machine = 'far'")
    with pytest.raises(LeaseHeldError):
        journal.acquire("acme", holder="bob")
    administer(postgres_url, "UPDATE leases SET until = now()")

    assert journal.acquire("acme", holder="bob").token == 2


def test_a_given_clock_is_used_instead(opening: Opener, postgres_url: str, clock: Clock) -> None:
    journal = opening(postgres_url, now=clock)
    journal.acquire("acme", holder="ada")
    clock.turn(TERM)

    assert journal.acquire("acme", holder="bob").token == 2


def test_events_are_durable_whatever_the_databases_default(opening: Opener, postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    administer(postgres_url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')

    journal = opening(postgres_url)

    with journal._writing("look") as connection:  # type: ignore[attr-defined]  # no other way to see it
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"


def test_a_connection_cut_between_two_writes_is_made_anew(opening: Opener, postgres_url: str) -> None:
    journal = opening(postgres_url)
    journal.append(event())

    administer(postgres_url, _CUT)

    assert journal.append(event())[0].seq > 1
    assert len(journal.events()) == 2


def test_a_connection_cut_in_a_write_is_an_error_that_says_how_to_go_on(
    opening: Opener, postgres_url: str
) -> None:
    journal = opening(postgres_url)

    def write() -> None:
        with journal._writing("write") as connection:  # type: ignore[attr-defined]  # between two statements
            administer(postgres_url, _CUT)
            connection.exec_driver_sql("SELECT 1")

    with pytest.raises(JournalError, match="cannot write") as refused:
        write()

    assert "it goes on where this stopped" in refused.value.hint
    assert len(journal.append(event())) == 1


def test_a_server_that_is_away_is_an_error_without_the_password(opening: Opener) -> None:
    url = "postgresql://ada:tops3cret@127.0.0.1:1/journal?connect_timeout=3"

    with pytest.raises(JournalError, match="cannot open the journal") as refused:
        opening(url)

    assert "tops3cret" not in f"{refused.value}{refused.value.hint}"
    assert "ada:***@127.0.0.1:1/journal" in refused.value.message


def test_a_database_that_does_not_exist_is_named(opening: Opener, postgres_url: str) -> None:
    with pytest.raises(JournalError, match='database "nowhere" does not exist') as refused:
        opening(f"{postgres_url.rpartition('/')[0]}/nowhere")

    assert "create the database" in refused.value.hint


def test_tables_of_another_program_are_left_alone(opening: Opener, postgres_url: str) -> None:
    administer(postgres_url, "CREATE TABLE events (x int)", "CREATE TABLE alembic_version (version_num text)")

    with pytest.raises(JournalError, match="already exists") as refused:
        opening(postgres_url)

    assert "of its own" in refused.value.hint
    assert administer(postgres_url, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(2,)]


def test_an_address_that_cannot_be_read_is_not_repeated(opening: Opener) -> None:
    with pytest.raises(WorkspaceError, match="cannot be read") as refused:
        opening("postgresql://ada:tops3cret@host:port/journal")

    assert "tops3cret" not in f"{refused.value}{refused.value.hint}"
    assert refused.value.__cause__ is None


def test_without_psycopg_the_extra_is_named(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['psycopg'] = None\n"  # what a missing module looks like
        "from pathlib import Path; from reconciler.core.errors import WorkspaceError\n"
        "from reconciler.store.journal import open_journal\n"
        "try: open_journal('postgresql://h/d', root=Path(sys.argv[1]), create=True, env={})\n"
        "except WorkspaceError as error: print(error.message, error.hint)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )

    assert "the extra `postgres`" in done.stdout
    assert "m365-reconciler[postgres]" in done.stdout


def test_a_takeover_waits_for_a_write_that_is_under_way(
    opening: Opener, postgres_url: str, clock: Clock
) -> None:
    """A holder checks its lease and writes; a contender cannot come between the two."""
    journal = opening(postgres_url, now=clock)
    lease = journal.acquire("acme", holder="ada")

    with journal._writing("write") as connection, psycopg.connect(postgres_url) as other:  # type: ignore[attr-defined]  # between check and write
        check(connection, lease, now=clock())
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("SELECT 1 FROM leases WHERE name = 'acme' FOR UPDATE NOWAIT")

    assert administer(postgres_url, "SELECT 1 FROM leases FOR UPDATE NOWAIT") == [(1,)]


_CUT = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
