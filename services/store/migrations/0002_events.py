"""Changes of stores, their delivery, and what stores keep of their clients."""

import sqlalchemy as sa
from alembic import op

from shared.migrations.events import create_event_tables, drop_event_tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    create_event_tables()
    op.create_table(
        "clients",
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("phone", sa.String(16)),
        sa.Column("country", sa.String(2), nullable=False),
        sa.Column("is_active", sa.Boolean, nullable=False),
        sa.Column("timezone", sa.String(64), nullable=False),
        sa.Column(
            "version", sa.BigInteger, nullable=False, comment="the client's own; older news is no news"
        ),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        comment="what reads need of clients, at most a moment behind the client service",
    )
    op.create_table(
        "client_fences",
        sa.Column("client_uuid", sa.Uuid, primary_key=True),
        sa.Column(
            "number", sa.BigInteger, nullable=False, comment="of the latest attempt to delete the client"
        ),
        sa.Column(
            "is_set", sa.Boolean, nullable=False, comment="whether no store of the client can be created"
        ),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        comment="where the creation of stores meets the deletion of their client",
    )
    op.execute(sa.schema.CreateSequence(sa.Sequence("cache_epoch", start=1)))


def downgrade() -> None:
    """Drop the tables."""
    op.execute(sa.schema.DropSequence(sa.Sequence("cache_epoch")))
    op.drop_table("client_fences")
    op.drop_table("clients")
    drop_event_tables()
