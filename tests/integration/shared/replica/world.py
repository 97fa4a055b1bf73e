"""A database with a replica, and who asks it."""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from prometheus_client import CollectorRegistry
from sqlalchemy import Integer, bindparam, column, select, table, text

from shared.cache.link import RedisLink
from shared.config import RedisConfig
from shared.db import Database, Question
from shared.security.caller import enter_caller
from tests.support.caches import patient
from tests.support.databases import TestDatabase, connect
from tests.support.events import until
from tests.support.replicas import Replica

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
