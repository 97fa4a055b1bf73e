"""Indexes that find stores by their place, and active as well as inactive ones."""

import sqlalchemy as sa

from shared.migrations.online import create_index, drop_index

revision = "0007"
down_revision = "0006"

LIVING = sa.text("deleted_at IS NULL")
INACTIVE = sa.text("deleted_at IS NULL AND NOT is_active")


def upgrade() -> None:
    """Create the indexes."""
    place = sa.text("point(longitude, latitude)")
    create_index("stores_by_place", "stores", [place], postgresql_using="gist", postgresql_where=LIVING)
    activity = ["is_active", "created_at", "uuid"]
    create_index("stores_by_is_active", "stores", activity, postgresql_where=LIVING)
    drop_index("stores_inactive", "stores")


def downgrade() -> None:
    """Go back to an index of inactive stores alone."""
    create_index("stores_inactive", "stores", ["created_at", "uuid"], postgresql_where=INACTIVE)
    drop_index("stores_by_is_active", "stores")
    drop_index("stores_by_place", "stores")
