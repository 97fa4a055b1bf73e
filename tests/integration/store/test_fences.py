"""Fences, and how they meet the creation of stores: in one lock for each client."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from shared.identifiers import new_uuid
from tests.support.databases import connect
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.tokens import bearer

ROUNDS = 50


class Fence:
    """One client's fence as the client service reaches it."""

    def __init__(self, http: httpx.AsyncClient, client_uuid: object) -> None:
        self.path = f"/internal/clients/{client_uuid}/fence"
        self._http = http
        self._service = bearer("service")

    async def set(self, number: int = 1, *, cascade: bool = False) -> httpx.Response:
        body = {"number": number, "cascade": cascade}
        return await self._http.put(self.path, json=body, headers=self._service)

    async def lift(self, number: int = 1) -> httpx.Response:
        return await self._http.delete(self.path, params={"number": number}, headers=self._service)

    async def state(self) -> Json:
        answer = await self._http.get(self.path, headers=self._service)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    async def is_set(self) -> bool:
        return (await self.state())["is_set"]


@pytest.fixture
def fence(stores: Resource, client_uuid: UUID) -> Fence:
    return Fence(stores.http, client_uuid)


async def open_store(stores: Resource, **fields: object) -> httpx.Response:
    return await stores.http.post(stores.path, json=stores.body(**fields))


async def test_a_fence_keeps_stores_from_being_created_until_it_is_lifted(
    stores: Resource, fence: Fence
) -> None:
    assert await fence.state() == {"is_set": False, "living_stores": 0}
    answer = await fence.set()
    assert (answer.status_code, answer.json()["data"]) == (200, {"is_set": True, "living_stores": 0})
    refused(await open_store(stores), 409, "CLIENT_BEING_DELETED")
    lifted = await fence.lift()
    assert (lifted.status_code, lifted.content) == (204, b"")
    assert (await open_store(stores)).status_code == 201


async def test_a_fence_is_of_one_client(stores: Resource, fence: Fence, neighbours: FakeNeighbours) -> None:
    await fence.set()
    assert (await open_store(stores, client_uuid=str(neighbours.add()))).status_code == 201


async def test_living_stores_are_counted_and_refuse_the_fence(stores: Resource, fence: Fence) -> None:
    made = [await stores.make() for _ in range(3)]
    await stores.http.delete(stores.url(made[0]))
    assert (await fence.set()).json()["data"] == {"is_set": False, "living_stores": 2}
    assert await fence.state() == {"is_set": False, "living_stores": 2}
    await stores.make()


async def test_with_cascade_living_stores_do_not_matter(stores: Resource, fence: Fence) -> None:
    made = await stores.make()
    assert (await fence.set(cascade=True)).json()["data"] == {"is_set": True, "living_stores": 1}
    refused(await open_store(stores), 409, "CLIENT_BEING_DELETED")
    await stores.change(made, name="Still to be changed")
    assert (await stores.http.delete(stores.url(made))).status_code == 204


async def test_what_is_repeated_has_no_effect(fence: Fence) -> None:
    assert [(await fence.set()).status_code for _ in range(2)] == [200, 200]
    assert await fence.is_set()
    assert [(await fence.lift()).status_code for _ in range(2)] == [204, 204]
    assert not await fence.is_set()


async def test_an_attempt_that_was_undone_sets_no_fence_when_it_arrives_late(
    stores: Resource, fence: Fence
) -> None:
    await fence.lift(1)
    refused(await fence.set(1), 409, "FENCE_OUTDATED")
    assert not await fence.is_set()
    await stores.make()


async def test_an_attempt_that_a_later_one_followed_changes_nothing(fence: Fence) -> None:
    await fence.set(2)
    refused(await fence.set(1), 409, "FENCE_OUTDATED")
    assert (await fence.lift(1)).status_code == 204
    assert await fence.is_set()
    await fence.lift(2)
    assert not await fence.is_set()
    assert (await fence.set(3)).status_code == 200
    assert await fence.is_set()


async def test_a_later_attempt_takes_an_earlier_ones_fence_over(stores: Resource, fence: Fence) -> None:
    await stores.make()
    await fence.set(1, cascade=True)
    assert (await fence.set(2)).json()["data"]["is_set"] is False
    await fence.lift(2)
    assert not await fence.is_set()


@pytest.mark.parametrize("role", ["admin", "manager", "user"])
async def test_people_may_not_touch_fences(fence: Fence, stores: Resource, role: Any) -> None:  # noqa: ANN401 - a role
    headers = bearer(role)
    refused(await stores.http.get(fence.path, headers=headers), 403, "FORBIDDEN")
    body = {"number": 1, "cascade": False}
    refused(await stores.http.put(fence.path, json=body, headers=headers), 403, "FORBIDDEN")
    refused(await stores.http.delete(fence.path, params={"number": 1}, headers=headers), 403, "FORBIDDEN")
    assert not await fence.is_set()


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, ["number", "cascade"]),
        ({"number": 0, "cascade": True}, ["number"]),
        ({"number": 2**63, "cascade": True}, ["number"]),
        ({"number": "1", "cascade": 1}, ["number", "cascade"]),
        ({"number": 1, "cascade": True, "force": True}, ["force"]),
    ],
)
async def test_what_is_no_attempt(stores: Resource, fence: Fence, body: Json, fields: list[str]) -> None:
    answer = await stores.http.put(fence.path, json=body, headers=bearer("service"))
    assert fields_of(refused(answer, 400, "INVALID_INPUT")) == fields


@pytest.mark.parametrize("query", ["", "number=0", "number=x", "number=1&cascade=true"])
async def test_what_lifts_nothing(stores: Resource, fence: Fence, query: str) -> None:
    answer = await stores.http.delete(f"{fence.path}?{query}", headers=bearer("service"))
    refused(answer, 400, "INVALID_INPUT")


@pytest.fixture
async def lines(stores: Resource) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    """A connection of its own, for locks that outlast a request."""
    connection = await connect(stores.database.app)
    yield connection
    await connection.close()


async def waiting_for_locks(stores: Resource) -> int:
    [row] = await stores.run("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    return row["count"]


async def test_a_fence_waits_for_creations_and_later_creations_for_the_fence(
    stores: Resource, fence: Fence, client_uuid: UUID, lines: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """Locks are granted in order: creations that come later do not overtake a fence that waits."""
    key = int.from_bytes(client_uuid.bytes[8:], signed=True)
    async with lines.transaction():
        await lines.execute("SELECT pg_advisory_xact_lock_shared($1)", key)
        fencing = asyncio.create_task(fence.set())
        async with asyncio.timeout(4):
            while await waiting_for_locks(stores) < 1:
                await asyncio.sleep(0.01)
        late = asyncio.create_task(open_store(stores))
        async with asyncio.timeout(4):
            while await waiting_for_locks(stores) < 2:
                await asyncio.sleep(0.01)
    assert (await fencing).json()["data"]["is_set"]
    refused(await late, 409, "CLIENT_BEING_DELETED")


async def test_no_store_slips_past_a_fence(stores: Resource, neighbours: FakeNeighbours) -> None:
    """Creations and a fence at random moments: a fence that is set has counted all there ever are."""
    dice = random.Random(20261123)
    outcomes: set[bool] = set()
    for number in range(ROUNDS):
        client_uuid = neighbours.add()
        fence, cascade = Fence(stores.http, client_uuid), number % 2 == 0
        creations = [
            after(dice.random() / 50, open_store(stores, client_uuid=str(client_uuid))) for _ in range(4)
        ]
        *answers, fenced = await asyncio.gather(
            *creations, after(dice.random() / 50, fence.set(cascade=cascade))
        )
        created = sum(answer.status_code == 201 for answer in answers)
        found, state = await fence.state(), fenced.json()["data"]
        outcomes.add(state["is_set"])
        assert found["living_stores"] == created
        assert {answer.status_code for answer in answers} <= {201, 409}
        if state["is_set"]:
            assert state["living_stores"] == created
        else:
            assert not cascade
            assert created == len(answers)
    assert outcomes == {True, False}


async def after(seconds: float, request: Any) -> httpx.Response:  # noqa: ANN401 - any coroutine
    await asyncio.sleep(seconds)
    return await request


async def test_fences_of_many_clients_do_not_wait_for_one_another(stores: Resource) -> None:
    fences = [Fence(stores.http, new_uuid()) for _ in range(20)]
    answers = await asyncio.gather(*(fence.set() for fence in fences))
    assert {answer.json()["data"]["is_set"] for answer in answers} == {True}
