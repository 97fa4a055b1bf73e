"""Changes of parts, told in the history of their whole, as the services' migrations make them.

It never changes afterwards.
"""

import sqlalchemy as sa
from alembic import op

from shared.migrations.online import create_index, drop_index

_WHOLE = sa.text("COALESCE(part_of, aggregate_id)")


def add_parts() -> None:
    """Let a change name the aggregate that its own is part of, and find changes by it."""
    part_of = sa.Column(
        "part_of", sa.Uuid, comment="the aggregate that this one is part of, and whose history tells it"
    )
    op.add_column("changes", part_of, if_not_exists=True)
    create_index("changes_by_whole", "changes", [_WHOLE, "occurred_at", "id"])
    drop_index("changes_by_aggregate", "changes")


def remove_parts() -> None:
    """Undo what `add_parts` did."""
    create_index("changes_by_aggregate", "changes", ["aggregate_id", "version"])
    drop_index("changes_by_whole", "changes")
    op.drop_column("changes", "part_of")
