"""Spans on their way to a collector, by OTLP over HTTP."""

import gzip
import logging
from collections.abc import Sequence

import httpx
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from shared.telemetry.encoding import encoded

EXPORT_SECONDS = 5

logger = logging.getLogger("gerai.telemetry")

_FASTEST = 1
_HEADERS = {"content-type": "application/x-protobuf", "content-encoding": "gzip"}


class Exporter(SpanExporter):
    """Sends batches of spans; one that a collector does not take within 5 s is lost.

    A batch is not sent again: while a collector is away, old spans would take the room of newer ones.
    """

    def __init__(self, endpoint: str) -> None:
        self._url = f"{endpoint.rstrip('/')}/v1/traces"
        self._http = httpx.Client(timeout=EXPORT_SECONDS, headers=_HEADERS)
        self._losing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send a batch, and tell whether it was taken."""
        try:
            body = gzip.compress(encoded(spans), _FASTEST)
            self._http.post(self._url, content=body).raise_for_status()
        except httpx.HTTPError as error:
            self._note_loss(error)
            return SpanExportResult.FAILURE
        self._losing = False
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        """Close the connection."""
        self._http.close()

    def _note_loss(self, error: httpx.HTTPError) -> None:
        """Say once that spans are lost, until one batch is taken again."""
        if not self._losing:
            logger.warning("Spans are lost: the collector at %s failed: %r", self._url, error)
        self._losing = True
