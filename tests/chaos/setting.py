"""What experiments take place in: servers that may be broken, and the platform behind proxies."""

from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from infra.embedded import postgres, redis
from infra.embedded.ports import free_port
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


@contextmanager
def serving(folder: Path) -> Generator[Servers]:
    """Run a PostgreSQL and a Redis until the block ends."""
    with postgres.running(folder, durable=True) as database, redis.running(folder, durable=True) as cache:
        yield Servers(folder, migrated(database), urlsplit(database).port or 0, urlsplit(cache))


@asynccontextmanager
async def world_of(
    servers: Servers,
    changes: Mapping[str, Mapping[str, str]] | None = None,
    ports: Mapping[str, int] | None = None,
    runner: tuple[str, ...] = (),
) -> AsyncGenerator[World]:
    """Run the platform with a second store process until the block ends, with changes to its environments."""
    folder, databases, database_port, server = servers
    port, ports = server.port or 0, {"client": free_port(), **(ports or {})}
    config = RedisConfig(host="127.0.0.1", port=port, password=Secret(server.password or ""))
    async with (
        proxying(port) as near,
        proxying(port) as far,
        proxying(database_port) as database,
        proxying(ports["client"]) as neighbour,
    ):
        through = {"REDIS_PORT": str(near.port), "DB_PORT": str(database.port), "DB_POOL_WAIT_MS": "500"}
        environments = {name: {**through, **(changes or {}).get(name, {})} for name in databases}
        environments["store"].setdefault("CLIENT_URL", f"http://127.0.0.1:{neighbour.port}")
        environments["gateway"] = dict((changes or {}).get("gateway", {}))
        async with running(databases, config, folder, environments, ports=ports, runner=runner) as platform:
            second = {"REDIS_PORT": str(far.port), **(changes or {}).get("store2", {})}
            platform.twin("store2", "store", **second)
            await platform.start("store2")
            platform.http.headers.update(await platform.sign_in())
            pid = int((folder / "redis" / "redis.pid").read_text())
            world = World(platform, near, far, database, neighbour, config, pid, databases)
            await world.prepare()
            yield world
