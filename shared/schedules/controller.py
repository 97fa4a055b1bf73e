"""HTTP in and out of schedules, whoever owns them."""

from typing import Any

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from shared.cache.answers import data_response, wants_fresh
from shared.controller import Controller
from shared.conversion import to_uuid
from shared.preconditions import content_etag, if_match
from shared.request import JsonRequest
from shared.responses import Envelope
from shared.schedules.schema import PutWeek, Workhour
from shared.schedules.usecase import Workhours

_WEEK_CHANGED = "Week changed"


class WorkhourController(Controller):
    """Decodes a request about a week, makes one call, wraps the answer."""

    def __init__(self, workhours: Workhours) -> None:
        self._workhours = workhours

    async def read(self, request: JsonRequest, uuid: FromPath[str]) -> Response[Envelope[Workhour]]:
        """Return the week that holds, and whose it is."""
        key, fresh = to_uuid("uuid", uuid), wants_fresh(request)
        found = await self._workhours.read(request.auth, key, fresh=fresh)
        return data_response(request, found, content_etag(found.content or b""))

    async def put(
        self, request: JsonRequest, uuid: FromPath[str], data: JSONBody[PutWeek]
    ) -> Response[Envelope[Workhour]]:
        """Make this the whole week, at once. For admins, and managers whom its owner is visible to.

        An interval starts on its `day` and, when `closes` is before `opens`, ends on the next one. All day
        is 00:00 to 24:00. No hours at all is closed all week. With `If-Match` only when the week that holds
        is as that entity tag was.
        """
        week = await self._workhours.put(request.auth, to_uuid("uuid", uuid), data, if_match(request))
        return _answer(week)

    async def delete(self, request: JsonRequest, uuid: FromPath[str]) -> None:
        """Remove the owner's own week, which may let it inherit one. For admins, and managers as for `put`.

        With `If-Match` only when the week that holds is as that entity tag was.
        """
        await self._workhours.delete(request.auth, to_uuid("uuid", uuid), if_match(request))


def _answer(week: Workhour) -> Response[Any]:
    envelope = Envelope(message=_WEEK_CHANGED, data=week)
    return Response(envelope, headers={"ETag": content_etag(msgspec.json.encode(week))})
