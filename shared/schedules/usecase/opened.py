"""Schedules as use cases find them: read, or locked in a transaction."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

import msgspec

from shared.cache.status import Cached
from shared.schedules.known import OwnerSchedule
from shared.schedules.owners import Owners
from shared.schedules.repository import ScheduleWriter
from shared.security.principal import Principal


class Opened(NamedTuple):
    """An owner's schedule, locked until the transaction ends, and what changes it."""

    known: OwnerSchedule
    writer: ScheduleWriter


@asynccontextmanager
async def opened(owners: Owners, principal: Principal, uuid: UUID) -> AsyncGenerator[Opened]:
    """Open a transaction that changes an owner's schedule, and lock it.

    Raises:
        NotFound: when no such owner lives.
    """
    async with owners.transaction(principal, uuid) as writer:
        yield await locked(owners, writer, uuid)


async def locked(owners: Owners, writer: ScheduleWriter, uuid: UUID) -> Opened:
    """Lock the schedule of an owner in a transaction that is open. Raises as `opened` does."""
    known = await writer.lock()
    if known is None:
        raise owners.unknown(uuid)
    return Opened(known, writer)


def schedule_in(found: Cached) -> OwnerSchedule:
    """Return the schedule that was found."""
    return msgspec.json.decode(found.content or b"", type=OwnerSchedule)
