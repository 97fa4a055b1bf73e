"""Counters to which one thread adds and from which others read.

prometheus_client's own takes a lock for each value, and a look-up of its labels.
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVarTuple, cast

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

Labels = TypeVarTuple("Labels")


class Counts(Collector, Generic[*Labels]):
    """Numbers by labels; those that are `known` beforehand are shown from the start, as 0."""

    def __init__(
        self,
        name: str,
        description: str,
        labels: tuple[str, ...],
        known: Iterable[tuple[*Labels]] = (),
    ) -> None:
        self._name = name
        self._description = description
        self._labels = labels
        self._counts = dict.fromkeys(known, 0)

    def add(self, labels: tuple[*Labels], number: int = 1) -> None:
        """Add `number`."""
        self._counts[labels] = self._counts.get(labels, 0) + number

    def value(self, labels: tuple[*Labels]) -> int:
        """Return what was added."""
        return self._counts.get(labels, 0)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the counter as it stands."""
        family = CounterMetricFamily(self._name, self._description, labels=self._labels)
        for labels, count in list(self._counts.items()):
            family.add_metric([str(value) for value in cast("tuple[object, ...]", labels)], count)
        yield family
