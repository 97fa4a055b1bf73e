"""Deleting clients across two services, with crashes between all steps, and stores created meanwhile."""

import asyncio
import random
import signal
from collections.abc import AsyncGenerator
from typing import Any, Literal

import asyncpg
import httpx
import pytest

from shared.identifiers import new_uuid
from tests.support.databases import TestDatabase, connect
from tests.support.gate import Gate
from tests.support.platform import Platform
from tests.support.serving import serving

Json = dict[str, Any]
Side = Literal["before", "after"]

SETTLED_SECONDS = 30


class World:
    """The platform with a gate between client and store, as an admin meets it."""

    def __init__(
        self, platform: Platform, admin: dict[str, str], gate: Gate, databases: dict[str, TestDatabase]
    ) -> None:
        self.platform = platform
        self.gate = gate
        self._admin = admin
        self._databases = databases

    async def ask(self, method: str, path: str, body: Json | None = None) -> httpx.Response:
        return await self.platform.http.request(method, path, json=body, headers=self._admin)

    async def make_client(self, stores: int = 0) -> str:
        body = {"name": "Kopi", "email": f"{new_uuid()}@example.com"}
        answer = await self.ask("POST", "/v1/master-client", body)
        assert answer.status_code == 201, answer.text
        uuid = answer.json()["data"]["uuid"]
        for _ in range(stores):
            assert (await self.open_store(uuid)).status_code == 201
        return uuid

    async def open_store(self, client_uuid: str) -> httpx.Response:
        body = {"client_uuid": client_uuid, "code": str(new_uuid()), "name": "Kopi"}
        return await self.ask("POST", "/v1/stores", body)

    async def end(self, uuid: str, *, cascade: bool = False) -> httpx.Response:
        return await self.ask("DELETE", f"/v1/master-client/{uuid}{'?cascade=true' if cascade else ''}")

    async def is_alive(self, uuid: str) -> bool:
        answer = await self.ask("GET", f"/v1/master-client/{uuid}")
        assert answer.status_code in {200, 404}, answer.text
        return answer.status_code == 200

    async def living_stores(self, uuid: str) -> int:
        answer = await self.ask("GET", f"/v1/uncached/stores?client_uuid={uuid}")
        assert answer.status_code == 200, answer.text
        return answer.json()["meta"]["total"]

    async def run(self, service: str, statement: str) -> list[Any]:
        connection = await connect(self._databases[service].owner)
        try:
            return await connection.fetch(statement)
        finally:
            await connection.close()

    async def restart_client(self) -> None:
        """Kill the client service and start it again, eleven seconds later for all it knows of deletions."""
        self.platform.kill("client")
        await self.platform.start("client")
        await self.run("client", "UPDATE deletions SET started_at = started_at - interval '11 seconds'")

    async def until_undone(self) -> None:
        async with asyncio.timeout(SETTLED_SECONDS):
            while await self.run("client", "SELECT 1 FROM deletions"):
                await asyncio.sleep(0.05)

    async def until_without_stores(self, uuid: str) -> None:
        async with asyncio.timeout(SETTLED_SECONDS):
            while await self.living_stores(uuid):
                await asyncio.sleep(0.05)

    async def assert_untouched(self, uuid: str, stores: int) -> None:
        """The client lives, its stores do, and more can be opened."""
        assert await self.is_alive(uuid)
        assert await self.living_stores(uuid) == stores
        answer = await self.open_store(uuid)
        assert answer.status_code == 201, answer.text


@pytest.fixture(scope="module")
async def gated(platform: Platform) -> AsyncGenerator[Gate]:
    gate = Gate(platform.url("store"))
    async with serving(gate) as url:
        platform.kill("client")
        platform.environments["client"]["STORE_URL"] = url
        await platform.start("client")
        yield gate
        gate.open()
        platform.kill("client")
        platform.environments["client"]["STORE_URL"] = platform.url("store")
        await platform.start("client")


@pytest.fixture
async def world(
    platform: Platform, admin: dict[str, str], gated: Gate, databases: dict[str, TestDatabase]
) -> AsyncGenerator[World]:
    yield World(platform, admin, gated, databases)
    gated.open()
    for name in ("client", "store"):
        if platform.processes[name].poll() is not None:
            await platform.start(name)


@pytest.fixture
async def store_lock(
    databases: dict[str, TestDatabase],
) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection to the store service's database, for locks that hold the service up."""
    connection = await connect(databases["store"].owner)
    yield connection
    await connection.close()


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_client_with_stores_stays_and_says_how_many(world: World) -> None:
    uuid = await world.make_client(stores=3)
    for query in ("", "?cascade=false"):
        answer = await world.ask("DELETE", f"/v1/master-client/{uuid}{query}")
        assert code(answer) == (409, "CLIENT_HAS_STORES")
        assert "3" in answer.json()["message"].replace(uuid, "")
        assert "cascade=true" in answer.json()["message"]
    await world.until_undone()
    await world.assert_untouched(uuid, stores=3)


async def test_a_client_without_stores_ends_for_good(world: World) -> None:
    uuid = await world.make_client()
    assert (await world.end(uuid)).status_code == 204
    assert not await world.is_alive(uuid)
    assert code(await world.open_store(uuid)) == (404, "CLIENT_NOT_FOUND")
    assert (await world.end(uuid)).status_code == 404


async def test_cascade_ends_its_stores_too(world: World) -> None:
    uuid, other = await world.make_client(stores=3), await world.make_client(stores=1)
    assert (await world.end(uuid, cascade=True)).status_code == 204
    await world.until_without_stores(uuid)
    assert await world.living_stores(other) == 1
    recorded = await world.run(
        "store",
        f"SELECT count(*) FROM changes WHERE type = 'store.deleted' AND before ->> 'client_uuid' = '{uuid}'",  # noqa: S608 - an id of our own
    )
    assert recorded[0]["count"] == 3


@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_crash_around_the_fence_undoes_the_deletion(world: World, side: Side) -> None:
    uuid = await world.make_client(stores=1)
    world.gate.close("PUT", side)
    ending = asyncio.create_task(world.end(uuid, cascade=True))
    async with asyncio.timeout(SETTLED_SECONDS):
        await world.gate.reached.wait()
    if side == "after":
        assert code(await world.open_store(uuid)) == (409, "CLIENT_BEING_DELETED")
    await world.restart_client()
    assert (await ending).status_code in {502, 503}
    await world.until_undone()
    await world.assert_untouched(uuid, stores=1)
    world.gate.open()  # the fence that was held arrives now, too late to be set
    await asyncio.gather(*(world.open_store(uuid) for _ in range(5)))
    assert await world.living_stores(uuid) == 7
    assert (await world.end(uuid, cascade=True)).status_code == 204
    await world.until_without_stores(uuid)


@pytest.mark.parametrize("side", ["before", "after"])
async def test_a_crash_while_undoing_is_no_obstacle_to_it(world: World, side: Side) -> None:
    uuid = await world.make_client(stores=1)
    world.gate.close("DELETE", side)
    assert code(await world.end(uuid)) == (409, "CLIENT_HAS_STORES")
    async with asyncio.timeout(SETTLED_SECONDS):
        await world.gate.reached.wait()
    await world.restart_client()
    world.gate.open()
    await world.until_undone()
    await world.assert_untouched(uuid, stores=1)


async def test_a_crash_after_the_end_goes_forward(world: World) -> None:
    uuid = await world.make_client(stores=2)
    assert (await world.end(uuid, cascade=True)).status_code == 204
    world.platform.kill("client")
    assert code(await world.open_store(uuid))[0] in {409, 503}
    await world.platform.start("client")
    await world.until_without_stores(uuid)
    assert not await world.is_alive(uuid)


async def test_a_crash_at_any_moment_ends_in_one_of_two_states(world: World) -> None:
    dice = random.Random(20261124)
    for _ in range(6):
        uuid = await world.make_client(stores=1)
        ending = asyncio.create_task(world.end(uuid, cascade=True))
        await asyncio.sleep(dice.random() * 0.05)
        await world.restart_client()
        acknowledged = (await ending).status_code == 204
        await world.until_undone()
        if await world.is_alive(uuid):
            assert not acknowledged
            await world.assert_untouched(uuid, stores=1)
        else:
            await world.until_without_stores(uuid)


async def test_without_the_store_service_nothing_changes(world: World) -> None:
    uuid = await world.make_client(stores=1)
    world.platform.kill("store")
    world.gate.target = "http://127.0.0.1:9"  # refuses connections, as the ended service does
    try:
        answer = await world.end(uuid, cascade=True)
        assert answer.status_code in {502, 503, 504}, answer.text
        assert await world.is_alive(uuid)
    finally:
        world.gate.target = world.platform.url("store")
        await world.platform.start("store")
    await world.until_undone()
    await world.assert_untouched(uuid, stores=1)


async def test_a_frozen_store_service_costs_a_bounded_time(world: World) -> None:
    uuid = await world.make_client(stores=1)
    store = world.platform.processes["store"]
    store.send_signal(signal.SIGSTOP)
    try:
        async with asyncio.timeout(12):
            answer = await world.end(uuid, cascade=True)
        assert answer.status_code in {503, 504}, answer.text
        assert await world.is_alive(uuid)
    finally:
        store.send_signal(signal.SIGCONT)
    await world.until_undone()
    await world.assert_untouched(uuid, stores=1)


async def waiting_for(world: World, locktype: str) -> bool:
    question = f"SELECT 1 FROM pg_locks WHERE locktype = '{locktype}' AND NOT granted"  # noqa: S608 - a constant
    return bool(await world.run("store", question))


async def test_a_store_that_is_half_created_is_waited_for(
    world: World, store_lock: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Its client was alive when it was asked about, and is deleted before the store is inserted."""
    uuid = await world.make_client()
    async with asyncio.timeout(SETTLED_SECONDS):
        async with store_lock.transaction():
            await store_lock.execute("LOCK TABLE stores IN SHARE MODE")
            opening = asyncio.create_task(world.open_store(uuid))
            while not await waiting_for(world, "relation"):
                await asyncio.sleep(0.01)
            ending = asyncio.create_task(world.end(uuid, cascade=True))
            while not (ending.done() or await waiting_for(world, "advisory")):
                await asyncio.sleep(0.01)
        assert (await ending).status_code == 204
        assert (await opening).status_code == 201
    await world.until_without_stores(uuid)


async def test_stores_created_meanwhile_are_no_orphans(world: World) -> None:
    acknowledged = 0
    for _ in range(20):
        uuid = await world.make_client(stores=1)
        *created, ended = await asyncio.gather(
            *(world.open_store(uuid) for _ in range(6)), world.end(uuid, cascade=True)
        )
        assert {answer.status_code for answer in created} <= {201, 404, 409}
        assert ended.status_code == 204, ended.text
        acknowledged += sum(answer.status_code == 201 for answer in created)
        await world.until_without_stores(uuid)
        assert (await world.open_store(uuid)).status_code in {404, 409}
    assert acknowledged
