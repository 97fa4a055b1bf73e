"""What every resource promises to those who edit it at the same time."""

import asyncio

from tests.support.crowds import AT_ONCE, ROUNDS
from tests.support.resource import Json, Resource, refused


async def assert_edits_are_conditional(resource: Resource) -> None:
    """See that a stale or weak tag changes nothing, that a fresh one does, and that answers carry tags."""
    answer = await resource.http.post(resource.path, json=resource.body())
    made: Json = answer.json()["data"]
    url, tag = resource.url(made), answer.headers["etag"]
    assert (await resource.http.get(url)).headers["etag"] == tag == '"1"'
    for stale in ('"0"', 'W/"1"', '"2", "3"', '"1-1"'):
        for method in ("PATCH", "DELETE"):
            body = {"name": "Changed"} if method == "PATCH" else None
            tried = await resource.http.request(method, url, json=body, headers={"If-Match": stale})
            refused(tried, 412, "PRECONDITION_FAILED")
            assert tried.headers["etag"] == tag
    tried = await resource.http.patch(url, json={"name": "Changed"}, headers={"If-Match": "1"})
    assert refused(tried, 400)["details"][0]["field"] == "If-Match"
    assert (await resource.http.get(url)).json()["data"] == made
    changed = await resource.http.patch(url, json={"name": "Changed"}, headers={"If-Match": f'"9", {tag}'})
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')
    assert (await resource.http.get(url)).headers["etag"] == '"2"'
    assert (await resource.http.delete(url, headers={"If-Match": tag})).status_code == 412
    assert (await resource.http.delete(url, headers={"If-Match": "*"})).status_code == 204
    refused(await resource.http.delete(url, headers={"If-Match": "*"}), 404)


async def assert_one_of_many_edits_wins(resource: Resource) -> None:
    """See that of many edits of one version one is made, and the others are told."""
    url = resource.url(await resource.make())

    async def edit(version: int, number: int) -> int:
        headers, change = {"If-Match": f'"{version}"'}, {"name": f"N{version}-{number}"}
        return (await resource.http.patch(url, json=change, headers=headers)).status_code

    for version in range(1, len(ROUNDS) + 1):
        statuses = await asyncio.gather(*(edit(version, number) for number in range(AT_ONCE)))
        assert sorted(statuses) == [200] + [412] * (AT_ONCE - 1)
    assert (await resource.http.get(url)).json()["data"]["version"] == 1 + len(ROUNDS)
