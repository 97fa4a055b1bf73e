"""The queue of changes that are still to be published, on a connection of its own."""

import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, NamedTuple, Self
from uuid import UUID

import asyncpg
import msgspec

from shared.config import DatabaseConfig
from shared.events.changes import Change

FAILURES = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""What a database that is away, restarting or full raises; a connection that has just been cut the third."""

_LOCK = 1_734_697_583  # any number of our own: one relay at a time on a database
_SECONDS = 5
_REQUEUED_AT_ONCE = 5_000

# Not a join: with many waiting, the planner walks the changes from the first there ever was.
NEXT = """
    SELECT * FROM changes WHERE id = ANY (ARRAY(SELECT change_id FROM outbox ORDER BY change_id LIMIT $1))
    ORDER BY id
"""
_REQUEUE = """
    WITH span AS (
        SELECT id FROM changes
        WHERE id > $1 AND (occurred_at >= $2 OR $2 IS NULL) AND id <= $3 AND version > 0 ORDER BY id LIMIT $4
    ), queued AS (
        INSERT INTO outbox (change_id) SELECT id FROM span ON CONFLICT DO NOTHING
    )
    SELECT max(id) AS last, count(*) AS found FROM span
"""
_FIRST = "SELECT min(id) - 1 FROM changes WHERE occurred_at >= $1"
# Asked for every second, also while a million wait: of the changes it looks at one.
BACKLOG = """
    SELECT (SELECT count(*) FROM outbox), coalesce(extract(epoch FROM now() - (
        SELECT occurred_at FROM changes WHERE id = (SELECT min(change_id) FROM outbox)
    )), 0)
"""


class Backlog(NamedTuple):
    """How many changes wait to be published, and for how many seconds the one that comes next has."""

    depth: int
    seconds: float


class Outbox:
    """The outbox of one service. Open it with `async with`; the lock goes with the connection."""

    def __init__(self, config: DatabaseConfig, application: str) -> None:
        self._config = config
        self._application = application

    async def __aenter__(self) -> Self:
        """Connect."""
        config = self._config
        self._connection = await asyncpg.connect(
            host=config.host,
            port=config.port,
            user=config.user,
            password=config.password.reveal(),
            database=config.name,
            ssl=ssl.create_default_context() if config.sslmode == "verify-full" else config.sslmode,
            timeout=_SECONDS,
            command_timeout=_SECONDS + 1,
            server_settings={
                "application_name": self._application,
                "search_path": config.schema,
                "statement_timeout": f"{_SECONDS}s",
                # A holder of the lock that is frozen, or whose machine is gone, loses it within seconds.
                "idle_session_timeout": "10s",
                "tcp_keepalives_idle": "5",
                "tcp_keepalives_interval": "2",
                "tcp_keepalives_count": "3",
            },
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Disconnect, which gives the lock back."""
        try:
            await self._connection.close(timeout=1)
        except FAILURES:
            self._connection.terminate()

    async def lock(self) -> bool:
        """Become the one who publishes; tell whether nobody else is."""
        return bool(await self._connection.fetchval("SELECT pg_try_advisory_lock($1)", _LOCK))

    async def next(self, limit: int) -> tuple[list[int], list[Change]]:
        """Return the ids and the changes to publish next, in the order they were made.

        A change whose transaction has not committed is not among them, and is found later: the queue has
        it until it is published, so no number can be skipped.
        """
        rows = await self._connection.fetch(NEXT, limit)
        return [row["id"] for row in rows], [_change(row) for row in rows]

    async def done(self, ids: Sequence[int]) -> None:
        """Take changes that are published off the queue."""
        await self._connection.execute("DELETE FROM outbox WHERE change_id = ANY($1)", ids)

    async def requeue(self, since: datetime) -> int:
        """Put every change that occurred since then on the queue again and return how many they are."""
        return await self._requeue(await self._connection.fetchval(_FIRST, since), since)

    async def requeue_recorded(self, since: datetime) -> int:
        """Put the first change that occurred since then on the queue again, and every one recorded after it.

        Some of those may say that they occurred before, for a clock may have been set back in between.
        """
        return await self._requeue(await self._connection.fetchval(_FIRST, since), None)

    async def _requeue(self, last: int | None, since: datetime | None) -> int:
        newest: int | None = await self._connection.fetchval("SELECT max(id) FROM changes")
        total = 0
        while last is not None:
            row = await self._connection.fetchrow(_REQUEUE, last, since, newest, _REQUEUED_AT_ONCE)
            last, total = (row["last"], total + row["found"]) if row else (None, total)
        return total

    async def requeue_of(self, span: timedelta) -> int:
        """Put every change of the past `span` on the queue again and return how many they are."""
        since: datetime = await self._connection.fetchval("SELECT now() - $1::interval", span)
        return await self.requeue_recorded(since)

    async def backlog(self) -> Backlog:
        """Return how much waits to be published."""
        row = await self._connection.fetchrow(BACKLOG)
        return Backlog(row[0], float(row[1])) if row else Backlog(0, 0.0)


def _change(row: asyncpg.Record) -> Change:
    columns: dict[str, Any] = {name: row[name] for name in Change.__struct_fields__}
    # asyncpg has a UUID type of its own, which msgspec does not know.
    columns |= {name: UUID(int=columns[name].int) for name in ("event_id", "aggregate_id")}
    whole = columns["part_of"]
    columns["part_of"] = UUID(int=whole.int) if whole else None
    columns |= {name: _decoded(columns[name]) for name in ("before", "after")}
    return Change(**columns)


def _decoded(document: str | None) -> dict[str, Any] | None:
    return None if document is None else msgspec.json.decode(document)
