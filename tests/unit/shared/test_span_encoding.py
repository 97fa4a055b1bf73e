from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as EncodedSpan
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    TraceState,
    set_span_in_context,
)

from shared.telemetry.encoding import encoded

TEXT = st.text(max_size=300)
PLAIN = TEXT | st.booleans() | st.integers(-(2**63), 2**63 - 1)
UNUSUAL = st.floats(allow_nan=False) | st.lists(TEXT.filter(bool), max_size=3)


class Recording:
    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        provider = TracerProvider(resource=Resource({"service.name": "gerai-test", "numbers": [1, 2]}))
        provider.add_span_processor(SimpleSpanProcessor(self._kept))
        self.tracer = provider.get_tracer("gerai", "1")
        self.other_tracer = provider.get_tracer("another", "2", attributes={"of": "scope"})

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        return self._kept.get_finished_spans()


def by_id(body: bytes) -> dict[bytes, tuple[str, str, EncodedSpan]]:
    return {
        span.span_id: (str(resource.resource), str(scope.scope), span)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }


def assert_encoded_like_the_library_does(spans: Sequence[ReadableSpan]) -> None:
    ours = by_id(encoded(spans))
    assert len(ours) == len(spans)
    assert ours == by_id(encode_spans(spans).SerializeToString())


@given(
    name=TEXT,
    kind=st.sampled_from(SpanKind),
    attributes=st.dictionaries(TEXT.filter(bool), PLAIN | UNUSUAL, max_size=12),
)
def test_any_name_kind_and_attributes_are_encoded_as_the_library_does(
    name: str, kind: SpanKind, attributes: dict[str, str | bool | int | float | list[str]]
) -> None:
    recording = Recording()
    recording.tracer.start_span(name, kind=kind, attributes=attributes).end()
    assert_encoded_like_the_library_does(recording.spans)


@pytest.mark.parametrize("length", [0, 1, 100, 120, 127, 128, 129, 16383, 16384, 70_000])
def test_a_length_is_told_in_as_many_bytes_as_it_takes(length: int) -> None:
    recording = Recording()
    recording.tracer.start_span("x" * length, attributes={"text": "y" * length}).end()
    assert_encoded_like_the_library_does(recording.spans)


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("state", [TraceState(), TraceState([("vendor", "value")])])
def test_parents_are_encoded_as_the_library_does(state: TraceState, *, remote: bool) -> None:
    recording = Recording()
    context = SpanContext(7, 9, remote, TraceFlags(1), state)
    parent = set_span_in_context(NonRecordingSpan(context))
    recording.tracer.start_span("child", context=parent).end()
    assert_encoded_like_the_library_does(recording.spans)


def test_a_batch_of_every_sort_loses_nothing() -> None:
    recording = Recording()
    for tracer in (recording.tracer, recording.other_tracer, recording.tracer):
        tracer.start_span("usual", attributes={"whole": 1, "true": True}).end()
        failed = tracer.start_span("failed")
        failed.set_status(StatusCode.ERROR, "told")
        failed.record_exception(ValueError("wrong"))
        failed.end()
        tracer.start_span("linked", links=[Link(SpanContext(1, 2, is_remote=True))]).end()
    assert_encoded_like_the_library_does(recording.spans)
