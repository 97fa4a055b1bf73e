"""Schedules kept in memory, for use cases."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from shared.cache.status import HIT, REQUESTED, Cached
from shared.conversion import set_fields
from shared.errors import NotFound
from shared.hours.model import Day, DayInterval
from shared.identifiers import new_uuid
from shared.schedules.known import OwnerSchedule, Parts
from shared.schedules.owners import Owners
from shared.schedules.repository import ScheduleWriter
from shared.schedules.schema import (
    ChangeException,
    CreateException,
    HoursException,
    HoursPause,
    OwnWeek,
    PutWeek,
)
from shared.security.principal import Principal
from tests.support.clients import THEN

MADE: dict[str, Any] = {"version": 1, "created_at": THEN, "updated_at": THEN}
NINE_TO_FIVE = DayInterval(Day.MONDAY, "09:00", "17:00")


def week(*hours: DayInterval, timezone: str | None = None) -> OwnWeek:
    return OwnWeek(uuid=new_uuid(), timezone=timezone, hours=hours, **MADE)


def pause(since: datetime, until: datetime) -> HoursPause:
    return HoursPause(uuid=new_uuid(), until=until, version=1, created_at=since, updated_at=since)


class FakeOwners(Owners):
    """One owner, whoever asks; a transaction that fails leaves no trace."""

    def __init__(self, uuid: UUID, **parts: Any) -> None:  # noqa: ANN401 - a schedule's own parts
        self.uuid = uuid
        self.known = OwnerSchedule(
            timezone="Asia/Jakarta", is_active=True, source="store", own=Parts(**parts)
        )
        self.asked: list[str] = []

    async def read(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        del principal
        if uuid != self.uuid:
            raise self.unknown(uuid)
        return Cached(msgspec.json.encode(self.known), REQUESTED if fresh else HIT)

    async def require_changeable(self, principal: Principal, uuid: UUID, *, urgent: bool = False) -> None:
        del principal, uuid
        self.asked.append("urgent" if urgent else "asked")

    @asynccontextmanager
    async def transaction(self, principal: Principal, uuid: UUID) -> AsyncGenerator["FakeScheduleWriter"]:
        del principal
        self.asked.append("opened")
        writer = FakeScheduleWriter(self.known if uuid == self.uuid else None)
        yield writer
        self.known = writer.known or self.known

    def unknown(self, uuid: UUID) -> NotFound:
        return NotFound(path=uuid)


class FakeScheduleWriter(ScheduleWriter):
    """Changes a copy of a schedule."""

    def __init__(self, known: OwnerSchedule | None) -> None:
        self.known = known
        self.lock = self._locked

    async def once(self, create: Callable[[], Awaitable[HoursException]]) -> HoursException:
        return await create()

    async def put_week(self, before: OwnWeek | None, command: PutWeek) -> OwnWeek:
        made = before or week()
        after = msgspec.structs.replace(made, hours=command.hours, timezone=command.timezone)
        self._replace(week=after)
        return after

    async def delete_week(self, before: OwnWeek) -> None:
        del before
        self._replace(week=None)

    async def add_exception(self, command: CreateException) -> HoursException:
        added = HoursException(uuid=new_uuid(), **msgspec.structs.asdict(command), **MADE)
        self._replace(exceptions=(*self._own.exceptions, added))
        return added

    async def change_exception(self, before: HoursException, command: ChangeException) -> HoursException:
        after = msgspec.structs.replace(before, **set_fields(command))
        self._replace(exceptions=tuple(after if each == before else each for each in self._own.exceptions))
        return after

    async def delete_exception(self, before: HoursException) -> None:
        self._replace(exceptions=tuple(each for each in self._own.exceptions if each != before))

    async def put_pause(self, before: HoursPause | None, until: datetime) -> HoursPause:
        after = msgspec.structs.replace(before or pause(THEN, until), until=until)
        self._replace(pause=after)
        return after

    async def delete_pause(self, before: HoursPause) -> None:
        del before
        self._replace(pause=None)

    async def _locked(self) -> OwnerSchedule | None:
        return self.known

    @property
    def _own(self) -> Parts:
        return self.known.own if self.known else Parts()

    def _replace(self, **parts: object) -> None:
        assert self.known
        self.known = self.known.with_own(**parts)
