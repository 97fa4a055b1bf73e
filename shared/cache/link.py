"""Connections to a Redis that is asked only as long as it answers within milliseconds."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Sequence
from typing import cast

from redis.asyncio import Connection, SSLConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ResponseError

from shared.cache.metrics import RedisMetrics
from shared.config import RedisConfig
from shared.telemetry.context import is_recorded
from shared.telemetry.spans import command_span

KEY_PREFIX = "gerai:v1:"
"""What every key begins with but those of event streams; another version would be another form of values."""

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

    Commands that are given in one turn of the event loop travel together, in one system call each way, which
    costs more than all else about a command (https://redis.io/docs/latest/develop/using-commands/pipelining/).
    """

    def __init__(self, config: RedisConfig, metrics: RedisMetrics | None = None) -> None:
        self.run_id = b""
        self._config = config
        self._seconds = config.timeout_ms / 1000
        self._idle: list[Connection] = []
        self._slots = asyncio.Semaphore(MOST_CONNECTIONS)
        self._gathered: dict[int, _Pipeline] = {}
        self._running: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._metrics = metrics or RedisMetrics()

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
        if not is_recorded():
            return await self._pipeline(patience).add(parts)
        with command_span(parts[0], self._config.host, self._config.port):
            return await self._pipeline(patience).add(parts)

    async def probe(self) -> None:
        """Ask for a sign of life; it closes the circuit. Raises RedisAway."""
        await self._pipeline(1).add(("PING",))

    async def close(self) -> None:
        """Finish what is under way, then close every connection."""
        if self._running:
            await asyncio.wait(self._running)
        while self._idle:
            await self._idle.pop().disconnect()

    def _pipeline(self, patience: int) -> "_Pipeline":
        """Return what gathers the commands of this turn that are as patient."""
        gathering = self._gathered.get(patience)
        if gathering is None:
            gathering = self._gathered[patience] = _Pipeline()
            asyncio.get_running_loop().call_soon(self._send, patience)
        return gathering

    def _send(self, patience: int) -> None:
        task = asyncio.create_task(self._run(self._gathered.pop(patience), patience * self._seconds))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, pipeline: "_Pipeline", seconds: float) -> None:
        try:
            async with asyncio.timeout(None) as limit:
                patience = _Patience(limit, seconds)
                try:
                    async with self._slots:
                        await self._exchange(pipeline)
                finally:
                    patience.end()
        # Whatever it is, whoever waits is told: uvloop answers a write after a reset with a RuntimeError.
        except Exception as error:  # noqa: BLE001
            self._note_failure(error)
            pipeline.fail(error)
        else:
            if self._failures:
                self._note_success()

    async def _exchange(self, pipeline: "_Pipeline") -> None:
        """Send the commands and take the replies; a connection on which one may still come is closed."""
        connection = self._idle.pop() if self._idle else self._new_connection()
        try:
            if not connection.is_connected:
                await connection.connect()
            began = time.perf_counter()
            await connection.send_packed_command(
                connection.pack_commands(pipeline.commands), check_health=False
            )
            self._metrics.sent(pipeline.commands)
            await pipeline.receive(connection)
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        self._metrics.answered(time.perf_counter() - began)
        self._idle.append(connection)

    def _new_connection(self) -> Connection:
        kind = SSLConnection if self._config.tls else Connection
        return kind(
            host=self._config.host,
            port=self._config.port,
            db=self._config.db,
            password=self._config.password.reveal() if self._config.password else None,
            socket_timeout=None,  # `_run` sets one limit for everything
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
        self._metrics.failed(error)
        if self._failures == FAILURES_TO_OPEN:
            self._metrics.available.set(0)
            logger.warning("Redis is left alone until it answers a probe: %s", error or type(error).__name__)

    def _note_success(self) -> None:
        if not self.available:
            self._metrics.available.set(1)
            logger.info("Redis answers again")
        self._failures = 0


class _Pipeline:
    """Commands that travel together, and who waits for their replies; some may have left meanwhile."""

    def __init__(self) -> None:
        self.commands: list[Sequence[bytes | str | int]] = []
        self._waiting: list[asyncio.Future[Reply]] = []
        self._loop = asyncio.get_running_loop()

    def add(self, command: Sequence[bytes | str | int]) -> asyncio.Future[Reply]:
        """Add a command and return what its reply comes in."""
        future: asyncio.Future[Reply] = self._loop.create_future()
        self.commands.append(command)
        self._waiting.append(future)
        return future

    async def receive(self, connection: Connection) -> None:
        """Hand out the replies; raises the last that is an error, once all have arrived."""
        refusal: ResponseError | None = None
        for future in self._waiting:
            try:
                reply = await cast("Awaitable[Reply]", connection.read_response(disable_decoding=True))
            except ResponseError as error:
                refusal = error
                continue
            if not future.done():
                future.set_result(reply)
        if refusal:
            raise refusal

    def fail(self, error: Exception) -> None:
        """Tell whoever still waits that there is no reply."""
        for future in self._waiting:
            if not future.done():
                future.set_exception(RedisAway(str(error)))


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
