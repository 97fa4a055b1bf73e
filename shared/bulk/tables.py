"""The tables that every service keeps its imports and their rows in."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

_NOW, _ZERO, _NEW = text("now()"), text("0"), text("uuidv7()")

OPEN = text("state IN ('receiving', 'queued', 'running', 'applied')")


def import_tables(metadata: MetaData) -> tuple[Table, Table]:
    """Declare and return the tables of imports and of staged rows in a service's `metadata`."""
    return _imports(metadata), _rows(metadata)


def _imports(metadata: MetaData) -> Table:
    counts = ("rows", "staged", "created", "changed", "unchanged", "failed", "errors_total")
    return Table(
        "imports",
        metadata,
        Column("uuid", Uuid, primary_key=True),
        Column("actor", Text, nullable=False, comment="the subject of the caller's token"),
        Column("tenant", Uuid, comment="the caller's"),
        Column("mode", String(10), nullable=False, comment="create or upsert"),
        Column("dry_run", Boolean, nullable=False),
        Column("atomic", Boolean, nullable=False),
        Column("state", String(10), nullable=False, server_default=text("'receiving'")),
        *(Column(name, BigInteger, nullable=False, server_default=_ZERO) for name in counts),
        Column("errors", JSONB, nullable=False, server_default=text("'[]'"), comment="the first ones"),
        Column("reason", Text, comment="why it failed"),
        Column("request_id", Text),
        Column("traceparent", Text),
        Column("tracestate", Text),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Column("started_at", DateTime(timezone=True)),
        Column("finished_at", DateTime(timezone=True)),
        Column("owner", Uuid, comment="the worker that has it"),
        Column("leased_until", DateTime(timezone=True), comment="nobody else takes it before"),
        Column("attempts", Integer, nullable=False, server_default=_ZERO, comment="of workers that vanished"),
        CheckConstraint("mode IN ('create', 'upsert')", name="imports_mode_known"),
        CheckConstraint(
            "state IN ('receiving', 'queued', 'running', 'applied', 'completed', 'failed')",
            name="imports_state_known",
        ),
        Index("imports_open", "created_at", postgresql_where=OPEN),
        Index("imports_by_created_at", "created_at"),
        comment="imports of files: what was asked for, how far it is, what came of it",
    )


def _rows(metadata: MetaData) -> Table:
    return Table(
        "import_rows",
        metadata,
        Column("import_uuid", Uuid, primary_key=True),
        Column("line", BigInteger, primary_key=True, autoincrement=False, comment="on which it starts"),
        Column("uuid", Uuid, nullable=False, server_default=_NEW, comment="of what it creates"),
        Column("event", Uuid, nullable=False, server_default=_NEW, comment="the id of its event"),
        Column("parent", Uuid, comment="within which the key is unique, if within anything"),
        Column("key", Text, nullable=False, comment="what it is recognised by"),
        Column("columns", JSON, nullable=False, comment="what it creates"),
        Column("given", ARRAY(Text), comment="the fields it has, when it may change what exists"),
        Column("action", String(10), comment="failed, unchanged or change; null: it creates"),
        Column("target", Uuid, comment="what it changes"),
        Column("version", BigInteger, comment="of the target when the change was made out"),
        Column("merged", JSON, comment="what the target becomes"),
        Index("import_rows_by_key", "import_uuid", "parent", "key", "line"),
        prefixes=["UNLOGGED"],
        comment="rows of imports that are not finished; a crash of PostgreSQL empties it",
    )
