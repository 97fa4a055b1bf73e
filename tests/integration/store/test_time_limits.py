"""What a request's time limit does to its query and to its calls."""

import asyncio
import time

import pytest

from shared.deadline import HEADER
from tests.support.databases import TestDatabase, connect
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Resource, refused

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
LIMIT = 0.5


@pytest.mark.parametrize("path", ["", "/{uuid}"])
async def test_a_query_that_waits_too_long_ends_with_its_request(
    stores: Resource, store_database: TestDatabase, path: str
) -> None:
    made = await stores.make()
    owner = await connect(store_database.owner)
    try:
        async with owner.transaction():
            await owner.execute("LOCK TABLE stores IN ACCESS EXCLUSIVE MODE")
            headers = {HEADER: str(int(LIMIT * 1000)), "Cache-Control": "no-cache"}
            started = time.monotonic()
            answer = await stores.http.get(stores.path + path.format(**made), headers=headers)
            refused(answer, 504, "DEADLINE_EXCEEDED")
            assert LIMIT <= time.monotonic() - started < LIMIT + 0.3
            async with asyncio.timeout(1):
                while await owner.fetchval(WAITING):
                    await asyncio.sleep(0.01)
    finally:
        await owner.close()
    assert (await stores.http.get(f"{stores.path}/{made['uuid']}")).status_code == 200


async def test_a_neighbour_gets_what_is_left(stores: Resource, neighbours: FakeNeighbours) -> None:
    neighbours.moving.clear()
    try:
        started = time.monotonic()
        headers = {HEADER: str(int(LIMIT * 1000))}
        answer = await stores.http.post(stores.path, json=stores.body(), headers=headers)
    finally:
        neighbours.moving.set()
    assert answer.status_code == 504
    assert int(answer.headers["retry-after"]) >= 1
    assert time.monotonic() - started < LIMIT + 0.2
    assert (await stores.http.get("/readyz")).status_code == 200
