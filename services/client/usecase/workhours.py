"""Who may see and change the hours of clients."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from services.client.errors import ClientNotFound
from services.client.repository.clients import ClientRepository
from services.client.repository.workhours import WorkhourRepository
from shared.cache.status import Cached
from shared.errors import NotFound
from shared.schedules.owners import Owners
from shared.schedules.repository import ScheduleWriter
from shared.security.principal import Principal


class ClientOwners(Owners):
    """Clients, as owners of schedules."""

    def __init__(self, clients: ClientRepository, schedules: WorkhourRepository) -> None:
        self._clients = clients
        self._schedules = schedules

    async def read(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return the schedule of a client the caller may see, as JSON."""
        self._require_visible(principal, uuid)
        found = await self._schedules.read(uuid, fresh=fresh)
        if found.content is None:
            raise self.unknown(uuid)
        return found

    async def require_changeable(self, principal: Principal, uuid: UUID, *, urgent: bool = False) -> None:
        """Let admins, and managers whom a client is visible to, change its hours; nobody else is asked."""
        del urgent
        principal.require("admin", "manager")
        self._require_visible(principal, uuid)

    @asynccontextmanager
    async def transaction(self, principal: Principal, uuid: UUID) -> AsyncGenerator[ScheduleWriter]:
        """Open a transaction that changes a client's schedule."""
        async with self._clients.transaction(principal.subject) as clients:
            yield clients.schedule(uuid)

    def unknown(self, uuid: UUID) -> NotFound:
        """Return the error that there is no such client."""
        return ClientNotFound(uuid=uuid)

    def _require_visible(self, principal: Principal, uuid: UUID) -> None:
        if not principal.sees(uuid):
            raise self.unknown(uuid)
