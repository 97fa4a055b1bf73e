"""The fleet with servers of its own, and a client that stores can belong to."""

import random
from collections.abc import AsyncGenerator
from typing import NamedTuple

import pytest

from shared.config import RedisConfig
from tests.rollout.fleet import Fleet, running_fleet
from tests.support.databases import TestDatabase


class Setting(NamedTuple):
    """What a rollout takes place in: `headers` are those of an admin."""

    fleet: Fleet
    database: TestDatabase
    headers: dict[str, str]
    client: str


@pytest.fixture
async def setting(
    databases: dict[str, TestDatabase], redis_config: RedisConfig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Setting]:
    for database in databases.values():
        await database.empty()
    async with running_fleet(databases, redis_config, tmp_path_factory.mktemp("fleet")) as fleet:
        http = fleet.platform.http
        headers = await fleet.platform.sign_in()
        body = {"name": "Client", "email": f"client{random.getrandbits(40)}@example.com"}
        answer = await http.post("/v1/master-client", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        yield Setting(fleet, databases["store"], headers, answer.json()["data"]["uuid"])
