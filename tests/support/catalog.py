"""What a database says of its tables, to compare what migrations made with what a model declares."""

from sqlalchemy import Connection, MetaData, text

from shared.config import DatabaseConfig
from shared.db import Database

_DRAFT = "declared"

_COLUMNS = """
    SELECT relname || '.' || attname, format_type(atttypid, atttypmod), attnotnull,
           pg_get_expr(adbin, adrelid), col_description(attrelid, attnum)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE relkind = 'r' AND relnamespace = CAST(:schema AS regnamespace) AND attnum > 0
      AND relname <> 'alembic_version'
"""
_CONSTRAINTS = """
    SELECT conname, replace(pg_get_constraintdef(oid), :schema || '.', '') FROM pg_constraint
    WHERE connamespace = CAST(:schema AS regnamespace) AND conrelid <> 0 AND contype NOT IN ('n', 't')
      AND conname NOT LIKE 'alembic%'
"""
_INDEXES = """
    SELECT indexname, replace(indexdef, schemaname || '.', '') FROM pg_indexes
    WHERE schemaname = :schema AND indexname NOT LIKE 'alembic%'
"""

Description = list[tuple[object, ...]]


async def made_and_declared(owner: DatabaseConfig, metadata: MetaData) -> tuple[Description, Description]:
    """Return columns, constraints and indexes as they are, and as `metadata` would make them."""
    database = Database(owner, "tests")
    try:
        async with database.transaction() as connection:
            return await connection.run_sync(_compare, metadata)
    finally:
        await database.close()


def _compare(connection: Connection, metadata: MetaData) -> tuple[Description, Description]:
    made = _described(connection, "public")
    with connection.begin_nested() as savepoint:
        connection.execute(text(f"CREATE SCHEMA {_DRAFT}"))
        connection.execution_options(schema_translate_map={None: _DRAFT})
        metadata.create_all(connection)
        declared = _described(connection, _DRAFT)
        savepoint.rollback()
    return made, declared


def _described(connection: Connection, schema: str) -> Description:
    rows = [
        tuple(row)
        for question in (_COLUMNS, _CONSTRAINTS, _INDEXES)
        for row in connection.execute(text(question), {"schema": schema})
    ]
    return sorted(rows, key=str)
