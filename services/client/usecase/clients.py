"""What can be done with clients, and by whom."""

from collections.abc import AsyncIterator, Sequence
from uuid import UUID

from msgspec import UnsetType

from services.client.errors import ClientNotFound
from services.client.repository.clients import ClientRepository
from services.client.schema import ChangeClient, Client, ClientQuery, ClientWithSchedule, CreateClient
from shared.cache.status import Cached
from shared.conversion import to_uuids
from shared.errors import Forbidden, InvalidInput
from shared.events.history import History, HistoryEntry, HistoryQuery
from shared.listing import Listing
from shared.places import place_problems
from shared.preconditions import UNCONDITIONAL, Condition
from shared.security.principal import Principal


class Clients:
    """The use cases of master clients."""

    def __init__(self, clients: ClientRepository, history: History) -> None:
        self._clients = clients
        self._history = history

    async def create(self, principal: Principal, command: CreateClient) -> Client:
        """Register a client; for admins, and managers without a tenant."""
        principal.require("admin", "manager")
        if principal.client_uuid is not None:
            raise Forbidden
        require_real_place(command.country, command.timezone)
        async with self._clients.transaction(principal.subject) as clients:
            return await clients.add(command)

    async def read(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return a client the caller may see, as JSON; with `fresh`, not from the cache."""
        _require_visible(principal, uuid)
        found = await self._clients.read(uuid, fresh=fresh)
        if found.content is None:
            raise ClientNotFound(uuid=uuid)
        return found

    async def read_with_schedule(self, principal: Principal, uuid: UUID) -> ClientWithSchedule:
        """Return a client the caller may see and what it has of a schedule, as the primary knows them."""
        _require_visible(principal, uuid)
        client = await self._clients.find_with_schedule(uuid)
        if client is None:
            raise ClientNotFound(uuid=uuid)
        return client

    async def list(self, principal: Principal, query: ClientQuery, *, fresh: bool = False) -> Cached:
        """Return a page of the clients the caller may see, as JSON; with `fresh`, not from the cache."""
        uuids = None if query.uuids is None else to_uuids("uuids", query.uuids)
        return await self._clients.list(query, uuids, principal.client_uuid, fresh=fresh)

    def export(self, principal: Principal, query: ClientQuery) -> AsyncIterator[Sequence[Client]]:
        """Return all clients the caller may see and `query` asks for, some at a time."""
        uuids = None if query.uuids is None else to_uuids("uuids", query.uuids)
        return self._clients.all(query, uuids, principal.client_uuid)

    async def history(self, principal: Principal, uuid: UUID, query: HistoryQuery) -> Listing[HistoryEntry]:
        """Return a page of what happened to a client; for admins, and managers whom it is visible to."""
        principal.require("admin", "manager")
        await self.read(principal, uuid, fresh=True)
        return await self._history.of(uuid, query)

    async def change(
        self, principal: Principal, uuid: UUID, command: ChangeClient, condition: Condition = UNCONDITIONAL
    ) -> Client:
        """Change a client; for admins, and managers whom it is visible to.

        Raises PreconditionFailed when the client is not as `condition` wants it.
        """
        principal.require("admin", "manager")
        _require_visible(principal, uuid)
        require_real_place(command.country, command.timezone)
        async with self._clients.transaction(principal.subject) as clients:
            client = await clients.change(uuid, command, condition)
        if client is None:
            raise ClientNotFound(uuid=uuid)
        return client


def _require_visible(principal: Principal, uuid: UUID) -> None:
    if not principal.sees(uuid):
        raise ClientNotFound(uuid=uuid)


def require_real_place(country: str | UnsetType, timezone: str | UnsetType) -> None:
    """Raise InvalidInput when the country or the time zone does not exist."""
    problems = place_problems(country, timezone)
    if problems:
        raise InvalidInput(details=problems)
