"""Each event has its effect once, whatever is delivered twice, late, out of order or not at all."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from shared.config import RedisConfig
from shared.db import WriteConnection
from shared.errors import ServiceUnavailable
from shared.events import consumer as consumer_module
from shared.events import dead_letters
from shared.events.changes import Change
from shared.events.consumer import MOST_ATTEMPTS, MOST_DELIVERIES, Consumer
from shared.events.delivery import Delivery, Subscriber
from shared.events.event import Event, decode_event, encode_change
from shared.events.inbox import purge
from shared.events.metrics import EventMetrics
from shared.events.streams import stream_name
from shared.identifiers import new_uuid
from shared.telemetry.context import current_request
from tests.support.databases import TestDatabase
from tests.support.events import SERVICE, Events, events_of, until

STREAM, GROUP = stream_name(SERVICE), "tests"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

APPLY = text(
    """
    INSERT INTO clients (uuid, name, email, country, is_active, timezone, version)
    VALUES (:uuid, :name, '', 'ID', true, '', :version)
    ON CONFLICT (uuid) DO UPDATE SET version = excluded.version, name = clients.name || excluded.name
    WHERE clients.version < excluded.version
    """
)


class Recording(Subscriber):
    """Keeps the newest version of each subject, and appends a letter for each effect."""

    def __init__(self) -> None:
        self.prepared: list[UUID] = []
        self.settled_ids: list[UUID] = []
        self.requests: list[Any] = []
        self.fails: dict[UUID, Exception] = {}
        self.attempts: dict[UUID, int] = {}

    async def prepare(self, event: Event) -> None:
        self.prepared.append(event.id)

    async def apply(self, connection: WriteConnection, event: Event) -> bool:
        self.attempts[event.id] = self.attempts.get(event.id, 0) + 1
        self.requests.append(current_request())
        values = {"uuid": event.subject, "version": event.data.version, "name": "x"}
        had_effect = (await connection.execute(APPLY, values)).rowcount == 1
        if event.id in self.fails:
            raise self.fails[event.id]
        return had_effect

    async def settled(self, events: Sequence[Event]) -> None:
        self.settled_ids += [event.id for event in events]


@pytest.fixture
async def events(store_database: TestDatabase, redis_config: RedisConfig) -> AsyncGenerator[Events]:
    async with events_of(store_database, redis_config) as events:
        yield events


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what happens every few seconds happen at once."""
    for name in ("CLAIM_SECONDS", "REDRIVE_SECONDS", "OBSERVE_SECONDS", "OUTAGE_SECONDS"):
        monkeypatch.setattr(consumer_module, name, 0.02)
    monkeypatch.setattr(consumer_module, "FIRST_BACKOFF_SECONDS", 0.005)
    monkeypatch.setattr("shared.events.groups.BLOCK_MILLISECONDS", 20)


@pytest.fixture
def subscriber() -> Recording:
    return Recording()


def change(subject: UUID | None = None, version: int = 1) -> Change:
    return Change(
        event_id=new_uuid(),
        aggregate_type="store",
        aggregate_id=subject or new_uuid(),
        version=version,
        type="store.changed",
        actor="a test",
        request_id="asked-by-a-test",
        traceparent=TRACE,
        occurred_at=datetime.now(UTC),
    )


async def send(events: Events, *changes: Change) -> list[str]:
    """Put events on the stream and return their entries' ids."""
    return [await events.redis.xadd(STREAM, {"event": encode_change(SERVICE, each)}) for each in changes]


@asynccontextmanager
async def consuming(
    events: Events,
    subscriber: Recording,
    member: str = "me",
    **options: Any,  # noqa: ANN401 - the consumer's own
) -> AsyncGenerator[Consumer]:
    consumer = Consumer(
        GROUP, SERVICE, subscriber, events.database, events.redis_config, member=member, **options
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def effects(events: Events, subject: UUID) -> tuple[int, int]:
    """Return the version of a subject, and how many events had an effect on it."""
    version: int = await events.value("SELECT version FROM clients WHERE uuid = $1", subject) or 0
    return version, await events.value("SELECT length(name) FROM clients WHERE uuid = $1", subject) or 0


async def pending(events: Events) -> int:
    return (await events.redis.xpending(STREAM, GROUP))["pending"]


async def is_done(events: Events) -> bool:
    """Tell whether the group has had and acknowledged everything."""
    newest = await events.redis.xrevrange(STREAM, count=1)
    groups = await events.redis.xinfo_groups(STREAM)
    return bool(groups) and groups[0]["last-delivered-id"] == newest[0][0] and not groups[0]["pending"]


async def test_events_from_before_the_group_are_consumed(events: Events, subscriber: Recording) -> None:
    early, late = change(), change()
    await send(events, early)
    async with consuming(events, subscriber):
        await until(lambda: is_done(events))
        await send(events, late)
        await until(lambda: is_done(events))
    assert await effects(events, early.aggregate_id) == (1, 1)
    assert subscriber.settled_ids == subscriber.prepared == [early.event_id, late.event_id]
    assert subscriber.requests[0].request_id == "asked-by-a-test"
    assert subscriber.requests[0].traceparent == TRACE
    assert current_request() is None


async def test_three_deliveries_at_once_have_one_effect(events: Events, subscriber: Recording) -> None:
    event = decode_event(encode_change(SERVICE, change()).decode())
    metrics = EventMetrics()
    delivery = Delivery(GROUP, STREAM, subscriber, events.database, metrics)
    await asyncio.gather(*(delivery.deliver([event, event]) for _ in range(3)))
    assert await effects(events, event.subject) == (1, 1)
    assert subscriber.attempts == {event.id: 1}
    assert counted(metrics, "duplicate") == 5
    assert counted(metrics, "applied") == 1


def counted(metrics: EventMetrics, outcome: str) -> float:
    labels = {"consumer": GROUP, "outcome": outcome}
    return metrics.registry.get_sample_value("events_consumed_total", labels) or 0


async def test_an_older_version_after_a_newer_one_is_superseded(
    events: Events, subscriber: Recording
) -> None:
    subject, metrics = new_uuid(), EventMetrics()
    await send(events, change(subject, 3), change(subject, 2))
    async with consuming(events, subscriber, metrics=metrics):
        await until(lambda: is_done(events))
    assert await effects(events, subject) == (3, 1)
    assert counted(metrics, "superseded") == 1


async def test_a_member_begins_with_what_it_did_not_finish(events: Events, subscriber: Recording) -> None:
    done, open_ = change(), change()
    await send(events, done, open_)
    await events.redis.xgroup_create(STREAM, GROUP, "0")
    await events.redis.xreadgroup(GROUP, "me", {STREAM: ">"})
    event = decode_event(encode_change(SERVICE, done).decode())
    await Delivery(GROUP, STREAM, subscriber, events.database, EventMetrics()).deliver([event])
    async with consuming(events, subscriber):  # the first was committed and not acknowledged
        await until(lambda: is_done(events))
    assert await effects(events, done.aggregate_id) == (1, 1)
    assert await effects(events, open_.aggregate_id) == (1, 1)
    assert subscriber.attempts[done.event_id] == 1


async def test_entries_of_a_dead_member_are_taken_over(events: Events, subscriber: Recording) -> None:
    left = [change() for _ in range(250)]
    await send(events, *left)
    await events.redis.xgroup_create(STREAM, GROUP, "0")
    await events.redis.xreadgroup(GROUP, "dead", {STREAM: ">"})
    async with consuming(events, subscriber, abandoned_milliseconds=50):
        await until(lambda: is_done(events))
    assert await events.value("SELECT count(*) FROM inbox") == 250


async def test_a_poisoned_event_is_given_up_while_others_flow(events: Events, subscriber: Recording) -> None:
    good, bad, metrics = [change() for _ in range(5)], change(), EventMetrics()
    subscriber.fails[bad.event_id] = ZeroDivisionError("poison")
    async with consuming(events, subscriber, metrics=metrics):
        await send(events, *good[:2], bad, *good[2:])
        await until(lambda: is_done(events))
        for each in good:
            assert await effects(events, each.aggregate_id) == (1, 1)
        assert await effects(events, bad.aggregate_id) == (0, 0)
        (letter,) = await dead_letters.list_all(events.database)
        assert (letter.consumer, letter.stream, letter.attempts) == (GROUP, STREAM, MOST_ATTEMPTS)
        assert "poison" in letter.reason
        assert decode_event(letter.event).id == bad.event_id
        assert counted(metrics, "dead") == 1
        await dead_letters.redrive(events.database, letter.id)
        await until(lambda: was_tried_again(events))
        assert (await dead_letters.list_all(events.database))[0].attempts == MOST_ATTEMPTS + 1
        del subscriber.fails[bad.event_id]
        assert await dead_letters.redrive(events.database, None) == 1
        await until(lambda: has_no_letters(events))
    assert await effects(events, bad.aggregate_id) == (1, 1)


async def was_tried_again(events: Events) -> bool:
    return bool(await events.value("SELECT attempts = 6 AND redrive_at IS NULL FROM dead_letters"))


async def has_no_letters(events: Events) -> bool:
    return not await dead_letters.list_all(events.database)


async def test_what_fails_for_a_while_is_tried_until_it_works(events: Events, subscriber: Recording) -> None:
    flaky = change()
    subscriber.fails[flaky.event_id] = ZeroDivisionError("not yet")
    async with consuming(events, subscriber):
        await send(events, flaky)
        await until(lambda: was_attempted(subscriber, flaky, 3))
        del subscriber.fails[flaky.event_id]
        await until(lambda: is_done(events))
    assert await effects(events, flaky.aggregate_id) == (1, 1)
    assert await has_no_letters(events)


async def was_attempted(subscriber: Recording, change: Change, times: int) -> bool:
    return subscriber.attempts.get(change.event_id, 0) >= times


async def test_an_outage_is_waited_for_and_not_counted(events: Events, subscriber: Recording) -> None:
    waiting = change()
    subscriber.fails[waiting.event_id] = ServiceUnavailable(service="database")
    async with consuming(events, subscriber):
        await send(events, waiting)
        await until(lambda: was_attempted(subscriber, waiting, MOST_ATTEMPTS + 3))
        del subscriber.fails[waiting.event_id]
        await until(lambda: is_done(events))
    assert await effects(events, waiting.aggregate_id) == (1, 1)
    assert await has_no_letters(events)


@pytest.mark.parametrize("content", ["", "{", '{"specversion":"1.0"}', "\0", "[" * 5000, '{"a":"\udcff"}'])
async def test_what_is_no_event_is_given_up_at_once(
    events: Events, subscriber: Recording, content: str
) -> None:
    after = change()
    async with consuming(events, subscriber):
        await events.redis.xadd(STREAM, {"event": content.encode(errors="surrogateescape")})
        await send(events, after)
        await until(lambda: is_done(events))
    assert await effects(events, after.aggregate_id) == (1, 1)
    (letter,) = await dead_letters.list_all(events.database)
    assert "not an event" in letter.reason


async def test_an_event_that_ends_its_process_is_given_up(events: Events, subscriber: Recording) -> None:
    deadly = change()
    await send(events, deadly)
    await events.redis.xgroup_create(STREAM, GROUP, "0")
    await events.redis.xreadgroup(GROUP, "me", {STREAM: ">"})
    for _ in range(MOST_DELIVERIES):
        await events.redis.xreadgroup(GROUP, "me", {STREAM: "0"})
    async with consuming(events, subscriber):
        await until(lambda: is_done(events))
    assert subscriber.attempts == {}
    assert "without an answer" in (await dead_letters.list_all(events.database))[0].reason


async def test_a_flushed_redis_breaks_no_consumer(events: Events, subscriber: Recording) -> None:
    before, after = change(), change()
    async with consuming(events, subscriber):
        await send(events, before)
        await until(lambda: is_done(events))
        await events.redis.flushall()
        await send(events, before, after)
        await until(lambda: is_done_again(events))
    assert await effects(events, before.aggregate_id) == (1, 1)
    assert await effects(events, after.aggregate_id) == (1, 1)


async def is_done_again(events: Events) -> bool:
    return await events.redis.exists(STREAM) and await is_done(events)


async def test_entries_that_were_trimmed_too_early_are_done_with(
    events: Events, subscriber: Recording
) -> None:
    gone, kept = await send(events, change(), change())
    await events.redis.xgroup_create(STREAM, GROUP, "0")
    await events.redis.xreadgroup(GROUP, "me", {STREAM: ">"})
    await events.redis.xdel(STREAM, gone)
    async with consuming(events, subscriber):
        await until(lambda: is_done(events))
    assert len(subscriber.attempts) == 1
    assert kept


async def test_two_members_share_the_work(events: Events) -> None:
    both = Recording(), Recording()
    sent = [change() for _ in range(300)]
    async with AsyncExitStack() as stack:
        for number, each in enumerate(both):
            await stack.enter_async_context(consuming(events, each, f"member {number}"))
        await send(events, *sent)
        await until(lambda: is_done(events))
    assert len(both[0].attempts) + len(both[1].attempts) == 300
    assert await events.value("SELECT count(*) FROM clients WHERE name = 'x'") == 300


async def test_a_consumer_that_stops_finishes_what_it_read(events: Events, subscriber: Recording) -> None:
    sent = [change() for _ in range(50)]
    async with consuming(events, subscriber):
        await send(events, *sent)
        await until(lambda: was_attempted(subscriber, sent[0], 1))
    assert await pending(events) == 0


async def test_lag_is_measured(events: Events, subscriber: Recording) -> None:
    metrics = EventMetrics()
    bad = change()
    subscriber.fails[bad.event_id] = ServiceUnavailable(service="database")
    await send(events, bad)
    consumer = Consumer(
        GROUP, SERVICE, subscriber, events.database, events.redis_config, member="me", metrics=metrics
    )
    await events.redis.xgroup_create(STREAM, GROUP, "0")
    await consumer._observe()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - between two reads
    assert metrics.registry.get_sample_value("events_consumer_lag", {"consumer": GROUP}) == 1
    await consumer.stop()


async def test_the_inbox_forgets_after_a_week(events: Events) -> None:
    for days in (6, 8):
        await events.value(
            "INSERT INTO inbox VALUES ('tests', gen_random_uuid(), now() - make_interval(days => $1))", days
        )
    await purge(events.database)
    assert await events.value("SELECT count(*) FROM inbox") == 1
