"""Bulk loading: COPY into a staging table, then one INSERT that skips what is there."""

import ssl
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import ARRAY, Column, MetaData, Table, Text, func, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.schema import CreateTable
from sqlalchemy.sql import ClauseElement

from infra.seed.errors import SeedError
from shared.config import DatabaseConfig

_CONNECT_SECONDS = 5
_WORDS = "search"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


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
        place = f"{config.name} at {config.host}:{config.port}"
        raise SeedError(
            f"The database {place} cannot be opened ({error or 'it does not answer'})."
            " Start the platform first: ./taskw up"
        ) from None
    try:
        yield connection
    finally:
        await connection.close()


class Loader:
    """Adds rows to one table, without those that exist or break a unique constraint.

    A row has every column but `deleted_at`; its `search` is a list of words and becomes a tsvector.
    """

    def __init__(self, connection: Connection, table: Table) -> None:
        self._connection = connection
        self._table = table
        self._columns = [column.name for column in table.columns if column.name != "deleted_at"]
        self._staging = f"incoming_{table.name}"
        staging = Table(
            self._staging,
            MetaData(),
            *(_staged(table.c[name]) for name in self._columns),
            prefixes=["TEMPORARY"],
        )
        chosen = [func.array_to_tsvector(each) if each.name == _WORDS else each for each in staging.columns]
        self._make_staging = _sql(CreateTable(staging))
        self._move = _sql(insert(table).from_select(self._columns, select(*chosen)).on_conflict_do_nothing())

    async def prepare(self) -> None:
        """Make the staging table, which goes with the connection.

        Raises:
            SeedError: the table to fill does not exist.
        """
        if await self._connection.fetchval("SELECT to_regclass($1)", self._table.name) is None:
            raise SeedError(f"There is no table {self._table.name} yet. Make it first: ./taskw migrate")
        await self._connection.execute(self._make_staging)

    async def add(self, rows: Iterable[Mapping[str, Any]]) -> int:
        """Add rows in one transaction and return how many are new."""
        records = [tuple(row[name] for name in self._columns) for row in rows]
        async with self._connection.transaction():
            await self._connection.copy_records_to_table(
                self._staging, records=records, columns=self._columns
            )
            added = await self._connection.execute(self._move)
            await self._connection.execute(f"TRUNCATE {self._staging}")
        return int(added.rpartition(" ")[2])

    async def settle(self) -> None:
        """Let the planner know of the new rows, and file their search words."""
        await self._connection.execute(f"VACUUM (ANALYZE) {self._table.name}")


def _staged(column: Column[Any]) -> Column[Any]:
    return Column(column.name, ARRAY(Text) if column.name == _WORDS else column.type)


def _sql(statement: ClauseElement) -> str:
    return str(statement.compile(dialect=postgresql.dialect()))
