"""One place that turns a process's parts into an ASGI application."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.openapi.spec import Tag
from litestar.types import ASGIApp, ControllerRouterHandler, Receive, Scope, Send
from opentelemetry.sdk.trace import TracerProvider

from shared.config import ProcessConfig
from shared.error_handling import MOST_BODY_BYTES, error_handlers
from shared.errors import GeraiError
from shared.head import HeadAsGet
from shared.openapi import describe
from shared.operations import Readiness, health_routes
from shared.request import JsonRequest
from shared.security.guards import authenticated
from shared.security.tokens import TokenVerifier
from shared.telemetry.logs import RequestLog, configure_logging
from shared.telemetry.metrics import Metrics
from shared.telemetry.middleware import RequestTelemetry
from shared.telemetry.sampling import Sampling
from shared.telemetry.tracing import flush, tracer_provider

VERSION = "0.1.0"

Hook = Callable[[], Awaitable[None]]


class Application:
    """The ASGI application of one process, with what its server needs to know."""

    def __init__(
        self, litestar: Litestar, readiness: Readiness, served: ASGIApp, tracing: TracerProvider
    ) -> None:
        self.litestar = litestar
        self.readiness = readiness
        self.tracing = tracing
        self._served = served

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        await self._served(scope, receive, send)


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
    meaning: Callable[[Exception], GeraiError | None] = lambda _: None,
    follows_callers: bool = True,
) -> Application:
    """Return the application of any process: `handlers` with health, errors, telemetry and lifespan.

    `front`, when given, stands before the handlers and decides which requests they see. `meaning` says what a
    caller is told of an error that is neither ours nor Litestar's, when it knows. With `follows_callers`
    requests are traced when their callers trace them.
    """
    configure_logging(name, config.log)
    metrics.identify(name, VERSION, config.service.revision)
    readiness = Readiness()
    provider = tracer_provider(name, config.tracing, VERSION, config.service.environment)
    sampling = Sampling(config.sampling_ratio, follows_callers=follows_callers)
    request_log = RequestLog(name, config.log)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncGenerator[None]:
        metrics.loop_lag.start()
        for start in on_start:
            await start()
        readiness.started = True
        yield
        for stop in on_stop:
            await stop()
        metrics.loop_lag.stop()
        await flush(provider)
        request_log.flush()

    litestar = Litestar(
        [*health_routes(readiness), *handlers],
        request_class=JsonRequest,
        middleware=[authenticated(verifier)],
        exception_handlers=error_handlers(meaning),
        lifespan=[lifespan],
        openapi_config=describe(f"Gerai {name}", VERSION, list(tags)),
        request_max_body_size=MOST_BODY_BYTES,
        logging_config=None,
    )
    handled = HeadAsGet(litestar)
    app = front(handled) if front else handled
    served = RequestTelemetry(app, provider, metrics, request_log, sampling)
    return Application(litestar, readiness, served, provider)
