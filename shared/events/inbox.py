"""Which events a consumer has had, written in the transaction of their effect."""

from collections.abc import Sequence

from sqlalchemy import text

from shared.db import Database, WriteConnection
from shared.events.event import Event

KEPT_DAYS = 7
"""Longer than events are published again by themselves: a day, and as long as Redis was away."""

_PURGED_AT_ONCE = 1_000

_RECEIVE = text(
    """
    INSERT INTO inbox (consumer, event_id)
    SELECT :consumer, received.id FROM unnest(CAST(:ids AS uuid[])) AS received (id)
    ON CONFLICT DO NOTHING RETURNING event_id
    """
)
_PURGE = text(
    """
    DELETE FROM inbox WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM inbox WHERE received_at < now() - make_interval(days => :days)
        ORDER BY received_at LIMIT :limit FOR UPDATE SKIP LOCKED))
    """
)


async def receive(connection: WriteConnection, consumer: str, events: Sequence[Event]) -> list[Event]:
    """Note events as received, and return those that were not received before, each once.

    Another delivery of the same event that is under way is waited for.
    """
    ids = sorted({event.id for event in events})  # in one order everywhere, so that none waits for another
    rows = await connection.execute(_RECEIVE, {"consumer": consumer, "ids": ids})
    fresh, unique = {row.event_id for row in rows}, {event.id: event for event in reversed(events)}
    return [event for event in unique.values() if event.id in fresh][::-1]


async def purge(database: Database) -> None:
    """Forget some of the events that were received too long ago to come again."""
    async with database.transaction() as connection:
        await connection.execute(_PURGE, {"days": KEPT_DAYS, "limit": _PURGED_AT_ONCE})
