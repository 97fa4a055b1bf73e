"""Stores near a place: the same as by brute force, in the order of their distance, page after page."""

import random
from typing import Any
from uuid import UUID

import pytest

import shared.listing
from tests.support.globe import CORNERS, Place, around, metres_between
from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.tokens import bearer

MONAS = "-6.1754,106.8272"

_PLACED = """
INSERT INTO stores (uuid, client_uuid, code, code_key, name, name_key, country, timezone, search,
                    latitude, longitude, is_active)
SELECT gen_random_uuid(), $1, number::text, number::text, 'Placed', 'placed', 'ID', 'Asia/Jakarta',
       array_to_tsvector(ARRAY['placed']), latitude, longitude, number % 3 > 0
FROM unnest($2::float8[], $3::float8[]) WITH ORDINALITY AS places (latitude, longitude, number)
"""


async def place(stores: Resource, client_uuid: UUID, *places: Place) -> None:
    """Put stores at these places; every third of them is inactive."""
    latitudes, longitudes = zip(*places, strict=True)
    await stores.run(_PLACED, client_uuid, list(latitudes), list(longitudes))


async def walked(stores: Resource, **query: Any) -> list[Json]:  # noqa: ANN401 - a query's values
    """Return what all pages show, by cursor."""
    rows: list[Json] = []
    page = await stores.page(**query)
    while True:
        rows += page["data"]
        if page["meta"]["next_cursor"] is None:
            return rows
        page = await stores.page(**query, cursor=page["meta"]["next_cursor"])


@pytest.fixture
async def three(stores: Resource) -> list[str]:
    """Three stores at, near and far from the same place, and one at no place."""
    await stores.make(name="far", latitude=-6.3, longitude=106.8272, city="Depok")
    await stores.make(name="near", latitude=-6.18, longitude=106.8272, city="Jakarta", is_active=False)
    await stores.make(name="here", latitude=-6.1754, longitude=106.8272, city="Jakarta")
    await stores.make(name="nowhere", city="Jakarta")
    return ["here", "near", "far"]


async def test_the_nearest_come_first_with_their_distance(stores: Resource, three: list[str]) -> None:
    page = await stores.page(near=MONAS, radius_m=50_000)
    assert [row["name"] for row in page["data"]] == three
    here, near, far = (row["distance_m"] for row in page["data"])
    assert here == 0
    assert near == pytest.approx(metres_between((-6.1754, 106.8272), (-6.18, 106.8272)), abs=0.1)
    assert far == pytest.approx(13_854.8, abs=1)
    assert page["meta"] == {
        "page": 1, "limit": 10, "total": 3, "total_pages": 1, "next_cursor": None, "radius_m": 50_000.0,
    }  # fmt: skip


@pytest.mark.usefixtures("three")
async def test_without_a_place_there_is_no_distance(stores: Resource) -> None:
    assert all("distance_m" not in row for row in (await stores.page())["data"])


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"radius_m": 13_854}, ["here", "near"]),
        ({"radius_m": 0.5}, ["here"]),
        ({"city": "jakarta"}, ["here", "near"]),
        ({"is_active": True}, ["here", "far"]),
        ({"q": "jak ne"}, ["near"]),
        ({"city": "Jakarta", "is_active": False, "q": "n", "country": "ID"}, ["near"]),
        ({"uuids": ""}, []),
        ({"code": "nothing"}, []),
    ],
    ids=str,
)
@pytest.mark.usefixtures("three")
async def test_any_filter_goes_with_it(stores: Resource, query: Json, expected: list[str]) -> None:
    page = await stores.page(**{"near": MONAS, "radius_m": 50_000, **query})
    assert [row["name"] for row in page["data"]] == expected


@pytest.mark.usefixtures("three")
async def test_a_tenant_finds_its_own(stores: Resource, client_uuid: UUID) -> None:
    query: Json = {"near": MONAS, "radius_m": 50_000}
    for tenant, found in ((client_uuid, 3), (UUID(int=1), 0)):
        answer = await stores.http.get(stores.path, params=query, headers=bearer("user", tenant))
        assert answer.json()["meta"]["total"] == found


@pytest.mark.usefixtures("three")
async def test_it_is_never_cached(stores: Resource) -> None:
    for path in (stores.path, stores.path, "/v1/uncached/stores"):
        answer = await stores.http.get(path, params={"near": MONAS, "radius_m": 100})
        assert answer.headers["x-cache"] == "BYPASS"
        assert [row["name"] for row in answer.json()["data"]] == ["here"]


@pytest.mark.parametrize("radius_m", [1, 300, 12_345, 50_000])
async def test_the_same_as_by_brute_force_wherever_on_the_globe(
    stores: Resource, client_uuid: UUID, radius_m: int
) -> None:
    chance = random.Random(radius_m)
    world = [*CORNERS, *(around(chance, centre, 1.5 * radius_m) for centre in CORNERS * 12)]
    await place(stores, client_uuid, *world)
    for centre in CORNERS:
        distances = [metres_between(centre, each) for each in world]
        assert all(abs(distance - radius_m) > 0.001 for distance in distances)
        expected = sorted(distance for distance in distances if distance <= radius_m)
        rows = await walked(stores, near=f"{centre[0]},{centre[1]}", radius_m=radius_m, limit=7)
        assert [row["distance_m"] for row in rows] == pytest.approx(expected, abs=0.06), centre
        assert len({row["uuid"] for row in rows}) == len(rows)


async def test_a_walk_sees_every_old_store_once_while_others_come_and_go(
    stores: Resource, client_uuid: UUID
) -> None:
    chance, centre = random.Random(7), (-6.1754, 106.8272)
    twins = [around(chance, centre, 900)] * 5
    await place(stores, client_uuid, *twins, *(around(chance, centre, 900) for _ in range(25)))
    query: Json = {"near": MONAS, "radius_m": 1000, "limit": 3}
    old = {row["uuid"] for row in (await stores.page(**{**query, "limit": 100}))["data"]}
    page, seen = await stores.page(**query), list[str]()
    while True:
        seen += [row["uuid"] for row in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
        latitude, longitude = around(chance, centre, 1000)
        await stores.make(name="New", latitude=latitude, longitude=longitude)
        await stores.http.delete(
            stores.url(await stores.make(name="Gone", latitude=-6.1754, longitude=106.8))
        )
        page = await stores.page(**query, cursor=cursor)
    assert len(old) == 30
    assert sorted(uuid for uuid in seen if uuid in old) == sorted(old)
    assert len(seen) == len(set(seen))


async def test_of_too_many_the_nearest_are_listed(
    stores: Resource, client_uuid: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.listing, "MOST_CANDIDATES", 20)
    places = [around(random.Random(seed), (0.0, 180.0), 8000) for seed in range(100)]
    await place(stores, client_uuid, *places)
    nearest = sorted(metres_between((0.0, 180.0), each) for each in places)
    page = await stores.page(near="0,180", radius_m=8000, limit=3)
    meta = page["meta"]
    assert meta["capped"] is True
    assert meta["radius_m"] < 8000
    within = [distance for distance in nearest if distance <= meta["radius_m"]]
    assert meta["total"] == len(within) <= 20
    rows = await walked(stores, near="0,180", radius_m=8000, limit=3)
    assert [row["distance_m"] for row in rows] == pytest.approx(within, abs=0.06)


async def test_too_many_at_one_place_are_cut_off(
    stores: Resource, client_uuid: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared.listing, "MOST_CANDIDATES", 20)
    await place(stores, client_uuid, *[(1.0, 1.0)] * 25)
    meta = (await stores.page(near="1,1", radius_m=100))["meta"]
    assert (meta["capped"], meta["total"]) == (True, 20)


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"near": MONAS}, ["radius_m"]),
        ({"radius_m": "10"}, ["near"]),
        ({"near": "-6.2", "radius_m": "10"}, ["near"]),
        ({"near": "-6.2,", "radius_m": "10"}, ["near"]),
        ({"near": "a,b", "radius_m": "10"}, ["near"]),
        ({"near": "nan,nan", "radius_m": "10"}, ["near"]),
        ({"near": "1e1,1", "radius_m": "10"}, ["near"]),
        ({"near": "91,0", "radius_m": "10"}, ["near"]),
        ({"near": "0,181", "radius_m": "10"}, ["near"]),
        ({"near": MONAS, "radius_m": "0"}, ["radius_m"]),
        ({"near": MONAS, "radius_m": "-1"}, ["radius_m"]),
        ({"near": MONAS, "radius_m": "50000.1"}, ["radius_m"]),
        ({"near": MONAS, "radius_m": "nan"}, ["radius_m"]),
        ({"near": MONAS, "radius_m": "inf"}, ["radius_m"]),
        ({"near": MONAS, "radius_m": "10", "sort": "name"}, ["sort"]),
        ({"near": MONAS, "radius_m": "10", "sort": "-created_at"}, ["sort"]),
        ({"near": "x", "radius_m": "x", "sort": "x" * 300}, ["near", "radius_m", "sort"]),
    ],
    ids=str,
)
async def test_what_has_no_meaning_is_refused_by_name(
    stores: Resource, query: dict[str, str], fields: list[str]
) -> None:
    error = refused(await stores.http.get(stores.path, params=query), 400)
    assert sorted(fields_of(error)) == sorted(fields)


@pytest.mark.usefixtures("three")
async def test_a_cursor_keeps_to_its_place(stores: Resource) -> None:
    query: Json = {"near": MONAS, "radius_m": 50_000, "limit": 1}
    cursor = (await stores.page(**query))["meta"]["next_cursor"]
    others: list[Json] = [{"near": "0,0"}, {"radius_m": 49_999}, {"city": "Jakarta"}]
    for other in others:
        answer = await stores.http.get(stores.path, params={**query, **other, "cursor": cursor})
        assert fields_of(refused(answer, 400)) == ["cursor"]
