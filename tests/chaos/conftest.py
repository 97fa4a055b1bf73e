"""The platform with its own servers, proxies between them, and a second process of the store service."""

from collections.abc import AsyncGenerator, Generator

import pytest

from tests.chaos.setting import Servers, serving, world_of
from tests.chaos.world import World


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Generator[Servers]:
    """A PostgreSQL and a Redis that experiments may break."""
    with serving(tmp_path_factory.mktemp("chaos")) as servers:
        yield servers


@pytest.fixture(scope="module")
async def world(servers: Servers) -> AsyncGenerator[World]:
    async with world_of(servers) as world:
        yield world
