"""What can be done with stores, and by whom."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from services.store.client_api import ClientDirectory
from services.store.errors import COORDINATES_TOGETHER, ClientInactive, ClientNotFound, StoreNotFound
from services.store.repository.stores import StoreRepository
from services.store.schema import ChangeStore, CreateStore, Owner, Store, StoreQuery
from services.store.usecase.known_clients import KnownClients
from services.store.usecase.wanted import wanted
from shared.cache.status import Cached
from shared.errors import InvalidInput
from shared.events.history import History, HistoryEntry, HistoryQuery
from shared.listing import Listing
from shared.places import place_problems
from shared.preconditions import UNCONDITIONAL, Condition
from shared.security.principal import Principal


class Stores:
    """The use cases of stores."""

    def __init__(
        self,
        stores: StoreRepository,
        clients: ClientDirectory,
        known: KnownClients,
        history: History,
    ) -> None:
        self._stores = stores
        self._clients = clients
        self._known = known
        self._history = history

    async def create(self, principal: Principal, command: CreateStore) -> Store:
        """Open a store of an active client; for admins, and managers whom the client is visible to."""
        principal.require("admin", "manager")
        if not principal.sees(command.client_uuid):
            raise ClientNotFound(uuid=command.client_uuid)
        require_valid(command)
        await self._require_active_client(command.client_uuid)
        async with self._stores.transaction(principal.subject) as stores:
            return await stores.add(command)

    async def read(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return a store the caller may see, as JSON; with `fresh`, not from the cache."""
        principal.require("admin", "manager", "user")
        found = await self._stores.read(uuid, fresh=fresh)
        owner = msgspec.json.decode(found.content, type=Owner) if found.content else None
        if owner is None or not principal.sees(owner.client_uuid):
            raise StoreNotFound(uuid=uuid)
        return found

    async def read_with_client(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return a store the caller may see and its client, as JSON; with `fresh`, not from the cache."""
        found = await self.read(principal, uuid, fresh=fresh)
        store = msgspec.json.decode(found.content or b"", type=Store)
        both = await self._stores.read_with_client(store, self._known.find, fresh=fresh)
        if both.content is None:
            raise StoreNotFound(uuid=uuid)
        return both

    async def list(self, principal: Principal, query: StoreQuery, *, fresh: bool = False) -> Cached:
        """Return a page of the stores the caller may see, as JSON; with `fresh`, not from the cache."""
        principal.require("admin", "manager", "user")
        return await self._stores.list(
            query, wanted(query, datetime.now(UTC)), principal.client_uuid, fresh=fresh
        )

    def export(self, principal: Principal, query: StoreQuery) -> AsyncIterator[Sequence[Store]]:
        """Return all stores the caller may see and `query` asks for, some at a time."""
        principal.require("admin", "manager", "user")
        return self._stores.all(query, wanted(query, datetime.now(UTC)), principal.client_uuid)

    async def history(self, principal: Principal, uuid: UUID, query: HistoryQuery) -> Listing[HistoryEntry]:
        """Return a page of what happened to a store; for admins, and managers whom it is visible to."""
        principal.require("admin", "manager")
        _visible(principal, uuid, await self._stores.find(uuid))
        return await self._history.of(uuid, query)

    async def change(
        self, principal: Principal, uuid: UUID, command: ChangeStore, condition: Condition = UNCONDITIONAL
    ) -> Store:
        """Change a store of an active client; for admins, and managers whom it is visible to.

        Raises PreconditionFailed when the store is not as `condition` wants it.
        """
        principal.require("admin", "manager")
        require_valid(command)
        await self.require_changeable(principal, uuid)
        async with self._stores.transaction(principal.subject) as stores:
            store = await stores.change(uuid, command, condition)
        if store is None:
            raise StoreNotFound(uuid=uuid)
        return store

    async def delete(self, principal: Principal, uuid: UUID, condition: Condition = UNCONDITIONAL) -> None:
        """Close a store for good; for admins, and managers whom it is visible to. Raises as `change` does."""
        principal.require("admin", "manager")
        async with self._stores.transaction(principal.subject) as stores:
            deleted = await stores.delete(uuid, principal.client_uuid, condition)
        if not deleted:
            raise StoreNotFound(uuid=uuid)

    async def require_changeable(self, principal: Principal, uuid: UUID, *, urgent: bool = False) -> None:
        """Let admins, and managers whom it is visible to, change a store, whose client has to be active.

        What is `urgent` is changed without asking for the client.
        """
        principal.require("admin", "manager")
        store = _visible(principal, uuid, await self._stores.find(uuid))
        if not urgent:
            await self._require_active_client(store.client_uuid)

    async def _require_active_client(self, uuid: UUID) -> None:
        client = await self._clients.find(uuid)
        if client is None:
            raise ClientNotFound(uuid=uuid)
        if not client.is_active:
            raise ClientInactive(uuid=uuid)


def _visible(principal: Principal, uuid: UUID, store: Store | None) -> Store:
    if store is None or not principal.sees(store.client_uuid):
        raise StoreNotFound(uuid=uuid)
    return store


def require_valid(command: CreateStore | ChangeStore) -> None:
    """Raise InvalidInput when the country or time zone does not exist, or a coordinate is alone."""
    problems = place_problems(command.country, command.timezone)
    if _is_half(command.latitude, command.longitude):
        problems += COORDINATES_TOGETHER
    if problems:
        raise InvalidInput(details=problems)


def _is_half(latitude: float | UnsetType | None, longitude: float | UnsetType | None) -> bool:
    """Tell whether one coordinate is given and the other empty; what a patch leaves out may fit."""
    return UNSET not in (latitude, longitude) and (latitude is None) != (longitude is None)
