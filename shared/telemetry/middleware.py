"""The outermost ASGI layer: request id, trace, log line and metrics of every request."""

import logging
import time
from collections.abc import Awaitable, Mapping

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

from shared.errors import InternalError
from shared.responses import error_body
from shared.telemetry.context import (
    RequestContext,
    current_trace_id,
    enter_request,
    request_id_from,
)
from shared.telemetry.logs import RequestLog
from shared.telemetry.metrics import Metrics
from shared.telemetry.tracing import enter_unrecorded, records, remote_context

logger = logging.getLogger("gerai.http")

QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that probes and scrapers ask for: they are measured, not logged."""


_HEADERS = frozenset({b"x-request-id", b"traceparent", b"tracestate"})


class RequestTelemetry:
    """Wraps an ASGI application.

    Every response carries `X-Request-ID`; an error that escapes the application becomes a 500 envelope,
    or an aborted connection when the answer has begun.
    """

    def __init__(self, app: ASGIApp, provider: TracerProvider, metrics: Metrics, log: RequestLog) -> None:
        self._app = app
        self._records = records(provider)
        self._tracer = provider.get_tracer("gerai")
        self._metrics = metrics
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = {name: value for name, value in scope["headers"] if name in _HEADERS}
        request_id = request_id_from(headers.get(b"x-request-id"))
        response = _ObservedSend(send, request_id)
        try:
            if self._records:
                await self._serve_recorded(scope, receive, response, headers)
            else:
                enter_unrecorded(headers, request_id)
                await self._app(scope, receive, response)
        except Exception:
            logger.exception("Unhandled error")
            await response.fail(current_trace_id())
        finally:
            self._note(scope, response.status, time.perf_counter() - started)

    async def _serve_recorded(
        self, scope: HTTPScope, receive: Receive, response: "_ObservedSend", headers: Mapping[bytes, bytes]
    ) -> None:
        method = scope["method"]
        span = self._tracer.start_span(method, context=remote_context(headers), kind=trace.SpanKind.SERVER)
        trace_id = trace.format_trace_id(span.get_span_context().trace_id)
        enter_request(RequestContext(response.request_id, trace_id))
        with trace.use_span(span, end_on_exit=True):
            try:
                await self._app(scope, receive, response)
            except Exception:
                _describe(span, method, _route(scope), InternalError.status)
                raise
            _describe(span, method, _route(scope), response.status)

    def _note(self, scope: HTTPScope, status: int, seconds: float) -> None:
        method, route = scope["method"], _route(scope)
        self._metrics.observe_request(method, route, status, seconds)
        if self._log.wanted and scope["path"] not in QUIET:
            fields = {"route": route, "status": status, "duration_ms": round(seconds * 1000, 2)}
            self._log.write(f"{method} {route or '(no route)'}", fields)


def _route(scope: HTTPScope) -> str | None:
    return scope["path_template"] if "path_template" in scope else None  # noqa: SIM401 - get is untyped


def _describe(span: trace.Span, method: str, route: str | None, status: int) -> None:
    if not span.is_recording():
        return
    span.update_name(f"{method} {route}" if route else method)
    span.set_attributes({"http.request.method": method, "http.response.status_code": status})
    if route:
        span.set_attribute("http.route", route)
    if status >= 500:
        span.set_status(trace.StatusCode.ERROR)


class _ObservedSend:
    """Passes messages on, adding the request id and remembering the status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self.request_id = request_id
        self.status = 499  # nginx's code for a caller that left before the answer began
        self._send = send
        self._begun = False

    def __call__(self, message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self._begun = True
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", self.request_id.encode())]
        return self._send(message)

    async def fail(self, trace_id: str) -> None:
        """Answer 500, or abort the connection when the answer has begun."""
        if self._begun:
            raise ConnectionAbortedError("the answer broke off after it had begun")
        error = InternalError()
        body = error_body(error, trace_id)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await self({"type": "http.response.start", "status": error.status, "headers": headers})
        await self({"type": "http.response.body", "body": body, "more_body": False})
