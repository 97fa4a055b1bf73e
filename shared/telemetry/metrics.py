"""Prometheus metrics, labelled by route template so that callers cannot add series."""

from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from shared.telemetry.calls import CALLS

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNMATCHED = "unmatched"

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BOUNDS = [*map(str, _BUCKETS), "+Inf"]


class Metrics:
    """The metrics of one process, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = _RequestDurations()
        self.registry.register(self._requests)
        self.registry.register(CALLS)

    def observe_request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count one request of `route`, a template such as `/v1/stores/{uuid}`; None if none matched."""
        label = method if method in _METHODS else "OTHER"
        self._requests.observe((label, route or UNMATCHED, status), seconds)

    def render(self) -> bytes:
        """Return the exposition text that Prometheus scrapes."""
        return generate_latest(self.registry)


class _RequestDurations(Collector):
    """A histogram to which one thread adds and from which others read.

    prometheus_client's own takes three locks and walks its buckets for each request, at five times the cost.
    """

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], list[int]] = {}
        self._seconds: dict[tuple[str, str, int], float] = {}

    def observe(self, labels: tuple[str, str, int], seconds: float) -> None:
        """Count one request that took `seconds`."""
        counts = self._counts.get(labels)
        if counts is None:
            self._seconds[labels] = 0.0
            counts = self._counts[labels] = [0] * len(_BOUNDS)
        counts[bisect_left(_BUCKETS, seconds)] += 1
        self._seconds[labels] += seconds

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram as it stands."""
        family = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Time from the request's first byte to the answer's last.",
            labels=("method", "route", "status"),
        )
        for labels, counts in list(self._counts.items()):
            buckets = list(zip(_BOUNDS, accumulate(counts), strict=True))
            family.add_metric([*map(str, labels)], buckets, self._seconds[labels])
        yield family
