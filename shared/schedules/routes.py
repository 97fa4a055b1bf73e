"""The URLs of schedules, whoever owns them."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import delete, get, patch, post, put
from litestar.handlers import HTTPRouteHandler

from shared.errors import (
    Forbidden,
    GeraiError,
    InvalidInput,
    MalformedBody,
    Unauthenticated,
    UnsupportedMediaType,
)
from shared.idempotency.routes import IdempotentRoutes
from shared.openapi import responses, with_query
from shared.preconditions import PreconditionFailed
from shared.schedules.controller.exceptions import ExceptionController, PauseController
from shared.schedules.controller.weeks import WorkhourController
from shared.schedules.errors import ExceptionNotFound, ExceptionOverlaps, TooManyExceptions
from shared.schedules.factory import ScheduleControllers
from shared.schedules.schema import ExceptionQuery, StatusQuery, WeekQuery

Errors = tuple[type[GeraiError], ...]
Handler = Callable[..., Awaitable[Any]]

_BODY = (InvalidInput, MalformedBody, UnsupportedMediaType)
_EXCEPTION = (ExceptionOverlaps, TooManyExceptions)


class ScheduleRoutes:
    """Makes the routes of the schedules of one kind of owner.

    `owner` is the path of one of them; `reading`, `changing` and `urgent` are what may go wrong there when
    its schedule is read or changed, and when it is paused.
    """

    def __init__(self, owner: str, tag: str, *, reading: Errors, changing: Errors, urgent: Errors) -> None:
        self._path = f"{owner}/workhour"
        self._tags = [tag]
        self._reading = (InvalidInput, Unauthenticated, *reading)
        self._changing = (*_BODY, Unauthenticated, Forbidden, *changing)
        self._ending = (InvalidInput, Unauthenticated, Forbidden, *changing)
        self._urgent = (*_BODY, Unauthenticated, Forbidden, *urgent)

    def all(self, controllers: ScheduleControllers, idempotent: IdempotentRoutes) -> list[HTTPRouteHandler]:
        """Return every route."""
        return [
            *self.week(controllers.workhours),
            *self.exceptions(controllers.exceptions, idempotent),
            *self.pause(controllers.pauses),
        ]

    def week(self, workhours: WorkhourController) -> list[HTTPRouteHandler]:
        """Return the routes of the week and of what schedules come to."""
        path = self._path
        return [
            self._get(path, "Read the week", self._reading, WeekQuery, workhours.read),
            put(path, summary="Set the week", tags=self._tags, responses=self._conditional(self._changing))(
                workhours.put
            ),
            self._delete(path, "Remove the week", self._conditional(self._ending), workhours.delete),
            self._get(f"{path}/status", "Is it open?", self._reading, StatusQuery, workhours.status),
        ]

    def exceptions(
        self, exceptions: ExceptionController, idempotent: IdempotentRoutes
    ) -> list[HTTPRouteHandler]:
        """Return the routes of exceptions."""
        path, one = f"{self._path}/exceptions", f"{self._path}/exceptions/{{exception_uuid:str}}"
        unknown, adding = (*self._reading, ExceptionNotFound), (*self._changing, *_EXCEPTION)
        changing = self._conditional((*self._changing, ExceptionNotFound, ExceptionOverlaps))
        ending = self._conditional((*self._ending, ExceptionNotFound))
        tags = self._tags
        return [
            idempotent.post(path, summary="Add an exception", tags=tags, errors=adding)(exceptions.add),
            self._get(path, "List exceptions", self._reading, ExceptionQuery, exceptions.list),
            get(one, summary="Read an exception", tags=tags, responses=responses(*unknown))(exceptions.read),
            patch(one, summary="Change an exception", tags=tags, responses=changing)(exceptions.change),
            self._delete(one, "Remove an exception", ending, exceptions.delete),
        ]

    def pause(self, pauses: PauseController) -> list[HTTPRouteHandler]:
        """Return the routes of the pause."""
        path, errors = f"{self._path}/pause", responses(*self._urgent)
        begin = post(path, summary="Close at once", tags=self._tags, responses=errors, status_code=200)
        return [begin(pauses.begin), self._delete(path, "End the pause", errors, pauses.end)]

    def _get(
        self, path: str, summary: str, errors: Errors, query: type[Any], handler: Handler
    ) -> HTTPRouteHandler:
        described, answers = with_query(query), responses(*errors)
        return get(path, summary=summary, tags=self._tags, responses=answers, operation_class=described)(
            handler
        )

    def _delete(self, path: str, summary: str, answers: Any, handler: Handler) -> HTTPRouteHandler:  # noqa: ANN401 - Litestar's own
        return delete(path, summary=summary, tags=self._tags, responses=answers)(handler)

    def _conditional(self, errors: Errors) -> Any:  # noqa: ANN401 - Litestar's own
        return responses(*errors, PreconditionFailed)
