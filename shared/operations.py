"""What operators ask of a process; none of it touches a neighbour or a database."""

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler

from shared.errors import ServiceUnavailable
from shared.openapi import document
from shared.responses import Envelope
from shared.security.guards import PUBLIC
from shared.telemetry.metrics import Metrics


class Readiness:
    """Whether this process should be sent requests: it has started and is not stopping."""

    def __init__(self) -> None:
        self.started = False
        self.draining = False

    def __bool__(self) -> bool:
        return self.started and not self.draining


class NotReady(ServiceUnavailable):
    """The process is starting or stopping."""

    code = "NOT_READY"
    template = "This process is not taking requests now: it is starting or stopping."


class Health(msgspec.Struct):
    """How a process is."""

    status: str


def health_routes(readiness: Readiness) -> list[HTTPRouteHandler]:
    """Return what probes ask: liveness is the process, readiness this process's own state."""

    @get("/healthz", opt={PUBLIC: True}, include_in_schema=False)
    async def healthz() -> Envelope[Health]:
        return Envelope(data=Health("alive"))

    @get("/readyz", opt={PUBLIC: True}, include_in_schema=False)
    async def readyz() -> Envelope[Health]:
        if not readiness:
            raise NotReady
        return Envelope(data=Health("ready"))

    return [healthz, readyz]


def private_routes(metrics: Metrics) -> list[HTTPRouteHandler]:
    """Return what a process tells on a port that only the platform reaches: metrics and its description."""

    @get("/metrics", opt={PUBLIC: True}, include_in_schema=False)
    async def exposition(request: Request[Any, Any, Any]) -> Response[bytes]:
        content, content_type = metrics.render(request.headers.get("accept", ""))
        return Response(content, media_type=content_type)

    @get("/openapi.json", opt={PUBLIC: True}, include_in_schema=False, media_type=MediaType.JSON)
    async def openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
        return document(request.app)

    return [exposition, openapi]
