"""Keys of requests are forgotten after a day."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from shared.db import Database
from shared.idempotency.pruning import KEPT, MOST_AT_ONCE, Pruning
from tests.support.databases import TestDatabase, connect
from tests.support.events import until

_KEYS = """
    INSERT INTO idempotency_keys
        (caller, route, key, fingerprint, authority, status, headers, body, created_at)
    SELECT 'someone', 'POST /v1/stores', $1 || number, decode(repeat('00', 32), 'hex'), 'admin of all', 201,
           '{}', '', now() - $2::interval
    FROM generate_series(1, $3::int) AS number
"""


@pytest.fixture
async def database(store_database: TestDatabase) -> AsyncGenerator[Database]:
    database = Database(store_database.app, "tests")
    yield database
    await database.close()


async def run(database: TestDatabase, statement: str, *values: object) -> list[Any]:
    connection = await connect(database.owner)
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


async def keys(database: TestDatabase) -> list[str]:
    return [row["key"] for row in await run(database, "SELECT key FROM idempotency_keys")]


async def test_old_keys_go_however_many_and_young_ones_stay(
    store_database: TestDatabase, database: Database
) -> None:
    await run(store_database, _KEYS, "old", KEPT + timedelta(minutes=1), 2 * MOST_AT_ONCE + 1)
    await run(store_database, _KEYS, "young", KEPT - timedelta(minutes=1), 1)
    await Pruning(database).prune()
    assert await keys(store_database) == ["young1"]


async def test_keys_are_forgotten_beside_the_requests(
    store_database: TestDatabase, database: Database
) -> None:
    await run(store_database, _KEYS, "old", KEPT * 2, 1)
    pruning = Pruning(database)
    await pruning.start()

    async def none_is_left() -> bool:
        return await keys(store_database) == []

    await until(none_is_left)
    await pruning.stop()
