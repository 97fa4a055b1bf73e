"""Connections to a Redis that is asked only as long as it answers within milliseconds."""

import asyncio
import logging
from collections.abc import Awaitable
from typing import cast

from redis.asyncio import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from shared.config import RedisConfig

MOST_CONNECTIONS = 16
FAILURES_TO_OPEN = 3
"""So many failures one after the other, and Redis is left alone until it answers a probe."""

_ONE_LOOK_SECONDS = 0.001

Reply = bytes | int | list["Reply"] | None

logger = logging.getLogger("gerai.cache")


class RedisAway(Exception):
    """Redis did not answer in time, could not be reached, or is not asked for now."""


class RedisLink:
    """Sends commands over a few connections, each within one time limit, behind a circuit breaker.

    The commands of redis-py's own client cost twice the processor time of its connections, which are used
    here directly. A connection whose reply was not awaited is never used again.
    """

    def __init__(self, config: RedisConfig) -> None:
        self.run_id = b""
        self._config = config
        self._seconds = config.timeout_ms / 1000
        self._idle: list[Connection] = []
        self._slots = asyncio.Semaphore(MOST_CONNECTIONS)
        self._failures = 0

    @property
    def available(self) -> bool:
        """Whether Redis is asked: the circuit is closed."""
        return self._failures < FAILURES_TO_OPEN

    async def command(self, *parts: bytes | str | int, patience: int = 1) -> Reply:
        """Return the reply to a command, waiting up to `patience` time limits for it.

        Raises:
            RedisAway: at once while the circuit is open, or after that time at the latest.
        """
        if not self.available:
            raise RedisAway
        return await self._limited(parts, patience * self._seconds)

    async def probe(self) -> None:
        """Ask for a sign of life; it closes the circuit. Raises RedisAway."""
        await self._limited(("PING",), self._seconds)

    async def close(self) -> None:
        """Close every connection."""
        while self._idle:
            await self._idle.pop().disconnect()

    async def _limited(self, parts: tuple[bytes | str | int, ...], seconds: float) -> Reply:
        try:
            async with asyncio.timeout(None) as limit:
                patience = _Patience(limit, seconds)
                try:
                    async with self._slots:
                        reply = await self._exchange(parts)
                finally:
                    patience.end()
        except (RedisError, OSError, TimeoutError) as error:
            self._note_failure(error)
            raise RedisAway from error
        if self._failures:
            self._note_success()
        return reply

    async def _exchange(self, parts: tuple[bytes | str | int, ...]) -> Reply:
        connection = self._idle.pop() if self._idle else self._new_connection()
        try:
            if not connection.is_connected:
                await connection.connect()
            await connection.send_packed_command(connection.pack_command(*parts), check_health=False)
            reply = await cast("Awaitable[Reply]", connection.read_response(disable_decoding=True))
        except BaseException:  # the reply may still come, to be taken for that of the next command
            await connection.disconnect(nowait=True)
            raise
        self._idle.append(connection)
        return reply

    def _new_connection(self) -> Connection:
        kind = SSLConnection if self._config.tls else Connection
        return kind(
            host=self._config.host,
            port=self._config.port,
            db=self._config.db,
            password=self._config.password.reveal() if self._config.password else None,
            socket_timeout=None,  # `_limited` sets one limit for everything
            socket_connect_timeout=None,
            retry=Retry(NoBackoff(), 0),  # by default ten times, over five seconds
            redis_connect_func=self._greet,
        )

    async def _greet(self, connection: Connection) -> None:
        """Learn which run of a server this is: another one may have come back with old data."""
        await connection.on_connect()
        await connection.send_command("INFO", "server", check_health=False)
        lines = cast("bytes", await connection.read_response(disable_decoding=True)).splitlines()
        self.run_id = next(line for line in lines if line.startswith(b"run_id:")).removeprefix(b"run_id:")

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == FAILURES_TO_OPEN:
            logger.warning("Redis is left alone until it answers a probe: %s", error or type(error).__name__)

    def _note_success(self) -> None:
        if not self.available:
            logger.info("Redis answers again")
        self._failures = 0


class _Patience:
    """Ends a wait after its time, yet not before what has arrived meanwhile is read.

    Timers run before sockets are looked at: when this process was busy, its own delay would be taken for that
    of Redis, and the cache be done without when it is needed most.
    """

    def __init__(self, limit: asyncio.Timeout, seconds: float) -> None:
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(seconds, self._over)

    def end(self) -> None:
        """Stop counting."""
        self._timer.cancel()

    def _over(self) -> None:
        self._timer = self._loop.call_later(_ONE_LOOK_SECONDS, self._still_over)

    def _still_over(self) -> None:
        self._limit.reschedule(self._loop.time())
