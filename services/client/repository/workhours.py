"""Every statement on the hours of clients, besides those of shared.schedules."""

from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, select

from services.client.model import clients
from services.client.repository.cache_keys import tag_of_client
from shared.cache.reads import ReadCache
from shared.cache.status import Cached
from shared.db import Database, Question, Row, WriteConnection
from shared.schedules.known import OwnerSchedule, Parts
from shared.schedules.statements import parts_column, tag_of_schedule

SOURCE: Final = "client"
"""What answers call a week that is a client's."""

_SCHEDULE = select(clients.c.timezone, clients.c.is_active, parts_column(clients.c.uuid)).where(
    clients.c.uuid == bindparam("uuid"), clients.c.deleted_at.is_(None)
)
_BY_UUID = Question(_SCHEDULE)


class WorkhourRepository:
    """Reads the schedules of clients."""

    def __init__(self, database: Database, cache: ReadCache) -> None:
        self._database = database
        self._cache = cache

    async def read(self, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return the schedule of a living client, as JSON; with `fresh`, not from the cache."""

        async def load() -> bytes | None:
            row = await self._database.fetch_one(_BY_UUID, primary=True, uuid=uuid)
            return msgspec.json.encode(_schedule(row)) if row else None

        tags = [tag_of_client(uuid), tag_of_schedule(uuid)]
        return await self._cache.read(f"schedule:{uuid}", tags, load, fresh=fresh)


async def find_schedule(connection: WriteConnection, uuid: UUID) -> OwnerSchedule | None:
    """Return the schedule of a living client inside a transaction."""
    row = (await connection.execute(_SCHEDULE, {"uuid": uuid})).mappings().one_or_none()
    return _schedule(row) if row else None


def _schedule(row: Row) -> OwnerSchedule:
    own = msgspec.json.decode(row["parts"], type=Parts)
    return OwnerSchedule(timezone=row["timezone"], is_active=row["is_active"], source=SOURCE, own=own)
