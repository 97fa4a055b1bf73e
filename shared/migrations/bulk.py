"""The tables of imports as the services' migrations make them; they never change afterwards."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

_NOW, _ZERO = sa.text("now()"), sa.text("0")
_COUNTS = ("rows", "staged", "created", "changed", "unchanged", "failed", "errors_total")


def create_import_tables() -> None:
    """Create the tables of imports and of their staged rows."""
    op.create_table(
        "imports",
        sa.Column("uuid", sa.Uuid, primary_key=True),
        sa.Column("actor", sa.Text, nullable=False, comment="the subject of the caller's token"),
        sa.Column("tenant", sa.Uuid, comment="the caller's"),
        sa.Column("mode", sa.String(10), nullable=False, comment="create or upsert"),
        sa.Column("dry_run", sa.Boolean, nullable=False),
        sa.Column("atomic", sa.Boolean, nullable=False),
        sa.Column("state", sa.String(10), nullable=False, server_default=sa.text("'receiving'")),
        *(sa.Column(name, sa.BigInteger, nullable=False, server_default=_ZERO) for name in _COUNTS),
        sa.Column("errors", JSONB, nullable=False, server_default=sa.text("'[]'"), comment="the first ones"),
        sa.Column("reason", sa.Text, comment="why it failed"),
        sa.Column("request_id", sa.Text),
        sa.Column("traceparent", sa.Text),
        sa.Column("tracestate", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=_NOW),
        sa.Column("started_at", sa.DateTime(timezone=True)),
        sa.Column("finished_at", sa.DateTime(timezone=True)),
        sa.Column("owner", sa.Uuid, comment="the worker that has it"),
        sa.Column("leased_until", sa.DateTime(timezone=True), comment="nobody else takes it before"),
        sa.Column(
            "attempts", sa.Integer, nullable=False, server_default=_ZERO, comment="of workers that vanished"
        ),
        sa.CheckConstraint("mode IN ('create', 'upsert')", name="imports_mode_known"),
        sa.CheckConstraint(
            "state IN ('receiving', 'queued', 'running', 'applied', 'completed', 'failed')",
            name="imports_state_known",
        ),
        comment="imports of files: what was asked for, how far it is, what came of it",
    )
    still_open = sa.text("state IN ('receiving', 'queued', 'running', 'applied')")
    op.create_index("imports_open", "imports", ["created_at"], postgresql_where=still_open)
    op.create_index("imports_by_created_at", "imports", ["created_at"])
    _create_rows()


def drop_import_tables() -> None:
    """Drop what `create_import_tables` made."""
    op.drop_table("import_rows")
    op.drop_table("imports")


def _create_rows() -> None:
    op.create_table(
        "import_rows",
        sa.Column("import_uuid", sa.Uuid, primary_key=True),
        sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False, comment="on which it starts"),
        sa.Column("uuid", sa.Uuid, nullable=False, comment="of what it creates"),
        sa.Column("event", sa.Uuid, nullable=False, comment="the id of its event"),
        sa.Column("parent", sa.Uuid, comment="within which the key is unique, if within anything"),
        sa.Column("key", sa.Text, nullable=False, comment="what it is recognised by"),
        sa.Column("columns", sa.JSON, nullable=False, comment="what it creates"),
        sa.Column("given", ARRAY(sa.Text), comment="the fields it has, when it may change what exists"),
        sa.Column("action", sa.String(10), comment="failed, unchanged or change; null: it creates"),
        sa.Column("target", sa.Uuid, comment="what it changes"),
        sa.Column("version", sa.BigInteger, comment="of the target when the change was made out"),
        sa.Column("merged", sa.JSON, comment="what the target becomes"),
        prefixes=["UNLOGGED"],
        comment="rows of imports that are not finished; a crash of PostgreSQL empties it",
    )
    op.create_index("import_rows_by_key", "import_rows", ["import_uuid", "parent", "key", "line"])
