"""Imports of files, and their rows until they are applied."""

from shared.migrations.bulk import create_import_tables, drop_import_tables

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    create_import_tables()


def downgrade() -> None:
    """Drop the tables."""
    drop_import_tables()
