"""One place that turns a service's parts into an ASGI application."""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import msgspec
from litestar import Litestar, MediaType, Request, Response, Router, get
from litestar.exceptions import (
    ClientException,
    HTTPException,
    MethodNotAllowedException,
    NotFoundException,
    ValidationException,
)
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Tag
from litestar.status_codes import HTTP_413_REQUEST_ENTITY_TOO_LARGE
from litestar.types import ControllerRouterHandler, Receive, Scope, Send
from opentelemetry.sdk.trace import TracerProvider

from shared.config import ProcessConfig
from shared.db import database_error
from shared.errors import (
    FieldError,
    GeraiError,
    InternalError,
    InvalidInput,
    MalformedBody,
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    ServiceUnavailable,
)
from shared.openapi import describe, document
from shared.request import JsonRequest
from shared.responses import Envelope, error_envelope
from shared.security.guards import PUBLIC, authenticated
from shared.security.tokens import TokenVerifier
from shared.telemetry.context import current_trace_id
from shared.telemetry.logs import configure_logging
from shared.telemetry.metrics import CONTENT_TYPE, Metrics
from shared.telemetry.middleware import RequestTelemetry
from shared.telemetry.tracing import tracer_provider

VERSION = "0.1.0"
MOST_BODY_BYTES = 2 * 1024 * 1024

Hook = Callable[[], Awaitable[None]]

logger = logging.getLogger("gerai.app")


class Readiness:
    """Whether this process should be sent requests: it has started and is not stopping."""

    def __init__(self) -> None:
        self.started = False
        self.draining = False

    def __bool__(self) -> bool:
        return self.started and not self.draining


class Application:
    """The ASGI application of one process, with what its server needs to know."""

    def __init__(
        self, litestar: Litestar, readiness: Readiness, provider: TracerProvider, metrics: Metrics
    ) -> None:
        self.litestar = litestar
        self.readiness = readiness
        self._served = RequestTelemetry(litestar, provider, metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._served(scope, receive, send)


def create_application(  # noqa: PLR0913 - every part of a process, by name
    name: str,
    config: ProcessConfig,
    *,
    routes: Sequence[HTTPRouteHandler],
    internal_routes: Sequence[HTTPRouteHandler] = (),
    verifier: TokenVerifier,
    tags: Sequence[Tag] = (),
    on_start: Sequence[Hook] = (),
    on_stop: Sequence[Hook] = (),
) -> Application:
    """Return the application that serves `routes` under the configured prefix.

    `internal_routes` keep their own paths. `on_start` runs before the first request, `on_stop` after the
    last one, in order.
    """
    configure_logging(name, config.log)
    readiness, metrics = Readiness(), Metrics()
    provider = tracer_provider(name, config.tracing)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        for start in on_start:
            await start()
        readiness.started = True
        yield
        for stop in on_stop:
            await stop()
        provider.shutdown()

    handlers: list[ControllerRouterHandler] = [
        *_operations(readiness, metrics),
        *internal_routes,
        Router(path=config.service.endpoint_v, route_handlers=list(routes)),
    ]
    litestar = Litestar(
        handlers,
        request_class=JsonRequest,
        guards=[authenticated(verifier)],
        exception_handlers=ERROR_HANDLERS,
        lifespan=[lifespan],
        openapi_config=describe(f"Gerai {name}", VERSION, list(tags)),
        request_max_body_size=MOST_BODY_BYTES,
        logging_config=None,
    )
    return Application(litestar, readiness, provider, metrics)


def render_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """Return the envelope of any error: the one handler for all of them."""
    known = to_gerai_error(error, request)
    if known.status >= 500:
        logger.error("%s %s failed: %s", request.method, request.url.path, error, exc_info=error)
    return Response(
        error_envelope(known, current_trace_id()), status_code=known.status, headers=known.headers
    )


def to_gerai_error(error: Exception, request: Request[Any, Any, Any]) -> GeraiError:
    """Return what a caller is told of `error`."""
    if isinstance(error, GeraiError):
        return error
    if isinstance(error, HTTPException):
        return _from_litestar(error, request)
    return database_error(error) or InternalError()


def _from_litestar(error: HTTPException, request: Request[Any, Any, Any]) -> GeraiError:
    path = request.scope["path"]
    if isinstance(error, NotFoundException):
        return NotFound(path=path)
    if isinstance(error, MethodNotAllowedException):
        return MethodNotAllowed(method=request.method, path=path, headers=error.headers)
    if error.status_code == HTTP_413_REQUEST_ENTITY_TOO_LARGE:
        return PayloadTooLarge(limit=MOST_BODY_BYTES)
    if isinstance(error, ValidationException):
        return _from_validation(error)
    if isinstance(error, ClientException):
        return MalformedBody(reason="it is not what this endpoint reads")
    return InternalError()


def _from_validation(error: ValidationException) -> GeraiError:
    problems = cast("list[dict[str, str]]", error.extra or [])
    if any(problem.get("key") == "data" for problem in problems):
        return MalformedBody(reason="it is empty")
    details = [FieldError(problem.get("key", ""), problem.get("message", "")) for problem in problems]
    return InvalidInput(details=details)


ERROR_HANDLERS: dict[type[Exception] | int, Any] = {Exception: render_error, HTTPException: render_error}


class Health(msgspec.Struct):
    """How a process is."""

    status: str


def _operations(readiness: Readiness, metrics: Metrics) -> list[HTTPRouteHandler]:
    """Return what operators ask of every process; none of it touches a neighbour or a database."""

    @get("/healthz", opt={PUBLIC: True}, include_in_schema=False)
    async def healthz() -> Envelope[Health]:
        return Envelope(data=Health("alive"))

    @get("/readyz", opt={PUBLIC: True}, include_in_schema=False)
    async def readyz() -> Envelope[Health]:
        if not readiness:
            raise NotReady
        return Envelope(data=Health("ready"))

    @get("/metrics", opt={PUBLIC: True}, include_in_schema=False, media_type=CONTENT_TYPE)
    async def exposition() -> bytes:
        return metrics.render()

    @get("/openapi.json", opt={PUBLIC: True}, include_in_schema=False, media_type=MediaType.JSON)
    async def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
        return document(request.app)

    return [healthz, readyz, exposition, openapi]


class NotReady(ServiceUnavailable):
    """The process is starting or stopping."""

    code = "NOT_READY"
    template = "This process is not taking requests now: it is starting or stopping."
