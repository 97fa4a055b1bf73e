"""What stores show of their clients: a copy, kept up to date by events."""

from uuid import UUID

from services.store.client_api import ClientDirectory
from services.store.repository.clients import ClientRepository
from services.store.schema import Client


class KnownClients:
    """Finds clients for reads, which may be a moment behind; what decides a write asks the directory."""

    def __init__(self, copies: ClientRepository, directory: ClientDirectory) -> None:
        self._copies = copies
        self._directory = directory

    async def find(self, uuid: UUID) -> Client | None:
        """Return the client as it is known here, or None when it is deleted.

        The first time, the client service is asked for it and its schedule; raises as `ClientDirectory` does.
        """
        copy = await self._copies.find(uuid)
        if copy:
            return copy.client
        client = await self._directory.find_with_schedule(uuid)
        if client:
            await self._copies.keep(client)
        return client and client.facts()
