"""Every statement on the hours of stores, besides those of shared.schedules.

Which stores have the same schedule is on their rows, for whoever has to evaluate each distinct one once:
`schedule_digest`, `client_uuid` and `timezone` decide it together. Where the digest is null a store has
nothing of its own and follows its client; where it is not, any store with that digest stands for all.
"""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import bindparam, exists, select

from services.store.model import clients, stores
from services.store.repository.cache_keys import tag_of_client, tag_of_store
from services.store.repository.client_hours import client_parts, client_parts_column
from shared.cache.reads import ReadCache
from shared.cache.status import Cached
from shared.db import Database, Question, Row, WriteConnection
from shared.schedules.known import OwnerSchedule, Parts
from shared.schedules.statements import parts_column, tag_of_schedule

SOURCE: Final = "store"
CLIENT_SOURCE: Final = "client"
"""What answers call a week that is a store's, and one that is its client's."""

_SCHEDULE = select(
    stores.c.timezone,
    stores.c.is_active,
    parts_column(stores.c.uuid),
    exists().where(clients.c.uuid == stores.c.client_uuid).label("client_is_known"),
    client_parts_column(stores.c.client_uuid),
).where(stores.c.uuid == bindparam("uuid"), stores.c.deleted_at.is_(None))
_BY_UUID = Question(_SCHEDULE)

_DIGEST_BYTES = 16

LearnClient = Callable[[UUID], Awaitable[object]]
"""Makes a client known that was not."""


class WorkhourRepository:
    """Reads the schedules of stores."""

    def __init__(self, database: Database, cache: ReadCache) -> None:
        self._database = database
        self._cache = cache

    async def read(
        self, uuid: UUID, client_uuid: UUID, learn_client: LearnClient, *, fresh: bool = False
    ) -> Cached:
        """Return the schedule of a living store of this client, as JSON; with `fresh`, not from the cache.

        A client whose week is needed and that is not known yet is made known by `learn_client`.
        """

        async def load() -> bytes | None:
            row = await self._find(uuid)
            if row and not row["client_is_known"] and _schedule(row).inherits:
                await learn_client(client_uuid)
                row = await self._find(uuid)
            return msgspec.json.encode(_schedule(row)) if row else None

        tags = [tag_of_store(uuid), tag_of_schedule(uuid), tag_of_client(client_uuid)]
        return await self._cache.read(f"schedule:{uuid}", tags, load, fresh=fresh)

    async def _find(self, uuid: UUID) -> Row | None:
        return await self._database.fetch_one(_BY_UUID, primary=True, uuid=uuid)


async def find_schedule(connection: WriteConnection, uuid: UUID) -> OwnerSchedule | None:
    """Return the schedule of a living store inside a transaction."""
    row = (await connection.execute(_SCHEDULE, {"uuid": uuid})).mappings().one_or_none()
    return _schedule(row) if row else None


async def file_schedule(connection: WriteConnection, uuid: UUID) -> None:
    """Note on a store's row which others have the same schedule; call it after a change of its own parts."""
    found = await find_schedule(connection, uuid)
    digest = digest_of(found.own) if found else None
    await connection.execute(stores.update().where(stores.c.uuid == uuid).values(schedule_digest=digest))


def digest_of(parts: Parts) -> bytes | None:
    """Return what is equal for stores whose own parts say the same; None when there are none."""
    if parts == Parts():
        return None
    said: Any = [
        parts.week and (parts.week.timezone, parts.week.hours),
        sorted((each.first, each.last, each.intervals) for each in parts.exceptions),
        parts.pause and (parts.pause.created_at, parts.pause.until),
    ]
    return hashlib.blake2b(msgspec.json.encode(said), digest_size=_DIGEST_BYTES).digest()


def _schedule(row: Row) -> OwnerSchedule:
    own = msgspec.json.decode(row["parts"], type=Parts)
    return OwnerSchedule(
        timezone=row["timezone"],
        is_active=row["is_active"],
        source=SOURCE,
        own=own,
        inherited_source=CLIENT_SOURCE,
        inherited=Parts() if own.week else client_parts(row["client_parts"]),
    )
