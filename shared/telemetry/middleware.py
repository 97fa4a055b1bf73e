"""The outermost ASGI layer: request id, trace, log line and metrics of every request."""

import logging
import time

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from shared.errors import InternalError
from shared.responses import error_body
from shared.telemetry.context import RequestContext, enter_request, request_id_from
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import remote_context

logger = logging.getLogger("gerai.http")

QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that probes and scrapers ask for: they are measured, not logged."""


class RequestTelemetry:
    """Wraps an ASGI application.

    Every response carries `X-Request-ID`; an error that escapes the application becomes a 500 envelope,
    or an aborted connection when the answer has begun.
    """

    def __init__(self, app: ASGIApp, provider: TracerProvider, metrics: Metrics) -> None:
        self._app = app
        self._tracer = provider.get_tracer("gerai")
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _serve(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        headers = scope["headers"]
        span = self._tracer.start_span(
            scope["method"], context=remote_context(headers), kind=trace.SpanKind.SERVER
        )
        request_id = request_id_from(
            next((value for name, value in headers if name == b"x-request-id"), None)
        )
        trace_id = trace.format_trace_id(span.get_span_context().trace_id)
        enter_request(RequestContext(request_id, trace_id))
        response = _ObservedSend(send, request_id)
        with trace.use_span(span, end_on_exit=True):
            try:
                await self._app(scope, receive, response)
            except Exception:
                logger.exception("Unhandled error")
                await response.fail(trace_id)
            finally:
                self._finish(scope, span, response.status, time.perf_counter() - started)

    def _finish(self, scope: HTTPScope, span: trace.Span, status: int, seconds: float) -> None:
        route = scope.get("path_template")  # pyright: ignore[reportUnknownMemberType] - Litestar's TypedDict
        method = scope["method"]
        self._metrics.observe_request(method, route, status, seconds)
        if span.is_recording():
            span.update_name(f"{method} {route}" if route else method)
            span.set_attributes({"http.request.method": method, "http.response.status_code": status})
            if route:
                span.set_attribute("http.route", route)
            if status >= 500:
                span.set_status(trace.StatusCode.ERROR)
        if scope["path"] not in QUIET and logger.isEnabledFor(logging.INFO):
            fields = {"route": route, "status": status, "duration_ms": round(seconds * 1000, 2)}
            logger.info("%s %s", method, route or "(no route)", extra={"fields": fields})


class _ObservedSend:
    """Passes messages on, adding the request id and remembering the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id.encode()
        self._begun = False
        self.status = 499  # nginx's code for a caller that left before the answer began

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begun = True
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", self._request_id)]
        await self._send(message)

    async def fail(self, trace_id: str) -> None:
        """Answer 500, or abort the connection when the answer has begun."""
        if self._begun:
            raise ConnectionAbortedError("the answer broke off after it had begun")
        error = InternalError()
        body = error_body(error, trace_id)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self({"type": "http.response.start", "status": error.status, "headers": headers})
        await self({"type": "http.response.body", "body": body, "more_body": False})
