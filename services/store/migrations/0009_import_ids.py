"""Staged rows of imports get their ids from the database."""

from shared.migrations.bulk_ids import add_ids, remove_ids

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Give the columns a default."""
    add_ids()


def downgrade() -> None:
    """Take it away."""
    remove_ids()
