"""Who may see and change the hours of stores."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from services.store.errors import StoreNotFound
from services.store.repository.stores import StoreRepository
from services.store.repository.workhours import WorkhourRepository
from services.store.schema import Owner
from services.store.usecase.known_clients import KnownClients
from services.store.usecase.stores import Stores
from shared.cache.status import Cached
from shared.errors import NotFound
from shared.schedules.owners import Owners
from shared.schedules.repository import ScheduleWriter
from shared.security.principal import Principal


class StoreOwners(Owners):
    """Stores, as owners of schedules; without a week of their own they inherit their client's."""

    def __init__(
        self,
        stores: Stores,
        repository: StoreRepository,
        schedules: WorkhourRepository,
        known: KnownClients,
    ) -> None:
        self._stores = stores
        self._repository = repository
        self._schedules = schedules
        self._known = known

    async def read(self, principal: Principal, uuid: UUID, *, fresh: bool = False) -> Cached:
        """Return the schedule of a store the caller may see, as JSON."""
        store = await self._stores.read(principal, uuid, fresh=fresh)
        owner = msgspec.json.decode(store.content or b"", type=Owner)
        found = await self._schedules.read(uuid, owner.client_uuid, self._known.find, fresh=fresh)
        if found.content is None:
            raise self.unknown(uuid)
        return found

    async def require_changeable(self, principal: Principal, uuid: UUID, *, urgent: bool = False) -> None:
        """Let those who may change a store change its hours; its client has to be active, unless `urgent`."""
        await self._stores.require_changeable(principal, uuid, urgent=urgent)

    @asynccontextmanager
    async def transaction(self, principal: Principal, uuid: UUID) -> AsyncGenerator[ScheduleWriter]:
        """Open a transaction that changes a store's schedule."""
        async with self._repository.transaction(principal.subject) as stores, stores.schedule(uuid) as writer:
            yield writer

    def unknown(self, uuid: UUID) -> NotFound:
        """Return the error that there is no such store."""
        return StoreNotFound(uuid=uuid)
