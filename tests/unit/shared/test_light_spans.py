"""Our spans beside the SDK's: whatever is done with one, both tell the same."""

import json
from collections.abc import Callable

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, Tracer, TraceState

from shared.telemetry.light_spans import LightProvider

RESOURCE = Resource({"service.name": "gerai-test"})


class StoreClosed(Exception):
    pass


class Counting(IdGenerator):
    def __init__(self) -> None:
        self._last = 0

    def generate_span_id(self) -> int:
        self._last += 1
        return self._last

    def generate_trace_id(self) -> int:
        return self.generate_span_id()

    def is_trace_id_random(self) -> bool:
        return True


def within(flags: int, state: TraceState | None = None) -> Context:
    caller = SpanContext(70, 90, is_remote=True, trace_flags=TraceFlags(flags), trace_state=state)
    return trace.set_span_in_context(trace.NonRecordingSpan(caller), Context())


def begun_with_everything(tracer: Tracer) -> None:
    span = tracer.start_span("GET", kind=SpanKind.SERVER, attributes={"a": 1, "b": "x"}, start_time=5)
    span.update_name("GET /x")
    span.set_attribute("a", 2)
    span.set_attributes({"c": "y"})
    span.end(9)


def of_a_caller(tracer: Tracer) -> None:
    for context in (within(1), within(3), within(1, TraceState([("vendor", "value")]))):
        tracer.start_span("GET", context, start_time=5).end(9)


def of_nobody(tracer: Tracer) -> None:
    tracer.start_span("GET", trace.set_span_in_context(trace.INVALID_SPAN), start_time=5).end(9)


def within_another(tracer: Tracer) -> None:
    with trace.use_span(tracer.start_span("outer", start_time=5)) as outer:
        tracer.start_span("inner", start_time=6).end(7)
    outer.end(9)


def failed(tracer: Tracer) -> None:
    span = tracer.start_span("GET", start_time=5)
    span.set_status(StatusCode.ERROR, "told")
    for error in (ValueError("wrong"), StoreClosed()):
        span.record_exception(error, {"exception.stacktrace": "(not shown)"}, timestamp=7)
    span.add_event("noted", {"a": 1}, timestamp=8)
    span.end(9)


def ended_twice(tracer: Tracer) -> None:
    span = tracer.start_span("GET", start_time=5)
    assert span.is_recording()
    span.end(9)
    span.end(10)
    assert not span.is_recording()
    span.set_attribute("late", 1)


def linked(tracer: Tracer) -> None:
    tracer.start_span("process", links=[Link(SpanContext(1, 2, is_remote=True))], start_time=5).end(9)


def around(tracer: Tracer) -> None:
    with tracer.start_as_current_span("process", start_time=5, end_on_exit=False) as span:
        tracer.start_span("inner", start_time=6).end(7)
    span.end(9)


def told(
    provider: TracerProvider, does: Callable[[Tracer], None], kept: InMemorySpanExporter
) -> list[object]:
    does(provider.get_tracer("gerai"))
    return [
        (json.loads(span.to_json()), span.context, span.parent, span.instrumentation_scope)
        for span in kept.get_finished_spans()
    ]


@pytest.mark.parametrize(
    "does",
    [begun_with_everything, of_a_caller, of_nobody, within_another, failed, ended_twice, linked, around],
)
def test_a_span_of_ours_tells_what_the_sdks_does(does: Callable[[Tracer], None]) -> None:
    ours, its = InMemorySpanExporter(), InMemorySpanExporter()
    light = LightProvider(SimpleSpanProcessor(ours), RESOURCE, Counting())
    full = TracerProvider(resource=RESOURCE, id_generator=Counting())
    full.add_span_processor(SimpleSpanProcessor(its))
    assert told(light, does, ours) == told(full, does, its) != []


def test_spans_of_one_scope_share_it_so_that_they_are_sent_together() -> None:
    light = LightProvider(SimpleSpanProcessor(InMemorySpanExporter()), RESOURCE, Counting())
    assert light.get_tracer("gerai") is light.get_tracer("gerai", None)
    assert light.get_tracer("gerai") is not light.get_tracer("another")
