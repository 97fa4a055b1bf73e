"""Schedules hold what their rules say, however they are reached."""

from shared.migrations.schedule_rules import add_schedule_rules, remove_schedule_rules

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add the constraints."""
    add_schedule_rules()


def downgrade() -> None:
    """Remove them."""
    remove_schedule_rules()
