"""A collector of traces that takes every export and keeps none."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.support.otlp import taking


@dataclass
class Collector:
    """Where it listens, and how many exports it took."""

    url: str
    exports: int = 0


@contextmanager
def collecting() -> Generator[Collector]:
    """Take exports by OTLP over HTTP until the block ends."""
    collector = Collector("")

    def count(*_: object) -> None:
        collector.exports += 1

    with taking(count) as collector.url:
        yield collector
