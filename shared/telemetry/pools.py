"""Pools of database connections: how many are used, and how long requests wait for one."""

import time
from collections.abc import Iterator, Mapping
from typing import cast

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import AsyncAdaptedQueuePool, PoolProxiedConnection
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.telemetry.counts import Counts
from shared.telemetry.durations import Durations
from shared.telemetry.statements import STATEMENTS

WAITS = Durations[str](
    "db_client_connection_wait_seconds",
    "Time until a connection of the pool is there, a new one where none is idle; also when it is in vain.",
    ("pool",),
)
TIMEOUTS = Counts[str](
    "db_client_connection_timeouts", "Times that a connection of the pool was waited for in vain.", ("pool",)
)
"""Those of this process, like WAITS: SQLAlchemy makes the pools."""


class MeasuredPool(AsyncAdaptedQueuePool):
    """A pool, named by its engine's `pool_logging_name`, that measures how long it is waited for."""

    def connect(self) -> PoolProxiedConnection:
        """Return a connection, raising as SQLAlchemy's does."""
        labels, started = (self.logging_name or "",), time.perf_counter()
        try:
            connection = super().connect()
        except PoolTimeout:
            TIMEOUTS.add(labels)
            WAITS.observe(labels, time.perf_counter() - started)
            raise
        WAITS.observe(labels, time.perf_counter() - started)
        return connection


class PoolMetrics(Collector):
    """Tells the connections of each pool as they are."""

    def __init__(self, engines: Mapping[str, AsyncEngine], registry: CollectorRegistry) -> None:
        self._engines = engines
        for name in engines:
            TIMEOUTS.add((name,), 0)
        for collector in (self, WAITS, TIMEOUTS, STATEMENTS):
            registry.register(collector)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield how many there are in each state, and how many there may be."""
        connections = GaugeMetricFamily(
            "db_client_connections", "Open connections: idle, used.", labels=("pool", "state")
        )
        most = GaugeMetricFamily(
            "db_client_connections_max", "Connections that a pool may have.", labels=("pool",)
        )
        for name, engine in self._engines.items():
            pool = cast("MeasuredPool", engine.pool)
            connections.add_metric([name, "idle"], pool.checkedin())
            connections.add_metric([name, "used"], pool.checkedout())
            most.add_metric([name], pool.size())
        yield connections
        yield most
