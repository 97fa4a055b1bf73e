"""A replica answers who could not miss a write of their own there; the primary answers all others."""

import asyncio

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.cache.link import RedisLink
from shared.config import RedisConfig
from shared.db import Database, ReadConnection
from shared.replica.own_writes import OwnWrites
from tests.integration.shared.replica.world import PORT, World, calling, things, world_of
from tests.support.caches import patient
from tests.support.databases import TestDatabase
from tests.support.events import until
from tests.support.proxy import Proxy
from tests.support.replicas import Replica


async def test_the_replica_answers_who_has_not_written(world: World) -> None:
    async def port(connection: ReadConnection) -> int:
        return (await connection.execute(text("SELECT inet_server_port()"))).scalar_one()

    with calling("reader"):
        assert await world.replica_answers()
        assert await world.database.read(port) == world.replica.port
        async with world.database.reading() as connection:
            assert await port(connection) == world.replica.port
        assert await world.database.read(port, primary=True) == world.primary.app.port
    assert await world.primary_answers(), "what no caller asked for is not told from a writer's question"
    assert world.count("database_reads_total", server="replica") >= 3
    assert 0 <= world.count("database_replica_lag_seconds") < 10


async def test_callers_see_what_they_wrote_and_others_may_see_the_past(world: World) -> None:
    await world.replica.pause()
    with calling("writer"):
        await world.write(1)
        assert await world.sees(1)
        assert await world.primary_answers()
    with calling("reader"):
        assert await world.replica_answers()
        assert not await world.sees(1)
    assert world.count("database_replica_fallbacks_total", reason="own_write") == 2
    await world.replica.resume()
    with calling("writer"):
        await until(world.replica_answers)
        assert await world.sees(1)


async def test_a_write_may_be_in_another_name(world: World) -> None:
    await world.replica.pause()
    async with world.database.transaction("who signs in") as connection:
        await connection.execute(things.insert().values(id=1, name="kopi"))
    with calling("who signs in"):
        assert await world.sees(1)


async def test_every_write_is_seen_by_its_writer_at_once(world: World) -> None:
    async def write_and_look(writer: int) -> None:
        with calling(f"writer {writer}"):
            for number in range(writer, writer + 20):
                await world.write(number)
                assert await world.sees(number)

    await asyncio.gather(*(write_and_look(writer) for writer in range(0, 80, 20)))


async def test_the_later_of_two_notes_counts(redis_config: RedisConfig) -> None:
    link = RedisLink(patient(redis_config))
    writes = OwnWrites(link, "tests")
    await until(lambda: knows(writes))
    await asyncio.gather(*(writes.note("somebody", position) for position in (9, 1000, 30)))
    assert await writes.latest("somebody") == 1000
    assert await OwnWrites(link, "others", clock=lambda: 0).latest("somebody") is None
    await link.close()


async def knows(writes: OwnWrites) -> bool:
    return await writes.latest("somebody else") is not None


async def test_a_redis_that_lost_what_it_held_is_not_believed(redis_config: RedisConfig) -> None:
    link = RedisLink(patient(redis_config))
    writes = OwnWrites(link, "tests")
    await until(lambda: knows(writes))
    await writes.note("somebody", 5)
    await link.command("FLUSHALL")
    assert await writes.latest("somebody") is None
    await until(lambda: knows(writes))
    await link.close()


async def test_without_redis_the_primary_answers(
    client_database: TestDatabase, replica: Replica, redis_config: RedisConfig, proxy: Proxy
) -> None:
    redis = replace(patient(redis_config), port=proxy.port)
    async with world_of(client_database, replica, redis) as world:
        proxy.cut()
        with calling("reader"):
            assert await world.primary_answers()
        await world.replica.pause()
        with calling("writer"):
            await world.write(1)
            assert await world.sees(1)
            proxy.heal()
            assert await world.sees(1), "Redis is back and knows nothing of the write"
        await world.replica.resume()
        with calling("reader"):
            await until(world.replica_answers)


async def test_nothing_is_written_through_a_connection_for_reading(world: World) -> None:
    async def ask(connection: ReadConnection) -> None:
        assert (await connection.execute(text("SHOW transaction_read_only"))).scalar_one() == "on"
        await connection.execute(things.insert().values(id=1, name="kopi"))

    with calling("reader"), pytest.raises(DBAPIError, match="read-only transaction"):
        await world.database.read(ask)


async def test_without_a_replica_nothing_is_asked_or_noted(client_database: TestDatabase) -> None:
    link = RedisLink(RedisConfig(host="127.0.0.1", port=1))
    database = Database(client_database.app, "tests", link)
    await database.start()
    with calling("writer"):
        async with database.transaction() as connection:
            await connection.execute(text("SELECT 1"))
        assert await database.fetch_one(PORT)
    assert link.available
    await database.close()
