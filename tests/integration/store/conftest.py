"""The store service on a real, empty database, its neighbours being fakes behind real sockets."""

from collections.abc import AsyncGenerator
from uuid import UUID

import httpx
import pytest

from services.store.factory import create_app
from shared.config import RedisConfig
from shared.events.streams import streams_client
from tests.support.client_stream import Clients
from tests.support.databases import TestDatabase
from tests.support.imports import Importer
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Json, Resource
from tests.support.serving import calling, serving
from tests.support.stores import store_config
from tests.support.tokens import bearer


@pytest.fixture(scope="module")
async def served(
    databases: dict[str, TestDatabase], redis_config: RedisConfig
) -> AsyncGenerator[tuple[httpx.AsyncClient, FakeNeighbours]]:
    neighbours = FakeNeighbours()
    async with (
        serving(neighbours) as url,
        calling(create_app(store_config(databases["store"].app, redis_config, url))) as http,
    ):
        http.headers.update(bearer())
        yield http, neighbours


@pytest.fixture
def neighbours(served: tuple[httpx.AsyncClient, FakeNeighbours]) -> FakeNeighbours:
    _, neighbours = served
    return neighbours


@pytest.fixture
def client_uuid(neighbours: FakeNeighbours) -> UUID:
    """An active client."""
    return neighbours.add()


@pytest.fixture
async def clients(redis_config: RedisConfig) -> AsyncGenerator[Clients]:
    """What the client service would tell of its clients."""
    redis = streams_client(redis_config)
    yield Clients(redis)
    await redis.aclose()


@pytest.fixture
def stores(
    served: tuple[httpx.AsyncClient, FakeNeighbours], store_database: TestDatabase, client_uuid: UUID
) -> Resource:
    http, _ = served

    def sample(number: int) -> Json:
        return {"client_uuid": str(client_uuid), "code": f"S-{number}", "name": f"Store {number}"}

    return Resource(http, "/v1/stores", sample, store_database)


@pytest.fixture
def importer(stores: Resource) -> Importer:
    return Importer(stores)
