"""Changes and streams as tests make them and look at them."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from shared.config import DatabaseConfig, RedisConfig
from shared.db import Database, WriteConnection
from shared.events.changes import ChangeRecorder
from shared.events.event import Event, decode_event
from shared.events.streams import stream_name, streams_client
from shared.identifiers import new_uuid
from tests.support.databases import TestDatabase, connect

SERVICE = "store"
LIMIT_SECONDS = 10


class Thing(msgspec.Struct, frozen=True):
    """An aggregate that changes are recorded of."""

    uuid: UUID
    version: int = 1
    name: str = "Thing"


class Connected(NamedTuple):
    """Where a relay finds its tables and streams."""

    database: DatabaseConfig
    redis: RedisConfig


class Events:
    """The database, the stream and the changes of one service."""

    def __init__(self, database: TestDatabase, config: RedisConfig) -> None:
        self.config = database.app
        self.redis_config = config
        self.connected = Connected(database.app, config)
        self.database = Database(database.app, "tests")
        self.redis: Any = streams_client(config)
        self.test_database = database

    async def record(self, *things: Thing) -> None:
        """Record that these, or one of no matter which, began, each in a transaction of its own."""
        for thing in things or (Thing(new_uuid()),):
            async with self.database.transaction() as connection:
                await created(connection, thing)

    async def published(self) -> list[Event]:
        """Return what the stream holds, in order."""
        found = await self.redis.xrange(stream_name(SERVICE))
        return [decode_event(fields["event"]) for _, fields in found]

    async def subjects(self) -> list[UUID]:
        return [event.subject for event in await self.published()]

    async def value(self, question: str, *values: object) -> Any:  # noqa: ANN401 - a column's value
        connection = await connect(self.test_database.owner)
        try:
            return await connection.fetchval(question, *values)
        finally:
            await connection.close()

    async def cut_off_relays(self) -> None:
        connection = await connect(self.config)
        await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '%-relay'"
        )
        await connection.close()

    async def waiting(self) -> int:
        return await self.value("SELECT count(*) FROM outbox")


@asynccontextmanager
async def events_of(database: TestDatabase, config: RedisConfig) -> AsyncGenerator[Events]:
    """Yield an empty database and an empty Redis."""
    await database.empty()
    events = Events(database, config)
    await events.redis.flushall()
    try:
        yield events
    finally:
        await events.redis.aclose()
        await events.database.close()


async def created(connection: WriteConnection, thing: Thing) -> None:
    """Record that a thing began, in a transaction that is open."""
    await ChangeRecorder(connection, "store", "a test").created(thing)


async def until(condition: Callable[[], Awaitable[object]], seconds: float = LIMIT_SECONDS) -> None:
    """Wait for a condition, and fail when it does not come true in time."""
    async with asyncio.timeout(seconds):
        while not await condition():
            await asyncio.sleep(0.01)
