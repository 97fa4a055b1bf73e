"""What pools, Redis and calls tell about themselves when they are short of something, or away."""

import asyncio
from collections.abc import AsyncGenerator

import msgspec
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeout

from infra.embedded.ports import free_port
from shared.cache.link import FAILURES_TO_OPEN, RedisAway, RedisLink
from shared.cache.metrics import RedisMetrics
from shared.config import RedisConfig
from shared.db import Database
from shared.errors import ServiceUnavailable
from shared.http import ServiceClient
from shared.telemetry.calls import CALL_DURATIONS
from tests.support.caches import patient
from tests.support.databases import TestDatabase


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def database(client_database: TestDatabase, registry: CollectorRegistry) -> AsyncGenerator[Database]:
    """A database with two connections, for which nobody waits long."""
    config = msgspec.structs.replace(client_database.app, pool_size=2, pool_wait_ms=50)
    database = Database(config, "test", registry=registry)
    yield database
    await database.close()


async def test_a_pool_tells_what_is_used_and_who_waited_in_vain(
    database: Database, registry: CollectorRegistry
) -> None:
    def told(name: str, **labels: str) -> float:
        return registry.get_sample_value(f"db_client_{name}", {"pool": "write", **labels}) or 0

    in_vain, waits = told("connection_timeouts_total"), told("connection_wait_seconds_count")
    async with database.transaction() as connection:
        await connection.execute(text("SELECT 1"))
        assert told("connections", state="used") == 1
        async with database.transaction():
            assert told("connections", state="used") == told("connections_max") == 2
            with pytest.raises(PoolTimeout):
                async with database.transaction():
                    pass
    assert told("connections", state="used") == 0
    assert told("connections", state="idle") == 2
    assert told("connection_timeouts_total") - in_vain == 1
    assert told("connection_wait_seconds_count") - waits == 3
    assert (
        registry.get_sample_value(
            "db_client_operation_duration_seconds_count",
            {"pool": "write", "operation": "COMMIT", "error_type": ""},
        )
        or 0
    ) >= 2


async def test_redis_is_told_to_be_left_alone_until_it_answers(registry: CollectorRegistry) -> None:
    link = RedisLink(RedisConfig(host="127.0.0.1", port=free_port()), RedisMetrics(registry))
    assert registry.get_sample_value("redis_client_available") == 1
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(RedisAway):
            await link.command("GET", "x")
    assert registry.get_sample_value("redis_client_available") == 0
    errors = registry.get_sample_value("redis_client_errors_total", {"error_type": "ConnectionError"})
    assert errors == FAILURES_TO_OPEN
    await link.close()


async def test_commands_to_redis_are_counted_by_their_names(
    redis_config: RedisConfig, registry: CollectorRegistry
) -> None:
    link = RedisLink(patient(redis_config), RedisMetrics(registry))
    await asyncio.gather(link.command("GET", "a secret"), link.command("GET", "another"))
    await link.command("PING")
    told = registry.get_sample_value
    assert told("redis_client_commands_total", {"command": "GET"}) == 2
    assert told("redis_client_commands_total", {"command": "PING"}) == 1
    assert told("redis_client_round_trip_seconds_count") == 2
    await link.close()


async def test_a_call_that_is_not_answered_has_no_status(registry: CollectorRegistry) -> None:
    registry.register(CALL_DURATIONS)
    client = ServiceClient("nobody", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(ServiceUnavailable):
        await client.get("/", dict)
    labels = {"target": "nobody", "method": "GET", "status": ""}
    assert registry.get_sample_value("http_client_request_duration_seconds_count", labels) == 3
    await client.close()
