"""Answers of creating requests, by their idempotency keys."""

from shared.migrations.idempotency import create_idempotency_table, drop_idempotency_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table."""
    create_idempotency_table()


def downgrade() -> None:
    """Drop the table."""
    drop_idempotency_table()
