"""Deleting clients on a real database, with the store service faked behind a real socket."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import pytest

from services.client.repository.deletions import DeletionRepository
from shared.db import Database
from tests.support.fences import FakeStoreService
from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.tokens import bearer

ROUNDS = 50
LATE = "UPDATE deletions SET started_at = started_at - interval '10 seconds'"
CLOCK_SET_BACK = "UPDATE deletions SET started_at = started_at + interval '1 hour'"


async def intentions(clients: Resource) -> list[Any]:
    return await clients.run("SELECT client_uuid, number, undone FROM deletions")


async def until_undone(clients: Resource) -> None:
    async with asyncio.timeout(10):
        while await intentions(clients):
            await asyncio.sleep(0.02)


async def is_alive(clients: Resource, made: Json) -> bool:
    return (await clients.http.get(clients.url(made))).status_code == 200


async def end(clients: Resource, made: Json, query: str = "") -> Any:  # noqa: ANN401 - an answer
    return await clients.http.delete(f"{clients.url(made)}{query}")


@pytest.mark.parametrize("query", ["", "?cascade=false", "?cascade=true"])
async def test_a_client_without_stores_ends(
    clients: Resource, neighbours: FakeStoreService, query: str
) -> None:
    made = await clients.make()
    answer = await end(clients, made, query)
    assert (answer.status_code, answer.content) == (204, b"")
    assert neighbours.fences.is_set(UUID(made["uuid"]))
    assert not await is_alive(clients, made)
    assert await intentions(clients) == []
    refused(await end(clients, made, query), 404, "CLIENT_NOT_FOUND")


async def test_a_client_with_stores_says_how_many(clients: Resource, neighbours: FakeStoreService) -> None:
    made = await clients.make()
    neighbours.fences.stores[UUID(made["uuid"])] = 12
    for _ in range(2):  # the second does not wait for the first to be undone
        answer = await end(clients, made)
        refused(answer, 409, "CLIENT_HAS_STORES")
        assert "12" in answer.json()["message"]
        assert "cascade=true" in answer.json()["message"]
    await until_undone(clients)
    assert await is_alive(clients, made)
    assert not neighbours.fences.is_set(UUID(made["uuid"]))
    assert (await end(clients, made, "?cascade=true")).status_code == 204


@pytest.mark.parametrize(
    ("query", "field"), [("?cascade=maybe", "cascade"), ("?cascade=", "cascade"), ("?force=true", "force")]
)
async def test_what_cannot_be_asked(clients: Resource, query: str, field: str) -> None:
    made = await clients.make()
    assert fields_of(refused(await end(clients, made, query), 400, "INVALID_INPUT")) == [field]
    assert await is_alive(clients, made)


async def test_only_admins_delete(clients: Resource) -> None:
    made = await clients.make()
    for headers in (
        bearer("manager"),
        bearer("manager", UUID(made["uuid"])),
        bearer("user"),
        bearer("service"),
    ):
        refused(await clients.http.delete(clients.url(made), headers=headers), 403, "FORBIDDEN")
    assert await is_alive(clients, made)


@pytest.mark.parametrize(
    ("answer", "status"), [((503, b"{}"), 503), ((500, b"{}"), 502), ((200, b"{}"), 502)]
)
async def test_a_store_service_that_errs_changes_nothing(
    clients: Resource, neighbours: FakeStoreService, answer: tuple[int, bytes], status: int
) -> None:
    made = await clients.make()
    neighbours.instead = answer
    try:
        refused(await end(clients, made), status)
        assert await is_alive(clients, made)
        assert all(row["undone"] for row in await intentions(clients))
    finally:
        neighbours.instead = None
    await until_undone(clients)
    assert (await end(clients, made)).status_code == 204


async def test_a_change_is_recorded_once(clients: Resource, neighbours: FakeStoreService) -> None:
    made = await clients.make()
    neighbours.fences.stores[UUID(made["uuid"])] = 1
    await end(clients, made)
    await end(clients, made, "?cascade=true")
    rows = await clients.run("SELECT type FROM changes WHERE aggregate_id = $1 ORDER BY id", made["uuid"])
    assert [row["type"] for row in rows] == ["client.created", "client.deleted"]


@pytest.mark.parametrize("over", [LATE, CLOCK_SET_BACK])
async def test_an_abandoned_intention_is_undone_by_whoever_finds_it(
    clients: Resource, neighbours: FakeStoreService, over: str
) -> None:
    made = await clients.make()
    uuid = UUID(made["uuid"])
    await clients.run("INSERT INTO deletions (client_uuid, cascade, actor) VALUES ($1, true, 'x')", uuid)
    [row] = await intentions(clients)
    await neighbours.fences.set(uuid, row["number"], cascade=True)
    refused(await end(clients, made), 409, "DELETION_UNDER_WAY")
    await clients.run(over)
    await until_undone(clients)
    assert not neighbours.fences.is_set(uuid)
    assert await is_alive(clients, made)
    assert (await end(clients, made)).status_code == 204


async def test_a_deletion_may_follow_one_whose_time_is_over(
    clients: Resource, neighbours: FakeStoreService
) -> None:
    made = await clients.make()
    neighbours.moving.clear()  # nothing is undone meanwhile
    try:
        await clients.run(
            "INSERT INTO deletions (client_uuid, cascade, actor, undone) VALUES ($1, true, 'x', true)",
            UUID(made["uuid"]),
        )
        [before] = await intentions(clients)
        ending = asyncio.create_task(end(clients, made))
        async with asyncio.timeout(5):
            while (now := (await intentions(clients))[0])["number"] == before["number"]:
                await asyncio.sleep(0.01)
        assert now["number"] > before["number"]
        assert not now["undone"]
    finally:
        neighbours.moving.set()
    assert (await ending).status_code == 204


async def test_of_many_at_once_one_deletes(clients: Resource) -> None:
    """Deletions, changes and undoing of what is deemed late, at once: one outcome, and nothing left over."""
    for _ in range(ROUNDS):
        made = await clients.make()
        *answers, _ = await asyncio.gather(
            *(end(clients, made) for _ in range(3)),
            clients.http.patch(clients.url(made), json={"name": "Changed"}),
            clients.run(LATE),
        )
        statuses = [answer.status_code for answer in answers[:3]]
        assert statuses.count(204) <= 1
        assert set(statuses) <= {204, 404, 409, 503}
        await until_undone(clients)
        assert await is_alive(clients, made) == (204 not in statuses)


@pytest.fixture
async def database(clients: Resource) -> AsyncGenerator[Database]:
    database = Database(clients.database.app, "tests")
    yield database
    await database.close()


async def test_what_is_being_carried_out_is_not_given_up(clients: Resource, database: Database) -> None:
    """Whose row is locked is passed over; after the commit there is nothing to give up."""
    made = await clients.make()
    uuid = UUID(made["uuid"])
    rows = DeletionRepository(database)
    await clients.run("INSERT INTO deletions (client_uuid, cascade, actor) VALUES ($1, true, 'x')", uuid)
    await clients.run(LATE)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("DELETE FROM deletions")
        assert await rows.give_up_abandoned() == []
    assert await intentions(clients) == []


async def test_what_was_given_up_is_not_carried_out(clients: Resource, neighbours: FakeStoreService) -> None:
    made = await clients.make()
    neighbours.moving.clear()
    ending = asyncio.create_task(end(clients, made))
    try:
        async with asyncio.timeout(5):
            while not await intentions(clients):
                await asyncio.sleep(0.01)
        await clients.run("UPDATE deletions SET undone = true")
    finally:
        neighbours.moving.set()
    refused(await ending, 503, "DELETION_UNDONE")
    await until_undone(clients)
    assert await is_alive(clients, made)
    assert not neighbours.fences.is_set(UUID(made["uuid"]))
