"""HTTP in and out of weeks and of what schedules come to, whoever owns them."""

from typing import Any

import msgspec
from litestar import Response
from litestar.params import FromPath, JSONBody

from shared.cache.answers import data_response, plain_response, wants_fresh
from shared.cache.status import Cached
from shared.controller import Controller
from shared.conversion import to_uuid
from shared.preconditions import content_etag, if_match
from shared.request import JsonRequest
from shared.responses import Envelope, JsonResponse, enveloped
from shared.schedules.schema import HoursStatus, PutWeek, StatusQuery, WeekQuery, Workhour
from shared.schedules.usecase.weeks import Workhours

_WEEK_CHANGED = "Week changed"
_JSON_LD = "application/ld+json"


class WorkhourController(Controller):
    """Decodes a request about a week, makes one call, wraps the answer."""

    def __init__(self, workhours: Workhours) -> None:
        self._workhours = workhours

    async def read(self, request: JsonRequest, uuid: FromPath[str]) -> Response[Envelope[Workhour]]:
        """Return the week that holds, and whose it is.

        With `format=schema.org` the answer is JSON-LD without an envelope, to be put into a page: a place
        with its `openingHoursSpecification`, and the exceptions as `specialOpeningHoursSpecification`.
        """
        key, fresh = to_uuid("uuid", uuid), wants_fresh(request)
        if request.query(WeekQuery).format:
            described = await self._workhours.describe(request.auth, key, fresh=fresh)
            return plain_response(request, described, _JSON_LD)
        found = await self._workhours.read(request.auth, key, fresh=fresh)
        return data_response(request, found, content_etag(found.content or b""))

    async def status(self, request: JsonRequest, uuid: FromPath[str]) -> Response[Envelope[HoursStatus]]:
        """Tell whether it is open at an instant, by default now, why, and when that changes.

        Without any schedule the state is unknown, never closed. A local time that does not exist on a day
        when clocks go forward is met by no instant; one that exists twice is met by both.
        """
        key, at, fresh = to_uuid("uuid", uuid), request.query(StatusQuery).at, wants_fresh(request)
        found = await self._workhours.status(request.auth, key, at, fresh=fresh)
        return _told(found)

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
        """Remove the owner's own week, if it has one; then it follows the one it inherits, if any.

        For admins, and managers whom its owner is visible to. With `If-Match` only when the week that holds
        is as that entity tag was.
        """
        await self._workhours.delete(request.auth, to_uuid("uuid", uuid), if_match(request))


def _told(found: Cached) -> Response[Any]:
    return JsonResponse(enveloped(found.content or b"null"), found.status.headers())


def _answer(week: Workhour) -> Response[Any]:
    envelope = Envelope(message=_WEEK_CHANGED, data=week)
    return Response(envelope, headers={"ETag": content_etag(msgspec.json.encode(week))})
