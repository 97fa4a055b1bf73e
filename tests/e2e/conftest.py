"""One platform for all journeys of a module, with empty databases at its start."""

from collections.abc import AsyncGenerator

import pytest

from shared.config import RedisConfig
from tests.support.databases import TestDatabase
from tests.support.platform import Platform, running


@pytest.fixture(scope="module")
async def platform(
    databases: dict[str, TestDatabase], redis_config: RedisConfig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Platform]:
    """The running platform."""
    for database in databases.values():
        await database.empty()
    async with running(databases, redis_config, tmp_path_factory.mktemp("platform")) as platform:
        yield platform


@pytest.fixture(scope="module")
async def admin(platform: Platform) -> dict[str, str]:
    """The first admin's Authorization header."""
    return await platform.sign_in()
