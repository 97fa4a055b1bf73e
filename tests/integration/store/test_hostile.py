"""Nothing that a caller sends is answered with 500, and what is refused leaves no trace."""

from typing import Any

import pytest

from tests.support import hostile
from tests.support.resource import JSON, Resource, fields_of, refused

LINES = ("code", "name", "phone", "email", "city", "province", "postal_code", "country", "timezone")


@pytest.mark.parametrize("body", hostile.BODIES.values(), ids=hostile.BODIES.keys())
async def test_bodies(stores: Resource, body: bytes) -> None:
    made = await stores.make()
    refused(await stores.http.post(stores.path, content=body, headers=JSON), 400)
    refused(await stores.http.patch(stores.url(made), content=body, headers=JSON), 400)
    assert (await stores.page())["data"] == [made]


@pytest.mark.parametrize("value", hostile.LINES.values(), ids=hostile.LINES.keys())
async def test_lines_of_text(stores: Resource, value: Any) -> None:  # noqa: ANN401 - JSON
    made = await stores.make()
    for name in LINES:
        posted = await stores.http.post(stores.path, json=stores.body(**{name: value}))
        assert fields_of(refused(posted, 400)) == [name]
        patched = await stores.http.patch(stores.url(made), json={name: value})
        assert fields_of(refused(patched, 400)) == [name]
    assert (await stores.page())["data"] == [made]


@pytest.mark.parametrize("number", hostile.COORDINATES.values(), ids=hostile.COORDINATES.keys())
async def test_coordinates(stores: Resource, number: bytes) -> None:
    made = await stores.make()
    patch = b'{"latitude": %s, "longitude": %s}' % (number, number)
    refused(await stores.http.patch(stores.url(made), content=patch, headers=JSON), 400)
    whole = b'{"client_uuid": "%s", "code": "A", "name": "A", ' % made["client_uuid"].encode() + patch[1:]
    refused(await stores.http.post(stores.path, content=whole, headers=JSON), 400)
    assert (await stores.page())["data"] == [made]


@pytest.mark.parametrize("latitude", ["-90", "90", "90.0", "-0.0", "1e-320", "0.1234567890123456789", "9e1"])
async def test_odd_coordinates_that_are_fine(stores: Resource, latitude: str) -> None:
    made = await stores.make()
    patch = f'{{"latitude": {latitude}, "longitude": 0}}'
    answer = await stores.http.patch(stores.url(made), content=patch, headers=JSON)
    assert answer.json()["data"]["latitude"] == float(latitude)


@pytest.mark.parametrize(
    "uuid", ["x", "", 1, None, [], "{0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f}", "\u0661" * 36]
)
async def test_client_ids(stores: Resource, uuid: Any) -> None:  # noqa: ANN401 - JSON
    error = refused(await stores.http.post(stores.path, json=stores.body(client_uuid=uuid)), 400)
    assert fields_of(error) == ["client_uuid"]


@pytest.mark.parametrize("text", ["\u0958", "\ufdfa", "\u3316", "\U0001d160", "\u0390", "\U0002f800"])
async def test_text_that_grows_when_normalised(stores: Resource, text: str) -> None:
    for name, length in {"code": 50, "name": 200, "city": 200, "address": 1000}.items():
        answer = await stores.http.post(stores.path, json=stores.body(**{name: text * length}))
        assert answer.status_code in {201, 400}, answer.text


@pytest.mark.parametrize("query", [*hostile.QUERIES, "client_uuid=x", "client_uuid=", "code=%00", "name=a"])
async def test_queries(stores: Resource, query: str) -> None:
    assert refused(await stores.http.get(f"{stores.path}?{query}"), 400)["details"]


@pytest.mark.parametrize("search", hostile.SEARCHES)
async def test_searches(stores: Resource, search: str) -> None:
    await stores.make(name="Kopi", code="K")
    assert (await stores.http.get(f"{stores.path}?q={search}")).json()["data"] == []


@pytest.mark.parametrize("uuid", hostile.UUIDS)
async def test_ids(stores: Resource, uuid: str) -> None:
    url = f"{stores.path}/{uuid}"
    refused(await stores.http.get(url), 400)
    refused(await stores.http.get(f"{url}?include=client"), 400)
    refused(await stores.http.patch(url, json={"name": "Kopi"}), 400)
    refused(await stores.http.delete(url), 400)


@pytest.mark.parametrize("media_type", [*hostile.MEDIA_TYPES, "application/json; charset=utf-16"])
async def test_other_content_types(stores: Resource, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    made = await stores.make()
    refused(await stores.http.post(stores.path, content=b'{"name": "a"}', headers=headers), 415)
    refused(await stores.http.patch(stores.url(made), content=b'{"name": "a"}', headers=headers), 415)


async def test_a_compressed_body(stores: Resource) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    made = await stores.make()
    refused(await stores.http.post(stores.path, content=b'{"name": "a"}', headers=headers), 415)
    refused(await stores.http.patch(stores.url(made), content=b'{"name": "a"}', headers=headers), 415)


async def test_a_body_over_two_mebibytes(stores: Resource) -> None:
    body = b'{"name": "' + b"x" * (2 * 1024 * 1024) + b'"}'
    refused(await stores.http.post(stores.path, content=body, headers=JSON), 413, "PAYLOAD_TOO_LARGE")


async def test_places_that_do_not_exist_are_told_beside_whatever_else_is_wrong(stores: Resource) -> None:
    made = await stores.make()
    wrong = {"country": "XX", "timezone": "Mars/Base", "phone": "0812", "surprise": 1}
    posted = await stores.http.post(stores.path, json=stores.body(**wrong))
    assert set(fields_of(refused(posted, 400))) == set(wrong)
    patched = await stores.http.patch(stores.url(made), json=wrong)
    assert set(fields_of(refused(patched, 400))) == set(wrong)
    week = {"timezone": "Mars/Base", "hours": [{"day": "noday", "opens": "09:00", "closes": "17:00"}]}
    put = await stores.http.put(f"{stores.url(made)}/workhour", json=week)
    assert set(fields_of(refused(put, 400))) == {"timezone", "hours[0].day"}
