"""HTTP in and out of the store service."""

from typing import Any

from litestar import Response
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from services.store import constants
from services.store.schema import (
    ChangeStore,
    CreateStore,
    ReadQuery,
    Store,
    StorePage,
    StoreQuery,
    StoreWithClient,
)
from services.store.usecase.stores import Stores
from shared.bulk.export import export_response, read_export
from shared.cache.answers import data_response, page_response, wants_fresh
from shared.controller import Controller
from shared.conversion import to_uuid
from shared.events.history import HistoryEntry, HistoryQuery
from shared.idempotency.routes import creating
from shared.preconditions import etag, if_match
from shared.request import JsonRequest
from shared.responses import Envelope, Page


class StoreController(Controller):
    """Decodes a request, makes one call, wraps the answer."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def create(self, request: JsonRequest, data: JSONBody[CreateStore]) -> Response[Envelope[Store]]:
        """Open a store of an active client. For admins, and managers whom the client is visible to."""
        creation = self._stores.create(request.auth, data)
        return await creating(request, constants.STORE_CREATED, creation)

    async def list(self, request: JsonRequest) -> Response[StorePage]:
        """List the stores the caller may see."""
        return await self._list(request, fresh=wants_fresh(request))

    async def list_uncached(self, request: JsonRequest) -> Response[StorePage]:
        """List the stores the caller may see, as the database knows them."""
        return await self._list(request, fresh=True)

    async def read(
        self, request: JsonRequest, uuid: FromPath[str]
    ) -> Response[Envelope[Store | StoreWithClient]]:
        """Return one store, with its client when `include=client` asks for it."""
        return await self._read(request, uuid, fresh=wants_fresh(request))

    async def read_uncached(
        self, request: JsonRequest, uuid: FromPath[str]
    ) -> Response[Envelope[Store | StoreWithClient]]:
        """Return one store as the database knows it, with its client when `include=client` asks for it."""
        return await self._read(request, uuid, fresh=True)

    async def export(self, request: JsonRequest) -> Stream:
        """Export all stores the caller may see, oldest first, as CSV or NDJSON.

        In CSV a text that a spreadsheet would take for a formula has an apostrophe in front of it; an import
        takes it off again.
        """
        query, writer = read_export(request, StoreQuery, Store)
        return await export_response(request, "stores", writer, self._stores.export(request.auth, query))

    async def history(self, request: JsonRequest, uuid: FromPath[str]) -> Page[HistoryEntry]:
        """List what happened to a store, newest first. For admins, and managers whom it is visible to."""
        query = request.query(HistoryQuery)
        listing = await self._stores.history(request.auth, to_uuid("uuid", uuid), query)
        return Page(data=listing.items, meta=listing.meta)

    async def change(
        self, request: JsonRequest, uuid: FromPath[str], data: JSONBody[ChangeStore]
    ) -> Response[Envelope[Store]]:
        """Change a store by JSON Merge Patch (RFC 7396). For admins, and managers whom it is visible to.

        With `If-Match` only when it is as that entity tag was.
        """
        store = await self._stores.change(request.auth, to_uuid("uuid", uuid), data, if_match(request))
        envelope = Envelope(message=constants.STORE_CHANGED, data=store)
        return Response(envelope, headers={"ETag": etag(store.version)})

    async def delete(self, request: JsonRequest, uuid: FromPath[str]) -> None:
        """Close a store for good. For admins, and managers whom it is visible to.

        With `If-Match` only when it is as that entity tag was.
        """
        await self._stores.delete(request.auth, to_uuid("uuid", uuid), if_match(request))

    async def _list(self, request: JsonRequest, *, fresh: bool) -> Response[Any]:
        return page_response(await self._stores.list(request.auth, request.query(StoreQuery), fresh=fresh))

    async def _read(self, request: JsonRequest, uuid: str, *, fresh: bool) -> Response[Any]:
        principal, key = request.auth, to_uuid("uuid", uuid)
        read = self._stores.read_with_client if request.query(ReadQuery).include else self._stores.read
        return data_response(request, await read(principal, key, fresh=fresh))
