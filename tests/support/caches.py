"""Caches as tests use them: over a real Redis, with the epoch of a service's database."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from infra.embedded.ports import free_port
from shared.cache.era import Era
from shared.cache.link import KEY_PREFIX, RedisLink
from shared.cache.reads import ReadCache
from shared.cache.status import Cached
from shared.config import DatabaseConfig, RedisConfig
from shared.db import Database
from shared.responses import Meta

PATIENT_MS = 1000
"""Long enough for a busy machine, so that only what a test does to Redis makes it slow."""


def patient(config: RedisConfig) -> RedisConfig:
    """Return the configuration of a cache that waits longer than one that serves."""
    return msgspec.structs.replace(config, timeout_ms=PATIENT_MS)


class CacheParts:
    """A cache with what it is made of."""

    def __init__(self, redis: RedisConfig, database: DatabaseConfig) -> None:
        self.link = RedisLink(redis)
        self.database = Database(database, "test")
        self.era = Era(self.link, self.database)
        self.reads = ReadCache(self.link, self.era)

    async def close(self) -> None:
        """End everything."""
        await self.reads.close()
        await self.database.close()


def no_cache(database: Database) -> ReadCache:
    """Return a cache whose Redis is never there."""
    link = RedisLink(RedisConfig(host="127.0.0.1", port=free_port()))
    return ReadCache(link, Era(link, database))


@asynccontextmanager
async def caching(redis: RedisConfig, database: DatabaseConfig) -> AsyncGenerator[CacheParts]:
    """Yield a cache that has confirmed its era and keeps asking."""
    parts = CacheParts(redis, database)
    await parts.reads.start()
    try:
        yield parts
    finally:
        await parts.close()


def giving(content: bytes | None) -> Callable[[], Awaitable[bytes | None]]:
    """Return what loads `content`, as if from the database."""

    async def load() -> bytes | None:
        return content

    return load


async def forget_cached(config: RedisConfig) -> None:
    """Remove everything that is cached, as if nobody had read yet."""
    link = RedisLink(patient(config))
    keys = await link.command("KEYS", KEY_PREFIX + "*")
    if isinstance(keys, list) and keys:
        await link.command("DEL", *(key for key in keys if isinstance(key, bytes)))
    await link.close()


class _Listed(msgspec.Struct):
    """A listing whatever is listed."""

    data: list[dict[str, Any]]
    meta: Meta


def listed(found: Cached) -> list[dict[str, Any]]:
    """Return the items of a listing in JSON."""
    return msgspec.json.decode(found.content or b"", type=_Listed).data


def meta_of(found: Cached) -> Meta:
    """Return where a listing in JSON stands."""
    return msgspec.json.decode(found.content or b"", type=_Listed).meta
