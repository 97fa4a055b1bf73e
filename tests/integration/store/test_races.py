"""Requests that meet in the database."""

import asyncio
from uuid import UUID

import pytest

from services.store import constants
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Resource

ROUNDS = range(5)


@pytest.mark.parametrize("rivals", [2, 8])
async def test_of_twins_created_at_once_one_remains(stores: Resource, rivals: int) -> None:
    for number in ROUNDS:
        codes = [f"Twin-{number}", f"TWIN-{number}"]
        bodies = [stores.body(code=codes[rival % 2]) for rival in range(rivals)]
        answers = await asyncio.gather(*(stores.http.post(stores.path, json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [201, *[409] * (rivals - 1)]
        messages = {answer.json()["message"] for answer in answers}
        assert messages == {constants.STORE_CREATED, constants.DUPLICATE_STORE}
        assert len(await stores.listed(code=codes[0])) == 1


async def test_twins_of_different_clients_both_remain(stores: Resource, neighbours: FakeNeighbours) -> None:
    bodies = [stores.body(code="JKT-01", client_uuid=str(neighbours.add())) for _ in range(2)]
    answers = await asyncio.gather(*(stores.http.post(stores.path, json=body) for body in bodies))
    assert [answer.status_code for answer in answers] == [201, 201]


async def test_of_two_that_change_to_one_code_one_succeeds(stores: Resource) -> None:
    for number in ROUNDS:
        pair = [await stores.make(), await stores.make()]
        patch = {"code": f"WANTED-{number}"}
        answers = await asyncio.gather(*(stores.http.patch(stores.url(each), json=patch) for each in pair))
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_changes_of_different_fields_lose_nothing(stores: Resource) -> None:
    fields = {"name": "Teh", "city": "Medan", "country": "SG", "is_active": False, "code": "NEW"}
    for _ in ROUNDS:
        made = await stores.make()
        await asyncio.gather(*(stores.change(made, **{name: value}) for name, value in fields.items()))
        changed = (await stores.http.get(stores.url(made))).json()["data"]
        assert {name: changed[name] for name in fields} == fields
        assert changed["version"] == 1 + len(fields)
        await stores.http.delete(stores.url(made))


async def test_coordinates_cannot_be_halved_by_two_at_once(stores: Resource) -> None:
    for _ in ROUNDS:
        made = await stores.make()
        url = stores.url(made)
        answers = await asyncio.gather(
            stores.http.patch(url, json={"latitude": 1, "longitude": 2}),
            stores.http.patch(url, json={"latitude": 3}),
            stores.http.patch(url, json={"latitude": None, "longitude": None}),
        )
        assert {answers[0].status_code, answers[2].status_code} == {200}
        assert answers[1].status_code in {200, 400}
        left = (await stores.http.get(url)).json()["data"]
        assert (left["latitude"] is None) == (left["longitude"] is None)


async def test_a_store_is_deleted_once(stores: Resource) -> None:
    for _ in ROUNDS:
        url = stores.url(await stores.make())
        answers = await asyncio.gather(*(stores.http.delete(url) for _ in range(4)))
        assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]


async def test_a_change_does_not_revive_what_is_deleted(
    stores: Resource, neighbours: FakeNeighbours, client_uuid: UUID
) -> None:
    url = stores.url(await stores.make())
    neighbours.moving.clear()
    asked = neighbours.asked
    late = asyncio.create_task(stores.http.patch(url, json={"name": "Late"}))
    async with asyncio.timeout(5):
        while neighbours.asked == asked:
            await asyncio.sleep(0.001)
    assert (await stores.http.delete(url)).status_code == 204
    neighbours.moving.set()
    assert (await late).status_code == 404
    assert client_uuid in neighbours.clients


async def test_no_connection_is_held_while_the_client_service_thinks(
    stores: Resource, neighbours: FakeNeighbours
) -> None:
    made = await stores.make()
    asked = neighbours.asked
    neighbours.moving.clear()
    waiting = [asyncio.create_task(stores.http.post(stores.path, json=stores.body())) for _ in range(30)]
    async with asyncio.timeout(5):
        while neighbours.asked < asked + len(waiting):
            await asyncio.sleep(0.001)
    assert (await stores.http.get(stores.url(made))).status_code == 200
    neighbours.moving.set()
    assert {(await task).status_code for task in waiting} == {201}
