"""Publishes the changes of one service, in order, at least once; one relay at a time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from shared.config import DatabaseConfig, RedisConfig
from shared.db import Database
from shared.events import outbox, streams
from shared.events.changes import Change
from shared.events.event import UnreadableEvent, decode_event, encode_change
from shared.events.metrics import EventMetrics
from shared.events.outbox import Outbox
from shared.events.streams import Stream, instant, order, streams_client
from shared.events.worker import Every, Stopping, Worker

BATCH = 500
POLL_SECONDS = 0.05
GATHER_SECONDS = 0.005
"""Commits that follow one another this closely are published together."""
STANDBY_SECONDS = 1.0
FAILURE_SECONDS = 0.5
CHECK_SECONDS = 1.0
TRIM_SECONDS = 10.0
STOP_SECONDS = 5.0

KEPT_MILLISECONDS = 3_600_000
MOST_KEPT = 20_000
"""Above that, entries that every group has read go before their time."""

FULL = 2 * MOST_KEPT
"""Above that nothing is published until the groups have read more: the outbox holds any number."""

TRIM_AFTER = 5_000
"""A trim follows so many published events at the latest."""

REPLAYED_WHEN_LOST = timedelta(hours=24)
REPLAYED_BEFORE_NEWEST = timedelta(minutes=1)


class Connections(Protocol):
    """Where the tables and the streams are: part of a service's configuration."""

    @property
    def database(self) -> DatabaseConfig: ...  # noqa: D102 - the tables

    @property
    def redis(self) -> RedisConfig: ...  # noqa: D102 - the streams


Invalidate = Callable[[Sequence[Change]], Awaitable[None]]

logger = logging.getLogger("gerai.events")


class Relay:
    """Moves changes from the outbox of `service` to its stream.

    A commit in `database` wakes it, and so does a poll. Before changes are published, `before_publish` is
    told of them; its failures are logged and do not hold events back.
    """

    def __init__(
        self,
        service: str,
        config: Connections,
        database: Database,
        *,
        before_publish: Sequence[Invalidate] = (),
        metrics: EventMetrics | None = None,
        kept_milliseconds: int = KEPT_MILLISECONDS,
    ) -> None:
        self._service = service
        self._outbox = Outbox(config.database, f"gerai-{service}-relay")
        self._redis = streams_client(config.redis)
        self._stream = Stream(self._redis, service)
        self._committed = database.committed
        self._before_publish = before_publish
        self._metrics = metrics or EventMetrics()
        self._kept_milliseconds = kept_milliseconds
        self._checks, self._trims = Every(CHECK_SECONDS), Every(TRIM_SECONDS)
        self._untrimmed = 0
        self._stopping = Stopping()
        self._worker = Worker(f"relay of {service}", self._run, self._stopping, STOP_SECONDS)

    async def start(self) -> None:
        """Begin to publish, or to stand by."""
        await self._worker.start()

    async def stop(self) -> None:
        """Publish what is there once more, and let another relay take over."""
        self._stopping.ask()
        self._committed.set()
        await self._worker.stop()
        await self._redis.aclose()

    async def _run(self) -> None:
        try:
            async with self._outbox:
                while not await self._outbox.lock():
                    await self._stopping.pause(STANDBY_SECONDS)
                    if self._stopping.asked:
                        return
                await self._lead()
        except outbox.FAILURES as error:
            logger.warning("The outbox of %s cannot be read: %r", self._service, error)
            await self._stopping.pause(STANDBY_SECONDS)
        finally:
            self._metrics.waiting.set(0)
            self._metrics.oldest.set(0)

    async def _lead(self) -> None:
        while not self._stopping.asked:
            self._committed.clear()
            if await self._pass() < BATCH:
                await self._idle()
        while await self._pass() == BATCH:
            pass

    async def _pass(self) -> int:
        """Publish what comes next and return how many changes that were; none while Redis is away."""
        try:
            if self._checks.due():
                await self._replay_lost()
                await self._observe()
            if (self._trims.due() or self._untrimmed >= TRIM_AFTER) and await self._trim() > FULL:
                await self._hold_back()
                return 0
            published = await self.publish()
        except streams.FAILURES as error:
            logger.warning("Events of %s cannot be published: %r", self._service, error)
            self._checks.soon()
            await self._stopping.pause(FAILURE_SECONDS)
            return 0
        return published

    async def publish(self) -> int:
        """Publish the changes that come next and return how many there were."""
        ids, changes = await self._outbox.next(BATCH)
        if not ids:
            return 0
        for hook in self._before_publish:
            await self._tell(hook, changes)
        await self._stream.publish([encode_change(self._service, change) for change in changes])
        await self._outbox.done(ids)
        self._metrics.published.inc(len(ids))
        self._untrimmed += len(ids)
        return len(ids)

    async def _tell(self, hook: Invalidate, changes: Sequence[Change]) -> None:
        try:
            await hook(changes)
        except Exception:
            logger.exception("A hook failed before changes of %s were published", self._service)

    async def _idle(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(POLL_SECONDS):
                await self._committed.wait()
                await asyncio.sleep(GATHER_SECONDS)

    async def _replay_lost(self) -> None:
        """Publish again what a Redis that lost data, or was restarted, may not have."""
        run = await self._stream.run()
        marked = await self._stream.marked_run()
        if marked == run:
            return
        count = await (self._replay_since_newest() if marked else self._outbox.requeue_of(REPLAYED_WHEN_LOST))
        await self._stream.mark(run)
        self._metrics.replays.inc()
        if count:
            logger.warning("Redis may have lost events of %s: %d are published again", self._service, count)

    async def _replay_since_newest(self) -> int:
        newest = await self._stream.newest()
        if newest is None:
            return await self._outbox.requeue_of(REPLAYED_WHEN_LOST)
        since = instant(newest.id)
        with suppress(UnreadableEvent):  # what others put there says nothing of ours
            since = min(since, decode_event(newest.event or "").time)
        return await self._outbox.requeue_recorded(since - REPLAYED_BEFORE_NEWEST)

    async def _observe(self) -> None:
        backlog = await self._outbox.backlog()
        self._metrics.waiting.set(backlog.depth)
        self._metrics.oldest.set(backlog.seconds)

    async def _trim(self) -> int:
        """Remove entries that every group has read and acknowledged, if they are old or there are too many.

        Return how many are left.
        """
        now = await self._stream.now()
        read = [group.oldest_pending or group.last_delivered for group in await self._stream.groups()]
        await self._stream.trim(min([f"{now - self._kept_milliseconds}-0", *read], key=order))
        length = await self._stream.length()
        if length > MOST_KEPT:
            length -= await self._stream.trim_some(min([f"{now}-0", *read], key=order), length - MOST_KEPT)
        self._untrimmed = 0
        return length

    async def _hold_back(self) -> None:
        """Wait for the groups to read."""
        logger.warning("Events of %s wait: a group has not read those before", self._service)
        self._trims.soon()
        await self._stopping.pause(FAILURE_SECONDS)
