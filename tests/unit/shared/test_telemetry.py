"""What every request brings along and takes away: ids, trace context, metrics."""

import asyncio
import logging
import os
import sys
from datetime import datetime, timedelta
from typing import Any, NoReturn

import msgspec
import pytest
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.config import LogConfig, TracingConfig
from shared.telemetry.context import RequestContext, current_request, current_trace_id
from shared.telemetry.identifiers import AssignedIds
from shared.telemetry.light_spans import LightProvider
from shared.telemetry.logs import FLUSH_SECONDS, RequestLog, configure_logging
from shared.telemetry.metrics import Metrics
from shared.telemetry.middleware import RequestTelemetry
from shared.telemetry.sampling import MOST_FORCED_PER_SECOND, Sampling
from shared.telemetry.tracing import inject_trace_context, tracer_provider

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01".encode()


ALL = Sampling(1, follows_callers=True)
NONE = Sampling(0, follows_callers=False)


class Served:
    """One request through the middleware, and what was seen inside and outside."""

    def __init__(
        self,
        provider: TracerProvider,
        sampling: Sampling = ALL,
        *,
        fails_after: int | None = None,
        log: LogConfig | None = None,
        path: str = "/x",
    ) -> None:
        self.app: ASGIApp = self._app
        self._path = path
        self._sampling = sampling
        self.metrics = Metrics()
        self._log = RequestLog("test", log or LogConfig(level="ERROR"))
        self.outgoing: dict[str, str] = {}
        self.trace_id = self.span_id = self.request_id = ""
        self.child_records = True
        self.messages: list[Any] = []
        self._fails_after = fails_after
        self._provider = provider

    async def request(self, *headers: tuple[bytes, bytes]) -> None:
        scope: Any = {
            "type": "http",
            "method": "GET",
            "scheme": "http",
            "http_version": "1.1",
            "path": self._path,
            "headers": list(headers),
            "client": ("192.0.2.1", 50000),
        }
        telemetry = RequestTelemetry(self.app, self._provider, self.metrics, self._log, self._sampling)
        await telemetry(scope, self._receive, self._send)
        self._log.flush()

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        http_scope: HTTPScope = scope  # type: ignore[assignment] - only HTTP is served here
        http_scope["path_template"] = "/{any}"
        request = current_request()
        assert request
        self.request_id, self.trace_id = request.request_id, current_trace_id()
        self.span_id = request.span_id
        inject_trace_context(self.outgoing)
        self.child_records = self._provider.get_tracer("test").start_span("child").is_recording()
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        body: Message = {"type": "http.response.body", "body": b"", "more_body": False}
        for count, message in enumerate((start, body)):
            if count == self._fails_after:
                raise ValueError("budi@example.com is taken")
            await send(message)

    async def _receive(self) -> NoReturn:
        raise NotImplementedError

    async def _send(self, message: Message) -> None:
        self.messages.append(message)


@pytest.fixture
def spans() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def recording(spans: InMemorySpanExporter) -> TracerProvider:
    return LightProvider(SimpleSpanProcessor(spans), Resource.create(), AssignedIds())


@pytest.fixture
def silent() -> TracerProvider:
    return tracer_provider("test", TracingConfig(), "1", "test")


async def test_a_trace_is_continued_with_a_new_child_when_nothing_is_recorded(silent: TracerProvider) -> None:
    served = Served(silent)
    await served.request((b"traceparent", TRACEPARENT), (b"tracestate", b"vendor=1"))
    version, trace_id, span_id, flags = served.outgoing["traceparent"].split("-")
    assert (version, trace_id, flags) == ("00", TRACE, "01")
    assert span_id != PARENT
    assert served.outgoing["tracestate"] == "vendor=1"
    assert served.trace_id == TRACE
    assert not served.child_records


@pytest.mark.parametrize(
    "header",
    [
        None,
        b"",
        b"nonsense",
        f"00-{'0' * 32}-{PARENT}-01".encode(),
        f"00-{TRACE}-{'0' * 16}-01".encode(),
        f"00-{TRACE.upper()}-{PARENT}-01".encode(),
        TRACEPARENT + b"\n",
    ],
)
async def test_without_a_valid_traceparent_a_trace_begins(
    silent: TracerProvider, header: bytes | None
) -> None:
    served = Served(silent)
    await served.request(*([(b"traceparent", header), (b"tracestate", b"vendor=1")] if header else []))
    assert served.trace_id != TRACE
    assert len(served.trace_id) == 32
    assert served.outgoing["traceparent"].split("-")[1] == served.trace_id
    assert "tracestate" not in served.outgoing


async def test_a_recorded_span_is_the_child_of_the_callers(
    recording: TracerProvider, spans: InMemorySpanExporter
) -> None:
    served = Served(recording)
    await served.request((b"traceparent", TRACEPARENT))
    (span,) = spans.get_finished_spans()
    assert span.name == "GET /{any}"
    assert span.parent
    assert span.context
    assert trace.format_span_id(span.parent.span_id) == PARENT
    assert served.trace_id == TRACE
    assert served.outgoing["traceparent"].split("-")[2] == trace.format_span_id(span.context.span_id)


async def test_a_sane_request_id_is_kept_and_returned_once(silent: TracerProvider) -> None:
    served = Served(silent)
    await served.request((b"x-request-id", b"job-7.a_B"))
    assert served.request_id == "job-7.a_B"
    assert served.messages[0]["headers"] == [(b"x-request-id", b"job-7.a_B")]


@pytest.mark.parametrize("header", [b"", b"a b", b"x" * 129, b"a\xe9", b"<script>"])
async def test_any_other_request_id_is_replaced(silent: TracerProvider, header: bytes) -> None:
    served = Served(silent)
    await served.request((b"x-request-id", header))
    assert served.request_id.encode() != header
    assert len(served.request_id) == 36


@pytest.mark.parametrize("provider", ["silent", "recording"])
async def test_an_error_becomes_an_envelope_with_the_trace_id(
    provider: str, request: pytest.FixtureRequest
) -> None:
    served = Served(request.getfixturevalue(provider), fails_after=0)
    await served.request((b"traceparent", TRACEPARENT))
    start, body = served.messages
    assert start["status"] == 500
    assert TRACE.encode() in body["body"]


async def test_an_error_after_the_answer_began_aborts_it(silent: TracerProvider) -> None:
    served = Served(silent, fails_after=1)
    with pytest.raises(ConnectionAbortedError):
        await served.request()
    assert len(served.messages) == 1


async def test_a_request_leaves_one_line_with_its_ids(
    silent: TracerProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    served = Served(silent, log=LogConfig(level="INFO"))
    await served.request((b"x-request-id", b"job-7"), (b"traceparent", TRACEPARENT))
    (text,) = capsys.readouterr().out.splitlines()
    line = msgspec.json.decode(text)
    assert datetime.fromisoformat(line.pop("time")).utcoffset() == timedelta(0)
    assert line.pop("duration_ms") >= 0
    assert line == {
        "level": "INFO",
        "service": "test",
        "message": "GET /{any}",
        "request_id": "job-7",
        "trace_id": TRACE,
        "span_id": served.span_id,
        "user": None,
        "tenant": None,
        "route": "/{any}",
        "status": 200,
    }


async def test_a_line_for_a_person_is_text(
    silent: TracerProvider, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    config = LogConfig(level="INFO", format="console")
    configure_logging("test", config)
    await Served(silent, log=config).request()
    assert "GET /{any} route=/{any} status=200 duration_ms=" in capsys.readouterr().out


@pytest.mark.parametrize(("status", "colour"), [(200, ""), (404, "\x1b[33m"), (503, "\x1b[31m")])
def test_a_person_sees_at_once_what_failed(
    status: int, colour: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    config = LogConfig(level="INFO", format="console")
    configure_logging("test", config)
    RequestLog("test", config).write(RequestContext("", ""), "GET", "/x", status, 0.1)
    line = capsys.readouterr().out
    assert f"GET /x route=/x {colour}status={status}" in line
    assert "tenant" not in line


async def test_a_request_is_answered_though_nobody_reads_the_log(
    silent: TracerProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    served = Served(silent, log=LogConfig(level="INFO"))
    unread = os.fdopen(writer, "w")
    monkeypatch.setattr(sys, "stdout", unread)
    await served.request()
    assert served.messages[0]["status"] == 200
    with pytest.raises(BrokenPipeError):
        unread.close()


async def test_requests_are_counted_while_they_are_served(silent: TracerProvider) -> None:
    served, active = Served(silent), list[float | None]()
    app = served.app

    async def observed(scope: Scope, receive: Receive, send: Send) -> None:
        active.append(served.metrics.registry.get_sample_value("http_server_active_requests"))
        await app(scope, receive, send)

    served.app = observed
    await served.request()
    active.append(served.metrics.registry.get_sample_value("http_server_active_requests"))
    assert active == [1, 0]


async def test_requests_are_counted_by_route(silent: TracerProvider) -> None:
    served = Served(silent)
    await served.request()
    line = 'http_server_request_duration_seconds_count{method="GET",route="/{any}",status="200"} 1.0'
    assert line in served.metrics.render()[0].decode()


def lines_of(metrics: Metrics) -> set[str]:
    prefix = "http_server_request_duration_seconds_"
    return {line.removeprefix(prefix) for line in metrics.render()[0].decode().splitlines()}


def test_durations_are_counted_in_cumulative_buckets_with_inclusive_bounds() -> None:
    metrics = Metrics()
    for seconds in (0.001, 0.0011, 31):
        metrics.observe_request("GET", "/x", 200, seconds)
    lines = lines_of(metrics)
    labels = 'method="GET",route="/x",status="200"'
    for bound, count in (("0.001", 1), ("0.0025", 2), ("1.0", 2), ("30.0", 2), ("+Inf", 3)):
        assert f'bucket{{le="{bound}",{labels}}} {count}.0' in lines
    assert f"count{{{labels}}} 3.0" in lines
    assert f"sum{{{labels}}} 31.0021" in lines


def test_callers_cannot_add_series() -> None:
    metrics = Metrics()
    for number in range(3):
        metrics.observe_request(f"BREW{number}", None, 404, 0.1)
    assert 'count{method="OTHER",route="unmatched",status="404"} 3.0' in lines_of(metrics)


@pytest.mark.parametrize("status", ["200", "500"])
async def test_a_recorded_span_tells_the_status(
    recording: TracerProvider, spans: InMemorySpanExporter, status: str
) -> None:
    await Served(recording, fails_after=None if status == "200" else 0).request()
    (span,) = [span for span in spans.get_finished_spans() if span.name != "child"]
    assert span.attributes
    assert str(span.attributes["http.response.status_code"]) == status
    assert span.status.is_ok or status == "500"


async def test_lines_wait_for_others_and_are_written_soon(capsys: pytest.CaptureFixture[str]) -> None:
    log = RequestLog("test", LogConfig(level="INFO"))
    for number in range(3):
        log.write(RequestContext(str(number), ""), "GET", "/x", 200, 0.1)
    assert not capsys.readouterr().out
    await asyncio.sleep(2 * FLUSH_SECONDS)
    lines = capsys.readouterr().out.splitlines()
    assert [msgspec.json.decode(line)["request_id"] for line in lines] == ["0", "1", "2"]


async def test_what_is_not_chosen_is_not_recorded_and_its_calls_are_told(
    recording: TracerProvider, spans: InMemorySpanExporter
) -> None:
    served = Served(recording, NONE)
    await served.request((b"traceparent", TRACEPARENT))
    assert not spans.get_finished_spans()
    _, trace_id, span_id, flags = served.outgoing["traceparent"].split("-")
    assert (trace_id, flags) == (TRACE, "00")
    assert span_id not in {PARENT, "0" * 16}


async def test_a_failure_is_recorded_though_it_was_not_chosen(
    recording: TracerProvider, spans: InMemorySpanExporter
) -> None:
    served = Served(recording, NONE, fails_after=0)
    await served.request((b"traceparent", TRACEPARENT))
    (span,) = spans.get_finished_spans()
    assert span.context
    assert span.parent
    assert trace.format_trace_id(span.context.trace_id) == TRACE
    assert trace.format_span_id(span.context.span_id) == served.outgoing["traceparent"].split("-")[2]
    assert trace.format_span_id(span.parent.span_id) == PARENT
    assert span.attributes
    assert span.attributes["error.type"] == "ValueError"
    (exception,) = span.events
    assert "b…@example.com is taken" in str(exception.attributes)
    assert "budi@" not in str(exception.attributes)
    assert span.start_time
    assert span.end_time
    assert span.start_time <= span.end_time


async def test_a_failure_that_begins_a_trace_is_recorded_under_the_id_that_its_caller_was_told(
    recording: TracerProvider, spans: InMemorySpanExporter
) -> None:
    served = Served(recording, NONE, fails_after=0)
    await served.request()
    (span,) = spans.get_finished_spans()
    assert span.context
    assert trace.format_trace_id(span.context.trace_id) == served.trace_id
    assert span.parent is None


async def test_callers_may_have_a_few_requests_recorded(
    recording: TracerProvider, spans: InMemorySpanExporter
) -> None:
    for _ in range(3 * MOST_FORCED_PER_SECOND):
        await Served(recording, NONE).request((b"x-force-trace", b"1"))
    forced = len(spans.get_finished_spans())
    assert MOST_FORCED_PER_SECOND <= forced <= 2 * MOST_FORCED_PER_SECOND


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_probes_are_not_recorded(
    recording: TracerProvider, spans: InMemorySpanExporter, path: str
) -> None:
    await Served(recording, path=path).request()
    assert not spans.get_finished_spans()


def test_a_service_follows_its_caller_and_the_gateway_does_not() -> None:
    service, gateway = Sampling(0, follows_callers=True), Sampling(0, follows_callers=False)
    assert service.wanted(b"01", asked_for=False)
    assert service.wanted(b"03", asked_for=False)
    assert not Sampling(1, follows_callers=True).wanted(b"00", asked_for=False)
    assert not gateway.wanted(b"01", asked_for=False)
    assert not service.wanted(None, asked_for=False)


def test_the_ratio_is_the_share_that_is_recorded() -> None:
    sampling = Sampling(0.1, follows_callers=False)
    wanted = sum(sampling.wanted(None, asked_for=False) for _ in range(10_000))
    assert 800 < wanted < 1200


async def test_a_recorded_request_is_the_exemplar_of_its_bucket(recording: TracerProvider) -> None:
    served = Served(recording)
    await served.request()
    text, content_type = served.metrics.render("application/openmetrics-text; version=1.0.0")
    assert content_type.startswith("application/openmetrics-text")
    assert f'# {{trace_id="{served.trace_id}"}}' in text.decode()


async def test_a_request_that_is_not_recorded_is_nobodys_exemplar(recording: TracerProvider) -> None:
    served = Served(recording, NONE)
    await served.request()
    assert "# {" not in served.metrics.render("application/openmetrics-text; version=1.0.0")[0].decode()
