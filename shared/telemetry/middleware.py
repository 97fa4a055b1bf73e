"""The outermost ASGI layer: request id, trace, log line and metrics of every request."""

import logging
import time
import traceback
from collections.abc import Awaitable, Mapping

from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Span, SpanKind, StatusCode

from shared.errors import InternalError
from shared.responses import error_body
from shared.telemetry.context import (
    RequestContext,
    current_trace_id,
    enter_request,
    request_id_from,
)
from shared.telemetry.identifiers import assigned
from shared.telemetry.logs import RequestLog
from shared.telemetry.metrics import Metrics
from shared.telemetry.redaction import redacted
from shared.telemetry.sampling import Sampling
from shared.telemetry.tracing import enter_unrecorded, parent_of, records, remote_context

logger = logging.getLogger("gerai.http")

QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
"""Paths that probes and scrapers ask for: they are measured, neither logged nor recorded."""

FORCE_HEADER = b"x-force-trace"
"""With any value, the caller wants the request recorded, whatever the ratio says."""

_HEADERS = frozenset({b"x-request-id", b"traceparent", b"tracestate", FORCE_HEADER})


class RequestTelemetry:
    """Wraps an ASGI application.

    Every response carries `X-Request-ID`; an error that escapes the application becomes a 500 envelope,
    or an aborted connection when the answer has begun. A request that fails with a 5xx is recorded even when
    it was not chosen to be: its own span only, since what it did is known no longer.
    """

    def __init__(
        self,
        app: ASGIApp,
        provider: TracerProvider,
        metrics: Metrics,
        log: RequestLog,
        sampling: Sampling,
    ) -> None:
        self._app = app
        self._records = records(provider)
        self._tracer = provider.get_tracer("gerai")
        self._metrics = metrics
        self._log = log
        self._sampling = sampling

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = {name: value for name, value in scope["headers"] if name in _HEADERS}
        response = _ObservedSend(send, request_id_from(headers.get(b"x-request-id")))
        request, span = self._begin(scope, headers, response.request_id)
        self._metrics.active += 1
        try:
            if span is None:
                await self._app(scope, receive, response)
            else:
                with trace.use_span(span, record_exception=False, set_status_on_exception=False):
                    await self._app(scope, receive, response)
        except Exception as error:
            request.failure = error
            logger.exception("Unhandled error")
            await response.fail(current_trace_id())
        finally:
            self._metrics.active -= 1
            self._end(scope, headers, request, span, response.status, time.perf_counter() - started)

    def _begin(
        self, scope: HTTPScope, headers: Mapping[bytes, bytes], request_id: str
    ) -> tuple[RequestContext, Span | None]:
        parent = parent_of(headers)
        forced = FORCE_HEADER in headers
        if (
            not self._records
            or not self._sampling.wanted(parent and parent.flags, asked_for=forced)
            or scope["path"] in QUIET
        ):
            return enter_unrecorded(headers, request_id, parent, keeps_flags=not self._records), None
        span = self._tracer.start_span(scope["method"], context=remote_context(headers), kind=SpanKind.SERVER)
        ids = span.get_span_context()
        request = RequestContext(
            request_id,
            trace.format_trace_id(ids.trace_id),
            trace.format_span_id(ids.span_id),
            recorded=True,
        )
        enter_request(request)
        return request, span

    def _end(
        self,
        scope: HTTPScope,
        headers: Mapping[bytes, bytes],
        request: RequestContext,
        span: Span | None,
        status: int,
        seconds: float,
    ) -> None:
        if span is None and status >= 500 and self._records:
            span = self._late_span(scope, headers, request, seconds)
        if span is not None:
            _describe(span, scope, request, status)
            span.end()
        self._note(scope, request, status, seconds, recorded=span is not None)

    def _late_span(
        self, scope: HTTPScope, headers: Mapping[bytes, bytes], request: RequestContext, seconds: float
    ) -> Span:
        with assigned(request.trace_id, request.span_id):
            return self._tracer.start_span(
                scope["method"],
                context=remote_context(headers),
                kind=SpanKind.SERVER,
                start_time=time.time_ns() - int(seconds * 1e9),
            )

    def _note(
        self, scope: HTTPScope, request: RequestContext, status: int, seconds: float, *, recorded: bool
    ) -> None:
        method, route = scope["method"], _route(scope)
        self._metrics.observe_request(method, route, status, seconds, request.trace_id if recorded else None)
        if self._log.wanted and scope["path"] not in QUIET:
            self._log.write(request, method, route, status, seconds)


def _route(scope: HTTPScope) -> str | None:
    return scope["path_template"] if "path_template" in scope else None  # noqa: SIM401 - get is untyped


def _describe(span: Span, scope: HTTPScope, request: RequestContext, status: int) -> None:
    """Tell of a request what OpenTelemetry's HTTP server spans have.

    The query is left out: what people search for is nobody's business.
    """
    method, route = scope["method"], _route(scope)
    attributes: dict[str, str | int] = {
        "http.request.method": method,
        "url.path": scope["path"],
        "url.scheme": scope["scheme"],
        "network.protocol.version": scope["http_version"],
        "http.response.status_code": status,
        "gerai.request_id": request.request_id,
    }
    if scope["client"]:
        attributes["client.address"] = scope["client"][0]
    if route:
        span.update_name(f"{method} {route}")
        attributes["http.route"] = route
    if request.user:
        attributes["user.id"] = request.user
    if request.tenant:
        attributes["gerai.tenant"] = str(request.tenant)
    span.set_attributes(attributes)
    if status >= 500:
        _describe_failure(span, request.failure, status)


def _describe_failure(span: Span, failure: BaseException | None, status: int) -> None:
    span.set_attribute("error.type", type(failure).__qualname__ if failure else str(status))
    span.set_status(StatusCode.ERROR)
    if failure:
        span.record_exception(failure, _told(failure))


def _told(failure: BaseException) -> dict[str, str]:
    """Return what a span tells of a failure: no more than a log does."""
    return {
        "exception.message": redacted(str(failure)),
        "exception.stacktrace": redacted("".join(traceback.format_exception(failure))),
    }


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
