"""What the store service needs of the client service.

The same expectations hold for the client service itself and for the fake that stands in for it in the store
service's own tests, so the fake cannot promise what the service does not keep.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Protocol
from uuid import UUID

import httpx
import msgspec
import pytest

from services.client.factory import create_app
from services.store.client_api import ClientApi
from services.store.schema import Client
from shared.config import OAuthClientConfig, RedisConfig, Secret
from shared.hours.model import Day, DayInterval
from shared.http import ServiceClient
from shared.identifiers import new_uuid
from shared.schedules.known import Parts
from shared.schedules.schema import OwnWeek
from shared.security.credentials import ServiceCredentials
from tests.support.clients import THEN, client_config
from tests.support.databases import TestDatabase
from tests.support.fences import FakeStoreService
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import refused
from tests.support.serving import serving
from tests.support.tokens import bearer

CREDENTIALS = OAuthClientConfig(client_id="store", client_secret=Secret("only-for-tests"))


class Side(Protocol):
    """One side of the contract, with clients to be asked for."""

    url: str

    async def add(self, *, is_active: bool = True) -> UUID: ...

    async def delete(self, uuid: UUID) -> None: ...

    async def set_week(self, uuid: UUID, hours: list[dict[str, str]]) -> None: ...


class Service:
    """The client service."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = httpx.AsyncClient(base_url=url, headers=bearer("admin"))

    async def add(self, *, is_active: bool = True) -> UUID:
        body = {"name": "Kopi", "email": f"{new_uuid()}@example.com", "is_active": is_active}
        answer = await self._http.post("/v1/master-client", json=body)
        assert answer.status_code == 201, answer.text
        return UUID(answer.json()["data"]["uuid"])

    async def delete(self, uuid: UUID) -> None:
        assert (await self._http.delete(f"/v1/master-client/{uuid}")).status_code == 204

    async def set_week(self, uuid: UUID, hours: list[dict[str, str]]) -> None:
        answer = await self._http.put(f"/v1/master-client/{uuid}/workhour", json={"hours": hours})
        assert answer.status_code == 200, answer.text

    async def close(self) -> None:
        await self._http.aclose()


class Fake:
    """What the store service's tests use instead."""

    def __init__(self, url: str, neighbours: FakeNeighbours) -> None:
        self.url = url
        self._neighbours = neighbours

    async def add(self, *, is_active: bool = True) -> UUID:
        return self._neighbours.add(is_active=is_active)

    async def delete(self, uuid: UUID) -> None:
        del self._neighbours.clients[uuid]

    async def set_week(self, uuid: UUID, hours: list[dict[str, str]]) -> None:
        shown = {"uuid": new_uuid(), "timezone": None, "hours": hours, "version": 1}
        week = msgspec.convert({**shown, "created_at": THEN, "updated_at": THEN}, OwnWeek)
        self._neighbours.schedules[uuid] = Parts(week=week)


@asynccontextmanager
async def service(database: TestDatabase, redis: RedisConfig) -> AsyncGenerator[Service]:
    async with (
        serving(FakeStoreService()) as neighbours,
        serving(create_app(client_config(database.app, redis, neighbours))) as url,
    ):
        running = Service(url)
        yield running
        await running.close()


@pytest.fixture(params=["service", "fake"])
async def side(
    request: pytest.FixtureRequest, client_database: TestDatabase, redis_config: RedisConfig
) -> AsyncGenerator[Side]:
    if request.param == "service":
        async with service(client_database, redis_config) as running:
            yield running
    else:
        neighbours = FakeNeighbours()
        async with serving(neighbours) as url:
            yield Fake(url, neighbours)


@pytest.fixture
async def clients(side: Side) -> AsyncGenerator[ClientApi]:
    """The client service as the store service asks it, with a token of its own."""
    async with serving(FakeNeighbours()) as auth_url:
        auth = ServiceClient("auth", auth_url)
        service = ServiceClient("client", side.url, auth=ServiceCredentials(auth, CREDENTIALS))
        yield ClientApi(service)
        await service.close()
        await auth.close()


async def ask(side: Side, uuid: UUID, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=side.url) as http:
        return await http.get(f"/internal/clients/{uuid}", headers=headers)


@pytest.mark.parametrize("is_active", [True, False])
async def test_a_client_is_known_with_its_state(side: Side, clients: ClientApi, is_active: bool) -> None:  # noqa: FBT001 - a parameter of the test
    uuid = await side.add(is_active=is_active)
    client = await clients.find(uuid)
    assert client is not None
    assert (client.uuid, client.is_active, client.version) == (uuid, is_active, 1)
    assert (client.country, client.timezone) == ("ID", "Asia/Jakarta")


async def test_a_client_is_known_with_its_schedule(side: Side, clients: ClientApi) -> None:
    uuid = await side.add()
    without = await clients.find_with_schedule(uuid)
    assert without is not None
    assert (without.facts(), without.schedule) == (await clients.find(uuid), Parts())
    await side.set_week(uuid, [{"day": "monday", "opens": "09:00", "closes": "17:00"}])
    client = await clients.find_with_schedule(uuid)
    assert client is not None
    (part,) = client.parts()
    assert (part.client_uuid, part.kind, part.version) == (uuid, "workhour", 1)
    assert client.schedule.week is not None
    assert client.schedule.week.hours == (DayInterval(Day.MONDAY, "09:00", "17:00"),)


async def test_an_unknown_client_is_none(side: Side, clients: ClientApi) -> None:
    uuid = new_uuid()
    assert await clients.find(uuid) is None
    assert await clients.find_with_schedule(uuid) is None
    refusal = await ask(side, uuid, bearer("service"))
    refused(refusal, 404, "CLIENT_NOT_FOUND")
    assert refusal.json()["message"] == f"Client with id '{uuid}' not found"


async def test_a_deleted_client_is_none(side: Side, clients: ClientApi) -> None:
    uuid = await side.add()
    await side.delete(uuid)
    assert await clients.find(uuid) is None


async def test_the_answer_is_an_envelope_with_the_facts_that_stores_need(side: Side) -> None:
    uuid = await side.add()
    answer = await ask(side, uuid, bearer("service"))
    body: dict[str, Any] = answer.json()
    assert (answer.status_code, body["status_code"], body["message"]) == (200, 200, "Success")
    assert answer.headers["content-type"] == "application/json"
    assert set(Client.__struct_fields__) <= set(body["data"])
    assert msgspec.convert(body["data"], Client).uuid == uuid


async def test_a_caller_without_a_token_is_refused(side: Side) -> None:
    uuid = await side.add()
    refused(await ask(side, uuid, {}), 401, "UNAUTHENTICATED")
