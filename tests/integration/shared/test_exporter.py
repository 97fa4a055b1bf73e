"""Spans on their way to a collector, and what becomes of them when there is none."""

import logging
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from infra.embedded.ports import free_port
from shared.telemetry.exporter import Exporter
from tests.support.otlp import collecting


@pytest.fixture
def spans() -> Sequence[ReadableSpan]:
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("gerai")
    for name in ("first", "second", "third"):
        tracer.start_span(name).end()
    return kept.get_finished_spans()


@contextmanager
def exporting(url: str) -> Generator[Exporter]:
    exporter = Exporter(url)
    yield exporter
    exporter.shutdown()


def test_a_collector_gets_each_span_once(spans: Sequence[ReadableSpan]) -> None:
    with collecting() as sink, exporting(f"{sink.url}/") as exporter:
        for batch in (spans[:2], spans[2:]):
            assert exporter.export(batch) is SpanExportResult.SUCCESS
    assert [span.name for span in sink.spans] == ["first", "second", "third"]


def test_the_loss_of_spans_is_told_once(
    spans: Sequence[ReadableSpan], caplog: pytest.LogCaptureFixture
) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with caplog.at_level(logging.WARNING, "gerai.telemetry"), exporting(nobody) as exporter:
        for _ in range(3):
            assert exporter.export(spans) is SpanExportResult.FAILURE
    assert [record.getMessage().partition(":")[0] for record in caplog.records] == ["Spans are lost"]


def test_a_text_that_is_no_unicode_costs_no_batch() -> None:
    kept, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(kept))
    provider.get_tracer("gerai").start_span("\ud800", attributes={"path": "/\udcff"}).end()
    with collecting() as sink, exporting(sink.url) as exporter:
        assert exporter.export(kept.get_finished_spans()) is SpanExportResult.SUCCESS
    assert [(span.name, span.attributes) for span in sink.spans] == [("?", {"path": "/?"})]
