"""HTTP in and out of exceptions and pauses, whoever owns them."""

from uuid import UUID

from litestar import Response
from litestar.params import FromPath, JSONBody

from shared.cache.answers import data_response, page_response
from shared.controller import Controller
from shared.conversion import to_uuid
from shared.idempotency.routes import creating
from shared.preconditions import etag, if_match
from shared.request import JsonRequest
from shared.responses import Envelope, Page
from shared.schedules.schema import (
    ChangeException,
    CreateException,
    ExceptionQuery,
    HoursException,
    HoursPause,
    PauseCommand,
)
from shared.schedules.usecase.exceptions import Exceptions
from shared.schedules.usecase.pauses import Pauses

_ADDED = "Exception added"
_CHANGED = "Exception changed"
_PAUSED = "Paused"


class ExceptionController(Controller):
    """Decodes a request about exceptions, makes one call, wraps the answer."""

    def __init__(self, exceptions: Exceptions) -> None:
        self._exceptions = exceptions

    async def add(
        self, request: JsonRequest, uuid: FromPath[str], data: JSONBody[CreateException]
    ) -> Response[Envelope[HoursException]]:
        """Let other hours hold on some days. For admins, and managers whom the owner is visible to.

        They replace the regular ones on each local date from the first to the last; without intervals it is
        closed. No two exceptions of one owner have a day in common.
        """
        addition = self._exceptions.add(request.auth, to_uuid("uuid", uuid), data)
        return await creating(request, _ADDED, addition)

    async def list(self, request: JsonRequest, uuid: FromPath[str]) -> Response[Page[HoursException]]:
        """List the exceptions that the owner has of its own, by default the first days first."""
        query = request.query(ExceptionQuery)
        return page_response(await self._exceptions.list(request.auth, to_uuid("uuid", uuid), query))

    async def read(
        self, request: JsonRequest, uuid: FromPath[str], exception_uuid: FromPath[str]
    ) -> Response[Envelope[HoursException]]:
        """Return one exception."""
        keys = _keys(uuid, exception_uuid)
        return data_response(request, await self._exceptions.read(request.auth, *keys))

    async def change(
        self,
        request: JsonRequest,
        uuid: FromPath[str],
        exception_uuid: FromPath[str],
        data: JSONBody[ChangeException],
    ) -> Response[Envelope[HoursException]]:
        """Change an exception by JSON Merge Patch (RFC 7396); the result has to be as one that is added.

        For admins, and managers whom the owner is visible to. With `If-Match` only when it is as that entity
        tag was.
        """
        keys, condition = _keys(uuid, exception_uuid), if_match(request)
        changed = await self._exceptions.change(request.auth, *keys, data, condition)
        return Response(Envelope(message=_CHANGED, data=changed), headers={"ETag": etag(changed.version)})

    async def delete(self, request: JsonRequest, uuid: FromPath[str], exception_uuid: FromPath[str]) -> None:
        """Let the regular hours hold again. For admins, and managers whom the owner is visible to.

        With `If-Match` only when the exception is as that entity tag was.
        """
        await self._exceptions.delete(request.auth, *_keys(uuid, exception_uuid), if_match(request))


class PauseController(Controller):
    """Decodes a request about a pause, makes one call, wraps the answer."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses

    async def begin(
        self, request: JsonRequest, uuid: FromPath[str], data: JSONBody[PauseCommand]
    ) -> Response[Envelope[HoursPause]]:
        """Close at once, until an instant. For admins, and managers whom the owner is visible to.

        During a pause it says when that one ends.
        """
        pause = await self._pauses.begin(request.auth, to_uuid("uuid", uuid), data)
        return Response(Envelope(message=_PAUSED, data=pause), status_code=200)

    async def end(self, request: JsonRequest, uuid: FromPath[str]) -> None:
        """End the pause, if there is one. For admins, and managers whom the owner is visible to."""
        await self._pauses.end(request.auth, to_uuid("uuid", uuid))


def _keys(uuid: str, exception_uuid: str) -> tuple[UUID, UUID]:
    return to_uuid("uuid", uuid), to_uuid("exception_uuid", exception_uuid)
