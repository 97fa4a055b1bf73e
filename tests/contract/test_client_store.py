"""What the client service needs of the store service: fences that keep stores from being created.

The same expectations hold for the store service itself and for the fake that stands in for it in the client
service's own tests, so the fake cannot promise what the service does not keep.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Protocol
from uuid import UUID

import httpx
import pytest

from services.client.client_api import FenceState, StoreApi
from services.client.errors import DeletionUndone
from services.store.factory import create_app
from shared.config import OAuthClientConfig, RedisConfig, Secret
from shared.http import ServiceClient
from shared.identifiers import new_uuid
from shared.security.credentials import ServiceCredentials
from tests.support.databases import TestDatabase
from tests.support.fences import FakeStoreService
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import refused
from tests.support.serving import serving
from tests.support.stores import facts, store_config
from tests.support.tokens import bearer

CREDENTIALS = OAuthClientConfig(client_id="client", client_secret=Secret("only-for-tests"))


class Side(Protocol):
    """One side of the contract, with stores to be created."""

    url: str

    async def open_store(self, client_uuid: UUID) -> bool: ...


class Service:
    """The store service."""

    def __init__(self, url: str, neighbours: FakeNeighbours) -> None:
        self.url = url
        self._neighbours = neighbours
        self._http = httpx.AsyncClient(base_url=url, headers=bearer("admin"))

    async def open_store(self, client_uuid: UUID) -> bool:
        self._neighbours.clients[client_uuid] = facts(client_uuid)
        body = {"client_uuid": str(client_uuid), "code": str(new_uuid()), "name": "Kopi"}
        answer = await self._http.post("/v1/stores", json=body)
        assert answer.status_code in {201, 409}, answer.text
        return answer.status_code == 201

    async def close(self) -> None:
        await self._http.aclose()


class Fake:
    """What the client service's tests use instead."""

    def __init__(self, url: str, service: FakeStoreService) -> None:
        self.url = url
        self._fences = service.fences

    async def open_store(self, client_uuid: UUID) -> bool:
        if self._fences.is_set(client_uuid):
            return False
        self._fences.stores[client_uuid] = self._fences.stores.get(client_uuid, 0) + 1
        return True


@asynccontextmanager
async def service(database: TestDatabase, redis: RedisConfig) -> AsyncGenerator[Service]:
    neighbours = FakeNeighbours()
    async with (
        serving(neighbours) as neighbours_url,
        serving(create_app(store_config(database.app, redis, neighbours_url))) as url,
    ):
        running = Service(url, neighbours)
        yield running
        await running.close()


@pytest.fixture(params=["service", "fake"])
async def side(
    request: pytest.FixtureRequest, store_database: TestDatabase, redis_config: RedisConfig
) -> AsyncGenerator[Side]:
    if request.param == "service":
        async with service(store_database, redis_config) as running:
            yield running
    else:
        fake = FakeStoreService()
        async with serving(fake) as url:
            yield Fake(url, fake)


@pytest.fixture
async def fences(side: Side) -> AsyncGenerator[StoreApi]:
    """The store service as the client service asks it, with a token of its own."""
    async with serving(FakeNeighbours()) as auth_url:
        auth = ServiceClient("auth", auth_url)
        stores = ServiceClient("store", side.url, auth=ServiceCredentials(auth, CREDENTIALS))
        yield StoreApi(stores)
        await stores.close()
        await auth.close()


async def test_a_fence_is_set_and_lifted(side: Side, fences: StoreApi) -> None:
    uuid = new_uuid()
    for _ in range(2):
        state = await fences.set(uuid, 1, cascade=False)
        assert state == FenceState(is_set=True, living_stores=0)
        assert not await side.open_store(uuid)
    for _ in range(2):
        await fences.lift(uuid, 1)
        assert await side.open_store(uuid)


async def test_stores_are_counted(side: Side, fences: StoreApi) -> None:
    uuid = new_uuid()
    for _ in range(3):
        assert await side.open_store(uuid)
    state = await fences.set(uuid, 1, cascade=False)
    assert state == FenceState(is_set=False, living_stores=3)
    assert await side.open_store(uuid)
    state = await fences.set(uuid, 2, cascade=True)
    assert state == FenceState(is_set=True, living_stores=4)
    assert not await side.open_store(uuid)


async def test_what_was_lifted_is_not_set_again(side: Side, fences: StoreApi) -> None:
    uuid = new_uuid()
    await fences.lift(uuid, 1)
    with pytest.raises(DeletionUndone):
        await fences.set(uuid, 1, cascade=True)
    assert await side.open_store(uuid)


async def test_a_later_attempt_is_not_disturbed_by_an_earlier_one(side: Side, fences: StoreApi) -> None:
    uuid = new_uuid()
    assert (await fences.set(uuid, 2, cascade=True)).is_set
    with pytest.raises(DeletionUndone):
        await fences.set(uuid, 1, cascade=True)
    await fences.lift(uuid, 1)
    assert not await side.open_store(uuid)


async def test_a_caller_without_a_token_is_refused(side: Side) -> None:
    async with httpx.AsyncClient(base_url=side.url) as http:
        path = f"/internal/clients/{new_uuid()}/fence"
        answer = await http.put(path, json={"number": 1, "cascade": True})
        refused(answer, 401, "UNAUTHENTICATED")
        refused(await http.delete(path, params={"number": 1}), 401, "UNAUTHENTICATED")
