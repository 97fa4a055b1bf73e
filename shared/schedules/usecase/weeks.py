"""What can be done with weeks, and what follows from schedules, whoever owns them."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import UNSET

from shared.cache.status import Cached
from shared.errors import InvalidInput
from shared.hours.schema_org import place
from shared.hours.validation import instant_problems, week_problems
from shared.places import place_problems
from shared.preconditions import UNCONDITIONAL, Condition, content_etag
from shared.schedules.known import OwnerSchedule
from shared.schedules.owners import Owners
from shared.schedules.schema import PutWeek, Workhour
from shared.schedules.usecase.opened import opened, schedule_in
from shared.security.principal import Principal


class Workhours:
    """The use cases of weeks, and of what schedules come to."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners

    async def read(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return the week that holds for an owner the caller may see, as JSON; `fresh` past the cache."""
        found = await self._owners.read(principal, uuid, fresh=fresh)
        return Cached(_encoded(schedule_in(found)), found.status)

    async def describe(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return the schedule of an owner the caller may see in the vocabulary of schema.org, as JSON-LD."""
        found = await self._owners.read(principal, uuid, fresh=fresh)
        return Cached(msgspec.json.encode(place(schedule_in(found).hours)), found.status)

    async def status(
        self, principal: Principal, uuid: UUID, at: datetime | None, *, fresh: bool = False
    ) -> Cached:
        """Return whether an owner the caller may see is open at an instant, by default now, as JSON."""
        instant = at or datetime.now(UTC)
        problems = instant_problems("at", instant)
        if problems:
            raise InvalidInput(details=problems)
        found = await self._owners.read(principal, uuid, fresh=fresh)
        return Cached(msgspec.json.encode(schedule_in(found).status_at(instant)), found.status)

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
            condition.require_tag(_tag_of(known))
            week = await writer.put_week(known.own.week, command)
        return known.with_own(week=week).week

    async def delete(self, principal: Principal, uuid: UUID, condition: Condition = UNCONDITIONAL) -> None:
        """Let an owner whose hours the caller may change have no week of its own. Raises as `put` does."""
        await self._owners.require_changeable(principal, uuid)
        async with opened(self._owners, principal, uuid) as (known, writer):
            condition.require_tag(_tag_of(known))
            if known.own.week:
                await writer.delete_week(known.own.week)


def _tag_of(schedule: OwnerSchedule) -> str:
    return content_etag(_encoded(schedule))


def _encoded(schedule: OwnerSchedule) -> bytes:
    return msgspec.json.encode(schedule.week)


def _require_valid(command: PutWeek) -> None:
    zone = UNSET if command.timezone is None else command.timezone
    problems = [*place_problems(UNSET, zone), *week_problems(command.hours)]
    if problems:
        raise InvalidInput(details=problems)
