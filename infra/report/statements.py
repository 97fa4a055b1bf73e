"""Which statements take the most of the server's time, as pg_stat_statements counts them."""

from typing import Any

import asyncpg

from infra.report.section import Column, Section, number
from infra.report.units import count, milliseconds, share, statement

SLOW = Section(
    title="Statements that take the most time",
    sql="""
SELECT s.total_exec_time / nullif(sum(s.total_exec_time) OVER (), 0) AS part, s.calls,
       s.mean_exec_time AS mean, s.max_exec_time AS slowest, s.rows / s.calls::float AS rows_each,
       s.shared_blks_hit / nullif((s.shared_blks_hit + s.shared_blks_read)::float, 0) AS from_memory,
       replace(s.query, '<insufficient privilege>', '(hidden from this role: it takes pg_monitor)') AS query
  FROM {schema}.pg_stat_statements s
 WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = $1) AND s.calls > 0
 ORDER BY s.total_exec_time DESC
 LIMIT 10
""",
    columns=(
        number("part", share, "of all time"),
        number("calls", count),
        number("mean", milliseconds),
        number("slowest", milliseconds),
        number("rows_each", count, "rows each"),
        number("from_memory", share),
        Column("query", "statement", statement),
    ),
    nothing="No statement has been counted yet.",
    advice="EXPLAIN (ANALYZE, BUFFERS) the first: fewer calls (cache, batches), fewer rows, or an index.",
)

_LOADED = "SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'pg_stat_statements.max')"
_SCHEMA = """
SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
 WHERE e.extname = 'pg_stat_statements'
"""

NOT_LOADED = (
    "Not known: this server counts no statements. It takes pg_stat_statements in shared_preload_libraries, as"
    " infra/postgres/postgresql.conf has it; the embedded PostgreSQL has no such module."
)
NOT_MADE = (
    "Not known: the server counts them, but the view that tells of it is neither in this database nor in"
    " `postgres`. ./taskw db:provision makes it; so does CREATE EXTENSION pg_stat_statements, as a superuser."
)


async def counted(connection: Any) -> bool:  # noqa: ANN401 - asyncpg's connection has incomplete types
    """Tell whether the server counts statements at all."""
    return await connection.fetchval(_LOADED)


async def ask(connection: Any, database: str) -> list[asyncpg.Record] | None:  # noqa: ANN401 - likewise
    """Return what is counted of `database`, or None where this connection's database has no view of it."""
    schema = await connection.fetchval(_SCHEMA)
    if schema is None:
        return None
    return await connection.fetch(SLOW.sql.format(schema=schema), database)
