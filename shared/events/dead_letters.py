"""Events that a consumer gave up on: kept until someone has them tried again."""

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import text

from shared.db import Database, WriteConnection
from shared.events.streams import Entry

_LONGEST_REASON = 2_000

_COLUMNS = "id, consumer, stream, entry_id, event, reason, attempts, failed_at, redrive_at"
_ADD = text(
    """
    INSERT INTO dead_letters (consumer, stream, entry_id, event, reason, attempts)
    VALUES (:consumer, :stream, :entry_id, :event, :reason, :attempts) ON CONFLICT DO NOTHING
    """
)
_LIST = text(f"SELECT {_COLUMNS} FROM dead_letters ORDER BY id LIMIT 1000")  # noqa: S608 - constants
_FIND = text(f"SELECT {_COLUMNS} FROM dead_letters WHERE id = :id")  # noqa: S608 - constants
_REDRIVE = text("UPDATE dead_letters SET redrive_at = now() WHERE CAST(:id AS bigint) IS NULL OR id = :id")
_NEXT = text(
    f"""
    SELECT {_COLUMNS} FROM dead_letters WHERE consumer = :consumer AND redrive_at IS NOT NULL
    ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    """  # noqa: S608 - constants
)
_REMOVE = text("DELETE FROM dead_letters WHERE id = :id")
_KEEP = text(
    """
    UPDATE dead_letters
    SET redrive_at = NULL, attempts = attempts + 1, reason = :reason, failed_at = now() WHERE id = :id
    """
)
_COUNT = text("SELECT count(*) FROM dead_letters WHERE consumer = :consumer")


class DeadLetter(NamedTuple):
    """One event that could not be handled, and why; `redrive_at` is set while it waits to be tried again."""

    id: int
    consumer: str
    stream: str
    entry_id: str
    event: str
    reason: str
    attempts: int
    failed_at: datetime
    redrive_at: datetime | None


async def add(
    database: Database, consumer: str, stream: str, entry: Entry, reason: str, attempts: int
) -> None:
    """Keep an event that is given up on; the same entry is kept once."""
    values = {"consumer": consumer, "stream": stream, "entry_id": entry.id, "attempts": attempts}
    event = (entry.event or "").replace("\0", "�")  # a text in PostgreSQL has no NUL
    async with database.transaction() as connection:
        await connection.execute(_ADD, {**values, "event": event, "reason": reason[:_LONGEST_REASON]})


async def list_all(database: Database) -> list[DeadLetter]:
    """Return the oldest thousand."""
    return await _read(database, _LIST)


async def find(database: Database, id_: int) -> DeadLetter | None:
    """Return the one of this id."""
    return next(iter(await _read(database, _FIND, id=id_)), None)


async def redrive(database: Database, id_: int | None) -> int:
    """Have one, or with None all, handled once more by their consumers; return how many that are."""
    async with database.transaction() as connection:
        return (await connection.execute(_REDRIVE, {"id": id_})).rowcount


async def count(database: Database, consumer: str) -> int:
    """Return how many events a consumer has given up on."""
    async with database.transaction() as connection:
        return (await connection.execute(_COUNT, {"consumer": consumer})).scalar_one()


async def next_redriven(connection: WriteConnection, consumer: str) -> DeadLetter | None:
    """Return one that is to be handled once more, which nobody else is given until the transaction ends."""
    row = (await connection.execute(_NEXT, {"consumer": consumer})).one_or_none()
    return DeadLetter(*row) if row else None


async def remove(connection: WriteConnection, letter: DeadLetter) -> None:
    """Have done with one: its event has been handled."""
    await connection.execute(_REMOVE, {"id": letter.id})


async def keep(database: Database, letter: DeadLetter, reason: str) -> None:
    """Keep one whose event could not be handled once more."""
    async with database.transaction() as connection:
        await connection.execute(_KEEP, {"id": letter.id, "reason": reason[:_LONGEST_REASON]})


async def _read(database: Database, question: Any, **values: object) -> list[DeadLetter]:  # noqa: ANN401 - a text clause
    async with database.transaction() as connection:
        return [DeadLetter(*row) for row in await connection.execute(question, values)]
