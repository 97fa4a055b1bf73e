"""What can be seen of Redis and of the cache from outside."""

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, Gauge

from shared.telemetry.counts import Counts
from shared.telemetry.durations import Durations


class RedisMetrics:
    """Commands that a link to Redis was given, and how it answers."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self._commands = Counts[str]("redis_client_commands", "Commands sent.", ("command",))
        self._errors = Counts[str](
            "redis_client_errors", "Exchanges that failed, by the class of the error.", ("error_type",)
        )
        self._round_trips = Durations[()](
            "redis_client_round_trip_seconds",
            "Time from sending the commands of a turn of the event loop to the last reply.",
            (),
        )
        self.available = Gauge(
            "redis_client_available",
            "1 while Redis is asked, 0 while it is left alone because it does not answer.",
            registry=registry,
        )
        self.available.set(1)
        for collector in (self._commands, self._errors, self._round_trips):
            registry.register(collector)

    def sent(self, commands: Iterable[Sequence[bytes | str | int]]) -> None:
        """Count commands."""
        for command in commands:
            self._commands.add((str(command[0]),))

    def answered(self, seconds: float) -> None:
        """Note how long an exchange took."""
        self._round_trips.observe((), seconds)

    def failed(self, error: Exception) -> None:
        """Count an exchange that failed."""
        self._errors.add((type(error).__qualname__,))


class CacheMetrics:
    """How answers were found, and how often what was kept ended.

    Entries and tags begin with the word for their kind, and have ids only after it.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self._requests = Counts[str, str](
            "cache_requests",
            "Answers by kind and by how they were found: hit, miss, bypass.",
            ("cache", "result"),
        )
        self._invalidations = Counts[str](
            "cache_invalidations", "Times that what was kept ended, by the kind of what changed.", ("cache",)
        )
        for collector in (self._requests, self._invalidations):
            registry.register(collector)

    def found(self, key: str, result: str) -> None:
        """Count an answer of this key."""
        self._requests.add((_kind(key), result.lower()))

    def ended(self, tags: list[str]) -> None:
        """Count the ends of what these tags stand for."""
        for tag in tags:
            self._invalidations.add((_kind(tag),))

    def ended_all(self) -> None:
        """Count that everything ended."""
        self._invalidations.add(("all",))


def _kind(key: str) -> str:
    return key.partition(":")[0]
