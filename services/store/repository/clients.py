"""Every statement on what stores keep of their clients, for reads.

Copies are told apart by the client's own version: an older one never replaces a newer one.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.store.model import clients
from services.store.repository.client_hours import keep_parts
from services.store.schema import Client, ClientWithSchedule
from shared.db import Database, Question, WriteConnection

_KEPT = [clients.c[name] for name in Client.__struct_fields__]

_BY_UUID = Question(select(*_KEPT, clients.c.deleted_at).where(clients.c.uuid == bindparam("uuid")))


class ClientCopy(NamedTuple):
    """What is kept of a client; None when it is known to be deleted."""

    client: Client | None


class ClientRepository:
    """Reads the copies of clients, and adds what was asked of the client service."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, uuid: UUID) -> ClientCopy | None:
        """Return the copy of this client, or None when there is none yet."""
        row = await self._database.fetch_one(_BY_UUID, primary=True, uuid=uuid)
        if row is None:
            return None
        client = Client(**{name: row[name] for name in Client.__struct_fields__})
        return ClientCopy(None if row["deleted_at"] else client)

    async def keep(self, client: ClientWithSchedule) -> None:
        """Keep a copy of a living client and of its schedule, unless newer ones are there."""
        async with self._database.transaction() as connection:
            await keep_client(connection, client.facts())
            await keep_parts(connection, client.parts())


async def keep_client(
    connection: WriteConnection, client: Client, *, deleted_at: datetime | None = None
) -> bool:
    """Keep a copy of a client, deleted or living; tell whether it is news."""
    values = {**msgspec.structs.asdict(client), "deleted_at": deleted_at}
    statement = insert(clients).values(values)
    newer = statement.on_conflict_do_update(
        index_elements=[clients.c.uuid],
        set_={name: statement.excluded[name] for name in values if name != "uuid"},
        where=clients.c.version < statement.excluded.version,
    )
    return (await connection.execute(newer)).rowcount == 1
