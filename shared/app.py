"""One place that turns a process's parts into an ASGI application."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Tag
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send

from shared.config import ProcessConfig
from shared.deadline import Deadlines
from shared.error_handling import ERROR_HANDLERS, MOST_BODY_BYTES
from shared.head import HeadAsGet
from shared.openapi import describe
from shared.operations import Readiness, health_routes, private_routes
from shared.request import JsonRequest
from shared.security.guards import authenticated
from shared.security.tokens import TokenVerifier
from shared.telemetry.logs import RequestLog, configure_logging
from shared.telemetry.metrics import Metrics
from shared.telemetry.middleware import RequestTelemetry
from shared.telemetry.tracing import tracer_provider

VERSION = "0.1.0"

Hook = Callable[[], Awaitable[None]]


class Application:
    """The ASGI application of one process, with what its server needs to know."""

    def __init__(self, litestar: Litestar, readiness: Readiness, served: ASGIApp) -> None:
        self.litestar = litestar
        self.readiness = readiness
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._served(scope, receive, send)


def create_application(  # noqa: PLR0913 - every part of a service, by name
    name: str,
    config: ProcessConfig,
    *,
    routes: Sequence[HTTPRouteHandler],
    internal_routes: Sequence[HTTPRouteHandler] = (),
    verifier: TokenVerifier,
    tags: Sequence[Tag] = (),
    metrics: Metrics | None = None,
    on_start: Sequence[Hook] = (),
    on_stop: Sequence[Hook] = (),
) -> Application:
    """Return the service that answers `routes` under the configured prefix.

    `internal_routes` keep their own paths. `on_start` runs before the first request, `on_stop` after the
    last one, in order.
    """
    metrics = metrics or Metrics()
    prefixed = Router(path=config.service.endpoint_v, route_handlers=list(routes))
    return assemble(
        name,
        config,
        handlers=[*private_routes(metrics), *internal_routes, prefixed],
        verifier=verifier,
        tags=tags,
        metrics=metrics,
        on_start=on_start,
        on_stop=on_stop,
        front=Deadlines,
    )


def assemble(  # noqa: PLR0913 - every part of a process, by name
    name: str,
    config: ProcessConfig,
    *,
    handlers: Sequence[ControllerRouterHandler],
    verifier: TokenVerifier,
    metrics: Metrics,
    tags: Sequence[Tag] = (),
    on_start: Sequence[Hook] = (),
    on_stop: Sequence[Hook] = (),
    front: Callable[[ASGIApp], ASGIApp] | None = None,
) -> Application:
    """Return the application of any process: `handlers` with health, errors, telemetry and lifespan.

    `front`, when given, stands before the handlers and decides which requests they see.
    """
    configure_logging(name, config.log)
    readiness, provider = Readiness(), tracer_provider(name, config.tracing)
    request_log = RequestLog(name, config.log)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        for start in on_start:
            await start()
        readiness.started = True
        yield
        for stop in on_stop:
            await stop()
        provider.shutdown()
        request_log.flush()

    litestar = Litestar(
        [*health_routes(readiness), *handlers],
        request_class=JsonRequest,
        middleware=[authenticated(verifier)],
        exception_handlers=ERROR_HANDLERS,
        lifespan=[lifespan],
        openapi_config=describe(f"Gerai {name}", VERSION, list(tags)),
        request_max_body_size=MOST_BODY_BYTES,
        logging_config=None,
    )
    handled = HeadAsGet(litestar)
    app = front(handled) if front else handled
    return Application(litestar, readiness, RequestTelemetry(app, provider, metrics, request_log))
