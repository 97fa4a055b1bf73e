"""What a service tells of those who own schedules."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol
from uuid import UUID

from shared.cache.status import Cached
from shared.errors import NotFound
from shared.schedules.repository import ScheduleWriter
from shared.security.principal import Principal


class Owners(Protocol):
    """Knows who owns schedules, and who may see and change them."""

    async def read(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return an owner's schedule as JSON of `OwnerSchedule`; with `fresh`, not from the cache.

        Raises:
            NotFound: when there is no such owner for the caller.
        """
        ...

    async def require_changeable(self, principal: Principal, uuid: UUID, *, urgent: bool = False) -> None:
        """Let the caller change an owner's schedule; whoever must agree to it is asked, unless `urgent`.

        It is called before a transaction is opened.

        Raises:
            Forbidden: when the caller's role does not allow it.
            NotFound: when there is no such owner for the caller.
        """
        ...

    def transaction(self, principal: Principal, uuid: UUID) -> AbstractAsyncContextManager[ScheduleWriter]:
        """Open a transaction that changes an owner's schedule: committed at the end of the block."""
        ...

    def unknown(self, uuid: UUID) -> NotFound:
        """Return the error that there is no such owner."""
        ...
