"""Spans of what a request causes: queries, commands, calls. Where nothing is recorded they cost nothing.

Names and attributes follow OpenTelemetry's conventions (https://opentelemetry.io/docs/specs/semconv/).
"""

from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from urllib.parse import urlsplit

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

_TRACER = trace.get_tracer("gerai")


def begin_client_span(name: str, attributes: Mapping[str, AttributeValue]) -> Span:
    """Begin the span of something asked of another process; `end_span` ends it.

    Only where `is_recorded`: elsewhere it would begin a trace of its own.
    """
    return _TRACER.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)


def end_span(span: Span, error: BaseException | None = None) -> None:
    """End a span, with what it failed of."""
    if error is not None:
        span.set_attribute("error.type", type(error).__qualname__)
        span.set_status(StatusCode.ERROR)
    span.end()


class ClientSpan:
    """Surrounds something asked of another process; within, the span is the current one."""

    __slots__ = ("_span", "_token")

    def __init__(self, name: str, attributes: Mapping[str, AttributeValue]) -> None:
        self._span = begin_client_span(name, attributes)

    def __enter__(self) -> Span:
        """Return the span, whose trace context is the one to pass on."""
        self._token = context.attach(trace.set_span_in_context(self._span))
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        """End the span, with what it failed of."""
        context.detach(self._token)
        end_span(self._span, error)


def command_span(command: bytes | str | int, host: str, port: int) -> ClientSpan:
    """Surround a Redis command; its keys and values are not shown."""
    name = command.decode() if isinstance(command, bytes) else str(command)
    attributes = {
        "db.system.name": "redis",
        "db.operation.name": name,
        "server.address": host,
        "server.port": port,
    }
    return ClientSpan(name, attributes)


def call_span(method: str, service: str, base_url: str, path: str) -> ClientSpan:
    """Surround an attempt to call a neighbour.

    Its name is the method alone: paths have ids in them, and a client has no route.
    """
    attributes = {
        **_neighbour(service, base_url),
        "http.request.method": method,
        "url.full": f"{base_url.rstrip('/')}{path}",
    }
    return ClientSpan(method, attributes)


def note_answer(span: Span, status: int) -> None:
    """Note the status of an answer; to who called, any 4xx or 5xx is an error."""
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


@lru_cache(maxsize=64)
def _neighbour(service: str, base_url: str) -> dict[str, AttributeValue]:
    address = urlsplit(base_url)
    return {
        "server.address": address.hostname or "",
        "server.port": address.port or (443 if address.scheme == "https" else 80),
        "peer.service": f"gerai-{service}",
    }
