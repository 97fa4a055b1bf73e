"""Changes are found by who made them, by what they are, and by when they happened."""

from shared.migrations.online import create_index, drop_index

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the indexes."""
    create_index("changes_by_actor", "changes", ["actor", "occurred_at", "id"])
    create_index("changes_by_type", "changes", ["type", "occurred_at", "id"])
    create_index("changes_by_instant", "changes", ["occurred_at", "id"])


def downgrade() -> None:
    """Drop them."""
    for name in ("changes_by_instant", "changes_by_type", "changes_by_actor"):
        drop_index(name, "changes")
