"""A replica that is behind, away, replaying or none at all is done without."""

import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.cache.link import RedisLink
from shared.config import RedisConfig
from shared.db import Database, ReadConnection
from tests.integration.shared.replica.world import PORT, World, calling, world_of
from tests.support.caches import patient
from tests.support.databases import TestDatabase, connect
from tests.support.events import until
from tests.support.replicas import Replica


async def test_a_replica_too_far_behind_is_not_read_from(
    client_database: TestDatabase, replica: Replica, redis_config: RedisConfig
) -> None:
    async with world_of(client_database, replica, patient(redis_config), max_lag=1) as world:
        await replica.pause()
        await world.write(1)
        with calling("reader"):
            await until(lambda: world.sees(1))
            assert await world.primary_answers()
            assert world.count("database_replica_lag_seconds") > 1
            assert world.count("database_replica_fallbacks_total", reason="behind") > 0
            await replica.resume()
            await until(world.replica_answers)
            assert await world.sees(1)


async def test_a_replica_that_ends_is_done_without_until_it_is_back(world: World) -> None:
    await world.write(1)
    await world.replica.caught_up()
    with calling("reader"):
        reading = asyncio.create_task(read_until_stopped(world))
        world.replica.end()
        await until(world.primary_answers)
        await world.write(2)
        world.replica.start()
        await until(world.replica_answers)
        assert await world.sees(2)
        reading.cancel()
        await asyncio.wait([reading])
        assert reading.cancelled(), "a read failed"


async def read_until_stopped(world: World) -> None:
    while True:
        assert await world.sees(1)


async def test_what_the_replica_ends_for_its_replay_is_asked_of_the_primary(world: World) -> None:
    await world.write(1)
    await world.replica.caught_up()
    await world.replica.run("ALTER SYSTEM SET max_standby_streaming_delay = 0")
    await world.replica.run("SELECT pg_reload_conf()")
    with calling("reader"):
        await until(world.replica_answers)
    ports: list[int] = []

    async def ask(connection: ReadConnection) -> str:
        ports.append((await connection.execute(text("SELECT inet_server_port()"))).scalar_one())
        await connection.execute(text("SELECT pg_sleep(4) FROM things"))
        return "answered"

    with calling("reader"):
        asking = asyncio.create_task(world.database.read(ask))
        await until(lambda: sleeps(world))
        owner = await connect(world.primary.owner)
        await owner.execute("TRUNCATE things")
        await owner.close()
        assert await asking == "answered"
    assert ports == [world.replica.port, world.primary.app.port]
    assert world.count("database_replica_fallbacks_total", reason="failed") == 1
    with calling("reader"):
        await until(world.replica_answers)


async def sleeps(world: World) -> Any:  # noqa: ANN401 - a column's value
    return await world.replica.run(
        "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(4)%' AND pid <> pg_backend_pid()"
    )


async def test_what_takes_too_long_is_not_asked_twice(world: World) -> None:
    asked: list[ReadConnection] = []

    async def ask(connection: ReadConnection) -> None:
        asked.append(connection)
        await connection.execute(text("SET LOCAL statement_timeout = '20ms'"))
        await connection.execute(text("SELECT pg_sleep(1)"))

    with calling("reader"), pytest.raises(DBAPIError, match="statement timeout"):
        await world.database.read(ask)
    assert len(asked) == 1


async def test_a_primary_in_the_place_of_a_replica_is_none(
    client_database: TestDatabase, redis_config: RedisConfig
) -> None:
    link, registry = RedisLink(patient(redis_config)), CollectorRegistry()
    config = replace(client_database.app, read_host="localhost")
    database = Database(config, "tests", link, registry)
    await database.start()
    with calling("reader"):
        row = await database.fetch_one(PORT)
    assert row
    fallbacks = registry.get_sample_value("database_replica_fallbacks_total", {"reason": "unreachable"})
    assert fallbacks == 1
    await database.close()
    await link.close()
