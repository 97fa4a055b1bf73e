"""Requests that meet in the database."""

import asyncio

import pytest

from services.client import constants
from tests.support.resource import Resource

ROUNDS = range(5)


@pytest.mark.parametrize("rivals", [2, 8])
async def test_of_twins_created_at_once_one_remains(clients: Resource, rivals: int) -> None:
    for number in ROUNDS:
        bodies = [clients.body(email=f"twin{number}@example.com") for _ in range(rivals)]
        answers = await asyncio.gather(*(clients.http.post(clients.path, json=body) for body in bodies))
        assert sorted(answer.status_code for answer in answers) == [201, *[409] * (rivals - 1)]
        messages = {answer.json()["message"] for answer in answers}
        assert messages == {constants.CLIENT_CREATED, constants.DUPLICATE_CLIENT}
        assert len(await clients.listed(email=f"twin{number}@example.com")) == 1


async def test_of_two_that_change_to_one_email_one_succeeds(clients: Resource) -> None:
    for number in ROUNDS:
        pair = [await clients.make(), await clients.make()]
        patch = {"email": f"wanted{number}@example.com"}
        answers = await asyncio.gather(*(clients.http.patch(clients.url(each), json=patch) for each in pair))
        assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_changes_of_different_fields_lose_nothing(clients: Resource) -> None:
    fields = {"name": "Teh", "city": "Medan", "country": "SG", "is_active": False, "tax_id": "1"}
    for _ in ROUNDS:
        made = await clients.make()
        await asyncio.gather(*(clients.change(made, **{name: value}) for name, value in fields.items()))
        changed = (await clients.http.get(clients.url(made))).json()["data"]
        assert {name: changed[name] for name in fields} == fields
        assert changed["version"] == 1 + len(fields)


async def test_a_client_is_deleted_once(clients: Resource) -> None:
    for _ in ROUNDS:
        url = clients.url(await clients.make())
        answers = await asyncio.gather(*(clients.http.delete(url) for _ in range(4)))
        first, *others = sorted(answer.status_code for answer in answers)
        assert first == 204
        assert set(others) <= {404, 409}


async def test_a_change_does_not_revive_what_is_deleted(clients: Resource) -> None:
    for _ in ROUNDS:
        url = clients.url(await clients.make())
        changed, deleted = await asyncio.gather(
            clients.http.patch(url, json={"name": "Late"}), clients.http.delete(url)
        )
        assert deleted.status_code == 204
        assert changed.status_code in {200, 404}
        assert (await clients.http.get(url)).status_code == 404


async def test_an_email_is_free_at_once_when_its_client_is_deleted(clients: Resource) -> None:
    for _ in ROUNDS:
        made = await clients.make(email="moving@example.com")
        body = clients.body(email="moving@example.com")
        deleted, created = await asyncio.gather(
            clients.http.delete(clients.url(made)), clients.http.post(clients.path, json=body)
        )
        assert deleted.status_code == 204
        assert created.status_code in {201, 409}
        if created.status_code == 201:
            await clients.http.delete(clients.url(created.json()["data"]))
