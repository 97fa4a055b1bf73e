"""Exceptions as they are read, and what changes the schedule of one owner."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import Delete, Insert, RowMapping, Table, Update, func, select, text

from shared.cache.reads import Changing
from shared.conversion import set_fields
from shared.db import Database, ReadConnection, WriteConnection
from shared.db_errors import constraint_errors
from shared.events.changes import ChangeRecorder
from shared.idempotency.attempts import once
from shared.identifiers import new_uuid
from shared.listing import Listing, Sorting, fetch_page
from shared.schedules.errors import ExceptionOverlaps
from shared.schedules.known import OwnerSchedule
from shared.schedules.schema import (
    ChangeException,
    CreateException,
    ExceptionQuery,
    HoursException,
    HoursPause,
    OwnWeek,
    PutWeek,
)
from shared.schedules.statements import TABLES, columns_of, tag_of_schedule
from shared.text import clean

T = TypeVar("T", OwnWeek, HoursException, HoursPause)

Lock = Callable[[], Awaitable[OwnerSchedule | None]]
"""Locks an owner's row and returns its schedule; None when no such owner lives."""

_EXCEPTIONS = select(*columns_of(TABLES.exceptions, HoursException), TABLES.exceptions.c.first)
_SORTING = Sorting({"from": TABLES.exceptions.c.first}, unique=TABLES.exceptions.c.uuid)

_COVER = text(
    """
    INSERT INTO workhour_exception_days (owner_uuid, day, exception_uuid)
    SELECT :owner, CAST(:first AS date) + number, :exception
    FROM generate_series(0, CAST(:last AS date) - CAST(:first AS date)) AS number
    """
)


class ExceptionRepository:
    """Reads exceptions; who has just changed some sees that."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, owner_uuid: UUID, uuid: UUID) -> HoursException | None:
        """Return this exception of this owner."""
        exceptions = TABLES.exceptions
        statement = _EXCEPTIONS.where(exceptions.c.uuid == uuid, exceptions.c.owner_uuid == owner_uuid)

        async def ask(connection: ReadConnection) -> RowMapping | None:
            return (await connection.execute(statement)).mappings().one_or_none()

        row = await self._database.read(ask)
        return _struct(row, HoursException) if row else None

    async def page(self, owner_uuid: UUID, query: ExceptionQuery) -> Listing[HoursException]:
        """Return a page of an owner's exceptions."""
        statement = _EXCEPTIONS.where(TABLES.exceptions.c.owner_uuid == owner_uuid)
        page = await self._database.read(
            lambda connection: fetch_page(connection, statement, query, _SORTING, scope=owner_uuid)
        )
        return Listing([_struct(row, HoursException) for row in page.items], page.meta)


class ScheduleWriter:
    """Changes what one owner has of its own inside one transaction, records and announces each change.

    Its owner has to be locked first, which makes concurrent changes wait for one another.
    """

    def __init__(
        self,
        connection: WriteConnection,
        owner_uuid: UUID,
        changes: ChangeRecorder,
        changing: Changing,
        lock: Lock,
    ) -> None:
        self._connection = connection
        self._owner_uuid = owner_uuid
        self._changes = changes
        self._changing = changing
        self.lock = lock

    async def once(self, create: Callable[[], Awaitable[HoursException]]) -> HoursException:
        """Return what `create` makes, made once for each idempotency key: shared.idempotency.attempts."""
        return await once(self._connection, create)

    async def put_week(self, before: OwnWeek | None, command: PutWeek) -> OwnWeek:
        """Make this the owner's week, in place of the one before."""
        return await self._put(TABLES.weeks, OwnWeek, before, msgspec.structs.asdict(command))

    async def delete_week(self, before: OwnWeek) -> None:
        """Remove the owner's week."""
        await self._delete(TABLES.weeks, before)

    async def add_exception(self, command: CreateException) -> HoursException:
        """Add an exception.

        Raises:
            ExceptionOverlaps: when another one covers one of its days.
        """
        values = msgspec.structs.asdict(command)
        added = await self._put(TABLES.exceptions, HoursException, None, values)
        await self._cover_days(added)
        return added

    async def change_exception(self, before: HoursException, command: ChangeException) -> HoursException:
        """Change the fields that are set and return the exception. Raises as `add_exception` does."""
        after = await self._put(TABLES.exceptions, HoursException, before, set_fields(command))
        days = TABLES.days
        await self._connection.execute(days.delete().where(days.c.exception_uuid == before.uuid))
        await self._cover_days(after)
        return after

    async def delete_exception(self, before: HoursException) -> None:
        """Remove an exception."""
        await self._delete(TABLES.exceptions, before)

    async def put_pause(self, before: HoursPause | None, until: datetime) -> HoursPause:
        """Close until an instant: begin a pause, or let the one before end then."""
        return await self._put(TABLES.pauses, HoursPause, before, {"until": until})

    async def delete_pause(self, before: HoursPause) -> None:
        """Remove the pause."""
        await self._delete(TABLES.pauses, before)

    async def _put(self, table: Table, type_: type[T], before: T | None, values: dict[str, object]) -> T:
        await self._begin()
        values = {name: _plain(value) for name, value in values.items()}
        statement: Insert | Update = (
            table.update()
            .where(table.c.uuid == before.uuid)
            .values(updated_at=func.now(), version=table.c.version + 1, **values)
            if before
            else table.insert().values(uuid=new_uuid(), owner_uuid=self._owner_uuid, **values)
        )
        returning = statement.returning(*columns_of(table, type_))
        after = _struct((await self._connection.execute(returning)).mappings().one(), type_)
        recorder = self._recorder(table)
        await (recorder.changed(before, after) if before else recorder.created(after))
        return after

    async def _delete(self, table: Table, before: OwnWeek | HoursException | HoursPause) -> None:
        await self._begin()
        statement: Delete = table.delete().where(table.c.uuid == before.uuid)
        await self._connection.execute(statement)
        await self._recorder(table).deleted(before)

    async def _cover_days(self, days: HoursException) -> None:
        values = {"owner": self._owner_uuid, "exception": days.uuid, "first": days.first, "last": days.last}
        with constraint_errors({"workhour_exception_days_pkey": ExceptionOverlaps}):
            await self._connection.execute(_COVER, values)

    def _recorder(self, table: Table) -> ChangeRecorder:
        return self._changes.of_parts(table.name.removesuffix("s"), self._owner_uuid)

    async def _begin(self) -> None:
        await self._changing.begin([tag_of_schedule(self._owner_uuid)])


def _struct(row: RowMapping, type_: type[T]) -> T:
    return msgspec.convert({name: row[name] for name in type_.__struct_encode_fields__}, type_)


def _plain(value: object) -> object:
    """Return a value as its column takes it: text cleaned, intervals as JSON has them."""
    if isinstance(value, str):
        return clean(value)
    return msgspec.to_builtins(value) if isinstance(value, tuple) else value
