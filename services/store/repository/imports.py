"""What imports of stores need of the database and the cache besides `shared.bulk`."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from services.store.model import stores
from services.store.repository.cache_keys import tag_of_list, tag_of_store
from services.store.repository.fences import fenced_of_import
from services.store.repository.stores import stored_columns
from services.store.schema import CreateStore, Store
from shared.bulk.statements import BulkTable
from shared.bulk.transactions import Statements
from shared.cache.reads import ReadCache

_SAMPLE = CreateStore(client_uuid=UUID(int=0), code="-", name="-")

TABLE = BulkTable(
    stores,
    "store",
    Store,
    columns=list(stored_columns(msgspec.structs.asdict(_SAMPLE))),
    key={"client_uuid": "parent", "code_key": "key"},
    tenant="client_uuid",
)


class ImportedStoreRepository:
    """Keeps clients unfenced while stores of them are imported, and ends what is cached of those stores."""

    def __init__(self, cache: ReadCache) -> None:
        self._cache = cache

    async def fenced(self, statements: Statements, import_uuid: UUID) -> Sequence[UUID]:
        """Keep every fence from being set until the transaction ends; return the import's fenced clients."""
        return await fenced_of_import(statements, import_uuid)

    async def invalidate(self, uuids: Sequence[UUID], clients: Sequence[UUID]) -> None:
        """Let no cached answer from before be used that shows these stores, or lists of these clients'."""
        tags = [*map(tag_of_store, uuids), *map(tag_of_list, clients), tag_of_list(None)]
        await self._cache.invalidate(tags)

    async def invalidate_all(self) -> None:
        """Let no cached answer from before be used."""
        await self._cache.invalidate_all()
