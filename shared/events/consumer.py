"""Consumes the events of another service: each has its effect once, however often it comes."""

import asyncio
import logging
import random
import socket
from collections.abc import Sequence

from redis.exceptions import ResponseError

from shared.config import RedisConfig, ServiceConfig
from shared.db import Database
from shared.events import dead_letters, inbox, streams
from shared.events.delivery import Delivery, Subscriber, is_transient
from shared.events.event import Event, UnreadableEvent, decode_event
from shared.events.groups import GroupMember
from shared.events.metrics import EventMetrics
from shared.events.streams import START, Entry, stream_name, streams_client
from shared.events.worker import Every, Stopping, Worker

MOST_ATTEMPTS = 5
MOST_DELIVERIES = 20
"""An event that was given so often without an answer ends the process, or is worth a person's look."""

ABANDONED_MILLISECONDS = 30_000
"""How long a member has an event before another takes it over; well above what any attempt takes."""

GONE_MILLISECONDS = 86_400_000
FIRST_BACKOFF_SECONDS, LONGEST_BACKOFF_SECONDS = 0.2, 10.0
CLAIM_SECONDS, REDRIVE_SECONDS, OBSERVE_SECONDS = 10.0, 1.0, 10.0
OUTAGE_SECONDS = 0.5
STOP_SECONDS = 10.0

_GROUP_IS_GONE = ("NOGROUP", "no such key")
"""How commands that read, and XINFO, say so."""

logger = logging.getLogger("gerai.events")


class Consumer:
    """Gives the events of the service `source` to `subscriber`, as the group `name`.

    Of several processes each is a member, called `member`; a restarted one best has the same name again.
    """

    def __init__(  # noqa: PLR0913 - what it reads, where it writes, and who is told
        self,
        name: str,
        source: str,
        subscriber: Subscriber,
        database: Database,
        redis: RedisConfig,
        *,
        member: str,
        metrics: EventMetrics | None = None,
        abandoned_milliseconds: int = ABANDONED_MILLISECONDS,
    ) -> None:
        self._name = name
        self._stream = stream_name(source)
        self._database = database
        self._redis = streams_client(redis)
        self._group = GroupMember(self._redis, self._stream, name, member)
        self._metrics = metrics or EventMetrics()
        self._delivery = Delivery(name, self._stream, subscriber, database, self._metrics)
        self._abandoned_milliseconds = abandoned_milliseconds
        self._retries: dict[str, float] = {}
        self._claims, self._redrives = Every(CLAIM_SECONDS), Every(REDRIVE_SECONDS)
        self._observations = Every(OBSERVE_SECONDS)
        self._stopping = Stopping()
        self._worker = Worker(f"consumer {name}", self._run, self._stopping, STOP_SECONDS)

    async def start(self) -> None:
        """Begin to consume."""
        await self._worker.start()

    async def stop(self) -> None:
        """Read nothing more and finish what was read."""
        await self._worker.stop()
        await self._redis.aclose()

    async def _run(self) -> None:
        try:
            await self._consume()
        except ResponseError as error:
            if not str(error).startswith(_GROUP_IS_GONE):
                raise
            logger.warning(
                "Redis has lost the group %s, which begins again with what the stream holds", self._name
            )
        except streams.FAILURES as error:
            logger.warning("The consumer %s cannot go on yet: %r", self._name, error)
            await self._stopping.pause(OUTAGE_SECONDS)
        except Exception as error:
            if not is_transient(error):
                raise
            logger.warning("The consumer %s cannot go on yet: %r", self._name, error)
            await self._stopping.pause(OUTAGE_SECONDS)

    async def _consume(self) -> None:
        self._retries.clear()  # they are among its own entries
        await self._group.join()
        await self._finish_own()
        while not self._stopping.asked:
            await self._look_around()
            await self._handle(await self._group.new())

    async def _look_around(self) -> None:
        """Do what is due besides new events."""
        if self._claims.due():
            await self._handle_one_by_one(await self._group.claim(self._abandoned_milliseconds))
            await self._group.forget_gone(GONE_MILLISECONDS)
        await self._retry()
        while self._redrives.due() and await self._delivery.redrive():
            self._redrives.soon()
        if self._observations.due():
            await self._observe()

    async def _finish_own(self) -> None:
        """Handle what an earlier life of this member was given and did not acknowledge."""
        last = START
        while found := await self._group.own(last):
            last = found[-1].id
            await self._handle_one_by_one(found)

    async def _retry(self) -> None:
        now = asyncio.get_running_loop().time()
        due = [id_ for id_, instant in self._retries.items() if instant <= now]
        for id_ in due:
            del self._retries[id_]
        if due:
            await self._handle_one_by_one(await self._group.take(due))

    async def _handle(self, found: Sequence[Entry]) -> None:
        """Handle new entries together; when that fails, each alone, so that one holds up no other."""
        readable = [(entry, event) for entry in found if (event := await self._read(entry))]
        if not readable:
            return
        try:
            await self._delivery.deliver([event for _, event in readable])
        except Exception:  # noqa: BLE001 - which of them it was shows when they are handled alone
            for entry, event in readable:
                await self._handle_event(entry, event)
        else:
            await self._group.acknowledge([entry.id for entry, _ in readable])

    async def _handle_one_by_one(self, found: Sequence[Entry]) -> None:
        for entry in found:
            deliveries = await self._group.deliveries(entry.id)
            if deliveries > MOST_DELIVERIES:
                await self._give_up(entry, f"was given to a consumer {deliveries} times without an answer")
            elif event := await self._read(entry):
                await self._handle_event(entry, event)

    async def _handle_event(self, entry: Entry, event: Event) -> None:
        error = await self._deliver_patiently(event)
        if error is None:
            await self._group.acknowledge([entry.id])
            return
        self._delivery.count("failed")
        attempts = await self._group.deliveries(entry.id)
        if attempts >= MOST_ATTEMPTS or isinstance(error, UnreadableEvent):
            await self._give_up(entry, repr(error), attempts)
        else:
            logger.warning("%s could not handle %s: %r", self._name, event.id, error)
            self._retries[entry.id] = asyncio.get_running_loop().time() + _backoff(attempts)

    async def _deliver_patiently(self, event: Event) -> Exception | None:
        """Return why the event cannot be handled; what is merely away for a while is waited for."""
        while True:
            try:
                await self._delivery.deliver([event])
            except Exception as error:
                if not is_transient(error):
                    return error
                if self._stopping.asked:
                    raise
                logger.warning("The consumer %s waits: %r", self._name, error)
                await self._stopping.pause(OUTAGE_SECONDS)
            else:
                return None

    async def _read(self, entry: Entry) -> Event | None:
        """Return the event of an entry; one that has none, or none that can be read, is done with."""
        if entry.event is None:
            logger.error("Entry %s of %s was trimmed before %s had it", entry.id, self._stream, self._name)
            await self._group.acknowledge([entry.id])
            return None
        try:
            return decode_event(entry.event)
        except UnreadableEvent as error:
            await self._give_up(entry, str(error))
            return None

    async def _give_up(self, entry: Entry, reason: str, attempts: int = 1) -> None:
        logger.error("%s gives up on entry %s of %s: %s", self._name, entry.id, self._stream, reason)
        await dead_letters.add(self._database, self._name, self._stream, entry, reason, attempts)
        await self._group.acknowledge([entry.id])
        self._delivery.count("dead")

    async def _observe(self) -> None:
        lag, pending = await self._group.remaining()
        self._metrics.lag.labels(self._name).set(lag)
        self._metrics.pending.labels(self._name).set(pending)
        letters = await dead_letters.count(self._database, self._name)
        self._metrics.dead_letters.labels(self._name).set(letters)
        await inbox.purge(self._database)


def member_name(config: ServiceConfig) -> str:
    """Return what a process is called in its groups: unlike others, and the same after a restart."""
    return f"{socket.gethostname()}:{config.port}"


def _backoff(attempts: int) -> float:
    longest = min(LONGEST_BACKOFF_SECONDS, FIRST_BACKOFF_SECONDS * 2**attempts)
    return longest * random.uniform(0.5, 1)  # noqa: S311 - not a secret
