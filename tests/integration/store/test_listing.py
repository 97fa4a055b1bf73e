"""Which stores a list shows, in which order, and how its pages join. More on pages: the clients' lists."""

from uuid import UUID

import pytest

import shared.listing
from tests.support.neighbours import FakeNeighbours
from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.tokens import bearer


@pytest.fixture
def other_client(neighbours: FakeNeighbours) -> UUID:
    return neighbours.add()


@pytest.fixture
async def four(stores: Resource, other_client: UUID) -> dict[str, Json]:
    """Four stores by their name, made in the reverse order of their names; the first is another client's."""
    made = [
        await stores.make(name="citra", code="A-1", city="Medan", client_uuid=str(other_client)),
        await stores.make(name="Caf\u00e9", code="b-1", city="MEDAN", country="SG"),
        await stores.make(name="Budi", code="C-12", is_active=False),
        await stores.make(name="agung", code="d-2", city="Banda Aceh"),
    ]
    return {each["name"]: each for each in made}


@pytest.mark.parametrize(
    ("sort", "expected"),
    [
        ("name", ["agung", "Budi", "Caf\u00e9", "citra"]),
        ("-name", ["citra", "Caf\u00e9", "Budi", "agung"]),
        ("code", ["citra", "Caf\u00e9", "Budi", "agung"]),
        ("-code", ["agung", "Budi", "Caf\u00e9", "citra"]),
        ("created_at", ["citra", "Caf\u00e9", "Budi", "agung"]),
        ("-updated_at", ["agung", "Budi", "Caf\u00e9", "citra"]),
        ("updated_at,code", ["citra", "Caf\u00e9", "Budi", "agung"]),
    ],
)
@pytest.mark.usefixtures("four")
async def test_order(stores: Resource, sort: str, expected: list[str]) -> None:
    assert await stores.listed(sort=sort) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"code": "B-1"}, ["Caf\u00e9"]),
        ({"city": "medan"}, ["Caf\u00e9", "citra"]),
        ({"country": "SG"}, ["Caf\u00e9"]),
        ({"is_active": "false"}, ["Budi"]),
        ({"city": "MEDAN", "country": "ID"}, ["citra"]),
        ({"q": "cafe"}, ["Caf\u00e9"]),
        ({"q": "1 c"}, ["Budi", "Caf\u00e9", "citra"]),
        ({"q": "C-12"}, ["Budi"]),
        ({"q": "med"}, ["Caf\u00e9", "citra"]),
        ({"q": "med", "sort": "-name"}, ["citra", "Caf\u00e9"]),
        ({"q": "edan"}, []),
        ({"q": "--"}, []),
        ({"uuids": ""}, []),
    ],
    ids=str,
)
@pytest.mark.usefixtures("four")
async def test_filters_and_search(stores: Resource, query: dict[str, str], expected: list[str]) -> None:
    page = await stores.page(**{"sort": "name", **query})
    assert [row["name"] for row in page["data"]] == expected
    assert page["meta"]["total"] == len(expected)


async def test_stores_of_a_client(stores: Resource, four: dict[str, Json], other_client: UUID) -> None:
    assert await stores.listed(client_uuid=str(other_client)) == ["citra"]
    assert await stores.listed(client_uuid=four["Budi"]["uuid"]) == []
    mine = four["Budi"]["client_uuid"]
    assert await stores.listed(client_uuid=mine, sort="code") == ["Caf\u00e9", "Budi", "agung"]
    assert await stores.listed(client_uuid=mine, sort="-name", city="medan") == ["Caf\u00e9"]


async def test_stores_by_id(stores: Resource, four: dict[str, Json]) -> None:
    uuids = f"{four['Budi']['uuid']},{four['citra']['uuid']}"
    assert await stores.listed(sort="name", uuids=uuids) == ["Budi", "citra"]


async def test_search_follows_changes(stores: Resource, four: dict[str, Json]) -> None:
    await stores.change(four["Budi"], code="NEW-7", city="Padang")
    assert await stores.listed(q="12") == []
    assert await stores.listed(q="pad new") == ["Budi"]


@pytest.mark.parametrize("role", ["manager", "user"])
async def test_a_tenant_sees_its_own(
    stores: Resource, four: dict[str, Json], other_client: UUID, role: str
) -> None:
    headers = bearer("manager" if role == "manager" else "user", other_client)
    answer = (await stores.http.get(stores.path, headers=headers)).json()
    assert [row["name"] for row in answer["data"]] == ["citra"]
    assert answer["meta"]["total"] == 1
    mine = four["Budi"]
    for query in (f"client_uuid={mine['client_uuid']}", f"uuids={mine['uuid']}", "q=budi", "code=C-12"):
        assert (await stores.http.get(f"{stores.path}?{query}", headers=headers)).json()["data"] == []


@pytest.mark.usefixtures("four")
async def test_a_cursor_is_bound_to_filters_sort_and_tenant(stores: Resource, other_client: UUID) -> None:
    cursor = (await stores.page(sort="code", limit=1))["meta"]["next_cursor"]
    others: list[dict[str, str]] = [{"sort": "-code"}, {"sort": "name"}, {"sort": "code", "city": "medan"}]
    for query in others:
        answer = await stores.http.get(stores.path, params={**query, "cursor": cursor})
        assert fields_of(refused(answer, 400)) == ["cursor"]
    answer = await stores.http.get(
        stores.path, params={"sort": "code", "cursor": cursor}, headers=bearer("user", other_client)
    )
    refused(answer, 400)


@pytest.mark.parametrize("sort", ["name", "-code", "created_at", "-updated_at"])
async def test_a_walk_sees_every_old_store_once_while_others_come_and_go(stores: Resource, sort: str) -> None:
    old = [(await stores.make(name=f"Old {number % 3}"))["uuid"] for number in range(12)]
    seen: list[str] = []
    page = await stores.page(sort=sort, limit=2)
    for number in range(100):
        seen += [row["uuid"] for row in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
        await stores.make(name=f"Old {number % 4}")
        await stores.http.delete(stores.url(await stores.make(name="Gone")))
        page = await stores.page(sort=sort, limit=3, cursor=cursor)
    assert sorted(uuid for uuid in seen if uuid in old) == sorted(old)
    assert len(seen) == len(set(seen))


async def test_large_totals_are_estimates(stores: Resource, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        await stores.make()
    monkeypatch.setattr(shared.listing, "EXACT_TOTAL", 5)
    assert "total_is_estimate" not in (await stores.page())["meta"]
    await stores.make()
    meta = (await stores.page())["meta"]
    assert meta["total_is_estimate"] is True
    assert meta["total"] >= 6
