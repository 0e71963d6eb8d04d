"""The schema: what the migrations make is what the code expects, and a newer one is refused."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from reconciler.core.errors import JournalError
from reconciler.core.journal import Journal
from reconciler.store import migrations
from reconciler.store.database import postgres_engine, sqlite_engine
from reconciler.store.tables import HEAD, VERSION_TABLE, metadata
from tests.store.makers import Opener, event

pytestmark = pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def migrated(url: str, tmp_path: Path) -> Iterator[Connection]:
    """A database whose tables the migrations made, one revision after the other."""
    if url.startswith("sqlite"):
        engine = sqlite_engine(tmp_path / ".reconciler" / "journal.db", write=True)
    else:
        engine = postgres_engine(url)
    with engine.begin() as connection:
        migrations.upgrade(connection)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_the_migrations_make_the_tables_that_the_code_uses(migrated: Connection) -> None:
    options = {"version_table": VERSION_TABLE, "compare_type": True}
    context = MigrationContext.configure(migrated, opts=options)

    assert compare_metadata(context, metadata) == []
    assert context.get_current_revision() == HEAD


def test_a_new_journal_has_the_tables_that_the_migrations_make(
    migrated: Connection, tmp_path: Path, opened: Opener
) -> None:
    def columns(connection: Connection) -> object:
        inspector = inspect(connection)
        return {
            table: (
                [str(column) for column in inspector.get_columns(table)],
                inspector.get_pk_constraint(table)["constrained_columns"],
                inspector.get_indexes(table),
            )
            for table in (*metadata.tables, VERSION_TABLE)
        }

    with migrated.begin():
        by_migrations = columns(migrated)
    if migrated.dialect.name == "sqlite":
        file = tmp_path / ".reconciler" / "journal.db"
        migrated.engine.dispose()
        file.rename(file.with_name("migrated.db"))
    else:
        with migrated.begin():
            for table in (*metadata.tables, VERSION_TABLE):
                migrated.exec_driver_sql(f"DROP TABLE {table}")
    journal = opened()

    with journal._engine.begin() as connection:  # type: ignore[attr-defined]  # looks inside
        assert columns(connection) == by_migrations


def test_a_migrated_journal_is_as_good_as_a_new_one(migrated: Connection, opened: Opener) -> None:
    assert migrated.dialect.name in {"sqlite", "postgresql"}
    journal = opened()

    lease = journal.acquire("acme", holder="ada")

    assert not journal.fresh
    assert journal.append(event(), event(), lease=lease) == journal.events()


@pytest.mark.parametrize("create", [False, True])
def test_a_journal_of_a_newer_version_is_refused(opened: Opener, journal: Journal, create: bool) -> None:  # noqa: FBT001 - a case
    journal.append(event())
    with journal._writing("prepare") as connection:  # type: ignore[attr-defined]  # looks inside
        connection.execute(text("UPDATE journal_version SET version_num = '9999'"))

    with pytest.raises(JournalError, match="newer version of reconciler") as refused:
        opened(create=create)

    assert "9999" in refused.value.message
    assert "nothing was read or changed" in refused.value.hint


def test_an_event_of_an_unknown_kind_is_an_error_and_not_skipped(journal: Journal) -> None:
    (written,) = journal.append(event())
    with journal._writing("prepare") as connection:  # type: ignore[attr-defined]  # looks inside
        connection.execute(text("UPDATE events SET kind = 'teleported'"))

    with pytest.raises(JournalError, match=f"event {written.seq} .* teleported"):
        journal.events()
