"""The first schema: the log of events, and leases."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables."""
    postgres = op.get_bind().dialect.name == "postgresql"
    number = sa.BigInteger() if postgres else sa.Integer()
    moment = sa.DateTime(timezone=True) if postgres else sa.String(32)
    words = ("tenant", "kind", "action", "address", "plan")
    origin = ("by", "run", "commit")
    op.create_table(
        "events",
        sa.Column("seq", number, primary_key=True, autoincrement=True),
        *(sa.Column(word, sa.Text, nullable=False) for word in words),
        sa.Column("at", moment, nullable=False),
        *(sa.Column(word, sa.Text, nullable=False) for word in origin),
        sa.Column("data", sa.JSON, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("events_by_tenant", "events", ["tenant", "seq"])
    op.create_table(
        "leases",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("token", sa.BigInteger, nullable=False),
        *(sa.Column(word, sa.Text, nullable=False) for word in ("holder", "about")),
        *(sa.Column(word, moment, nullable=False) for word in ("since", "until")),
        *(sa.Column(word, sa.Text, nullable=False) for word in ("machine", "lockfile")),
    )


def downgrade() -> None:
    """Drop both tables."""
    op.drop_table("leases")
    op.drop_table("events")
