"""What every resource with a history promises."""

from tests.support.resource import Json, Resource, refused


async def assert_history_tells_all(resource: Resource) -> None:
    """See that creation and changes are told newest first, page by page, until the thing has ended."""
    made = await resource.make(name="First")
    changed = await resource.change(made, name="Second")
    url = f"{resource.url(made)}/history"
    answer = await resource.http.get(url)
    newest, oldest = answer.json()["data"]
    assert (newest["version"], oldest["version"]) == (2, 1)
    assert (oldest["before"], oldest["after"]) == (None, made)
    assert (newest["before"], newest["after"]) == (made, changed)
    assert newest["type"].endswith(".changed")
    assert newest["aggregate_id"] == made["uuid"]
    assert newest["actor"]
    assert newest["request_id"]
    assert answer.json()["meta"]["total"] == 2
    assert await _walked(resource, url) == [2, 1]
    first = await resource.http.get(url, params={"sort": "version", "limit": 1})
    assert [entry["version"] for entry in first.json()["data"]] == [1]
    refused(await resource.http.get(url, params={"sort": "actor"}), 400)
    await resource.http.delete(resource.url(made))
    refused(await resource.http.get(url), 404)


async def _walked(resource: Resource, url: str) -> list[int]:
    versions: list[int] = []
    query: Json = {"limit": 1}
    while True:
        page = (await resource.http.get(url, params=query)).json()
        versions += [entry["version"] for entry in page["data"]]
        if page["meta"]["next_cursor"] is None:
            return versions
        query["cursor"] = page["meta"]["next_cursor"]
