"""Every statement on fences: what keeps stores from being created for a client that is being deleted.

A fence and the creation of a store meet in one advisory lock for each client: creations share it, setting a
fence takes it alone. Unlike a lock on a row it is granted in the order it was asked for, so that a stream of
creations cannot keep a deletion waiting; and clients that nobody deletes need no row.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from services.store.errors import ClientBeingDeleted
from services.store.model import client_fences, stores
from shared.bulk.transactions import Statements
from shared.db import Database, WriteConnection

_KEY = bindparam("key", type_=BigInteger)
_SHARED = select(func.pg_advisory_xact_lock_shared(_KEY))
_FENCING = 1  # the lock of everyone who sets a fence; those of clients are negative
_ALONE = select(func.pg_advisory_xact_lock_shared(_FENCING), func.pg_advisory_xact_lock(_KEY))
_NO_FENCING = f"SELECT pg_advisory_xact_lock({_FENCING})"
_FENCED_OF_IMPORT = """
    SELECT client_uuid FROM client_fences WHERE is_set AND EXISTS (
        SELECT 1 FROM import_rows r
        WHERE r.import_uuid = $1 AND r.parent = client_uuid AND r.action IS NULL
    )
"""


class Fence(NamedTuple):
    """The fence of one client: the latest attempt to delete it that is known here, and what it came to."""

    number: int = 0
    is_set: bool = False


class FenceRepository:
    """Opens transactions that look at fences and change them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def transaction(self, client_uuid: UUID) -> AsyncGenerator["FenceWriter"]:
        """Open a transaction in which no other creates a store of this client.

        It begins when those under way have ended.
        """
        async with self._database.transaction() as connection:
            await connection.execute(_ALONE, {"key": _key(client_uuid)})
            yield FenceWriter(connection, client_uuid)


class FenceWriter:
    """Looks at the fence of one client and changes it, inside one transaction."""

    def __init__(self, connection: WriteConnection, client_uuid: UUID) -> None:
        self._connection = connection
        self._client_uuid = client_uuid

    async def find(self) -> Fence:
        """Return the fence; without any deletion so far it is number 0, not set."""
        return await _fence(self._connection, self._client_uuid)

    async def count_stores(self) -> int:
        """Return how many stores of the client live."""
        living = stores.c.deleted_at.is_(None)
        question = select(func.count()).where(stores.c.client_uuid == self._client_uuid, living)
        return (await self._connection.execute(question)).scalar_one()

    async def put(self, fence: Fence) -> None:
        """Make this the client's fence."""
        values = {**fence._asdict(), "changed_at": func.now()}
        statement = insert(client_fences).values(client_uuid=self._client_uuid, **values)
        await self._connection.execute(
            statement.on_conflict_do_update(index_elements=[client_fences.c.client_uuid], set_=values)
        )


async def keep_unfenced(connection: WriteConnection, client_uuid: UUID) -> None:
    """Keep a fence from being set until the transaction ends.

    Of several clients in one transaction the one with the lowest id comes first, lest two of them wait for
    one another.

    Raises:
        ClientBeingDeleted: when one is set.
    """
    await connection.execute(_SHARED, {"key": _key(client_uuid)})
    # A statement of its own, for it has to see what was committed before the lock was granted.
    if (await _fence(connection, client_uuid)).is_set:
        raise ClientBeingDeleted(uuid=client_uuid)


async def fenced_of_import(statements: Statements, import_uuid: UUID) -> list[UUID]:
    """Keep every fence from being set until the transaction ends; return clients that are fenced.

    They are those of whom the import creates stores. However many clients it has, it takes one lock: call it
    last, so that nobody waits for long.
    """
    await statements.rows(_NO_FENCING)
    rows = await statements.rows(_FENCED_OF_IMPORT, import_uuid)
    return [UUID(int=row["client_uuid"].int) for row in rows]


async def _fence(connection: WriteConnection, client_uuid: UUID) -> Fence:
    question = select(client_fences.c.number, client_fences.c.is_set)
    row = (await connection.execute(question.where(client_fences.c.client_uuid == client_uuid))).one_or_none()
    return Fence(*row) if row else Fence()


def _key(client_uuid: UUID) -> int:
    # The half of a UUID version 7 that is random; its variant makes it negative, and locks for other ends
    # have positive keys. Clients that shared a key would wait for one another, and nothing worse.
    return int.from_bytes(client_uuid.bytes[8:], signed=True)
