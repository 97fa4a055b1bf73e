"""Staged rows get their ids from the database, as migrations say; it never changes afterwards."""

from alembic import op

_IDS = ("uuid", "event")


def add_ids() -> None:
    """Let the database give ids (RFC 9562, version 7) to rows that have none."""
    for column in _IDS:
        op.execute(f"ALTER TABLE import_rows ALTER COLUMN {column} SET DEFAULT uuidv7()")


def remove_ids() -> None:
    """Undo what `add_ids` did."""
    for column in _IDS:
        op.execute(f"ALTER TABLE import_rows ALTER COLUMN {column} DROP DEFAULT")
