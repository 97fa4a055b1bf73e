"""Answers of creating requests, as they are sent and as they are kept."""

from typing import Any, Protocol
from uuid import UUID

import msgspec
from litestar import MediaType, Response
from litestar.status_codes import HTTP_201_CREATED, HTTP_202_ACCEPTED

from shared.events.changes import Aggregate
from shared.preconditions import etag
from shared.responses import Envelope

REPLAYED = {"Idempotent-Replayed": "true"}


class Task(Protocol):
    """What a request sets going, as the API shows it."""

    @property
    def uuid(self) -> UUID: ...  # noqa: D102 - its id


class Answer(msgspec.Struct, frozen=True):
    """An answer in JSON, byte by byte."""

    status: int
    headers: dict[str, str]
    body: bytes

    def response(self, *, replayed: bool = False) -> Response[Any]:
        """Return what sends it; a replay says that it is one."""
        headers = self.headers | REPLAYED if replayed else self.headers
        return Response(self.body, status_code=self.status, media_type=MediaType.JSON, headers=headers)


def created(path: str, message: str, made: Aggregate) -> Answer:
    """Return the answer to a request at `path` that created `made`."""
    envelope = Envelope(status_code=HTTP_201_CREATED, message=message, data=made)
    headers = {"Location": f"{path}/{made.uuid}", "ETag": etag(made.version)}
    return Answer(HTTP_201_CREATED, headers, msgspec.json.encode(envelope))


def accepted(path: str, message: str, task: Task) -> Answer:
    """Return the answer to a request that set `task` going, which can be looked at below `path`."""
    envelope = Envelope(status_code=HTTP_202_ACCEPTED, message=message, data=task)
    headers = {"Location": f"{path}/{task.uuid}"}
    return Answer(HTTP_202_ACCEPTED, headers, msgspec.json.encode(envelope))
