"""Reads of stores come from the cache, say so, and never show less than what was acknowledged."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from tests.support.resource import Json, Resource, refused
from tests.support.tokens import bearer

NO_CACHE = {"Cache-Control": "no-cache"}


def result(answer: httpx.Response) -> str:
    return answer.headers["x-cache"]


async def twice(stores: Resource, path: str, **query: Any) -> tuple[httpx.Response, httpx.Response]:  # noqa: ANN401 - a query's values
    first = await stores.http.get(path, params=query)
    return first, await stores.http.get(path, params=query)


async def test_a_store_is_read_once_from_the_database(stores: Resource) -> None:
    first, second = await twice(stores, stores.url(await stores.make()))
    assert (result(first), result(second)) == ("MISS", "HIT")
    assert first.headers["cache-status"] == "gerai; fwd=uri-miss; stored"
    assert second.headers["cache-status"] == "gerai; hit"
    assert first.content == second.content


async def test_a_change_shows_at_once(stores: Resource) -> None:
    made = await stores.make()
    await twice(stores, stores.url(made))
    changed = await stores.change(made, name="Changed")
    first, second = await twice(stores, stores.url(made))
    assert first.json()["data"] == second.json()["data"] == changed
    assert (result(first), result(second)) == ("MISS", "HIT")


async def test_what_ends_is_gone_at_once(stores: Resource) -> None:
    made = await stores.make()
    await twice(stores, stores.url(made))
    await stores.http.delete(stores.url(made))
    for _ in range(2):
        refused(await stores.http.get(stores.url(made)), 404, "STORE_NOT_FOUND")


@pytest.mark.parametrize("query", [{}, {"limit": 3}, {"city": "Bogor"}, {"sort": "name"}])
async def test_lists_are_cached_until_one_of_them_changes(stores: Resource, query: Json) -> None:
    made = await stores.make(city="Bogor")
    first, second = await twice(stores, stores.path, **query)
    assert (result(first), result(second)) == ("MISS", "HIT")
    assert first.content == second.content
    await stores.change(made, name="Changed")
    third = await stores.http.get(stores.path, params=query)
    assert result(third) == "MISS"
    assert "Changed" in third.text


async def test_a_new_store_is_in_the_next_list(stores: Resource) -> None:
    await twice(stores, stores.path)
    made = await stores.make()
    assert made["uuid"] in await stores.listed("uuid")


async def test_lists_of_one_client_outlive_changes_of_another(
    stores: Resource,
    client_uuid: UUID,
    neighbours: Any,  # noqa: ANN401 - the fixture's fake
) -> None:
    await stores.make()
    other = neighbours.add()
    await twice(stores, stores.path, client_uuid=str(client_uuid))
    await stores.make(client_uuid=str(other))
    ours = await stores.http.get(stores.path, params={"client_uuid": str(client_uuid)})
    assert result(ours) == "HIT"
    assert result(await stores.http.get(stores.path)) == "MISS"


@pytest.mark.parametrize("query", [{"q": "store"}, {"uuids": "0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"}])
async def test_searches_are_not_cached(stores: Resource, query: Json) -> None:
    answers = await twice(stores, stores.path, **query)
    assert [result(each) for each in answers] == ["BYPASS", "BYPASS"]


async def test_who_asks_for_no_cache_gets_the_database(stores: Resource) -> None:
    made = await stores.make()
    for path in (stores.url(made), stores.path):
        await twice(stores, path)
        answer = await stores.http.get(path, headers=NO_CACHE)
        assert (result(answer), answer.headers["cache-status"]) == ("BYPASS", "gerai; fwd=request")


async def test_the_uncached_twins_answer_the_same(stores: Resource) -> None:
    made = await stores.make()
    for path in (stores.url(made), stores.path):
        cached, _ = await twice(stores, path)
        twin = await stores.http.get(path.replace("/v1/", "/v1/uncached/"))
        assert (twin.status_code, result(twin)) == (200, "BYPASS")
        assert twin.content == cached.content


async def test_a_cached_store_is_not_shown_to_another_tenant(
    stores: Resource,
    client_uuid: UUID,
    neighbours: Any,  # noqa: ANN401 - the fixture's fake
) -> None:
    made = await stores.make()
    await twice(stores, stores.url(made))
    theirs = bearer("user", neighbours.add())
    refused(await stores.http.get(stores.url(made), headers=theirs), 404, "STORE_NOT_FOUND")
    ours = bearer("user", client_uuid)
    assert result(await stores.http.get(stores.url(made), headers=ours)) == "HIT"


async def test_lists_of_tenants_are_apart(
    stores: Resource,
    client_uuid: UUID,
    neighbours: Any,  # noqa: ANN401 - the fixture's fake
) -> None:
    made = await stores.make()
    for tenant, expected in ((client_uuid, [made["uuid"]]), (neighbours.add(), [])):
        for _ in range(2):
            answer = await stores.http.get(stores.path, headers=bearer("user", tenant))
            assert [row["uuid"] for row in answer.json()["data"]] == expected


async def test_a_store_with_its_client_is_cached_until_the_store_changes(stores: Resource) -> None:
    made = await stores.make()
    first, second = await twice(stores, stores.url(made), include="client")
    assert (result(first), result(second)) == ("MISS", "HIT")
    assert second.json()["data"]["client"]["uuid"] == made["client_uuid"]
    await stores.change(made, name="Changed")
    third = await stores.http.get(stores.url(made), params={"include": "client"})
    assert (result(third), third.json()["data"]["name"]) == ("MISS", "Changed")
    await stores.http.delete(stores.url(made))
    refused(await stores.http.get(stores.url(made), params={"include": "client"}), 404, "STORE_NOT_FOUND")


async def test_an_invalid_list_is_refused_each_time(stores: Resource) -> None:
    for _ in range(2):
        refused(await stores.http.get(stores.path, params={"sort": "nothing"}), 400)


async def test_absence_is_cached_for_this_id_alone(stores: Resource) -> None:
    unknown = f"{stores.path}/0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
    for _ in range(2):
        refused(await stores.http.get(unknown), 404, "STORE_NOT_FOUND")
    assert (await stores.http.get(stores.url(await stores.make()))).status_code == 200


async def test_who_has_the_answer_is_told_so(stores: Resource) -> None:
    made = await stores.make()
    for path in (stores.url(made), stores.url(made) + "?include=client"):
        tag = (await stores.http.get(path)).headers["etag"]
        again = await stores.http.get(path, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert "content-type" not in again.headers
        assert "content-length" not in again.headers
        await stores.change(made, name=f"Changed for {tag}")
        changed = await stores.http.get(path, headers={"If-None-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag


async def test_a_condition_that_is_none_is_refused(stores: Resource) -> None:
    made = await stores.make()
    refused(await stores.http.get(stores.url(made), headers={"If-None-Match": "1"}), 400)
