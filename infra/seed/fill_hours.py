"""Fills the hours of the clients and stores of the demo data, unless somebody has changed them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Table

from infra.seed.batches import Make, Rows, load_all
from infra.seed.companies import Demo
from infra.seed.hours import Row, copy_row, day_rows, part_row
from infra.seed.load import Connection, Loader
from services.client.model import schedules as client_tables
from services.store.model import client_hours
from services.store.model import schedules as store_tables
from services.store.repository.workhours import digest_of
from shared.schedules.known import Parts

_UNTOUCHED = """
    SELECT uuid FROM clients WHERE uuid = ANY($1) AND deleted_at IS NULL AND NOT EXISTS (
        SELECT 1 FROM changes
        WHERE COALESCE(part_of, aggregate_id) = clients.uuid AND part_of IS NOT NULL
    )
"""
_FILED = """
    SELECT uuid, schedule_digest FROM stores
    WHERE deleted_at IS NULL AND schedule_digest IS NOT NULL
"""

_Parts = Callable[[UUID, Parts], Iterator[Row]]


class _ExceptionLoader(Loader):
    """Adds exceptions together with the days that they cover; the database takes none without."""

    def __init__(self, connection: Connection, exceptions: Table, days: Table) -> None:
        super().__init__(connection, exceptions)
        self._connection = connection
        self._days = Loader(connection, days)

    async def prepare(self) -> None:
        await super().prepare()
        await self._days.prepare()

    async def add(self, rows: Iterable[Mapping[str, Any]]) -> int:
        exceptions = list(rows)
        async with self._connection.transaction():
            added = await super().add(exceptions)
            await self._days.add(day for each in exceptions for day in day_rows(each))
        return added

    async def settle(self) -> None:
        await super().settle()
        await self._days.settle()


async def fill_hours_of_clients(
    client_side: Connection, store_side: Connection, demo: Demo, count: int
) -> None:
    """Load the hours of clients that nobody has given any, and what stores know of them."""
    found = await client_side.fetch(_UNTOUCHED, demo.client_uuids())
    untouched = {UUID(int=row["uuid"].int) for row in found}

    def made(rows_of: _Parts) -> Make:
        def make(numbers: range) -> Rows:
            schedules = ((demo.client(number)["uuid"], demo.hours_of_client(number)) for number in numbers)
            return [row for uuid, parts in schedules if uuid in untouched for row in rows_of(uuid, parts)]

        return make

    weeks, exceptions, days, _ = client_tables
    await load_all(Loader(client_side, weeks), "Clients with a week", count, made(_weeks))
    holidays = _ExceptionLoader(client_side, exceptions, days)
    await load_all(holidays, "Clients with holidays", count, made(_exceptions))
    await load_all(Loader(store_side, client_hours), "Clients whose hours are known", count, made(_copies))


async def fill_hours_of_stores(store_side: Connection, demo: Demo, count: int) -> None:
    """Load the weeks of stores whose rows say that they have them."""
    found = await store_side.fetch(_FILED)
    filed = {UUID(int=row["uuid"].int): row["schedule_digest"] for row in found}

    def make(numbers: range) -> Rows:
        made = ((demo.store(number)["uuid"], demo.hours_of_store(number)) for number in numbers)
        kept = ((uuid, parts) for uuid, parts in made if parts.week and filed.get(uuid) == digest_of(parts))
        return [row for uuid, parts in kept for row in _weeks(uuid, parts)]

    await load_all(Loader(store_side, store_tables.weeks), "Stores with a week", count, make)


def _weeks(uuid: UUID, parts: Parts) -> Iterator[Row]:
    if parts.week:
        yield part_row(uuid, parts.week)


def _exceptions(uuid: UUID, parts: Parts) -> Iterator[Row]:
    return (part_row(uuid, each) for each in parts.exceptions)


def _copies(uuid: UUID, parts: Parts) -> Iterator[Row]:
    return (copy_row(uuid, kind, part) for kind, part in parts.by_kind())
