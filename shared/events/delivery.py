"""Giving events to a subscriber: the effect and the note of it in one transaction."""

import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy.exc import DBAPIError

from shared.db import Database, WriteConnection
from shared.db_errors import database_error
from shared.errors import GatewayTimeout, ServiceUnavailable
from shared.events import dead_letters
from shared.events.dead_letters import DeadLetter
from shared.events.event import Event, decode_event
from shared.events.inbox import receive
from shared.events.metrics import EventMetrics
from shared.telemetry.consumption import consumer_span
from shared.telemetry.context import RequestContext, current_request, enter_request

_LOST_A_RACE = {"40001", "40P01"}
_TOO_SLOW = "57014"  # the statement's fault rather than the server's

logger = logging.getLogger("gerai.events")


class Subscriber(Protocol):
    """Does what events ask for. It may be given an event that it had before, and an old one after a newer."""

    async def prepare(self, event: Event) -> None:
        """Do what takes transactions of its own; it may be repeated at any time."""
        ...

    async def apply(self, connection: WriteConnection, event: Event) -> bool:
        """Do the rest, once; tell whether the event had an effect: False when a newer one was there."""
        ...

    async def settled(self, events: Sequence[Event]) -> None:
        """Do what follows the commit, such as forgetting cached answers; it may be lost in a crash."""
        ...


class Delivery:
    """Gives events to the subscriber of one consumer."""

    def __init__(
        self, consumer: str, stream: str, subscriber: Subscriber, database: Database, metrics: EventMetrics
    ) -> None:
        self._consumer = consumer
        self._stream = stream
        self._subscriber = subscriber
        self._database = database
        self._metrics = metrics

    async def deliver(self, events: Sequence[Event]) -> None:
        """Let each event have its effect once, all in one transaction.

        What had its effect before is settled again: a crash may have come in between.
        """
        with consumer_span(self._stream, self._consumer, [event.traceparent for event in events]):
            await self._deliver(events)

    async def _deliver(self, events: Sequence[Event]) -> None:
        for event in events:
            with _trace_of(event):
                await self._subscriber.prepare(event)
        async with self._database.transaction() as connection:
            fresh = await receive(connection, self._consumer, events)
            applied = [await self._apply(connection, event) for event in fresh]
        await self._settle(events)
        self.count("duplicate", len(events) - len(fresh))
        self.count("applied", sum(applied))
        self.count("superseded", len(fresh) - sum(applied))

    async def redrive(self) -> bool:
        """Give the subscriber one dead letter that someone wants tried again; tell whether there was one."""
        letter: DeadLetter | None = None
        try:
            async with self._database.transaction() as connection:
                letter = await dead_letters.next_redriven(connection, self._consumer)
                if letter is None:
                    return False
                event = decode_event(letter.event)
                with _trace_of(event):
                    await self._subscriber.prepare(event)
                if await receive(connection, self._consumer, [event]):
                    await self._apply(connection, event)
                await dead_letters.remove(connection, letter)
            await self._settle([event])
        except Exception as error:
            if letter is None or is_transient(error):
                raise
            await dead_letters.keep(self._database, letter, repr(error))
        return True

    def count(self, outcome: str, number: int = 1) -> None:
        """Count events by what became of them."""
        self._metrics.consumed.labels(self._consumer, outcome).inc(number)

    async def _apply(self, connection: WriteConnection, event: Event) -> bool:
        with _trace_of(event):
            return await self._subscriber.apply(connection, event)

    async def _settle(self, events: Sequence[Event]) -> None:
        try:
            await self._subscriber.settled(events)
        except Exception:
            logger.exception("What follows events could not be done by %s", self._consumer)


def is_transient(error: Exception) -> bool:
    """Tell whether the same event may well be handled later: something it needs is away."""
    if isinstance(error, ServiceUnavailable | GatewayTimeout):
        return True
    state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
    if state == _TOO_SLOW:
        return False
    return state in _LOST_A_RACE or isinstance(database_error(error), ServiceUnavailable)


@contextmanager
def _trace_of(event: Event) -> Generator[None]:
    """Let what is done inside belong to the request that an event comes from, and to the span around."""
    around, request_id = current_request(), event.data.request_id or str(event.id)
    if around and around.recorded:
        request = RequestContext(request_id, around.trace_id, around.span_id, recorded=True)
    else:
        parent, state = event.traceparent or "", event.tracestate or ""
        request = RequestContext(request_id, parent[3:35], traceparent=event.traceparent, tracestate=state)
    enter_request(request)
    try:
        yield
    finally:
        enter_request(around)
