"""What happens to a part of something is told in the history of the whole, and published with its name."""

from collections.abc import AsyncGenerator

import msgspec
import pytest

from shared.config import RedisConfig
from shared.events.changes import ChangeRecorder
from shared.events.history import History, HistoryQuery
from shared.events.metrics import EventMetrics
from shared.events.relay import Relay
from shared.identifiers import new_uuid
from tests.support.databases import TestDatabase, connect
from tests.support.events import SERVICE, Events, Thing, events_of, until
from tests.support.plans import indexes, kinds, plans, recorded


@pytest.fixture
async def events(store_database: TestDatabase, redis_config: RedisConfig) -> AsyncGenerator[Events]:
    async with events_of(store_database, redis_config) as events:
        yield events


WHOLE, PART = Thing(new_uuid()), Thing(new_uuid(), name="Part")
PART_CHANGED = msgspec.structs.replace(PART, version=2, name="Changed part")


async def record_all(events: Events) -> list[str]:
    """Record a whole, a part that changes, and something else; return what the recorder was told."""
    async with events.database.transaction() as connection:
        changes = ChangeRecorder(connection, "store", "a test")
        parts = changes.of_parts("hand", WHOLE.uuid)
        await changes.created(WHOLE)
        await parts.created(PART)
        await parts.changed(PART, PART_CHANGED)
        await changes.created(Thing(new_uuid()))
        return [change.type for change in changes.recorded]


async def test_parts_are_told_in_the_history_of_their_whole(events: Events) -> None:
    told = ["store.created", "hand.created", "hand.changed", "store.created"]
    assert await record_all(events) == told
    found = await History(events.database).of(WHOLE.uuid, HistoryQuery())
    assert [(entry.type, entry.aggregate_id, entry.version) for entry in found.items] == [
        ("hand.changed", PART.uuid, 2),
        ("hand.created", PART.uuid, 1),
        ("store.created", WHOLE.uuid, 1),
    ]
    assert (await History(events.database).of(PART.uuid, HistoryQuery())).items == []


async def test_an_event_names_the_whole(events: Events) -> None:
    metrics = EventMetrics()
    relay = Relay(SERVICE, events.connected, events.database, metrics=metrics)
    await relay.start()
    await record_all(events)

    async def all_are_published() -> bool:
        return len(await events.published()) == 4

    await until(all_are_published)
    await relay.stop()
    whole, part, _, _ = await events.published()
    assert (whole.subject, whole.data.part_of) == (WHOLE.uuid, None)
    assert (part.subject, part.data.part_of, part.kind) == (PART.uuid, WHOLE.uuid, "hand.created")


async def test_a_history_is_found_by_its_index(events: Events) -> None:
    await events.value(
        """
        INSERT INTO changes (event_id, aggregate_type, aggregate_id, version, type, schema_version, actor,
                             occurred_at)
        SELECT gen_random_uuid(), 'store', gen_random_uuid(), 1, 'store.created', 1, 'x', now()
        FROM generate_series(1, 5000)
        """
    )
    await events.value("ANALYZE changes")
    with recorded() as statements:
        await History(events.database).of(WHOLE.uuid, HistoryQuery())
    connection = await connect(events.config)
    plan = (await plans(connection, statements))[-1]
    await connection.close()
    assert indexes(plan) == {"changes_by_whole"}
    assert "Sort" not in kinds(plan)
