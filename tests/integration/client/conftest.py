"""The client service on a real, empty database, its neighbours being a fake behind real sockets."""

from collections.abc import AsyncGenerator

import httpx
import pytest

from services.client.factory import create_app
from shared.config import RedisConfig
from tests.support.clients import client_config
from tests.support.databases import TestDatabase
from tests.support.fences import FakeStoreService
from tests.support.resource import Json, Resource
from tests.support.serving import calling, serving
from tests.support.tokens import bearer


@pytest.fixture(scope="module")
async def served(
    databases: dict[str, TestDatabase], redis_config: RedisConfig
) -> AsyncGenerator[tuple[httpx.AsyncClient, FakeStoreService]]:
    neighbours = FakeStoreService()
    async with (
        serving(neighbours) as url,
        calling(create_app(client_config(databases["client"].app, redis_config, url))) as http,
    ):
        http.headers.update(bearer())
        yield http, neighbours


@pytest.fixture
def neighbours(served: tuple[httpx.AsyncClient, FakeStoreService]) -> FakeStoreService:
    _, neighbours = served
    return neighbours


@pytest.fixture
def clients(served: tuple[httpx.AsyncClient, FakeStoreService], client_database: TestDatabase) -> Resource:
    http, _ = served
    return Resource(http, "/v1/master-client", sample, client_database)


def sample(number: int) -> Json:
    return {"name": f"Client {number}", "email": f"client{number}@example.com"}
