"""The schema: what the migrations make is what the code expects, and a newer one is refused."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from reconciler.core.errors import JournalError
from reconciler.core.journal import Journal
from reconciler.store.tables import HEAD, VERSION_TABLE, metadata
from tests.store.makers import Opener, event


def test_the_migrations_make_the_tables_that_the_code_uses(journal: Journal) -> None:
    options = {"version_table": VERSION_TABLE, "compare_type": True}
    with journal._engine.connect() as connection:  # type: ignore[attr-defined]  # looks inside
        context = MigrationContext.configure(connection, opts=options)

        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == HEAD


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
