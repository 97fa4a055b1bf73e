"""Reads of clients come from the cache, say so, and never show less than what was acknowledged."""

import httpx

from tests.support.resource import Resource, refused
from tests.support.tokens import bearer


async def results(clients: Resource, path: str, times: int = 2) -> list[str]:
    answers: list[httpx.Response] = [await clients.http.get(path) for _ in range(times)]
    assert len({each.content for each in answers}) == 1
    return [each.headers["x-cache"] for each in answers]


async def test_a_client_and_a_list_are_read_once_from_the_database(clients: Resource) -> None:
    made = await clients.make()
    assert await results(clients, clients.url(made)) == ["MISS", "HIT"]
    assert await results(clients, clients.path) == ["MISS", "HIT"]


async def test_a_change_shows_at_once(clients: Resource) -> None:
    made = await clients.make()
    await results(clients, clients.url(made))
    await results(clients, clients.path)
    await clients.change(made, name="Changed")
    assert (await clients.http.get(clients.url(made))).json()["data"]["name"] == "Changed"
    assert await clients.listed() == ["Changed"]


async def test_a_tenant_sees_its_change_in_its_list(clients: Resource) -> None:
    made = await clients.make()
    ours = bearer("user", made["uuid"])
    for name in (made["name"], "Changed"):
        await clients.change(made, name=name)
        for _ in range(2):
            answer = await clients.http.get(clients.path, headers=ours)
            assert [row["name"] for row in answer.json()["data"]] == [name]


async def test_a_cached_client_is_not_shown_to_another_tenant(clients: Resource) -> None:
    made, other = await clients.make(), await clients.make()
    await results(clients, clients.url(made))
    refused(await clients.http.get(clients.url(made), headers=bearer("user", other["uuid"])), 404)


async def test_services_are_answered_by_the_database(clients: Resource) -> None:
    made = await clients.make()
    await results(clients, clients.url(made))
    answer = await clients.http.get(f"/internal/clients/{made['uuid']}", headers=bearer("service"))
    assert answer.headers["x-cache"] == "BYPASS"
