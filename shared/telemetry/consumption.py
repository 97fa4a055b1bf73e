"""Spans of events that are consumed, linked to the requests that caused them."""

from collections.abc import Generator, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from shared.telemetry.context import RequestContext, enter_request

_TRACER = trace.get_tracer("gerai")
_PROPAGATOR = TraceContextTextMapPropagator()


@contextmanager
def consumer_span(stream: str, group: str, traceparents: Sequence[str | None]) -> Generator[None]:
    """Surround the handling of events, given the trace contexts of what caused them.

    Where none of these was recorded, nothing is. The span is linked to each that was; if there is one only,
    it belongs to its trace as well, as OpenTelemetry has it for messages that are handled singly
    (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/).
    """
    causes = [cause for each in traceparents if (cause := _recorded(each))]
    if not causes:
        yield
        return
    parent = trace.set_span_in_context(trace.NonRecordingSpan(causes[0]), Context())
    with _TRACER.start_as_current_span(
        f"process {stream}",
        context=parent if len(causes) == 1 else Context(),
        kind=SpanKind.CONSUMER,
        links=[Link(cause) for cause in causes],
        attributes={
            "messaging.system": "redis",
            "messaging.operation.name": "process",
            "messaging.operation.type": "process",
            "messaging.destination.name": stream,
            "messaging.consumer.group.name": group,
            "messaging.batch.message_count": len(traceparents),
        },
    ) as span:
        ids = span.get_span_context()
        trace_id, span_id = trace.format_trace_id(ids.trace_id), trace.format_span_id(ids.span_id)
        enter_request(RequestContext("", trace_id, span_id, span.is_recording()))
        try:
            yield
        finally:
            enter_request(None)


def _recorded(traceparent: str | None) -> SpanContext | None:
    if not traceparent or traceparent.endswith("-00"):  # most are
        return None
    context = _PROPAGATOR.extract({"traceparent": traceparent}, Context())
    found = trace.get_current_span(context).get_span_context()
    return found if found.is_valid and found.trace_flags.sampled else None
