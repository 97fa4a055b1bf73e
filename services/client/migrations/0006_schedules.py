"""Schedules of clients."""

from shared.migrations.schedules import create_schedule_tables, drop_schedule_tables

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the tables."""
    create_schedule_tables("clients")


def downgrade() -> None:
    """Drop the tables."""
    drop_schedule_tables()
