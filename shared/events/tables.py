"""The tables that every service keeps its changes and its deliveries in."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

_NOW = text("now()")

WHOLE = "COALESCE(part_of, aggregate_id)"
"""In whose history a change is told."""


def event_tables(metadata: MetaData) -> None:
    """Declare the tables of changes, deliveries and dead letters in a service's `metadata`."""
    _changes(metadata)
    Table(
        "outbox",
        metadata,
        Column("change_id", BigInteger, ForeignKey("changes.id"), primary_key=True, autoincrement=False),
        comment="changes that are still to be published",
    )
    Table(
        "inbox",
        metadata,
        Column("consumer", String(100), primary_key=True),
        Column("event_id", Uuid, primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Index("inbox_by_received_at", "received_at"),
        comment="events whose effect a consumer has had",
    )
    _dead_letters(metadata)


def _changes(metadata: MetaData) -> None:
    Table(
        "changes",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("event_id", Uuid, nullable=False),
        Column("aggregate_type", String(50), nullable=False),
        Column("aggregate_id", Uuid, nullable=False),
        Column("part_of", Uuid, comment="the aggregate that this one is part of, and whose history tells it"),
        Column("version", BigInteger, nullable=False, comment="of the aggregate after the change"),
        Column("type", String(100), nullable=False, comment="such as store.changed"),
        Column("schema_version", Integer, nullable=False, comment="of before and after"),
        Column("actor", Text, nullable=False, comment="the subject of the caller's token, or system"),
        Column("request_id", Text),
        Column("before", JSONB, comment="as the API showed it; null for a creation"),
        Column("after", JSONB, comment="as the API shows it; null for a deletion"),
        Column("traceparent", Text),
        Column("tracestate", Text),
        Column("occurred_at", DateTime(timezone=True), nullable=False),
        UniqueConstraint("event_id", name="changes_event_id_unique"),
        Index("changes_by_whole", text(WHOLE), "occurred_at", "id"),
        Index("changes_by_occurred_at", "occurred_at", postgresql_using="brin"),
        comment="every change, written with it and never altered: outbox, history and audit",
    )


def _dead_letters(metadata: MetaData) -> None:
    Table(
        "dead_letters",
        metadata,
        Column("id", BigInteger, Identity(always=True), primary_key=True),
        Column("consumer", String(100), nullable=False),
        Column("stream", String(100), nullable=False),
        Column("entry_id", String(50), nullable=False),
        Column("event", Text, nullable=False, comment="what the stream's entry held"),
        Column("reason", Text, nullable=False),
        Column("attempts", Integer, nullable=False),
        Column("failed_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Column("redrive_at", DateTime(timezone=True), comment="when someone asked for another attempt"),
        UniqueConstraint("consumer", "stream", "entry_id", name="dead_letters_entry_unique"),
        comment="events that a consumer gave up on",
    )
