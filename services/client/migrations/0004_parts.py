"""Changes of parts are told in the history of their whole."""

from shared.migrations.parts import add_parts, remove_parts

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the column and its index."""
    add_parts()


def downgrade() -> None:
    """Remove them."""
    remove_parts()
