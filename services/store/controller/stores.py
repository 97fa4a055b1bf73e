"""HTTP in and out of the store service."""

from litestar import Response
from litestar.params import FromPath, JSONBody

from services.store import constants
from services.store.schema import ChangeStore, CreateStore, ReadQuery, Store, StoreQuery, StoreWithClient
from services.store.usecase.stores import Stores
from shared.controller import Controller
from shared.conversion import to_uuid
from shared.request import JsonRequest
from shared.responses import Envelope, Page


class StoreController(Controller):
    """Decodes a request, makes one call, wraps the answer."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    async def create(self, request: JsonRequest, data: JSONBody[CreateStore]) -> Response[Envelope[Store]]:
        """Open a store of an active client. For admins, and managers whom the client is visible to."""
        store = await self._stores.create(request.auth, data)
        location = f"{request.scope['path']}/{store.uuid}"
        return Response(
            Envelope(status_code=201, message=constants.STORE_CREATED, data=store),
            headers={"Location": location},
        )

    async def list(self, request: JsonRequest) -> Page[Store]:
        """List the stores the caller may see."""
        listing = await self._stores.list(request.auth, request.query(StoreQuery))
        return Page(data=listing.items, meta=listing.meta)

    async def read(self, request: JsonRequest, uuid: FromPath[str]) -> Envelope[Store | StoreWithClient]:
        """Return one store, with its client when `include=client` asks for it."""
        if request.query(ReadQuery).include:
            return Envelope(data=await self._stores.read_with_client(request.auth, to_uuid("uuid", uuid)))
        return Envelope(data=await self._stores.read(request.auth, to_uuid("uuid", uuid)))

    async def change(
        self, request: JsonRequest, uuid: FromPath[str], data: JSONBody[ChangeStore]
    ) -> Envelope[Store]:
        """Change a store by JSON Merge Patch (RFC 7396). For admins, and managers whom it is visible to."""
        store = await self._stores.change(request.auth, to_uuid("uuid", uuid), data)
        return Envelope(message=constants.STORE_CHANGED, data=store)

    async def delete(self, request: JsonRequest, uuid: FromPath[str]) -> None:
        """Close a store for good. For admins, and managers whom it is visible to."""
        await self._stores.delete(request.auth, to_uuid("uuid", uuid))
