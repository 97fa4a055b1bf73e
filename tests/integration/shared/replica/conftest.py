"""One replica for the tests here, and short times for what a service looks at now and then."""

from collections.abc import AsyncGenerator, Generator

import pytest

from shared.config import RedisConfig
from shared.replica import choice, own_writes
from tests.integration.shared.replica.world import World, world_of
from tests.support.caches import patient
from tests.support.databases import TestDatabase
from tests.support.proxy import Proxy, proxying
from tests.support.replicas import Replica, replicating

DOUBT_SECONDS = 0.3


@pytest.fixture(scope="package")
def replica(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Generator[Replica]:
    with replicating(postgres_url, tmp_path_factory.mktemp("replica")) as replica:
        yield replica


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(own_writes, "DOUBT_SECONDS", DOUBT_SECONDS)


@pytest.fixture
async def proxy(redis_config: RedisConfig) -> AsyncGenerator[Proxy]:
    async with proxying(redis_config.port) as proxy:
        yield proxy


@pytest.fixture
async def world(
    client_database: TestDatabase, replica: Replica, redis_config: RedisConfig
) -> AsyncGenerator[World]:
    async with world_of(client_database, replica, patient(redis_config)) as world:
        yield world
