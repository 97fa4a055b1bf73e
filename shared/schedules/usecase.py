"""What can be done with schedules, whoever owns them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

import msgspec
from msgspec import UNSET

from shared.cache.status import Cached
from shared.errors import InvalidInput
from shared.hours.validation import week_problems
from shared.places import place_problems
from shared.preconditions import UNCONDITIONAL, Condition, content_etag
from shared.schedules.known import OwnerSchedule
from shared.schedules.owners import Owners
from shared.schedules.repository import ScheduleWriter
from shared.schedules.schema import PutWeek, Workhour
from shared.security.principal import Principal


class Opened(NamedTuple):
    """An owner's schedule, locked until the transaction ends, and what changes it."""

    known: OwnerSchedule
    writer: ScheduleWriter


class Workhours:
    """The use cases of weeks."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners

    async def read(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return the week that holds for an owner the caller may see, as JSON."""
        found = await self._owners.read(principal, uuid, fresh=fresh)
        return Cached(encoded(schedule_in(found)), found.status)

    async def put(
        self, principal: Principal, uuid: UUID, command: PutWeek, condition: Condition = UNCONDITIONAL
    ) -> Workhour:
        """Make this the whole week of an owner whose hours the caller may change.

        Raises:
            PreconditionFailed: when the week that holds is not as `condition` wants it.
        """
        _require_valid(command)
        await self._owners.require_changeable(principal, uuid)
        async with opened(self._owners, principal, uuid) as (known, writer):
            condition.require_tag(tag_of(known))
            week = await writer.put_week(known.own.week, command)
        return known.with_own(week=week).week

    async def delete(self, principal: Principal, uuid: UUID, condition: Condition = UNCONDITIONAL) -> None:
        """Let an owner whose hours the caller may change have no week of its own. Raises as `put` does."""
        await self._owners.require_changeable(principal, uuid)
        async with opened(self._owners, principal, uuid) as (known, writer):
            condition.require_tag(tag_of(known))
            if known.own.week:
                await writer.delete_week(known.own.week)


@asynccontextmanager
async def opened(owners: Owners, principal: Principal, uuid: UUID) -> AsyncGenerator[Opened]:
    """Open a transaction that changes an owner's schedule, and lock it.

    Raises:
        NotFound: when no such owner lives.
    """
    async with owners.transaction(principal, uuid) as writer:
        known = await writer.lock()
        if known is None:
            raise owners.unknown(uuid)
        yield Opened(known, writer)


def tag_of(schedule: OwnerSchedule) -> str:
    """Return the entity tag of the week that holds."""
    return content_etag(encoded(schedule))


def encoded(schedule: OwnerSchedule) -> bytes:
    """Return the week that holds, as answers show it."""
    return msgspec.json.encode(schedule.week)


def schedule_in(found: Cached) -> OwnerSchedule:
    """Return the schedule that was found."""
    return msgspec.json.decode(found.content or b"", type=OwnerSchedule)


def _require_valid(command: PutWeek) -> None:
    zone = UNSET if command.timezone is None else command.timezone
    problems = [*place_problems(UNSET, zone), *week_problems(command.hours)]
    if problems:
        raise InvalidInput(details=problems)
