"""The URLs of schedules, whoever owns them."""

from litestar import delete, get, put
from litestar.handlers import HTTPRouteHandler

from shared.errors import (
    Forbidden,
    GeraiError,
    InvalidInput,
    MalformedBody,
    Unauthenticated,
    UnsupportedMediaType,
)
from shared.openapi import responses
from shared.preconditions import PreconditionFailed
from shared.schedules.controller import WorkhourController

Errors = tuple[type[GeraiError], ...]

_BODY = (InvalidInput, MalformedBody, UnsupportedMediaType)


class ScheduleRoutes:
    """Makes the routes of the schedules of one kind of owner.

    `owner` is the path of one of them; `reading` and `changing` are what may go wrong there besides.
    """

    def __init__(self, owner: str, tag: str, *, reading: Errors, changing: Errors) -> None:
        self._path = f"{owner}/workhour"
        self._tags = [tag]
        self._reading = (InvalidInput, Unauthenticated, *reading)
        self._changing = (InvalidInput, Unauthenticated, Forbidden, *changing)

    def week(self, workhours: WorkhourController) -> list[HTTPRouteHandler]:
        """Return the routes of the week."""
        conditional = (*self._changing, PreconditionFailed)
        return [
            get(self._path, summary="Read the week", tags=self._tags, responses=responses(*self._reading))(
                workhours.read
            ),
            put(
                self._path,
                summary="Set the week",
                tags=self._tags,
                responses=responses(*dict.fromkeys((*_BODY, *conditional))),
            )(workhours.put),
            delete(self._path, summary="Remove the week", tags=self._tags, responses=responses(*conditional))(
                workhours.delete
            ),
        ]
