"""Schedules hold what their rules say, however they are reached."""

from alembic import op

from shared.migrations.schedule_rules import add_schedule_rules, remove_schedule_rules

revision = "0008"
down_revision = "0007"

KINDS = "kind IN ('workhour', 'workhour_exception', 'workhour_pause')"


def upgrade() -> None:
    """Add the constraints."""
    add_schedule_rules()
    op.create_check_constraint("client_hours_version_positive", "client_hours", "version > 0")
    op.create_check_constraint("client_hours_kind_known", "client_hours", KINDS)


def downgrade() -> None:
    """Remove them."""
    op.drop_constraint("client_hours_kind_known", "client_hours")
    op.drop_constraint("client_hours_version_positive", "client_hours")
    remove_schedule_rules()
