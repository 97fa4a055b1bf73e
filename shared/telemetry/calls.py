"""Metrics of the calls that this process makes to its neighbours."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from shared.telemetry.durations import Durations

_COUNTERS = {
    "retries": "Calls to a neighbour that were repeated.",
    "short_circuited": "Calls refused because the circuit to the neighbour is open.",
    "rejected": "Calls refused because too many to the neighbour were under way.",
}


class CallMetrics(Collector):
    """Counters by neighbour, to which one thread adds and from which others read.

    `breakers` holds the state of each circuit: 0 closed, 1 half-open, 2 open.
    """

    def __init__(self) -> None:
        self.breakers: dict[str, int] = {}
        self._counts = {name: Counter[str]() for name in _COUNTERS}

    def know(self, target: str) -> None:
        """Show the counters of a neighbour as 0: what appears with its first value never grew."""
        for counts in self._counts.values():
            counts[target] += 0

    def count(self, name: str, target: str) -> None:
        """Add one to the counter `name` of a neighbour."""
        self._counts[name][target] += 1

    def value(self, name: str, target: str) -> int:
        """Return how often `count` was called so."""
        return self._counts[name][target]

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it stands."""
        for name, description in _COUNTERS.items():
            counter = CounterMetricFamily(f"http_client_{name}", description, labels=("target",))
            for target, count in list(self._counts[name].items()):
                counter.add_metric([target], count)
            yield counter
        states = GaugeMetricFamily(
            "http_client_breaker_state",
            "State of the circuit: 0 closed, 1 half-open, 2 open.",
            labels=("target",),
        )
        for target, state in list(self.breakers.items()):
            states.add_metric([target], state)
        yield states


CALL_DURATIONS = Durations[str, str, int | str](
    "http_client_request_duration_seconds",
    "Time of an attempt to call a neighbour, to its answer's last byte; without a status if none came.",
    ("target", "method", "status"),
)

CALLS = CallMetrics()
"""Those of this process: calls are made by parts that do not know its registry."""
