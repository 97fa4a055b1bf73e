"""Histograms to which one thread adds and from which others read.

prometheus_client's own takes three locks and walks its buckets for each value, at five times the cost.
"""

import time
from bisect import bisect_left
from collections.abc import Iterator
from itertools import accumulate
from typing import Generic, TypeVarTuple, cast

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

Labels = TypeVarTuple("Labels")

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds in seconds. The objectives of docs/metrics.md are among them."""

_BOUNDS = [*map(str, BUCKETS), "+Inf"]


class Durations(Collector, Generic[*Labels]):
    """Seconds by labels; a bucket's latest value from a recorded trace is its exemplar."""

    def __init__(self, name: str, description: str, labels: tuple[str, ...]) -> None:
        self._name = name
        self._description = description
        self._labels = labels
        self._counts: dict[tuple[*Labels], list[int]] = {}
        self._seconds: dict[tuple[*Labels], float] = {}
        self._exemplars: dict[tuple[*Labels], dict[int, Exemplar]] = {}

    def observe(self, labels: tuple[*Labels], seconds: float, trace_id: str | None = None) -> None:
        """Count one that took `seconds`; `trace_id` is that of its trace, if it is recorded."""
        counts = self._counts.get(labels)
        if counts is None:
            self._seconds[labels] = 0.0
            counts = self._counts[labels] = [0] * len(_BOUNDS)
        bucket = bisect_left(BUCKETS, seconds)
        counts[bucket] += 1
        self._seconds[labels] += seconds
        if trace_id:
            exemplar = Exemplar({"trace_id": trace_id}, seconds, time.time())
            self._exemplars.setdefault(labels, {})[bucket] = exemplar

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram as it stands."""
        family = HistogramMetricFamily(self._name, self._description, labels=self._labels)
        for labels, counts in list(self._counts.items()):
            exemplars = self._exemplars.get(labels, {})
            buckets = [
                (bound, float(count), exemplars[number]) if number in exemplars else (bound, float(count))
                for number, (bound, count) in enumerate(zip(_BOUNDS, accumulate(counts), strict=True))
            ]
            values = [str(value) for value in cast("tuple[object, ...]", labels)]
            family.add_metric(values, buckets, self._seconds[labels])
        yield family
