"""Prometheus metrics, labelled by route template so that callers cannot add series."""

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.process_collector import ProcessCollector

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNMATCHED = "unmatched"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "http_server_request_duration_seconds",
            "Time from the request's first byte to the answer's last.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._children: dict[tuple[str, str, int], Histogram] = {}

    def observe_request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one request of `route`, a template such as `/v1/stores/{uuid}`; None if none matched."""
        key = (method, route or UNMATCHED, status)
        child = self._children.get(key)
        if child is None:
            label = method if method in _METHODS else "OTHER"
            child = self._requests.labels(label, key[1], str(status))
            if label == method:
                self._children[key] = child
        child.observe(seconds)

    def render(self) -> bytes:
        """Return the exposition text that Prometheus scrapes."""
        return generate_latest(self.registry)
