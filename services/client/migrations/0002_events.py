"""Changes of clients, their delivery, and deletions under way."""

from uuid import UUID

import sqlalchemy as sa
from alembic import op

from shared.migrations.events import create_event_tables, drop_event_tables

revision = "0002"
down_revision = "0001"

# Who keeps copies of clients learns of those that were there before there were events.
_BACKFILL = """
WITH created AS (
    INSERT INTO changes (event_id, aggregate_type, aggregate_id, version, type, schema_version, actor, after,
                         occurred_at)
    SELECT gen_random_uuid(), 'client', uuid, version, 'client.created', 1, 'system',
           jsonb_build_object(
               'uuid', uuid, 'name', name, 'email', email, 'phone', phone, 'tax_id', tax_id,
               'address', address, 'city', city, 'province', province, 'postal_code', postal_code,
               'country', country, 'timezone', timezone, 'is_active', is_active, 'version', version,
               'created_at', created_at, 'updated_at', updated_at),
           now()
    FROM clients WHERE deleted_at IS NULL AND uuid > :last ORDER BY uuid LIMIT 5000
    RETURNING id, aggregate_id
), queued AS (
    INSERT INTO outbox (change_id) SELECT id FROM created
)
SELECT aggregate_id FROM created ORDER BY aggregate_id DESC LIMIT 1
"""


def upgrade() -> None:
    """Create the tables and announce the clients that live."""
    create_event_tables()
    op.create_table(
        "deletions",
        sa.Column("client_uuid", sa.Uuid, primary_key=True),
        sa.Column(
            "number",
            sa.BigInteger,
            sa.Identity(),
            nullable=False,
            comment="grows with each attempt; orders what the store service is told",
        ),
        sa.Column("cascade", sa.Boolean, nullable=False, comment="whether the client's stores end too"),
        sa.Column("actor", sa.Text, nullable=False, comment="the subject of the caller's token"),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column(
            "undone",
            sa.Boolean,
            nullable=False,
            server_default=sa.text("false"),
            comment="given up; the fence is still to be lifted",
        ),
        comment="intentions to delete a client that are neither carried out nor taken back",
    )
    op.execute(sa.schema.CreateSequence(sa.Sequence("cache_epoch", start=1)))
    _announce_clients()


def downgrade() -> None:
    """Drop the tables."""
    op.execute(sa.schema.DropSequence(sa.Sequence("cache_epoch")))
    op.drop_table("deletions")
    drop_event_tables()


def _announce_clients() -> None:
    """Record a change for each living client, in batches: a statement's time is limited."""
    announce = sa.text(_BACKFILL).bindparams(sa.bindparam("last", type_=sa.Uuid))
    last: UUID | None = UUID(int=0)
    while last:
        announced = op.get_bind().execute(announce.bindparams(last=last))
        # Where SQL is printed, and nothing answers, one batch stands for all.
        last = None if op.get_context().as_sql else announced.scalar_one_or_none()
