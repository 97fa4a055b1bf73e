"""Spans of what a request causes: queries, commands, calls. Where nothing is recorded they cost nothing.

Names and attributes follow OpenTelemetry's conventions (https://opentelemetry.io/docs/specs/semconv/).
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from opentelemetry import trace
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


@contextmanager
def command_span(command: bytes | str | int, host: str, port: int) -> Generator[None]:
    """Surround a Redis command; its keys and values are not shown."""
    name = command.decode() if isinstance(command, bytes) else str(command)
    attributes = {
        "db.system.name": "redis",
        "db.operation.name": name,
        "server.address": host,
        "server.port": port,
    }
    with _ending(begin_client_span(name, attributes)):
        yield


@contextmanager
def call_span(method: str, service: str, base_url: str, path: str) -> Generator[Span]:
    """Surround an attempt to call a neighbour; its trace context is the one to pass on.

    Its name is the method alone: paths have ids in them, and a client has no route.
    """
    address = urlsplit(base_url)
    span = begin_client_span(
        method,
        {
            "http.request.method": method,
            "url.full": f"{base_url.rstrip('/')}{path}",
            "server.address": address.hostname or "",
            "server.port": address.port or (443 if address.scheme == "https" else 80),
            "peer.service": f"gerai-{service}",
        },
    )
    with _ending(span), trace.use_span(span, record_exception=False, set_status_on_exception=False):
        yield span


def note_answer(span: Span, status: int) -> None:
    """Note the status of an answer; to who called, any 4xx or 5xx is an error."""
    span.set_attribute("http.response.status_code", status)
    if status >= 400:
        span.set_attribute("error.type", str(status))
        span.set_status(StatusCode.ERROR)


@contextmanager
def _ending(span: Span) -> Generator[None]:
    failure: BaseException | None = None
    try:
        yield
    except BaseException as error:
        failure = error
        raise
    finally:
        end_span(span, failure)
