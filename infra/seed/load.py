"""Bulk loading: COPY into a staging table, then one INSERT that skips what is there."""

import ssl
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

import asyncpg
from sqlalchemy import ARRAY, Column, MetaData, Table, Text, func, select
from sqlalchemy.dialects.postgresql import dialect, insert
from sqlalchemy.schema import CreateTable

from infra.seed.errors import SeedError
from shared.config import DatabaseConfig

_CONNECT_SECONDS = 5
_STAGING = "incoming"
_WORDS = "search"

Connection = asyncpg.Connection[asyncpg.Record]


@asynccontextmanager
async def connected(config: DatabaseConfig) -> AsyncGenerator[Connection]:
    """Open a connection for loading.

    Raises:
        SeedError: the server or the database cannot be reached.
    """
    try:
        connection = await asyncpg.connect(
            host=config.host,
            port=config.port,
            user=config.user,
            password=config.password.reveal(),
            database=config.name,
            ssl=ssl.create_default_context() if config.sslmode == "verify-full" else config.sslmode,
            timeout=_CONNECT_SECONDS,
            server_settings={"application_name": "gerai-seed", "search_path": config.schema},
        )
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        place = f"database {config.name} at {config.host}:{config.port}"
        raise SeedError(f"Cannot open {place} ({error or 'no answer'}). Is the platform up? ./taskw up") from None
    try:
        yield connection
    finally:
        await connection.close()


class Loader:
    """Adds rows to one table; a row that exists, or breaks a unique constraint, is left out.

    The rows' words for the column `search` become its tsvector.
    """

    def __init__(self, connection: Connection, table: Table, columns: Sequence[str]) -> None:
        self._connection = connection
        self._columns = list(columns)
        self._staging = Table(
            _STAGING, MetaData(), *(_staged(table.c[name]) for name in columns), prefixes=["TEMPORARY"]
        )
        chosen = [
            func.array_to_tsvector(column) if column.name == _WORDS else column
            for column in self._staging.columns
        ]
        self._move = insert(table).from_select(self._columns, select(*chosen)).on_conflict_do_nothing()

    async def prepare(self) -> None:
        """Make the staging table, which goes with the connection.

        Raises:
            SeedError: the table to fill does not exist yet.
        """
        await self._connection.execute(_sql(CreateTable(self._staging)))

    async def add(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Add rows in one transaction and return how many are new."""
        records = [tuple(row[name] for name in self._columns) for row in rows]
        async with self._connection.transaction():
            await self._connection.copy_records_to_table(_STAGING, records=records, columns=self._columns)
            added = await self._connection.execute(_sql(self._move))
            await self._connection.execute(f"TRUNCATE {_STAGING}")
        return int(added.rsplit(" ", 1)[-1])
