"""The table of idempotency keys as the services' migrations make it; it never changes afterwards."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

_NOW = sa.text("now()")


def create_idempotency_table() -> None:
    """Create the table of idempotency keys."""
    op.create_table(
        "idempotency_keys",
        sa.Column("caller", sa.Text, primary_key=True, comment="the subject of the caller's token"),
        sa.Column("route", sa.Text, primary_key=True, comment="method and path"),
        sa.Column("key", sa.String(255), primary_key=True),
        sa.Column(
            "fingerprint",
            sa.LargeBinary,
            nullable=False,
            comment="keyed hash of the request: shared.idempotency.keys",
        ),
        sa.Column("authority", sa.Text, nullable=False, comment="what the caller was when it was allowed"),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
        sa.CheckConstraint("octet_length(fingerprint) = 32", name="idempotency_keys_fingerprint_length"),
        sa.CheckConstraint("key <> ''", name="idempotency_keys_key_given"),
        comment="answers of creating requests, written with what they created and replayed to repetitions",
    )
    op.create_index("idempotency_keys_by_created_at", "idempotency_keys", ["created_at"])


def drop_idempotency_table() -> None:
    """Drop what `create_idempotency_table` made."""
    op.drop_table("idempotency_keys")
