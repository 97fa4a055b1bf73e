"""Transactions whose statements take longer than those of a request."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypeAlias, cast

import asyncpg
from sqlalchemy import text

from shared.db import Database

STATEMENT_SECONDS = 300
"""What one statement over many rows may take."""

Driver: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# A server whose client has vanished would otherwise finish a long statement first, with its locks held. What
# was just staged is unknown to the planner: left alone it takes a table for empty and reads it for each row,
# or reads and sorts all rows of an import for some of them, which an index has in order.
_SETTINGS = text(
    f"""
    SELECT set_config('statement_timeout', '{STATEMENT_SECONDS}s', true),
           set_config('idle_in_transaction_session_timeout', '30s', true),
           set_config('client_connection_check_interval', '1s', true),
           set_config('work_mem', '32MB', true),
           set_config('enable_seqscan', 'off', true),
           set_config('enable_bitmapscan', 'off', true),
           set_config('enable_sort', 'off', true)
    """
)


class Statements:
    """Runs statements on asyncpg's own connection: SQLAlchemy's has the time limit of requests."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    async def row(self, sql: str, *arguments: object) -> asyncpg.Record:
        """Return the one row that a statement has."""
        rows = await self.rows(sql, *arguments)
        return rows[0]

    async def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        """Return all rows of a statement."""
        return await self.driver.fetch(sql, *arguments, timeout=STATEMENT_SECONDS + 1)


@asynccontextmanager
async def long_transaction(database: Database, caller: str | None = None) -> AsyncGenerator[Statements]:
    """Open a transaction on the primary: committed at the end of the block, rolled back on an error.

    The next reads of `caller` will see it.
    """
    async with database.transaction(caller) as connection:
        await connection.execute(_SETTINGS)  # which begins it
        raw = await connection.get_raw_connection()
        yield Statements(cast("Driver", raw.driver_connection))
