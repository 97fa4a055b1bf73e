"""The relay publishes every change that was committed, whatever fails on the way."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from shared.config import RedisConfig
from shared.events import relay as relay_module
from shared.events.changes import Change
from shared.events.metrics import EventMetrics
from shared.events.outbox import BACKLOG, NEXT, Outbox
from shared.events.relay import Relay
from shared.events.streams import stream_name
from shared.identifiers import new_uuid
from tests.support.databases import TestDatabase, connect
from tests.support.events import SERVICE, Connected, Events, Thing, created, events_of, until
from tests.support.plans import Statements, plans, rows_read

STREAM = stream_name(SERVICE)


@pytest.fixture
async def events(store_database: TestDatabase, redis_config: RedisConfig) -> AsyncGenerator[Events]:
    async with events_of(store_database, redis_config) as events:
        yield events


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what happens every few seconds happen at once."""
    for name in ("STANDBY_SECONDS", "FAILURE_SECONDS", "CHECK_SECONDS", "TRIM_SECONDS"):
        monkeypatch.setattr(relay_module, name, 0.05)


def relay_of(events: Events, **options: Any) -> Relay:  # noqa: ANN401 - the relay's own
    return Relay(SERVICE, events.connected, events.database, **options)


@asynccontextmanager
async def relaying(events: Events, **options: Any) -> AsyncGenerator[Relay]:  # noqa: ANN401 - the relay's own
    relay = relay_of(events, **options)
    await relay.start()
    try:
        yield relay
    finally:
        await relay.stop()


def things(count: int) -> list[Thing]:
    return [Thing(new_uuid()) for _ in range(count)]


async def test_changes_are_published_in_order_as_cloud_events(events: Events) -> None:
    async with relaying(events):
        one = Thing(new_uuid())
        await events.record(one, msgspec.structs.replace(one, version=2, name="Second"), Thing(new_uuid()))
        await until(lambda: has(events, 3))
    first, second, _ = await events.published()
    assert (first.specversion, first.source, first.type) == ("1.0", "/gerai/store", "gerai.store.created.v1")
    assert (first.subject, first.kind, first.schema_version) == (one.uuid, "store.created", 1)
    assert (first.data.version, second.data.version) == (1, 2)
    assert second.data.after == {"uuid": str(one.uuid), "version": 2, "name": "Second"}
    assert second.data.actor == "a test"
    assert await events.waiting() == 0
    ((_, fields),) = await events.redis.xrange(STREAM, count=1)
    assert msgspec.json.decode(fields["event"])["datacontenttype"] == "application/json"


async def has(events: Events, count: int) -> bool:
    return len(await events.published()) >= count


async def test_a_commit_wakes_the_relay(events: Events, monkeypatch: pytest.MonkeyPatch) -> None:
    async with relaying(events):
        await events.record()
        await until(lambda: has(events, 1))
        monkeypatch.setattr(relay_module, "POLL_SECONDS", 60)
        await asyncio.sleep(0.1)  # what it is waiting for now was begun with the short poll
        await events.record()
        await until(lambda: has(events, 2), seconds=2)


async def test_changes_of_a_process_that_is_gone_are_published_by_polling(events: Events) -> None:
    await events.record(*things(3))
    events.database.committed.clear()
    async with relaying(events):
        await until(lambda: has(events, 3))
        other = Events(events.test_database, events.redis_config)
        await other.record()
        await until(lambda: has(events, 4))
        await other.database.close()
        await other.redis.aclose()


async def test_a_transaction_that_stays_open_is_not_skipped(events: Events) -> None:
    slow, fast = Thing(new_uuid()), things(50)
    async with relaying(events):
        async with events.database.transaction() as connection:
            await created(connection, slow)
            await events.record(*fast)
            await until(lambda: has(events, 50))
            assert slow.uuid not in await events.subjects()
        await until(lambda: has(events, 51))
    assert await events.subjects() == [thing.uuid for thing in (*fast, slow)]


async def test_relays_that_are_cut_off_in_turn_lose_nothing(events: Events) -> None:
    made = things(60)
    async with relaying(events), relaying(events):
        for start in range(0, 60, 10):
            await events.record(*made[start : start + 10])
            await events.cut_off_relays()
        await until(lambda: nothing_waits(events))
    subjects = await events.subjects()
    assert set(subjects) == {thing.uuid for thing in made}
    assert list(dict.fromkeys(subjects)) == [thing.uuid for thing in made]


async def nothing_waits(events: Events) -> bool:
    return await events.waiting() == 0


async def test_one_relay_publishes_and_another_takes_over(events: Events) -> None:
    first, second = relay_of(events), relay_of(events)
    await first.start()
    await events.record()
    await until(lambda: has(events, 1))
    await second.start()
    await events.record(*things(20))
    await until(lambda: nothing_waits(events))
    assert len(await events.published()) == 21
    await first.stop()
    await events.record()
    await until(lambda: has(events, 22))
    await second.stop()


async def test_a_relay_that_stops_publishes_what_is_left(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with relaying(events):
        await events.record()
        await until(lambda: has(events, 1))
        monkeypatch.setattr(relay_module, "POLL_SECONDS", 60)
        async with events.database.transaction() as connection:
            for thing in things(1200):
                await created(connection, thing)
    assert await events.waiting() == 0
    assert len(await events.published()) == 1201


async def test_a_relay_killed_after_publishing_publishes_again(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = Outbox.done

    async def killed(*_: object) -> None:
        monkeypatch.setattr(Outbox, "done", done)
        raise ConnectionResetError

    monkeypatch.setattr(Outbox, "done", killed)
    made = things(3)
    async with relaying(events):
        await events.record(*made)
        await until(lambda: nothing_waits(events))
    assert set(await events.subjects()) == {thing.uuid for thing in made}
    assert len(await events.subjects()) > 3


async def test_a_flushed_redis_gets_everything_of_a_day_again(events: Events) -> None:
    metrics = EventMetrics()
    made = things(5)
    async with relaying(events, metrics=metrics):
        await events.record(*made)
        await until(lambda: has(events, 5))
        await events.redis.flushall()
        await until(lambda: has(events, 5))
    assert await events.subjects() == [thing.uuid for thing in made]
    assert metrics.registry.get_sample_value("events_replays_total") == 2


async def test_a_stream_that_is_gone_while_the_marker_is_not_is_filled_again(events: Events) -> None:
    async with relaying(events):
        await events.record(*things(5))
        await until(lambda: has(events, 5))
        await events.redis.delete(STREAM)
        await until(lambda: has(events, 5))


async def test_a_redis_that_restarted_gets_what_its_last_moments_may_have_lost(events: Events) -> None:
    old, recent = things(2), things(3)
    async with relaying(events):
        await events.record(*old, *recent)
        await until(lambda: has(events, 5))
        ids = [id_ for id_, _ in await events.redis.xrange(STREAM)]
        await events.redis.xdel(STREAM, *ids[2:])
        await events.redis.set(f"{STREAM}:run", "the run before")
        await until(lambda: has(events, 5))
    assert set(await events.subjects()) == {thing.uuid for thing in (*old, *recent)}


async def test_what_is_lost_comes_again_though_a_clock_was_set_back(events: Events) -> None:
    """What a process recorded after its clock was set back seems older than what is in the stream."""
    kept, lost = things(2), things(3)
    async with relaying(events):
        await events.record(*kept, *lost)
        await until(lambda: has(events, 5))
    await events.value(
        "UPDATE changes SET occurred_at = occurred_at - interval '1 hour'"
        " WHERE id > (SELECT min(id) + 1 FROM changes)"
    )
    ids = [id_ for id_, _ in await events.redis.xrange(STREAM)]
    await events.redis.xdel(STREAM, *ids[2:])
    await events.redis.set(f"{STREAM}:run", "the run before")
    async with relaying(events):
        await until(lambda: has(events, 5))
    assert set(await events.subjects()) == {thing.uuid for thing in (*kept, *lost)}


async def test_redis_away(events: Events) -> None:
    away = msgspec.structs.replace(events.redis_config, port=1)
    relay = Relay(SERVICE, Connected(events.config, away), events.database)
    await relay.start()
    await events.record(*things(2))
    await asyncio.sleep(0.1)
    await relay.stop()
    assert await events.waiting() == 2
    async with relaying(events):
        await until(lambda: has(events, 2))


async def test_replaying_a_span(events: Events) -> None:
    made = things(4)
    async with relaying(events):
        await events.record(*made)
        await until(lambda: has(events, 4))
    await events.value(
        "UPDATE changes SET occurred_at = now() - interval '3 hours'"
        " WHERE id % 2 = (SELECT min(id) % 2 FROM changes)"
    )
    old: int = await events.value(
        "SELECT count(*) FROM changes WHERE occurred_at < now() - interval '1 hour'"
    )
    async with Outbox(events.config, "tests") as outbox:
        assert await outbox.requeue(datetime.now(UTC) - timedelta(hours=2)) == 4 - old
        assert await outbox.requeue_of(timedelta(hours=4)) == 4
        assert (await outbox.backlog()).depth == 4
        assert (await outbox.backlog()).seconds > 3 * 3600 - 60


@pytest.mark.parametrize(("statement", "arguments", "expected"), [(NEXT, (10,), 10), (BACKLOG, (), 1)])
async def test_what_is_published_is_not_read_again(
    events: Events, statement: str, arguments: tuple[object, ...], expected: int
) -> None:
    """The queue is asked all the time, also after a history of millions, and while a million wait."""
    await events.record(*things(4_000))
    await events.value("DELETE FROM outbox WHERE change_id < (SELECT min(id) + 1000 FROM changes)")
    connection = await connect(events.config)
    for mode in ("force_custom_plan", "force_generic_plan"):
        await connection.execute(f"SET plan_cache_mode = {mode}")
        (plan,) = await plans(connection, Statements([(statement, arguments)]))
        read = rows_read([node for node in plan if node.get("Relation Name") == "changes"], "changes")
        assert read == expected
    await connection.close()


async def test_hooks_are_told_before_and_hold_nothing_back(events: Events) -> None:
    told: list[Change] = []
    seen: list[int] = []

    async def hook(changes: Sequence[Change]) -> None:
        seen.append(len(await events.published()))
        told.extend(changes)
        raise ZeroDivisionError

    async with relaying(events, before_publish=[hook]):
        await events.record(*things(2))
        await until(lambda: has(events, 2))
    assert seen[0] == 0
    assert [change.type for change in told] == ["store.created", "store.created"]
    assert told[0].after is not None


async def test_trimming_stops_at_what_a_group_has_not_acknowledged(events: Events) -> None:
    async with relaying(events, kept_milliseconds=0):
        await events.redis.xgroup_create(STREAM, "slow", "0", mkstream=True)
        await events.redis.xgroup_create(STREAM, "fast", "0", mkstream=True)
        await events.record(*things(6))
        await until(lambda: nothing_waits(events))
        given = await events.redis.xreadgroup("fast", "me", {STREAM: ">"})
        ids = [id_ for id_, _ in given[0][1]]
        await events.redis.xack(STREAM, "fast", *ids)
        await events.redis.xreadgroup("slow", "me", {STREAM: ">"}, count=4)
        await events.redis.xack(STREAM, "slow", *ids[:2])
        await until(lambda: is_first(events, ids[2]))
        await asyncio.sleep(0.2)  # further rounds of trimming
        assert [id_ for id_, _ in await events.redis.xrange(STREAM)] == ids[2:]
        await events.redis.xack(STREAM, "slow", *ids[2:4])
        await until(lambda: is_first(events, ids[3]))


async def is_first(events: Events, id_: str) -> bool:
    return (await events.redis.xrange(STREAM, count=1))[0][0] == id_


async def test_recent_entries_stay_for_groups_to_come(events: Events) -> None:
    async with relaying(events):
        await events.record(*things(3))
        await until(lambda: nothing_waits(events))
        await asyncio.sleep(0.2)  # some rounds of trimming
        assert len(await events.published()) == 3


async def test_more_than_enough_entries_stay_only_until_they_are_read(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "MOST_KEPT", 200)
    monkeypatch.setattr(relay_module, "FULL", 400)
    monkeypatch.setattr(relay_module, "TRIM_AFTER", 1)
    monkeypatch.setattr(relay_module, "BATCH", 100)
    async with relaying(events):
        await events.redis.xgroup_create(STREAM, "slow", "0", mkstream=True)
        await events.record(*things(1000))
        await until(lambda: is_held_back(events))
        read = 0
        while read < 1000:
            given = await events.redis.xreadgroup("slow", "me", {STREAM: ">"}, count=100)
            ids = [id_ for id_, _ in given[0][1]] if given else []
            read += await events.redis.xack(STREAM, "slow", *ids) if ids else 0
            await asyncio.sleep(0.01)
        await until(lambda: nothing_waits(events))
        await until(lambda: is_no_longer_than(events, 300))  # a node of the stream more than enough


async def is_held_back(events: Events) -> bool:
    """Tell whether the stream is full and changes still wait, now and a few passes later."""
    before = await events.redis.xlen(STREAM)
    await asyncio.sleep(0.2)
    return before > 400 and await events.redis.xlen(STREAM) == before and not await nothing_waits(events)


async def is_no_longer_than(events: Events, most: int) -> bool:
    return await events.redis.xlen(STREAM) <= most


async def test_what_waits_is_measured(events: Events) -> None:
    metrics = EventMetrics()
    async with events.database.transaction() as connection:
        await created(connection, Thing(new_uuid()))
    async with relaying(events, metrics=metrics):
        await until(lambda: has(events, 1))
        await until(lambda: is_measured(metrics))


async def is_measured(metrics: EventMetrics) -> bool:
    value = metrics.registry.get_sample_value
    return value("events_published_total") == 1 and value("events_outbox_depth") == 0
