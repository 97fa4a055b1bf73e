"""Counters by labels."""

from prometheus_client import CollectorRegistry, generate_latest

from shared.telemetry.counts import Counts


def test_what_is_known_is_shown_from_the_start_and_what_is_added_counts() -> None:
    registry = CollectorRegistry()
    counts = Counts[str, int]("served", "Served.", ("kind", "status"), [("tea", 200)])
    registry.register(counts)
    counts.add(("coffee", 200))
    counts.add(("coffee", 200), 2)
    assert counts.value(("coffee", 200)) == 3
    lines = generate_latest(registry).decode().splitlines()
    assert lines == [
        "# HELP served_total Served.",
        "# TYPE served_total counter",
        'served_total{kind="tea",status="200"} 0.0',
        'served_total{kind="coffee",status="200"} 3.0',
    ]
