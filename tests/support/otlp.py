"""A collector of our own: keeps the spans and log lines that are exported by OTLP over HTTP."""

import gzip
import threading
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

SERVER, CLIENT, CONSUMER = 2, 3, 5


@dataclass(frozen=True)
class ReceivedSpan:
    """A span as it was exported; ids are hexadecimal, `parent_id` is empty for the first of a trace."""

    service: str
    name: str
    kind: int
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    links: list[str]
    failed: bool


@dataclass(frozen=True)
class ReceivedLine:
    """A log line as it was exported; the trace id is hexadecimal."""

    service: str
    body: str
    level: str
    trace_id: str


@dataclass
class Sink:
    """What was received so far."""

    url: str
    spans: list[ReceivedSpan] = field(default_factory=list[ReceivedSpan])
    lines: list[ReceivedLine] = field(default_factory=list[ReceivedLine])

    def trace(self, trace_id: str) -> list[ReceivedSpan]:
        """Return the spans of a trace."""
        return [span for span in list(self.spans) if span.trace_id == trace_id]


@contextmanager
def collecting() -> Generator[Sink]:
    """Collect spans and lines until the block ends."""
    sink = Sink("")

    def keep(path: str, headers: Message, body: bytes) -> None:
        content = gzip.decompress(body) if headers["Content-Encoding"] == "gzip" else body
        if path.endswith("/v1/logs"):
            sink.lines.extend(_lines(ExportLogsServiceRequest.FromString(content)))
        else:
            sink.spans.extend(spans_in(ExportTraceServiceRequest.FromString(content)))

    with taking(keep) as sink.url:
        yield sink


@contextmanager
def taking(keep: Callable[[str, Message, bytes], None]) -> Generator[str]:
    """Give `keep` the path, headers and body of each export until the block ends; the value is where to."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            keep(self.path, self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def _lines(request: ExportLogsServiceRequest) -> Iterable[ReceivedLine]:
    for resource in request.resource_logs:
        service = _values(resource.resource.attributes).get("service.name", "")
        for scope in resource.scope_logs:
            for line in scope.log_records:
                yield ReceivedLine(service, line.body.string_value, line.severity_text, line.trace_id.hex())


def spans_in(request: ExportTraceServiceRequest) -> Iterable[ReceivedSpan]:
    """Yield the spans of an export."""
    for resource in request.resource_spans:
        service = _values(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield ReceivedSpan(
                    service=service,
                    name=span.name,
                    kind=span.kind,
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex(),
                    attributes=_values(span.attributes),
                    links=[link.trace_id.hex() for link in span.links],
                    failed=span.status.code == 2,
                )


def _values(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "") for each in attributes}
