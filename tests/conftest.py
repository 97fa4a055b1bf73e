"""What every test may ask for: a real PostgreSQL, a real Redis, and each service's empty database."""

import logging
from collections.abc import Generator
from urllib.parse import urlsplit

import pytest
from hypothesis import settings

from infra.embedded import postgres, redis
from shared.config import RedisConfig, Secret
from tests.support.caches import forget_cached
from tests.support.databases import TestDatabase, migrated
from tests.support.logs import Lines


@pytest.fixture(autouse=True)
def workers_do_not_fail() -> Generator[None]:
    """Fail a test during which a task beside the requests of this process came upon a fault."""
    logger, faults = logging.getLogger("gerai.worker"), Lines(logging.ERROR)
    logger.addHandler(faults)
    yield
    logger.removeHandler(faults)
    assert faults.texts == []


settings.register_profile("deep", max_examples=10_000)


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """A PostgreSQL server for this run; the superuser's URL."""
    with postgres.running(tmp_path_factory.mktemp("postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def databases(postgres_url: str) -> dict[str, TestDatabase]:
    """Every service's database, migrated."""
    return migrated(postgres_url)


@pytest.fixture(scope="session")
def redis_config(tmp_path_factory: pytest.TempPathFactory) -> Generator[RedisConfig]:
    """A Redis server for this run."""
    with redis.running(tmp_path_factory.mktemp("redis")) as url:
        server = urlsplit(url)
        yield RedisConfig(
            host=server.hostname or "127.0.0.1",
            port=server.port or 6379,
            password=Secret(server.password or ""),
        )


@pytest.fixture
async def auth_database(databases: dict[str, TestDatabase]) -> TestDatabase:
    """The auth service's database without a row."""
    await databases["auth"].empty()
    return databases["auth"]


@pytest.fixture
async def client_database(databases: dict[str, TestDatabase], redis_config: RedisConfig) -> TestDatabase:
    """The client service's database without a row, and nothing cached of it."""
    await databases["client"].empty()
    await forget_cached(redis_config)
    return databases["client"]


@pytest.fixture
async def store_database(databases: dict[str, TestDatabase], redis_config: RedisConfig) -> TestDatabase:
    """The store service's database without a row, and nothing cached of it."""
    await databases["store"].empty()
    await forget_cached(redis_config)
    return databases["store"]
