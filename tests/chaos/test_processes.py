"""Processes die or hang; what was acknowledged stays, and no effect is doubled."""

import asyncio
import random
import signal

import pytest

from tests.chaos.world import RECOVERY_SECONDS, UNREACHABLE_TOLERANCE, World

pytestmark = pytest.mark.chaos

SECONDS = 1.0


@pytest.mark.parametrize("name", ["store", "store2", "client", "gateway", "auth"])
async def test_a_killed_process_loses_nothing(world: World, name: str) -> None:
    """kill -9 under load: requests under way may fail, acknowledged writes stay, no version is made twice."""
    async with world.load() as load:
        for _ in range(2):
            await asyncio.sleep(SECONDS)
            world.platform.kill(name)
            await asyncio.sleep(0.2)
            await world.platform.start(name)
    load.check(tolerance=UNREACHABLE_TOLERANCE)
    assert set(load.statuses) <= {200, 0, 502, 503, 504}
    await _assert_each_version_is_recorded_once(world)


async def test_a_stopped_process_finishes_what_it_began(world: World) -> None:
    """SIGTERM under load: nothing is lost, and the process ends in time."""
    async with world.load() as load:
        await asyncio.sleep(SECONDS)
        process = world.platform.processes["store"]
        process.send_signal(signal.SIGTERM)
        await asyncio.to_thread(process.wait, 25)
        await world.platform.start("store")
    load.check(tolerance=UNREACHABLE_TOLERANCE)
    await _assert_each_version_is_recorded_once(world)


async def test_stores_are_not_created_while_clients_cannot_be_asked(world: World) -> None:
    """The client service hangs, then is dead: 503 or 504 with Retry-After, and no store appears."""
    await world.recovered()
    process = world.platform.processes["client"]
    process.send_signal(signal.SIGSTOP)
    await _assert_nothing_is_created(world)
    process.send_signal(signal.SIGCONT)
    world.platform.kill("client")
    await _assert_nothing_is_created(world)
    await world.platform.start("client")
    await world.recovered()


async def test_stores_learn_of_every_client_whatever_dies(world: World) -> None:
    """Consumer and relay are killed between any two steps: the copy ends as the client is."""
    await world.recovered()
    for round_ in range(4):
        for number in range(6):
            body = {"name": f"Client {round_} {number} {random.getrandbits(30)}"}
            answer = await world.platform.http.patch(f"/v1/master-client/{world.client}", json=body)
            assert answer.status_code in {200, 502, 503, 504}
        name = ("store", "store2", "client", "store")[round_]
        world.platform.kill(name)
        await world.platform.start(name)
    shown = f"SELECT name, version FROM clients WHERE uuid = '{world.client}'"  # noqa: S608 - an id of ours
    (client,) = await world.rows("client", shown)
    async with asyncio.timeout(RECOVERY_SECONDS + 30):  # entries of a dead member are taken over after 30 s
        while await world.rows("store", shown) != [client]:
            await asyncio.sleep(0.1)
    assert await world.rows("store", "SELECT 1 FROM dead_letters") == []


async def _assert_nothing_is_created(world: World) -> None:
    for number in range(3):
        body = {"client_uuid": world.client, "code": f"N-{number}", "name": "Must not be"}
        answer = await world.platform.http.post("/v1/stores", json=body)
        assert answer.status_code in {503, 504}, answer.text
        assert answer.headers["retry-after"]
    assert await world.rows("store", "SELECT 1 FROM stores WHERE code LIKE 'N-%'") == []


async def _assert_each_version_is_recorded_once(world: World) -> None:
    twice = "SELECT aggregate_id FROM changes GROUP BY aggregate_id, version HAVING count(*) > 1"
    assert await world.rows("store", twice) == []
    missing = (
        "SELECT uuid FROM stores WHERE version <>"
        " (SELECT count(*) FROM changes WHERE aggregate_id = stores.uuid) AND deleted_at IS NULL"
    )
    assert await world.rows("store", missing) == []
