"""What can be done with pauses, whoever owns them.

They are for emergencies, so nobody else is asked before a pause begins or ends.
"""

from datetime import UTC, datetime
from uuid import UUID

from shared.errors import FieldError, InvalidInput
from shared.hours.validation import instant_problems
from shared.schedules.owners import Owners
from shared.schedules.schema import HoursPause, PauseCommand
from shared.schedules.usecase.opened import opened
from shared.security.principal import Principal

_LATER = FieldError("until", "must be later than now")


class Pauses:
    """The use cases of pauses."""

    def __init__(self, owners: Owners) -> None:
        self._owners = owners

    async def begin(self, principal: Principal, owner_uuid: UUID, command: PauseCommand) -> HoursPause:
        """Close an owner whose hours the caller may change at once; a pause that lasts ends then instead."""
        await self._owners.require_changeable(principal, owner_uuid, urgent=True)
        async with opened(self._owners, principal, owner_uuid) as (known, writer):
            now, before = datetime.now(UTC), known.own.pause
            _require_valid(command, now)
            if before and before.until <= now:
                await writer.delete_pause(before)
                before = None
            return await writer.put_pause(before, command.until)

    async def end(self, principal: Principal, owner_uuid: UUID) -> None:
        """End the pause of an owner whose hours the caller may change, if there is one."""
        await self._owners.require_changeable(principal, owner_uuid, urgent=True)
        async with opened(self._owners, principal, owner_uuid) as (known, writer):
            if known.own.pause:
                await writer.delete_pause(known.own.pause)


def _require_valid(command: PauseCommand, now: datetime) -> None:
    problems = [_LATER] if command.until <= now else instant_problems("until", command.until)
    if problems:
        raise InvalidInput(details=problems)
