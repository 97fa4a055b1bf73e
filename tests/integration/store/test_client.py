"""What the store service asks the client service, and what happens when that does not answer."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import msgspec
import pytest

from infra.embedded.ports import free_port
from services.store.factory import create_app
from services.store.repository.clients import ClientCopy, ClientRepository, keep_client
from shared.config import RedisConfig
from shared.db import Database
from shared.deadline import HEADER as TIME_LIMIT
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Json, Resource, refused
from tests.support.serving import calling, serving
from tests.support.stores import store_config, with_schedule
from tests.support.tokens import bearer

UNKNOWN = "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
NOWHERE = "http://127.0.0.1:9"


async def test_a_store_needs_a_client(stores: Resource) -> None:
    answer = await stores.http.post(stores.path, json=stores.body(client_uuid=UNKNOWN))
    refused(answer, 404, "CLIENT_NOT_FOUND")
    assert answer.json()["message"] == f"Client with id '{UNKNOWN}' not found"
    assert await stores.listed() == []


async def test_a_store_needs_an_active_client(stores: Resource, neighbours: FakeNeighbours) -> None:
    inactive = neighbours.add(is_active=False)
    answer = await stores.http.post(stores.path, json=stores.body(client_uuid=str(inactive)))
    refused(answer, 409, "CLIENT_INACTIVE")
    assert await stores.listed() == []


async def test_a_store_of_a_client_that_became_inactive_stays_as_it_is(
    stores: Resource, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    made = await stores.make()
    neighbours.clients[client_uuid] = msgspec.structs.replace(
        neighbours.clients[client_uuid], is_active=False
    )
    refused(await stores.http.patch(stores.url(made), json={"name": "New"}), 409, "CLIENT_INACTIVE")
    assert (await stores.http.get(stores.url(made))).json()["data"] == made
    assert (await stores.http.delete(stores.url(made))).status_code == 204


async def test_only_writing_asks(stores: Resource, neighbours: FakeNeighbours) -> None:
    made = await stores.make()
    asked = neighbours.asked
    await stores.http.get(stores.url(made))
    await stores.page()
    await stores.http.delete(stores.url(made))
    assert neighbours.asked == asked


async def test_nothing_is_asked_for_what_is_invalid_or_forbidden(
    stores: Resource, neighbours: FakeNeighbours
) -> None:
    asked = neighbours.asked
    refused(await stores.http.post(stores.path, json=stores.body(timezone="Mars/Olympus")), 400)
    refused(await stores.http.post(stores.path, json=stores.body(), headers=bearer("user")), 403)
    refused(await stores.http.patch(f"{stores.path}/{UNKNOWN}", json={}), 404)
    assert neighbours.asked == asked


async def test_one_token_serves_many_questions(stores: Resource, neighbours: FakeNeighbours) -> None:
    await asyncio.gather(*(stores.make() for _ in range(8)))
    assert neighbours.granted == 1


async def test_a_store_with_its_client(
    stores: Resource, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    made = await stores.make()
    answer = await stores.http.get(stores.url(made), params={"include": "client"})
    client = msgspec.to_builtins(neighbours.clients[client_uuid])
    assert answer.json()["data"] == {**made, "client": client}
    asked = neighbours.asked
    answer = await stores.http.get(stores.url(made), params={"include": "client"})
    assert answer.json()["data"]["client"] == client
    assert neighbours.asked == asked


async def test_a_store_whose_client_is_unknown_or_known_to_be_deleted(
    stores: Resource, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    made = await stores.make()
    client = neighbours.clients.pop(client_uuid)
    answer = await stores.http.get(stores.url(made), params={"include": "client"})
    assert answer.json()["data"] == {**made, "client": None}
    neighbours.clients[client_uuid] = client
    await stores.http.get(stores.url(made), params={"include": "client"})
    await stores.run("UPDATE clients SET deleted_at = now(), version = version + 1")
    answer = await stores.http.get(stores.url(made), params={"include": "client"})
    assert answer.json()["data"] == {**made, "client": None}


async def test_an_older_copy_never_replaces_a_newer_one(
    stores: Resource, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    newest = msgspec.structs.replace(neighbours.clients[client_uuid], name="Newest", version=3)
    database = Database(stores.database.app, "tests")
    try:
        copies = ClientRepository(database)
        await copies.keep(with_schedule(newest))
        await copies.keep(with_schedule(neighbours.clients[client_uuid]))
        assert await copies.find(client_uuid) == ClientCopy(newest)
        async with database.transaction() as connection:
            late = msgspec.structs.replace(newest, version=4)
            assert await keep_client(connection, late, deleted_at=datetime.now(UTC))
            assert not await keep_client(connection, late)
        await copies.keep(with_schedule(newest))
        assert await copies.find(client_uuid) == ClientCopy(None)
    finally:
        await database.close()


@pytest.mark.parametrize("query", ["include=", "include=clients", "include=client,client", "exclude=client"])
async def test_what_cannot_be_included(stores: Resource, query: str) -> None:
    made = await stores.make()
    refused(await stores.http.get(f"{stores.url(made)}?{query}"), 400, "INVALID_INPUT")


async def assert_nothing_can_be_written(stores: Resource, made: Json, status: int) -> None:
    answers = [
        await stores.http.post(stores.path, json=stores.body()),
        await stores.http.patch(stores.url(made), json={"name": "New"}),
        await stores.http.get(stores.url(made), params={"include": "client"}),
    ]
    for answer in answers:
        refused(answer, status)
        assert status != 503 or int(answer.headers["retry-after"]) >= 1
    assert (await stores.page())["data"] == [made]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ((500, b"{}"), 502),
        ((200, b"not JSON"), 502),
        ((200, b""), 502),
        ((200, b'{"data": {}}'), 502),
        ((200, b'{"data": "\xff"}'), 502),
        ((404, b"<html>"), 502),
        ((403, b"{}"), 502),
        ((502, b"{}"), 503),
        ((503, b"{}"), 503),
        ((504, b"{}"), 503),
    ],
    ids=str,
)
async def test_a_client_service_that_errs(
    stores: Resource, neighbours: FakeNeighbours, answer: tuple[int, bytes], status: int
) -> None:
    made = await stores.make()
    erring = FakeNeighbours()
    erring.clients = neighbours.clients
    async with serving(erring) as url, beside(stores, url) as others:
        erring.instead = answer
        await assert_nothing_can_be_written(others, made, status)
        erring.instead = None
        await others.make()


async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.close()


@asynccontextmanager
async def beside(stores: Resource, neighbours: str) -> AsyncGenerator[Resource]:
    """Run another store service on the same database, whose neighbours are at this URL."""
    nowhere = RedisConfig(host="127.0.0.1", port=free_port())
    async with calling(create_app(store_config(stores.database.app, nowhere, neighbours))) as http:
        http.headers.update(bearer() | {TIME_LIMIT: "1000"})
        yield Resource(http, stores.path, lambda _: stores.body(), stores.database)


async def test_a_client_service_that_is_away(stores: Resource) -> None:
    made = await stores.make()
    async with beside(stores, NOWHERE) as others:
        await assert_nothing_can_be_written(others, made, 503)


async def test_a_client_service_that_does_not_move(stores: Resource) -> None:
    made = await stores.make()
    frozen = FakeNeighbours()
    async with serving(frozen) as url, beside(stores, url) as others:
        frozen.moving.clear()
        async with asyncio.timeout(5):
            await assert_nothing_can_be_written(others, made, 504)
        frozen.moving.set()


async def test_a_client_service_that_hangs_up(stores: Resource) -> None:
    made = await stores.make()
    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, beside(stores, f"http://127.0.0.1:{port}") as others:
        await assert_nothing_can_be_written(others, made, 503)


async def test_an_auth_service_that_grants_no_token(stores: Resource) -> None:
    made = await stores.make()
    strict = FakeNeighbours()
    strict.granting = False
    async with serving(strict) as url, beside(stores, url) as others:
        await assert_nothing_can_be_written(others, made, 502)
    assert strict.asked == 0
