"""A streaming replica answers reads, unless it could show callers less than they wrote or too old a past."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry
from sqlalchemy import Integer, bindparam, column, select, table, text
from sqlalchemy.exc import DBAPIError

from shared.cache.link import RedisLink
from shared.config import RedisConfig
from shared.db import Database, Question, ReadConnection
from shared.replica import choice, own_writes
from shared.replica.own_writes import OwnWrites
from shared.security.caller import enter_caller
from tests.support.caches import patient
from tests.support.databases import TestDatabase, connect
from tests.support.events import until
from tests.support.proxy import Proxy, proxying
from tests.support.replicas import Replica, replicating

DOUBT_SECONDS = 0.3

things = table("things", column("id", Integer), column("name"))
NAME = Question(select(things.c.name).where(things.c.id == bindparam("id")))
PORT = Question(text("SELECT inet_server_port() AS port"))


class World:
    """A database with a replica, as a service has them."""

    def __init__(self, primary: TestDatabase, replica: Replica, redis: RedisConfig, max_lag: float) -> None:
        self.primary, self.replica = primary, replica
        self.registry = CollectorRegistry()
        self.link = RedisLink(patient(redis))
        config = replica.configured(primary.app, read_max_lag_seconds=max_lag)
        self.database = Database(config, "tests", self.link, self.registry)

    async def write(self, number: int, name: str = "kopi") -> None:
        async with self.database.transaction() as connection:
            await connection.execute(things.insert().values(id=number, name=name))

    async def sees(self, number: int) -> bool:
        return await self.database.fetch_one(NAME, id=number) is not None

    async def port(self) -> int:
        row = await self.database.fetch_one(PORT)
        return row["port"] if row else 0

    async def replica_answers(self) -> bool:
        return await self.port() == self.replica.port

    async def primary_answers(self) -> bool:
        return await self.port() == self.primary.app.port

    def count(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@contextmanager
def calling(subject: str | None) -> Generator[None]:
    """Be this caller."""
    token = enter_caller(subject)
    yield
    token.var.reset(token)


@pytest.fixture(scope="module")
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


@asynccontextmanager
async def table_of_things(primary: TestDatabase) -> AsyncGenerator[None]:
    owner = await connect(primary.owner)
    try:
        await owner.execute("CREATE TABLE things (id int PRIMARY KEY, name text)")
        try:
            yield
        finally:
            await owner.execute("DROP TABLE things")
    finally:
        await owner.close()


@asynccontextmanager
async def world_of(
    primary: TestDatabase, replica: Replica, redis: RedisConfig, max_lag: float = 10
) -> AsyncGenerator[World]:
    world = World(primary, replica, redis, max_lag)
    async with table_of_things(primary):
        try:
            await replica.caught_up()
            await world.database.start()
            with calling("somebody"):
                await until(world.replica_answers)
            yield world
        finally:
            await world.database.close()
            await world.link.close()
            await replica.resume()


@pytest.fixture
async def world(
    client_database: TestDatabase, replica: Replica, redis_config: RedisConfig
) -> AsyncGenerator[World]:
    async with world_of(client_database, replica, patient(redis_config)) as world:
        yield world


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


async def test_nothing_is_written_through_a_connection_for_reading(world: World) -> None:
    async def ask(connection: ReadConnection) -> None:
        assert (await connection.execute(text("SHOW transaction_read_only"))).scalar_one() == "on"
        await connection.execute(things.insert().values(id=1, name="kopi"))

    with calling("reader"), pytest.raises(DBAPIError, match="read-only transaction"):
        await world.database.read(ask)


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
