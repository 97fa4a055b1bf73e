"""Schedules of stores, and what stores keep of those of their clients."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from shared.migrations.schedules import create_schedule_tables, drop_schedule_tables

revision = "0006"
down_revision = "0005"

LIVING = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    """Create the tables, and let stores with the same schedule be found."""
    create_schedule_tables("stores")
    op.create_table(
        "client_hours",
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("client_uuid", sa.Uuid, nullable=False),
        sa.Column("kind", sa.String(50), nullable=False, comment="shared.schedules.known.PartKind"),
        sa.Column("version", sa.BigInteger, nullable=False, comment="the part's own; older news is no news"),
        sa.Column("shown", JSONB, comment="as the client service shows it; null when it ended"),
        comment="what reads need of clients' schedules, at most a moment behind the client service",
    )
    op.create_index(
        "client_hours_of_client",
        "client_hours",
        ["client_uuid"],
        postgresql_where=sa.text("shown IS NOT NULL"),
    )
    digest = "equal where what stores have of their own schedules is; null where they have nothing"
    op.add_column("stores", sa.Column("schedule_digest", sa.LargeBinary, comment=digest))
    op.create_check_constraint(
        "stores_schedule_digest_length", "stores", "octet_length(schedule_digest) = 16"
    )
    op.create_index(
        "stores_by_schedule",
        "stores",
        ["schedule_digest", "client_uuid", "timezone"],
        postgresql_where=LIVING,
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_column("stores", "schedule_digest")
    op.drop_table("client_hours")
    drop_schedule_tables()
