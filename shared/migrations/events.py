"""The tables of changes and deliveries as the services' migrations make them; it never changes afterwards."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

_NOW = sa.text("now()")

# The owner's default privileges give the application role all four rights on every new table. Its name is
# not known here, and need not be: nobody but the owner may alter what has happened.
_APPEND_ONLY = """
DO $$
DECLARE holder text;
BEGIN
    FOR holder IN
        SELECT DISTINCT CASE grantee WHEN 'PUBLIC' THEN grantee ELSE quote_ident(grantee) END
        FROM information_schema.role_table_grants
        WHERE table_schema = current_schema() AND table_name = 'changes' AND grantee <> current_user
    LOOP
        EXECUTE 'REVOKE UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER ON changes FROM ' || holder;
    END LOOP;
END $$
"""


def create_event_tables() -> None:
    """Create the tables of changes, deliveries and dead letters; changes can only be added."""
    _create_changes()
    op.create_table(
        "outbox",
        sa.Column(
            "change_id", sa.BigInteger, sa.ForeignKey("changes.id"), primary_key=True, autoincrement=False
        ),
        comment="changes that are still to be published",
    )
    # Every row of the queue is soon a dead one, and the relay reads past those until they are removed.
    op.execute(
        "ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)"
    )
    op.create_table(
        "inbox",
        sa.Column("consumer", sa.String(100), primary_key=True),
        sa.Column("event_id", sa.Uuid, primary_key=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
        comment="events whose effect a consumer has had",
    )
    op.create_index("inbox_by_received_at", "inbox", ["received_at"])
    _create_dead_letters()


def drop_event_tables() -> None:
    """Drop what `create_event_tables` made."""
    for name in ("dead_letters", "inbox", "outbox", "changes"):
        op.drop_table(name)


def _create_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("event_id", sa.Uuid, nullable=False),
        sa.Column("aggregate_type", sa.String(50), nullable=False),
        sa.Column("aggregate_id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False, comment="of the aggregate after the change"),
        sa.Column("type", sa.String(100), nullable=False, comment="such as store.changed"),
        sa.Column("schema_version", sa.Integer, nullable=False, comment="of before and after"),
        sa.Column("actor", sa.Text, nullable=False, comment="the subject of the caller's token, or system"),
        sa.Column("request_id", sa.Text),
        sa.Column("before", JSONB, comment="as the API showed it; null for a creation"),
        sa.Column("after", JSONB, comment="as the API shows it; null for a deletion"),
        sa.Column("traceparent", sa.Text),
        sa.Column("tracestate", sa.Text),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("event_id", name="changes_event_id_unique"),
        comment="every change, written with it and never altered: outbox, history and audit",
    )
    op.create_index("changes_by_aggregate", "changes", ["aggregate_id", "version"])
    op.create_index("changes_by_occurred_at", "changes", ["occurred_at"], postgresql_using="brin")
    op.execute(_APPEND_ONLY)


def _create_dead_letters() -> None:
    op.create_table(
        "dead_letters",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("consumer", sa.String(100), nullable=False),
        sa.Column("stream", sa.String(100), nullable=False),
        sa.Column("entry_id", sa.String(50), nullable=False),
        sa.Column("event", sa.Text, nullable=False, comment="what the stream's entry held"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
        sa.Column("redrive_at", sa.DateTime(timezone=True), comment="when someone asked for another attempt"),
        sa.UniqueConstraint("consumer", "stream", "entry_id", name="dead_letters_entry_unique"),
        comment="events that a consumer gave up on",
    )
