"""HTTP in and out of imports, whatever is imported."""

from collections.abc import AsyncIterator
from typing import Any, Protocol
from uuid import UUID

from litestar import Response
from litestar.params import FromPath

from shared.bulk.intake import READERS, Upload
from shared.bulk.schema import Import, ImportQuery
from shared.controller import Controller
from shared.conversion import to_uuid
from shared.idempotency.routes import accepting
from shared.request import JsonRequest
from shared.responses import Envelope
from shared.security.principal import Principal

ACCEPTED = "Import accepted"


class ImportUseCases(Protocol):
    """What can be done with imports of one kind, and by whom."""

    async def start(self, principal: Principal, query: ImportQuery, upload: Upload) -> Import:
        """Take a file in."""
        ...

    async def read(self, principal: Principal, uuid: UUID) -> Import:
        """Return an import the caller may see."""
        ...


class ImportController(Controller):
    """Decodes a request, makes one call, wraps the answer."""

    def __init__(self, imports: ImportUseCases) -> None:
        self._imports = imports

    async def start(self, request: JsonRequest, pieces: AsyncIterator[bytes]) -> Response[Any]:
        """Import a file of CSV (RFC 4180, with a first row of column names) or NDJSON, in UTF-8.

        The columns are the fields of a creation; those that only exports have (uuid, version, created_at,
        updated_at) are ignored. A file has 1,000,000 rows and 1 GiB at most, a row 64 KiB. The rows that are
        in order are applied in one transaction, after the answer: `Location` tells what came of it. Of rows
        with the same key the first one counts. With `mode=upsert` a row whose key exists changes the fields
        it has; an empty cell of CSV empties the field, where that is possible.
        """
        request.require_media_type(*READERS)
        query, upload = request.query(ImportQuery), Upload(request.media_type(), pieces)
        creation = self._imports.start(request.auth, query, upload)
        return await accepting(f"{request.scope['path']}s", ACCEPTED, creation)

    async def read(self, request: JsonRequest, uuid: FromPath[str]) -> Envelope[Import]:
        """Return how far an import is, and what came of it; it is kept for 30 days.

        Visible to admins and managers of the tenant of whoever started it.
        """
        return Envelope(data=await self._imports.read(request.auth, to_uuid("uuid", uuid)))
