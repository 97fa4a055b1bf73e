"""An index that finds active clients as well as inactive ones."""

import sqlalchemy as sa

from shared.migrations.online import create_index, drop_index

revision = "0007"
down_revision = "0006"

LIVING = sa.text("deleted_at IS NULL")
INACTIVE = sa.text("deleted_at IS NULL AND NOT is_active")


def upgrade() -> None:
    """Create the index."""
    activity = ["is_active", "created_at", "uuid"]
    create_index("clients_by_is_active", "clients", activity, postgresql_where=LIVING)
    drop_index("clients_inactive", "clients")


def downgrade() -> None:
    """Go back to an index of inactive clients alone."""
    create_index("clients_inactive", "clients", ["created_at", "uuid"], postgresql_where=INACTIVE)
    drop_index("clients_by_is_active", "clients")
