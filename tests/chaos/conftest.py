"""The platform with its own servers, proxies between them, and a second process of the store service."""

from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

import pytest

from infra.embedded import postgres, redis
from shared.config import RedisConfig, Secret
from tests.chaos.world import World
from tests.support.databases import TestDatabase, migrated
from tests.support.platform import running
from tests.support.proxy import proxying


class Servers(NamedTuple):
    """Where the servers are."""

    folder: Path
    databases: dict[str, TestDatabase]
    database_port: int
    redis: SplitResult


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Generator[Servers]:
    """A PostgreSQL and a Redis that experiments may break."""
    folder = tmp_path_factory.mktemp("chaos")
    with postgres.running(folder) as database, redis.running(folder, durable=True) as cache:
        yield Servers(folder, migrated(database), urlsplit(database).port or 0, urlsplit(cache))


@pytest.fixture(scope="module")
async def world(servers: Servers) -> AsyncGenerator[World]:
    folder, databases, database_port, server = servers
    port = server.port or 0
    config = RedisConfig(host="127.0.0.1", port=port, password=Secret(server.password or ""))
    async with (
        proxying(port) as near,
        proxying(port) as far,
        proxying(database_port) as database,
    ):
        through = {
            "REDIS_PORT": str(near.port),
            "DB_PORT": str(database.port),
            "DB_POOL_WAIT_MS": "500",
        }
        changes = dict.fromkeys(databases, through)
        async with running(databases, config, folder, changes) as platform:
            platform.twin("store2", "store", REDIS_PORT=str(far.port))
            await platform.start("store2")
            platform.http.headers.update(await platform.sign_in())
            pid = int((folder / "redis" / "redis.pid").read_text())
            world = World(platform, near, far, database, config, pid, databases)
            await world.prepare()
            yield world
