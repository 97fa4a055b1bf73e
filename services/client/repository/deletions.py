"""Every statement on deletions of clients that are under way or being undone.

A deletion's row is its intention: it is there from before the store service is asked to fence the client
until the client is deleted, or the fence lifted again.
"""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from services.client.model import deletions
from shared.db import Database, WriteConnection

LEASE = timedelta(seconds=10)
"""How long a deletion may take; afterwards it is undone."""

_MOST_AT_ONCE = 100

# One that began in the future began before the database's clock was set back.
_LATE = ~deletions.c.started_at.between(func.now() - LEASE, func.now() + LEASE)


class Deletion(NamedTuple):
    """An attempt to delete a client."""

    client_uuid: UUID
    number: int


class DeletionRepository:
    """Changes deletions, each time in a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def give_up(self, deletion: Deletion) -> None:
        """Keep the deletion from being carried out, unless it already was."""
        async with self._database.transaction() as connection:
            statement = deletions.update().where(*_is(deletion)).values(undone=True)
            await connection.execute(statement)

    async def give_up_abandoned(self) -> list[Deletion]:
        """Give up the deletions whose time is over; return all that are given up, a hundred at most."""
        found = select(deletions.c.client_uuid).where(or_(deletions.c.undone, _LATE))
        # Whose row is locked is being carried out, or given up by another process.
        free = found.limit(_MOST_AT_ONCE).with_for_update(skip_locked=True)
        statement = deletions.update().where(deletions.c.client_uuid.in_(free)).values(undone=True)
        async with self._database.transaction() as connection:
            rows = await connection.execute(statement.returning(deletions.c.client_uuid, deletions.c.number))
            return [Deletion(*row) for row in rows]

    async def forget(self, deletion: Deletion) -> None:
        """Remove a deletion that is undone."""
        async with self._database.transaction() as connection:
            await connection.execute(deletions.delete().where(*_is(deletion), deletions.c.undone))


class DeletionWriter:
    """Begins and ends deletions inside a transaction that changes clients."""

    def __init__(self, connection: WriteConnection, actor: str) -> None:
        self._connection = connection
        self._actor = actor

    async def begin(self, client_uuid: UUID, *, cascade: bool) -> Deletion | None:
        """Note the intention to delete a client that this transaction has locked.

        Return None when another deletion of it is under way; one that was given up is followed by this one.
        """
        statement = insert(deletions).values(client_uuid=client_uuid, cascade=cascade, actor=self._actor)
        new = statement.excluded
        begun = statement.on_conflict_do_update(
            index_elements=[deletions.c.client_uuid],
            set_={
                "number": new.number,
                "cascade": new.cascade,
                "actor": new.actor,
                "started_at": func.now(),
                "undone": False,
            },
            where=or_(deletions.c.undone, _LATE),
        )
        number = (await self._connection.execute(begun.returning(deletions.c.number))).scalar_one_or_none()
        return None if number is None else Deletion(client_uuid, number)

    async def end(self, deletion: Deletion) -> bool:
        """Remove the intention; tell whether it still held."""
        statement = deletions.delete().where(*_is(deletion), deletions.c.undone.is_(False))
        return (await self._connection.execute(statement)).rowcount == 1


def _is(deletion: Deletion) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return deletions.c.client_uuid == deletion.client_uuid, deletions.c.number == deletion.number
