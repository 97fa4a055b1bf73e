"""What an import reads grows with its rows, not their square, though the planner knows nothing of them."""

from collections.abc import AsyncGenerator, Sequence
from uuid import UUID, uuid4

import pytest

from services.store.repository.imports import TABLE
from shared.bulk.marks import SETTLE
from shared.bulk.transactions import Statements, long_transaction
from shared.db import Database
from tests.support.databases import TestDatabase
from tests.support.plans import flat, rows_read

ROWS, CHUNK = 4_000, 50
IMPORT, CLIENT = uuid4(), uuid4()
CONTEXT = ("tests", None, None, None)

_STORES = """
    INSERT INTO stores (uuid, client_uuid, code, code_key, name, name_key, country, timezone, search)
    SELECT gen_random_uuid(), $1, n::text, n::text, 'Old', 'old', 'ID', 'Asia/Jakarta', ''
    FROM generate_series(1, $2) AS n
"""
_STAGED = """
    INSERT INTO import_rows (import_uuid, line, uuid, event, parent, key, columns, given, action, target,
                             version, merged)
    SELECT $1, n, gen_random_uuid(), gen_random_uuid(), $2, n::text, made, ARRAY['name'], $4,
           (SELECT uuid FROM stores WHERE code = n::text), 1, made
    FROM generate_series(1, $3) AS n, json_build_object(
        'client_uuid', $2::uuid, 'code', n::text, 'code_key', n::text, 'name', 'New', 'name_key', 'new',
        'country', 'ID', 'timezone', 'Asia/Jakarta', 'is_active', true, 'search', ARRAY['new']
    ) AS made
"""


@pytest.fixture
async def statements(store_database: TestDatabase) -> AsyncGenerator[Statements]:
    """A transaction of a worker."""
    database = Database(store_database.app, "tests")
    async with long_transaction(database) as statements:
        yield statements
    await database.close()


async def staged(statements: Statements, action: str | None = None, *, stores: bool = False) -> None:
    """Stage rows, perhaps of stores that exist."""
    if stores:
        await statements.rows(_STORES, CLIENT, ROWS)
    await statements.rows(_STAGED, IMPORT, CLIENT, ROWS, action)


async def read(statements: Statements, sql: str, *arguments: object, table: str = "import_rows") -> list[int]:
    """Return how many rows of a table a statement reads, planned for these values and for any."""
    found: list[int] = []
    for mode in ("force_custom_plan", "force_generic_plan"):
        await statements.rows("SELECT set_config('plan_cache_mode', $1, true)", mode)
        await statements.driver.execute("SAVEPOINT before")
        explained = await statements.row(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", *arguments)
        await statements.driver.execute("ROLLBACK TO before")
        nodes = [node for node in flat(explained[0][0]["Plan"]) if node.get("Relation Name") == table]
        found.append(rows_read(nodes, table))
    return found


async def test_a_chunk_of_creations_reads_its_own_rows(statements: Statements) -> None:
    await staged(statements)
    assert await read(statements, TABLE.create, IMPORT, CHUNK, None, CHUNK, *CONTEXT) == [CHUNK, CHUNK]


async def test_a_chunk_of_changes_reads_its_own_rows(statements: Statements) -> None:
    await staged(statements, "change", stores=True)
    arguments = (IMPORT, CHUNK, None, CHUNK, *CONTEXT)
    assert await read(statements, TABLE.change, *arguments) == [CHUNK, CHUNK]
    assert max(await read(statements, TABLE.change, *arguments, table="stores")) <= 2 * CHUNK


async def test_what_exists_is_looked_for_once_a_row(statements: Statements) -> None:
    await staged(statements, stores=True)
    assert await read(statements, TABLE.mark_existing, IMPORT, CHUNK) == [ROWS, ROWS]
    assert await read(statements, TABLE.mark_existing, IMPORT, CHUNK, table="stores") == [ROWS, ROWS]


@pytest.mark.parametrize("tenant", [None, CLIENT])
async def test_some_rows_are_compared_with_what_exists(statements: Statements, tenant: UUID | None) -> None:
    await staged(statements, stores=True)
    arguments = (IMPORT, CHUNK, None, tenant, CHUNK)
    assert await read(statements, TABLE.matches, *arguments) == [CHUNK, CHUNK]
    assert await read(statements, TABLE.matches, *arguments, table="stores") == [CHUNK, CHUNK]


async def test_what_some_rows_come_to_is_noted_in_them(statements: Statements) -> None:
    await staged(statements)
    lines = range(1, CHUNK + 1)
    values: Sequence[Sequence[object]] = (lines, ["unchanged"] * CHUNK, *[[None] * CHUNK] * 3)
    assert await read(statements, SETTLE, IMPORT, *map(list, values)) == [CHUNK, CHUNK]
