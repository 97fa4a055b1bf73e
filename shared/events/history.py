"""What happened to one aggregate and its parts, read from their changes."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from msgspec import Meta
from sqlalchemy import MetaData, RowMapping, func, select

from shared.db import Database
from shared.events.tables import event_tables
from shared.listing import Listing, ListQuery, fetch_page
from shared.sorting import Sorting

_METADATA = MetaData()
event_tables(_METADATA)
_CHANGES = _METADATA.tables["changes"]


class HistoryEntry(msgspec.Struct, kw_only=True, frozen=True):
    """One change: who made it, in which request, and how it was before and after.

    `aggregate_id` is what changed: the thing itself, or a part of it, which has versions of its own. `actor`
    is the id of a user, or `system`. `before` is null for a creation, `after` for a deletion.
    """

    event_id: UUID
    aggregate_id: UUID
    version: int
    type: str
    actor: str
    request_id: str | None
    occurred_at: datetime
    before: dict[str, Any] | None
    after: dict[str, Any] | None


_SHOWN = [_CHANGES.c[name] for name in HistoryEntry.__struct_fields__]
_SORTING = Sorting(
    {"occurred_at": _CHANGES.c.occurred_at, "version": _CHANGES.c.version}, unique=_CHANGES.c.id
)
_whole = func.coalesce(_CHANGES.c.part_of, _CHANGES.c.aggregate_id)


class HistoryQuery(ListQuery, kw_only=True, frozen=True):
    """Which part of a history to list."""

    sort: Annotated[
        str, Meta(max_length=200, description="occurred_at or version; by default the newest first.")
    ] = "-occurred_at"


class History:
    """Reads the changes of one service's aggregates."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, uuid: UUID, query: HistoryQuery) -> Listing[HistoryEntry]:
        """Return a page of the changes of this aggregate and of its parts."""
        statement = select(*_SHOWN, _CHANGES.c.id).where(_whole == uuid)
        page = await self._database.read(
            lambda connection: fetch_page(connection, statement, query, _SORTING, scope=uuid)
        )
        return Listing([_entry(row) for row in page.items], page.meta)


def _entry(row: RowMapping) -> HistoryEntry:
    return HistoryEntry(**{name: row[name] for name in HistoryEntry.__struct_fields__})
