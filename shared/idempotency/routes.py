"""Routes that create, and take an Idempotency-Key."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

import msgspec
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import OpenAPIType, Operation, Parameter, Schema

from shared.config import IdempotencyConfig
from shared.db import Database
from shared.errors import GeraiError
from shared.events.changes import Aggregate
from shared.idempotency.answers import Answer, created
from shared.idempotency.attempts import Attempt, Replay, Scope, current_attempt, serving
from shared.idempotency.errors import KeyInFlight, KeyReused
from shared.idempotency.keys import HEADER, MOST_CHARACTERS, SYNTAX, fingerprint, key_of
from shared.openapi import responses
from shared.request import JsonRequest

Handler = Callable[..., Awaitable[Response[Any]]]

_DESCRIPTION = (
    "Makes repetition safe: for at least 24 hours the same key with the same body gets the first answer "
    "again, with `Idempotent-Replayed: true`. A key is the caller's own, on this route; refused requests "
    "leave it free. Quotes around it do not count."
)


@dataclass
class KeyedOperation(Operation):
    """An operation that takes an Idempotency-Key."""

    def __post_init__(self) -> None:
        schema = Schema(type=OpenAPIType.STRING, max_length=MOST_CHARACTERS, pattern=SYNTAX)
        header = Parameter(name=HEADER, param_in="header", description=_DESCRIPTION, schema=schema)
        self.parameters = [*(self.parameters or []), header]


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

    def _repeatable(self, handler: Handler) -> Handler:
        @wraps(handler)
        async def answered(request: JsonRequest, data: msgspec.Struct) -> Response[Any]:
            attempt = self._attempt(request, data)
            if attempt is None:
                return await handler(request=request, data=data)
            kept = await self._kept(attempt)
            if kept:
                return kept.response(replayed=True)
            try:
                with serving(attempt):
                    return await handler(request=request, data=data)
            except Replay as replay:
                return replay.answer.response(replayed=True)

        return answered

    def _attempt(self, request: JsonRequest, data: msgspec.Struct) -> Attempt | None:
        key = key_of(request)
        if key is None:
            return None
        caller, route = request.auth, f"{request.method} {request.scope['path']}"
        authority = f"{caller.role} of {caller.client_uuid or 'all'}"
        return Attempt(Scope(caller.subject, route, key), fingerprint(self._secret, route, data), authority)

    async def _kept(self, attempt: Attempt) -> Answer | None:
        """Return the kept answer for a caller who is what they were.

        To anyone else the handler says whether they may still do this; its transaction replays if so.
        """
        async with self._database.reading(primary=True) as connection:
            kept = await attempt.find(connection)
        return kept.answer if kept and kept.authority == attempt.authority else None


async def creating(request: JsonRequest, message: str, creation: Awaitable[Aggregate]) -> Response[Any]:
    """Answer 201 with what `creation` makes, and `message`."""
    render, attempt = partial(created, request.scope["path"], message), current_attempt()
    if attempt is None:
        return render(await creation).response()
    attempt.rendered = render
    await creation
    if attempt.answer is None:
        raise TypeError("what a keyed request creates must be made by `once`")
    return attempt.answer.response()
