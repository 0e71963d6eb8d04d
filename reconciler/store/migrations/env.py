"""How Alembic meets the journal: on the connection that the caller opened."""

from alembic import context

from reconciler.store.tables import VERSION_TABLE, metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
