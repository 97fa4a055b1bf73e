"""Each change of a store is recorded with it, once, and never what was rolled back."""

from typing import Any

import msgspec
import pytest

from services.store.repository.stores import StoreRepository
from services.store.schema import CreateStore, Store
from shared.db import Database
from shared.identifiers import new_uuid
from tests.support.caches import no_cache
from tests.support.databases import TestDatabase, connect
from tests.support.resource import Resource

COMMAND = CreateStore(client_uuid=new_uuid(), code="JKT-01", name="Menteng")


async def recorded(database: TestDatabase) -> list[dict[str, Any]]:
    connection = await connect(database.app)
    rows = [dict(row) for row in await connection.fetch("SELECT * FROM changes ORDER BY id")]
    await connection.close()
    for row in rows:
        for name in ("before", "after"):
            row[name] = row[name] and msgspec.convert(msgspec.json.decode(row[name]), Store)
    return rows


async def test_every_change_is_recorded_once(stores: Resource, store_database: TestDatabase) -> None:
    store = await stores.make(code="JKT-01")
    await stores.change(store, name="Menteng")
    await stores.change(store)
    for status in (204, 404):
        assert (await stores.http.delete(stores.url(store))).status_code == status
    created, changed, deleted = await recorded(store_database)
    assert [row["type"] for row in (created, changed, deleted)] == [
        "store.created",
        "store.changed",
        "store.deleted",
    ]
    assert [row["version"] for row in (created, changed, deleted)] == [1, 2, 3]
    assert {str(row["aggregate_id"]) for row in (created, changed, deleted)} == {store["uuid"]}
    assert (created["before"], deleted["after"]) == (None, None)
    assert created["after"] == changed["before"] == msgspec.convert(store, Store)
    assert changed["after"] == deleted["before"]
    assert changed["after"].name == "Menteng"
    assert len({row["event_id"] for row in (created, changed, deleted)}) == 3


async def test_a_change_tells_who_asked_for_it_and_where(
    stores: Resource, store_database: TestDatabase
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"X-Request-ID": "asked-by-a-test", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    headers["tracestate"] = "vendor=1"
    answer = await stores.http.post(stores.path, json=stores.body(), headers=headers)
    assert answer.status_code == 201
    (row,) = await recorded(store_database)
    assert row["request_id"] == "asked-by-a-test"
    assert row["traceparent"].split("-")[1] == trace
    assert row["tracestate"] == "vendor=1"
    assert row["aggregate_type"] == "store"
    assert row["schema_version"] == 1
    assert row["actor"]


async def test_a_rollback_leaves_nothing(store_database: TestDatabase) -> None:
    database = Database(store_database.app, "tests")
    repository = StoreRepository(database, no_cache(database))
    with pytest.raises(ZeroDivisionError):
        async with repository.transaction("someone") as stores:
            await stores.add(COMMAND)
            raise ZeroDivisionError
    assert await recorded(store_database) == []
    assert not database.committed.is_set()
    async with repository.transaction("someone") as stores:
        await stores.add(COMMAND)
    (row,) = await recorded(store_database)
    assert row["actor"] == "someone"
    assert database.committed.is_set()
    await database.close()
