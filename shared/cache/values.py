"""Typed values in Redis, as JSON.

The cache may always be lost: a failure is logged and counts as a miss, it is never raised.
"""

import logging
from typing import TypeVar

import msgspec
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.config import RedisConfig

T = TypeVar("T")

KEY_PREFIX = "gerai:v1:"

# redis-py retries ten times over five seconds by default; a cache that costs seconds is worse than none.
_TIMEOUT_SECONDS = 0.05
_FAILURES = (RedisError, OSError, TimeoutError, RuntimeError)  # the last is uvloop's after a reset

logger = logging.getLogger("gerai.cache")


class Cache:
    """Gets, sets, deletes and expires typed values."""

    def __init__(self, config: RedisConfig) -> None:
        self._redis = Redis(
            host=config.host,
            port=config.port,
            db=config.db,
            password=config.password.reveal() if config.password else None,
            socket_timeout=_TIMEOUT_SECONDS,
            socket_connect_timeout=_TIMEOUT_SECONDS,
            retry=Retry(NoBackoff(), 0),
        )

    async def get(self, key: str, type_: type[T]) -> T | None:
        """Return the value, or None when it is absent, unreadable or Redis cannot be asked."""
        try:
            content = await self._redis.get(KEY_PREFIX + key)
            return None if content is None else msgspec.json.decode(content, type=type_)
        except _FAILURES as error:
            _log("get", key, error)
        except msgspec.DecodeError as error:
            _log("read", key, error)
            await self.delete(key)
        return None

    async def set(self, key: str, value: object, seconds: float) -> bool:
        """Keep `value` for `seconds`; tell whether it was kept."""
        try:
            await self._redis.set(KEY_PREFIX + key, msgspec.json.encode(value), px=int(seconds * 1000))
        except _FAILURES as error:
            _log("set", key, error)
            return False
        return True

    async def delete(self, key: str) -> bool:
        """Forget `key`; tell whether Redis could be asked."""
        try:
            await self._redis.delete(KEY_PREFIX + key)
        except _FAILURES as error:
            _log("delete", key, error)
            return False
        return True

    async def expire(self, key: str, seconds: float) -> bool:
        """Let `key` live `seconds` from now; tell whether it existed and Redis could be asked."""
        try:
            return bool(await self._redis.pexpire(KEY_PREFIX + key, int(seconds * 1000)))
        except _FAILURES as error:
            _log("expire", key, error)
            return False

    async def close(self) -> None:
        """Close every connection."""
        await self._redis.aclose()


def _log(action: str, key: str, error: Exception) -> None:
    logger.warning("Cache could not %s %s: %s", action, key, error)
