"""Changes of users, and their delivery."""

from shared.migrations.events import create_event_tables, drop_event_tables

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    create_event_tables()


def downgrade() -> None:
    """Drop the tables."""
    drop_event_tables()
