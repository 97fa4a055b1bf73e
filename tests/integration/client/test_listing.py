"""Which clients a list shows, in which order, and how its pages join."""

from uuid import UUID

import pytest

from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.tokens import bearer

NAMES = ["agung", "Budi", "Caf\u00e9", "citra"]


@pytest.fixture
async def four(clients: Resource) -> dict[str, Json]:
    """Four clients by their name, made in the reverse order of their names."""
    made = [
        await clients.make(name="citra", email="zulu@example.com", city="Medan", is_active=False),
        await clients.make(name="Caf\u00e9", email="Yankee@example.com", city="MEDAN", country="SG"),
        await clients.make(name="Budi", email="x-ray@example.com", phone="+62811222333"),
        await clients.make(name="agung", email="whisky@example.com", city="Banda Aceh"),
    ]
    return {each["name"]: each for each in made}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["agung", "Budi", "Caf\u00e9", "citra"]),
        ("-name", ["citra", "Caf\u00e9", "Budi", "agung"]),
        ("email", ["agung", "Budi", "Caf\u00e9", "citra"]),
        ("created_at", ["citra", "Caf\u00e9", "Budi", "agung"]),
        ("-created_at", ["agung", "Budi", "Caf\u00e9", "citra"]),
        ("updated_at", ["citra", "Caf\u00e9", "Budi", "agung"]),
        ("-updated_at,name", ["agung", "Budi", "Caf\u00e9", "citra"]),
    ],
)
@pytest.mark.usefixtures("four")
async def test_order(clients: Resource, sort: str, expected: list[str]) -> None:
    assert await clients.listed(sort=sort) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"name": "BUDI"}, ["Budi"]),
        ({"name": "cafe\u0301"}, ["Caf\u00e9"]),
        ({"email": "YANKEE@example.com"}, ["Caf\u00e9"]),
        ({"city": "medan"}, ["Caf\u00e9", "citra"]),
        ({"country": "SG"}, ["Caf\u00e9"]),
        ({"is_active": "false"}, ["citra"]),
        ({"is_active": "true"}, ["agung", "Budi", "Caf\u00e9"]),
        ({"city": "medan", "country": "ID"}, ["citra"]),
        ({"q": "caf"}, ["Caf\u00e9"]),
        ({"q": "CAFE"}, ["Caf\u00e9"]),
        ({"q": "x-ray@example"}, ["Budi"]),
        ({"q": "ray exam"}, ["Budi"]),
        ({"q": "62811"}, ["Budi"]),
        ({"q": "+62 811"}, []),
        ({"q": "aceh ban"}, ["agung"]),
        ({"q": "ceh"}, []),
        ({"q": "!?"}, []),
        ({"q": ""}, []),
        ({"q": "med", "is_active": "false"}, ["citra"]),
        ({"uuids": ""}, []),
        ({"name": "nobody"}, []),
    ],
    ids=str,
)
@pytest.mark.usefixtures("four")
async def test_filters_and_search(clients: Resource, query: dict[str, str], expected: list[str]) -> None:
    page = await clients.page(sort="name", **query)
    assert [row["name"] for row in page["data"]] == expected
    assert page["meta"]["total"] == len(expected)


async def test_search_follows_changes(clients: Resource, four: dict[str, Json]) -> None:
    await clients.change(four["Budi"], name="Bagus")
    assert await clients.listed(q="budi") == []
    assert await clients.listed(q="bagus x-ray") == ["Bagus"]


async def test_clients_by_id(clients: Resource, four: dict[str, Json]) -> None:
    uuids = f"{four['Budi']['uuid']}, {four['citra']['uuid']},,0199c5a0-7d1e-7cc3-b0f5-3a1b6c2d4e5f"
    assert await clients.listed(sort="name", uuids=uuids) == ["Budi", "citra"]


@pytest.mark.usefixtures("four")
async def test_pages_by_number(clients: Resource) -> None:
    first = await clients.page(sort="name", limit=3)
    second = await clients.page(sort="name", limit=3, page=2)
    beyond = await clients.page(sort="name", limit=3, page=1_000_000_000)
    assert [row["name"] for row in first["data"] + second["data"]] == NAMES
    assert beyond["data"] == []
    assert (first["status_code"], first["message"]) == (200, "Success")
    cursor = first["meta"].pop("next_cursor")
    assert cursor
    assert first["meta"] == {"page": 1, "limit": 3, "total": 4, "total_pages": 2}
    assert second["meta"] == {"page": 2, "limit": 3, "total": 4, "total_pages": 2, "next_cursor": None}


async def test_an_empty_list(clients: Resource) -> None:
    page = await clients.page()
    assert page["data"] == []
    assert page["meta"] == {"page": 1, "limit": 10, "total": 0, "total_pages": 0, "next_cursor": None}


async def walked(clients: Resource, limit: int = 1, **query: str) -> list[str]:
    """Return the names on all pages, by cursor."""
    names: list[str] = []
    page = await clients.page(limit=limit, **query)
    while True:
        names += [row["name"] for row in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            return names
        page = await clients.page(limit=limit, cursor=cursor, **query)
        assert "page" not in page["meta"]


@pytest.mark.parametrize("sort", ["name", "-name", "email", "-created_at", "updated_at", "name,-created_at"])
@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_a_walk_by_cursor_sees_what_one_page_shows(clients: Resource, sort: str, limit: int) -> None:
    for number in range(7):
        await clients.make(name=f"Twin {number % 2}")
    whole = [row["uuid"] for row in (await clients.page(sort=sort, limit=100))["data"]]
    seen: list[str] = []
    page = await clients.page(sort=sort, limit=limit)
    while True:
        seen += [row["uuid"] for row in page["data"]]
        if page["meta"]["next_cursor"] is None:
            break
        page = await clients.page(sort=sort, limit=limit, cursor=page["meta"]["next_cursor"])
    assert seen == whole


@pytest.mark.usefixtures("four")
async def test_a_cursor_keeps_to_its_filters(clients: Resource) -> None:
    assert await walked(clients, sort="name", city="medan") == ["Caf\u00e9", "citra"]
    assert await walked(clients, sort="-name", q="example") == ["citra", "Caf\u00e9", "Budi", "agung"]


@pytest.mark.usefixtures("four")
async def test_a_walk_sees_every_old_row_once_while_others_come_and_go(clients: Resource) -> None:
    seen: list[str] = []
    page = await clients.page(sort="name", limit=1)
    for number in range(20):
        seen += [row["name"] for row in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
        for letter in "abcz":
            await clients.make(name=f"{letter}{number}")
        await clients.http.delete(clients.url(await clients.make(name=seen[-1])))
        page = await clients.page(sort="name", limit=10, cursor=cursor)
    assert [name for name in seen if name in NAMES] == NAMES
    assert len(seen) == len(set(seen))


@pytest.mark.usefixtures("four")
@pytest.mark.parametrize(
    "other",
    [{"sort": "-name"}, {"sort": "email"}, {"sort": "name", "city": "medan"}, {"sort": "name", "page": "1"}],
    ids=str,
)
async def test_a_cursor_is_refused_elsewhere(clients: Resource, other: dict[str, str]) -> None:
    cursor = (await clients.page(sort="name", limit=1))["meta"]["next_cursor"]
    answer = await clients.http.get(clients.path, params={**other, "cursor": cursor})
    assert fields_of(refused(answer, 400)) == ["cursor"]


async def test_a_tenant_sees_itself(clients: Resource, four: dict[str, Json]) -> None:
    mine = bearer("user", UUID(four["Budi"]["uuid"]))
    answer = (await clients.http.get(clients.path, headers=mine)).json()
    assert [row["name"] for row in answer["data"]] == ["Budi"]
    assert answer["meta"]["total"] == 1
    for query in ("name=citra", "q=citra", f"uuids={four['citra']['uuid']}"):
        assert (await clients.http.get(f"{clients.path}?{query}", headers=mine)).json()["data"] == []


async def test_another_callers_cursor_opens_nothing(clients: Resource, four: dict[str, Json]) -> None:
    cursor = (await clients.page(sort="-name", limit=1))["meta"]["next_cursor"]
    mine = bearer("manager", UUID(four["Budi"]["uuid"]))
    query = {"sort": "-name", "cursor": cursor}
    refused(await clients.http.get(clients.path, params=query, headers=mine), 400)
