"""What can be seen of events from outside."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from shared.events.changes import Change
from shared.telemetry.counts import Counts

CHANGES = Counts[str, str](
    "gerai_changes",
    "Aggregates and parts of them that this process created, changed or deleted.",
    ("aggregate", "change"),
)
"""Those of this process: writers do not know its registry."""


def count_committed(changes: Iterable[Change]) -> None:
    """Count changes whose transaction was committed."""
    for change in changes:
        CHANGES.add((change.aggregate_type, change.type.rpartition(".")[2]))


class EventMetrics:
    """Metrics of a process's relay and consumers; of several relays, only the one that publishes counts."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry = registry or CollectorRegistry()
        registry.register(CHANGES)
        consumer = ("consumer",)
        self.waiting = Gauge("events_outbox_depth", "Changes not yet published.", registry=registry)
        self.oldest = Gauge(
            "events_outbox_oldest_seconds", "How long the oldest of them has waited.", registry=registry
        )
        self.published = Counter("events_published", "Changes published.", registry=registry)
        self.replays = Counter(
            "events_replays", "Times that a stream was found incomplete.", registry=registry
        )
        self.lag = Gauge(
            "events_consumer_lag", "Events the group was not yet given.", consumer, registry=registry
        )
        self.pending = Gauge(
            "events_consumer_pending", "Events given and not acknowledged.", consumer, registry=registry
        )
        self.dead_letters = Gauge(
            "events_dead_letters", "Events that were given up on.", consumer, registry=registry
        )
        self.consumed = Counter(
            "events_consumed",
            "Events handled: applied, superseded by a newer version, duplicate, failed, dead.",
            ("consumer", "outcome"),
            registry=registry,
        )
