"""The table that every service keeps its answered keys in."""

from sqlalchemy import (
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB


def idempotency_table(metadata: MetaData) -> Table:
    """Declare and return the table of idempotency keys in a service's `metadata`."""
    return Table(
        "idempotency_keys",
        metadata,
        Column("caller", Text, primary_key=True, comment="the subject of the caller's token"),
        Column("route", Text, primary_key=True, comment="method and path"),
        Column("key", String(255), primary_key=True),
        Column(
            "fingerprint",
            LargeBinary,
            nullable=False,
            comment="keyed hash of the request: shared.idempotency.keys",
        ),
        Column("authority", Text, nullable=False, comment="what the caller was when it was allowed"),
        Column("status", Integer, nullable=False),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
        CheckConstraint("octet_length(fingerprint) = 32", name="idempotency_keys_fingerprint_length"),
        CheckConstraint("key <> ''", name="idempotency_keys_key_given"),
        Index("idempotency_keys_by_created_at", "created_at"),
        comment="answers of creating requests, written with what they created and replayed to repetitions",
    )
