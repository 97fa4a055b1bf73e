"""What imports of clients need of the database and the cache besides `shared.bulk`."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from services.client.model import clients
from services.client.repository.cache_keys import tag_of_client, tag_of_list
from services.client.repository.clients import stored_columns
from services.client.schema import Client, CreateClient
from shared.bulk.statements import BulkTable
from shared.cache.reads import ReadCache

_SAMPLE = CreateClient(name="-", email="-@example.com")

TABLE = BulkTable(
    clients,
    "client",
    Client,
    columns=list(stored_columns(msgspec.structs.asdict(_SAMPLE))),
    key={"email_key": "key"},
    tenant="uuid",
)


class ImportedClientRepository:
    """Ends what is cached of clients that are imported."""

    def __init__(self, cache: ReadCache) -> None:
        self._cache = cache

    async def invalidate(self, uuids: Sequence[UUID]) -> None:
        """Let no cached answer from before be used that shows these clients, or lists of all."""
        await self._cache.invalidate([*map(tag_of_client, uuids), tag_of_list(None)])

    async def invalidate_all(self) -> None:
        """Let no cached answer from before be used."""
        await self._cache.invalidate_all()
