"""Prometheus metrics, labelled by route template so that callers cannot add series."""

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector

from shared.telemetry.calls import CALLS
from shared.telemetry.durations import Durations
from shared.telemetry.statements import STATEMENTS

UNMATCHED = "unmatched"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Durations[str, str, int](
            "http_server_request_duration_seconds",
            "Time from the request's first byte to the answer's last.",
            ("method", "route", "status"),
        )
        for collector in (self._requests, CALLS, STATEMENTS):
            self.registry.register(collector)

    def observe_request(
        self, method: str, route: str | None, status: int, seconds: float, trace_id: str | None = None
    ) -> None:
        """Count one request of `route`, a template such as `/v1/stores/{uuid}`; None if none matched.

        `trace_id` is that of its trace, if it is recorded.
        """
        label = method if method in _METHODS else "OTHER"
        self._requests.observe((label, route or UNMATCHED, status), seconds, trace_id)

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the exposition that a scraper accepts, and its content type; OpenMetrics has exemplars."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type
