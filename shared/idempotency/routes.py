"""Routes that create, and take an Idempotency-Key."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any, TypeVar

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, Parameter, RequestBody, Schema
from litestar.status_codes import HTTP_202_ACCEPTED

from shared.config import IdempotencyConfig
from shared.db import Database
from shared.errors import GeraiError
from shared.events.changes import Aggregate
from shared.idempotency.answers import Answer, Task, accepted, created
from shared.idempotency.attempts import Attempt, Replay, Scope, current_attempt, serving
from shared.idempotency.errors import KeyInFlight, KeyReused
from shared.idempotency.keys import HEADER, MOST_CHARACTERS, SYNTAX, Fingerprint, fingerprint, key_of
from shared.openapi import responses, with_query
from shared.request import JsonRequest

Handler = Callable[..., Awaitable[Response[Any]]]
UploadHandler = Callable[[JsonRequest, AsyncIterator[bytes]], Awaitable[Response[Any]]]

T = TypeVar("T")

_DESCRIPTION = (
    "Makes repetition safe: for at least 24 hours the same key with the same body gets the first answer "
    "again, with `Idempotent-Replayed: true`. Repeat so after any status from 500 on, and after no answer at "
    "all: it may have been made. A key is the caller's own, on this route; refused requests leave it free. "
    "Quotes around it do not count."
)


@dataclass
class KeyedOperation(Operation):
    """An operation that takes an Idempotency-Key."""

    def __post_init__(self) -> None:
        schema = Schema(type=OpenAPIType.STRING, max_length=MOST_CHARACTERS, pattern=SYNTAX)
        header = Parameter(name=HEADER, param_in="header", description=_DESCRIPTION, schema=schema)
        self.parameters = [*(self.parameters or []), header]


@dataclass(frozen=True)
class Upload:
    """What a route takes whose body is a file: examples by media type, its query, at most how many bytes."""

    examples: Mapping[str, str]
    query: type[msgspec.Struct]
    most_bytes: int

    def operation(self) -> type[Operation]:
        """Return the class of its operation."""
        text = Schema(type=OpenAPIType.STRING)
        content = {
            type_: OpenAPIMediaType(schema=text, example=file) for type_, file in self.examples.items()
        }

        @dataclass
        class UploadOperation(KeyedOperation):
            def __post_init__(self) -> None:
                super().__post_init__()
                self.request_body = RequestBody(content=content, required=True)

        return with_query(self.query, UploadOperation)


class IdempotentRoutes:
    """Makes routes that answer a repeated request as they answered the first."""

    def __init__(self, database: Database, config: IdempotencyConfig) -> None:
        self._database = database
        self._secret = config.secret

    def post(
        self, path: str, *, summary: str, tags: list[str], errors: tuple[type[GeraiError], ...]
    ) -> Callable[[Handler], HTTPRouteHandler]:
        """Return what makes a POST route of a handler that answers with `creating`."""
        answers = responses(*errors, KeyReused, KeyInFlight)
        route = post(path, summary=summary, tags=tags, responses=answers, operation_class=KeyedOperation)
        return lambda handler: route(self._repeatable(handler))

    def upload(
        self,
        path: str,
        upload: Upload,
        *,
        summary: str,
        tags: list[str],
        errors: tuple[type[GeraiError], ...],
    ) -> Callable[[UploadHandler], HTTPRouteHandler]:
        """Return what makes a POST route of a handler that takes a file as it arrives.

        The handler answers with `accepting`. A file is known by its bytes, once all have been read: of twins
        that arrive together the later one gets the answer of the earlier one.
        """
        route = post(
            path,
            summary=summary,
            tags=tags,
            status_code=HTTP_202_ACCEPTED,
            responses=responses(*errors, KeyReused, KeyInFlight),
            operation_class=upload.operation(),
            request_max_body_size=upload.most_bytes,
        )
        return lambda handler: route(self._repeatable_upload(handler))

    def _repeatable_upload(self, handler: UploadHandler) -> Handler:
        async def answered(request: JsonRequest) -> Response[Any]:
            attempt, pieces = self._streamed(request), request.pieces()
            if attempt is None:
                return await handler(request, pieces)
            pieces = _taken_in(pieces, attempt.fingerprint)
            async with self._database.reading(primary=True) as connection:
                authority = await attempt.known_authority(connection)
            if authority == attempt.authority:
                kept = await self._kept_of_all(attempt, pieces)
                if kept:
                    return kept.response(replayed=True)
            try:
                with serving(attempt):
                    return await handler(request, pieces)
            except Replay as replay:
                return replay.answer.response(replayed=True)

        # Not `wraps`: Litestar would see the handler's own parameters.
        answered.__name__, answered.__doc__ = handler.__name__, handler.__doc__
        return answered

    async def _kept_of_all(self, attempt: Attempt, pieces: AsyncIterator[bytes]) -> Answer | None:
        """Return the kept answer, having read the whole body to know whether it is the same."""
        async for _ in pieces:
            pass
        return await self._kept(attempt)

    def _repeatable(self, handler: Handler) -> Handler:
        @wraps(handler)
        async def answered(request: JsonRequest, data: msgspec.Struct, **path: str) -> Response[Any]:
            attempt = self._attempt(request, data)
            if attempt is None:
                return await handler(request=request, data=data, **path)
            kept = await self._kept(attempt)
            if kept:
                return kept.response(replayed=True)
            try:
                with serving(attempt):
                    return await handler(request=request, data=data, **path)
            except Replay as replay:
                return replay.answer.response(replayed=True)

        return answered

    def _attempt(self, request: JsonRequest, data: msgspec.Struct) -> Attempt | None:
        route = _route(request)
        return _attempt_at(request, route, fingerprint(self._secret, route, data))

    def _streamed(self, request: JsonRequest) -> Attempt | None:
        route = _route(request)
        beginning = Fingerprint(self._secret, route)
        for part in (request.scope["query_string"], request.media_type().encode()):
            beginning.add(part + b"\0")
        return _attempt_at(request, route, beginning)

    async def _kept(self, attempt: Attempt) -> Answer | None:
        """Return the kept answer for a caller who is what they were.

        To anyone else the handler says whether they may still do this; its transaction replays if so.
        """
        async with self._database.reading(primary=True) as connection:
            kept = await attempt.find(connection)
        return kept.answer if kept and kept.authority == attempt.authority else None


async def creating(request: JsonRequest, message: str, creation: Awaitable[Aggregate]) -> Response[Any]:
    """Answer 201 with what `creation` makes, and `message`."""
    return await _answering(partial(created, request.scope["path"], message), creation)


async def accepting(path: str, message: str, creation: Awaitable[Task]) -> Response[Any]:
    """Answer 202 with what `creation` sets going, to be looked at below `path`, and `message`."""
    return await _answering(partial(accepted, path, message), creation)


def _route(request: JsonRequest) -> str:
    return f"{request.method} {request.scope['path']}"


def _attempt_at(request: JsonRequest, route: str, fingerprint: Fingerprint) -> Attempt | None:
    key, caller = key_of(request), request.auth
    if key is None:
        return None
    authority = f"{caller.role} of {caller.client_uuid or 'all'}"
    return Attempt(Scope(caller.subject, route, key), fingerprint, authority)


async def _taken_in(pieces: AsyncIterator[bytes], fingerprint: Fingerprint) -> AsyncIterator[bytes]:
    async for piece in pieces:
        fingerprint.add(piece)
        yield piece


async def _answering(render: Callable[[T], Answer], creation: Awaitable[T]) -> Response[Any]:
    attempt = current_attempt()
    if attempt is None:
        return render(await creation).response()
    attempt.rendered = render
    await creation
    if attempt.answer is None:
        raise TypeError("what a keyed request creates must be made by `once`")
    return attempt.answer.response()
