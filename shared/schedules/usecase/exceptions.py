"""What can be done with exceptions, whoever owns them."""

from uuid import UUID

import msgspec

from shared.cache.status import NOT_CACHED, Cached
from shared.conversion import set_fields
from shared.errors import InvalidInput
from shared.hours.model import ExceptionDays
from shared.hours.validation import exception_problems
from shared.preconditions import UNCONDITIONAL, Condition
from shared.schedules.errors import ExceptionNotFound, TooManyExceptions
from shared.schedules.known import OwnerSchedule
from shared.schedules.owners import Owners
from shared.schedules.repository import ExceptionRepository, ScheduleWriter
from shared.schedules.schema import ChangeException, CreateException, ExceptionQuery, HoursException
from shared.schedules.usecase.opened import locked, opened
from shared.security.principal import Principal

MOST_EXCEPTIONS = 500
"""How many an owner may have: what decides about its hours is read at once."""


class Exceptions:
    """The use cases of exceptions."""

    def __init__(self, owners: Owners, exceptions: ExceptionRepository) -> None:
        self._owners = owners
        self._exceptions = exceptions

    async def add(self, principal: Principal, owner_uuid: UUID, command: CreateException) -> HoursException:
        """Add an exception to the hours of an owner, which the caller may change.

        Raises:
            ExceptionOverlaps: when another one covers one of its days.
            TooManyExceptions: when there are as many as there may be.
        """
        _require_valid(command)
        await self._owners.require_changeable(principal, owner_uuid)
        async with self._owners.transaction(principal, owner_uuid) as writer:
            return await writer.once(lambda: self._added(writer, owner_uuid, command))

    async def list(self, principal: Principal, owner_uuid: UUID, query: ExceptionQuery) -> Cached:
        """Return a page of the exceptions of an owner the caller may see, as JSON."""
        await self._owners.read(principal, owner_uuid)
        return Cached(msgspec.json.encode(await self._exceptions.page(owner_uuid, query)), NOT_CACHED)

    async def read(self, principal: Principal, owner_uuid: UUID, uuid: UUID) -> Cached:
        """Return an exception of an owner the caller may see, as JSON."""
        await self._owners.read(principal, owner_uuid)
        found = await self._exceptions.find(owner_uuid, uuid)
        if found is None:
            raise ExceptionNotFound(uuid=uuid)
        return Cached(msgspec.json.encode(found), NOT_CACHED)

    async def change(
        self,
        principal: Principal,
        owner_uuid: UUID,
        uuid: UUID,
        command: ChangeException,
        condition: Condition = UNCONDITIONAL,
    ) -> HoursException:
        """Change an exception to the hours of an owner, which the caller may change.

        Raises as `add` does, and PreconditionFailed when it is not as `condition` wants it.
        """
        await self._owners.require_changeable(principal, owner_uuid)
        async with opened(self._owners, principal, owner_uuid) as (known, writer):
            before, changes = _one_of(known, uuid), set_fields(command)
            condition.require(before.version)
            _require_valid(msgspec.structs.replace(before, **changes))
            return await writer.change_exception(before, command) if changes else before

    async def delete(
        self, principal: Principal, owner_uuid: UUID, uuid: UUID, condition: Condition = UNCONDITIONAL
    ) -> None:
        """Remove an exception. Raises as `change` does."""
        await self._owners.require_changeable(principal, owner_uuid)
        async with opened(self._owners, principal, owner_uuid) as (known, writer):
            before = _one_of(known, uuid)
            condition.require(before.version)
            await writer.delete_exception(before)

    async def _added(
        self, writer: ScheduleWriter, owner_uuid: UUID, command: CreateException
    ) -> HoursException:
        known, _ = await locked(self._owners, writer, owner_uuid)
        if len(known.own.exceptions) >= MOST_EXCEPTIONS:
            raise TooManyExceptions(most=MOST_EXCEPTIONS)
        return await writer.add_exception(command)


def _one_of(known: OwnerSchedule, uuid: UUID) -> HoursException:
    found = next((each for each in known.own.exceptions if each.uuid == uuid), None)
    if found is None:
        raise ExceptionNotFound(uuid=uuid)
    return found


def _require_valid(days: ExceptionDays) -> None:
    problems = exception_problems(days)
    if problems:
        raise InvalidInput(details=problems)
