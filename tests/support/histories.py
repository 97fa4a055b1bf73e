"""Histories kept in memory."""

from uuid import UUID

from shared.events.history import History, HistoryEntry, HistoryQuery
from shared.listing import Listing
from shared.responses import Meta


class FakeHistory(History):
    """Remembers whose history was read."""

    def __init__(self) -> None:
        self.read: list[UUID] = []

    async def of(self, uuid: UUID, query: HistoryQuery) -> Listing[HistoryEntry]:
        self.read.append(uuid)
        return Listing([], Meta(limit=query.limit, total=0, total_pages=0, next_cursor=None))
