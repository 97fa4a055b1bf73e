"""The application of one service: a process with tables of its own, behind the gateway."""

from collections.abc import Sequence

from litestar import Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Tag

from shared.app import Application, Hook, assemble
from shared.config import ProcessConfig
from shared.db_errors import database_error
from shared.deadline import Deadlines
from shared.operations import private_routes
from shared.security.tokens import TokenVerifier
from shared.telemetry.metrics import Metrics


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
        meaning=database_error,
    )
