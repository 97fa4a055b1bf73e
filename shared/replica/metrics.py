"""What can be seen of reads from outside."""

from prometheus_client import CollectorRegistry, Counter, Gauge


class ReplicaMetrics:
    """Which server answers reads that the replica might, why not the replica, and how far that is behind."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reads = Counter(
            "database_reads",
            "Reads that a replica may answer, by who did: replica, primary.",
            ("server",),
            registry=registry,
        )
        self.fallbacks = Counter(
            "database_replica_fallbacks",
            "Reads that the primary answered, by why the replica did not: unreachable, behind, own_write, "
            "unknown (whether the caller has just written), failed.",
            ("reason",),
            registry=registry,
        )
        self.lag = Gauge(
            "database_replica_lag_seconds", "How far the replica is behind, at most.", registry=registry
        )
