"""HTTP in and out of the client service."""

from typing import Any

from litestar import Response
from litestar.params import FromPath, JSONBody
from litestar.response import Stream

from services.client import constants
from services.client.schema import ChangeClient, Client, ClientQuery, CreateClient, DeleteQuery, InternalQuery
from services.client.usecase.clients import Clients
from services.client.usecase.deletions import Deletions
from shared.bulk.export import export_response, read_export
from shared.cache.answers import data_response, page_response, wants_fresh
from shared.controller import Controller
from shared.conversion import to_uuid
from shared.events.history import HistoryEntry, HistoryQuery
from shared.idempotency.routes import creating
from shared.preconditions import etag, if_match
from shared.request import JsonRequest
from shared.responses import Envelope, Page


class ClientController(Controller):
    """Decodes a request, makes one call, wraps the answer."""

    def __init__(self, clients: Clients, deletions: Deletions) -> None:
        self._clients = clients
        self._deletions = deletions

    async def create(self, request: JsonRequest, data: JSONBody[CreateClient]) -> Response[Envelope[Client]]:
        """Register a client company. For admins, and managers without a tenant."""
        creation = self._clients.create(request.auth, data)
        return await creating(request, constants.CLIENT_CREATED, creation)

    async def list(self, request: JsonRequest) -> Response[Page[Client]]:
        """List the clients the caller may see."""
        query, fresh = request.query(ClientQuery), wants_fresh(request)
        return page_response(await self._clients.list(request.auth, query, fresh=fresh))

    async def read(self, request: JsonRequest, uuid: FromPath[str]) -> Response[Envelope[Client]]:
        """Return one client."""
        return await self._read(request, uuid, fresh=wants_fresh(request))

    async def read_uncached(self, request: JsonRequest, uuid: FromPath[str]) -> Response[Any]:
        """Return one client as the database knows it; with `include=schedule`, its schedule too."""
        if request.query(InternalQuery).include is None:
            return await self._read(request, uuid, fresh=True)
        client = await self._clients.read_with_schedule(request.auth, to_uuid("uuid", uuid))
        return Response(Envelope(data=client))

    async def export(self, request: JsonRequest) -> Stream:
        """Export all clients the caller may see, oldest first, as CSV or NDJSON.

        In CSV a text that a spreadsheet would take for a formula has an apostrophe in front of it; an import
        takes it off again.
        """
        query, writer = read_export(request, ClientQuery, Client)
        return await export_response(request, "clients", writer, self._clients.export(request.auth, query))

    async def history(self, request: JsonRequest, uuid: FromPath[str]) -> Page[HistoryEntry]:
        """List what happened to a client, newest first. For admins, and managers whom it is visible to."""
        query = request.query(HistoryQuery)
        listing = await self._clients.history(request.auth, to_uuid("uuid", uuid), query)
        return Page(data=listing.items, meta=listing.meta)

    async def change(
        self, request: JsonRequest, uuid: FromPath[str], data: JSONBody[ChangeClient]
    ) -> Response[Envelope[Client]]:
        """Change a client by JSON Merge Patch (RFC 7396). For admins, and managers whom it is visible to.

        With `If-Match` only when it is as that entity tag was.
        """
        client = await self._clients.change(request.auth, to_uuid("uuid", uuid), data, if_match(request))
        envelope = Envelope(message=constants.CLIENT_CHANGED, data=client)
        return Response(envelope, headers={"ETag": etag(client.version)})

    async def delete(self, request: JsonRequest, uuid: FromPath[str]) -> None:
        """End a client, and its stores with `cascade=true`. For admins.

        A client that has open stores is not ended without `cascade=true`. Its stores are closed within about
        a second afterwards. With `If-Match` only when it is as that entity tag was.
        """
        cascade, condition = request.query(DeleteQuery).cascade, if_match(request)
        await self._deletions.delete(
            request.auth, to_uuid("uuid", uuid), cascade=cascade, condition=condition
        )

    async def _read(self, request: JsonRequest, uuid: str, *, fresh: bool) -> Response[Any]:
        found = await self._clients.read(request.auth, to_uuid("uuid", uuid), fresh=fresh)
        return data_response(request, found)
