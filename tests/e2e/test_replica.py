"""Reads through the gateway while the store service's replica is behind, gone and back."""

from collections.abc import AsyncGenerator
from typing import Any

import httpx
import pytest

from shared.config import RedisConfig
from tests.support.databases import TestDatabase
from tests.support.events import until
from tests.support.platform import Platform, running
from tests.support.replicas import Replica, replicating

OTHER = {"email": "other@gerai.example", "password": "correct horse battery staple"}
SEARCH = "/v1/stores?q=menteng"


class Journey:
    """A platform whose store service has a replica, and two admins."""

    def __init__(self, platform: Platform, replica: Replica) -> None:
        self.platform, self.replica = platform, replica
        self.writer, self.other = dict[str, str](), dict[str, str]()
        self.client_uuid = ""

    async def begin(self) -> None:
        self.writer = await self.platform.sign_in()
        await self.make("/v1/users", {**OTHER, "name": "Other", "roles": ["admin"]})
        self.other = await self.platform.sign_in(**OTHER)
        client = {"name": "Kopi", "email": "halo@kopi.example"}
        self.client_uuid = (await self.make("/v1/master-client", client))["uuid"]
        await self.until_replica_answers()

    async def make(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self.platform.http.post(path, json=body, headers=self.writer)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]

    async def open_store(self, code: str) -> dict[str, Any]:
        return await self.make(
            "/v1/stores", {"client_uuid": self.client_uuid, "code": code, "name": "Menteng"}
        )

    async def codes(self, caller: dict[str, str], path: str = SEARCH) -> list[str]:
        answer = await self.platform.http.get(path, headers=caller)
        assert answer.status_code == 200, answer.text
        return [row["code"] for row in answer.json()["data"]]

    async def reads_of_replica(self) -> float:
        async with httpx.AsyncClient(base_url=self.platform.url("store")) as store:
            lines = (await store.get("/metrics")).text.splitlines()
        found = [line for line in lines if line.startswith('database_reads_total{server="replica"}')]
        return float(found[0].split()[1]) if found else 0.0

    async def until_replica_answers(self) -> None:
        """Wait until it answers a read: a process that has just started does not know who wrote before."""

        async def it_does() -> bool:
            before = await self.reads_of_replica()
            await self.codes(self.other)
            return await self.reads_of_replica() > before

        await until(it_does, seconds=30)


@pytest.fixture(scope="module")
async def journey(
    postgres_url: str,
    databases: dict[str, TestDatabase],
    redis_config: RedisConfig,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Journey]:
    for database in databases.values():
        await database.empty()
    folder = tmp_path_factory.mktemp("replicated")
    with replicating(postgres_url, folder / "replica") as replica:
        environment = {"DB_READ_HOST": "127.0.0.1", "DB_READ_PORT": str(replica.port)}
        changes = {"store": {**environment, "DB_READ_MAX_LAG_SECONDS": "10"}}
        async with running(databases, redis_config, folder, changes) as platform:
            journey = Journey(platform, replica)
            await journey.begin()
            yield journey


async def test_a_writer_reads_their_own_write_whatever_the_replica_has(journey: Journey) -> None:
    await journey.replica.pause()
    try:
        store = await journey.open_store("JKT-1")
        path = f"/v1/stores/{store['uuid']}"
        seen = [await journey.codes(who) for who in (journey.writer, journey.other)]
        assert seen == [["JKT-1"], []]
        assert await journey.codes(journey.writer, f"/v1/stores?uuids={store['uuid']}") == ["JKT-1"]
        assert await journey.codes(journey.other, SEARCH.replace("/v1", "/v1/uncached")) == ["JKT-1"]
        history = await journey.platform.http.get(f"{path}/history", headers=journey.writer)
        assert [row["type"] for row in history.json()["data"]] == ["store.created"]
        cached = await journey.platform.http.get(path, headers=journey.other)
        assert cached.status_code == 200, "what is cached is looked up in the primary"
    finally:
        await journey.replica.resume()
    await until(lambda: journey.codes(journey.other))


async def test_a_replica_that_ends_costs_no_answer(journey: Journey) -> None:
    journey.replica.end()
    try:
        for number in range(20):
            await journey.open_store(f"END-{number}")
            assert f"END-{number}" in await journey.codes(journey.writer, f"{SEARCH}&limit=100")
            await journey.codes(journey.other)
    finally:
        journey.replica.start()
    await journey.until_replica_answers()

    async def is_up_to_date() -> bool:
        return "END-19" in await journey.codes(journey.other, f"{SEARCH}&limit=100")

    await until(is_up_to_date)
