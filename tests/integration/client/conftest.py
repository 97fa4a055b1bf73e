"""The client service on a real, empty database. It takes the tokens that tests sign (HS256)."""

from collections.abc import AsyncGenerator

import httpx
import pytest
from msgspec.structs import replace

from services.client.config import ClientConfig
from services.client.factory import create_app
from tests.support.databases import TestDatabase
from tests.support.resource import Json, Resource
from tests.support.serving import LOG, SERVICE, TRACING, calling
from tests.support.tokens import CONFIG, bearer

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
async def served(databases: dict[str, TestDatabase]) -> AsyncGenerator[httpx.AsyncClient]:
    config = ClientConfig(
        service=SERVICE,
        log=LOG,
        tracing=TRACING,
        database=replace(databases["client"].app, pool_size=10),
        token=CONFIG,
        auth_url=NOWHERE,
    )
    async with calling(create_app(config)) as http:
        http.headers.update(bearer())
        yield http


@pytest.fixture
def clients(served: httpx.AsyncClient, client_database: TestDatabase) -> Resource:
    return Resource(served, "/v1/master-client", sample, client_database)


def sample(number: int) -> Json:
    return {"name": f"Client {number}", "email": f"client{number}@example.com"}
