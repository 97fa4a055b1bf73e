"""Nothing that a caller sends is answered with 500, and what is refused leaves no trace."""

from typing import Any

import pytest

from tests.support import hostile
from tests.support.resource import JSON, Resource, fields_of, refused

LINES = ("name", "email", "tax_id", "city", "province", "postal_code", "country", "timezone", "phone")


@pytest.mark.parametrize("body", hostile.BODIES.values(), ids=hostile.BODIES.keys())
async def test_bodies(clients: Resource, body: bytes) -> None:
    made = await clients.make()
    refused(await clients.http.post(clients.path, content=body, headers=JSON), 400)
    refused(await clients.http.patch(clients.url(made), content=body, headers=JSON), 400)
    assert (await clients.page())["data"] == [made]


@pytest.mark.parametrize("value", hostile.LINES.values(), ids=hostile.LINES.keys())
async def test_lines_of_text(clients: Resource, value: Any) -> None:  # noqa: ANN401 - JSON
    made = await clients.make()
    for name in LINES:
        posted = await clients.http.post(clients.path, json=clients.body(**{name: value}))
        assert fields_of(refused(posted, 400)) == [name]
        patched = await clients.http.patch(clients.url(made), json={name: value})
        assert fields_of(refused(patched, 400)) == [name]
    assert (await clients.page())["data"] == [made]


@pytest.mark.parametrize("value", ["a\x00", "a\u202e", "a\rb", "a\tb", " ", "x" * 1001, 1, ["a"]])
async def test_addresses(clients: Resource, value: Any) -> None:  # noqa: ANN401 - JSON
    refused(await clients.http.post(clients.path, json=clients.body(address=value)), 400)


@pytest.mark.parametrize(
    "email",
    [
        "a",
        "a@",
        "@b.co",
        "a@b",
        "a b@c.co",
        "a@b..co",
        "a@-b.co",
        "a@b.co.",
        "a@@b.co",
        "a,b@c.co",
        "<a@b.co>",
        "\u00a0@b.co",
        "a@b.co\n",
        "x" * 65 + "@b.co",
        "a@" + "b" * 64 + ".co",
        "a@" + "b." * 130 + "co",
        "a" * 50_000 + "@" + "b." * 50_000,
    ],
)
async def test_emails(clients: Resource, email: str) -> None:
    answer = await clients.http.post(clients.path, json=clients.body(email=email))
    assert fields_of(refused(answer, 400)) == ["email"]


@pytest.mark.parametrize(
    "phone", ["0812", "+0812", "+62", "+62 811", "+6281" * 5, "62811222333", "+\u0661" * 8]
)
async def test_phones(clients: Resource, phone: str) -> None:
    answer = await clients.http.post(clients.path, json=clients.body(phone=phone))
    assert fields_of(refused(answer, 400)) == ["phone"]


@pytest.mark.parametrize("value", [1, 0, "true", None, []])
async def test_is_active(clients: Resource, value: Any) -> None:  # noqa: ANN401 - JSON
    refused(await clients.http.post(clients.path, json=clients.body(is_active=value)), 400)


@pytest.mark.parametrize(
    "text", ["\u0958" * 200, "\ufdfa" * 200, "\u3316\u3315\u33ff" * 66, "\U0001d160" * 200]
)
async def test_text_that_grows_when_normalised(clients: Resource, text: str) -> None:
    for name in ("name", "city", "province"):
        answer = await clients.http.post(clients.path, json=clients.body(**{name: text}))
        assert answer.status_code in {201, 400}, answer.text


@pytest.mark.parametrize("query", hostile.QUERIES)
async def test_queries(clients: Resource, query: str) -> None:
    assert refused(await clients.http.get(f"{clients.path}?{query}"), 400)["details"]


@pytest.mark.parametrize("search", hostile.SEARCHES)
async def test_searches(clients: Resource, search: str) -> None:
    await clients.make(name="Kopi")
    assert (await clients.http.get(f"{clients.path}?q={search}")).json()["data"] == []


@pytest.mark.parametrize("uuid", hostile.UUIDS)
async def test_ids(clients: Resource, uuid: str) -> None:
    url = f"{clients.path}/{uuid}"
    refused(await clients.http.get(url), 400)
    refused(await clients.http.patch(url, json={"name": "Kopi"}), 400)
    refused(await clients.http.delete(url), 400)
    refused(await clients.http.get(f"/internal/clients/{uuid}"), 400)


@pytest.mark.parametrize("media_type", hostile.MEDIA_TYPES)
async def test_other_content_types(clients: Resource, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    made = await clients.make()
    refused(await clients.http.post(clients.path, content=b'{"name": "a"}', headers=headers), 415)
    refused(await clients.http.patch(clients.url(made), content=b'{"name": "a"}', headers=headers), 415)


@pytest.mark.parametrize("media_type", ["application/json; charset=latin-1", "application/merge-patch+json"])
async def test_a_new_client_comes_as_json_in_utf8(clients: Resource, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    refused(await clients.http.post(clients.path, content=b"{}", headers=headers), 415)


async def test_a_compressed_body(clients: Resource) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    made = await clients.make()
    refused(await clients.http.post(clients.path, content=b'{"name": "a"}', headers=headers), 415)
    refused(await clients.http.patch(clients.url(made), content=b'{"name": "a"}', headers=headers), 415)


async def test_a_body_over_two_mebibytes(clients: Resource) -> None:
    body = b'{"name": "' + b"x" * (2 * 1024 * 1024) + b'"}'
    refused(await clients.http.post(clients.path, content=body, headers=JSON), 413, "PAYLOAD_TOO_LARGE")


async def test_methods_that_are_not_there(clients: Resource) -> None:
    answer = await clients.http.put(clients.path, json={})
    refused(answer, 405, "METHOD_NOT_ALLOWED")
    assert set(answer.headers["allow"].replace(" ", "").split(",")) >= {"GET", "POST"}


async def test_places_that_do_not_exist_are_told_beside_whatever_else_is_wrong(clients: Resource) -> None:
    made = await clients.make()
    wrong = {"country": "XX", "timezone": "Mars/Base", "phone": "0812", "surprise": 1}
    posted = await clients.http.post(clients.path, json=clients.body(**wrong))
    assert set(fields_of(refused(posted, 400))) == set(wrong)
    patched = await clients.http.patch(clients.url(made), json=wrong)
    assert set(fields_of(refused(patched, 400))) == set(wrong)
    week = {"timezone": "Mars/Base", "hours": [{"day": "noday", "opens": "09:00", "closes": "17:00"}]}
    put = await clients.http.put(f"{clients.url(made)}/workhour", json=week)
    assert set(fields_of(refused(put, 400))) == {"timezone", "hours[0].day"}
