"""Exporting stores, and importing what was exported."""

import asyncio
import csv
import io
from typing import Any
from uuid import UUID

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.store.schema import CreateStore, Store
from shared.conversion import field_errors
from shared.text import clean, unique_key
from tests.support.databases import connect
from tests.support.imports import CSV, NDJSON, Importer
from tests.support.neighbours import FakeNeighbours
from tests.support.plans import Statements, indexes, kinds, plans, recorded
from tests.support.resource import Json, Resource, fields_of, refused
from tests.support.tokens import bearer

CHUNK = 1_000


async def export(stores: Resource, **query: str | bool) -> httpx.Response:
    answer = await stores.http.get("/v1/stores/export", params=query)
    assert answer.status_code == 200, answer.text
    return answer


async def exported(stores: Resource, **query: str | bool) -> list[Json]:
    answer = await export(stores, format="ndjson", **query)
    return [msgspec.json.decode(line) for line in answer.content.splitlines()]


async def fill(stores: Resource, client_uuid: UUID, count: int) -> None:
    await stores.run(
        """
        INSERT INTO stores (uuid, client_uuid, code, code_key, name, name_key, country, timezone, search,
                            city, city_key, created_at)
        SELECT gen_random_uuid(), $1, 'B-' || n, 'b-' || n, 'Bulk', 'bulk', 'ID', 'Asia/Jakarta',
               array_to_tsvector(ARRAY['bulk']), CASE WHEN n % 100 = 0 THEN 'Rare' END,
               CASE WHEN n % 100 = 0 THEN 'rare' END, now() - n * interval '1 second'
        FROM generate_series(1, $2) AS n
        """,
        client_uuid,
        count,
    )


async def test_the_formats(stores: Resource) -> None:
    made = await stores.make(name="=1+1", phone="+622150001234", latitude=-6.5, longitude=106.0, city="'tis")
    answer = await export(stores)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="stores.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert list(row) == list(Store.__struct_fields__)
    assert (row["name"], row["phone"], row["city"]) == ("'=1+1", "'+622150001234", "''tis")
    assert (row["latitude"], row["longitude"], row["address"], row["is_active"]) == (
        "-6.5",
        "106.0",
        "",
        "true",
    )
    assert (row["uuid"], row["version"], row["created_at"]) == (made["uuid"], "1", made["created_at"])
    assert await exported(stores) == [made]
    accepting = await stores.http.get("/v1/stores/export", headers={"Accept": NDJSON})
    assert accepting.headers["content-type"].startswith(NDJSON)
    assert msgspec.json.decode(accepting.content) == made


async def test_nothing_to_export(stores: Resource) -> None:
    assert (await export(stores)).text == ",".join(Store.__struct_fields__) + "\r\n"
    assert await exported(stores) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        *(("page=1", "page"), ("limit=5", "limit"), ("cursor=x", "cursor"), ("sort=name", "sort")),
        *(("format=xml", "format"), ("colour=red", "colour"), ("country=x", "country"), ("uuids=x", "uuids")),
    ],
)
async def test_what_an_export_does_not_take(stores: Resource, query: str, field: str) -> None:
    assert fields_of(refused(await stores.http.get(f"/v1/stores/export?{query}"), 400)) == [field]


async def test_filters_and_tenants(stores: Resource, neighbours: FakeNeighbours) -> None:
    other = neighbours.add()
    one = await stores.make(city="Bogor", name="Kopi")
    two = await stores.make(city="Depok", client_uuid=str(other), is_active=False)
    for query, expected in (
        ({"city": "bogor"}, [one]),
        ({"is_active": "false"}, [two]),
        ({"client_uuid": str(other)}, [two]),
        ({"q": "kop"}, [one]),
        ({"uuids": two["uuid"]}, [two]),
        ({}, [one, two]),
    ):
        assert await exported(stores, **query) == expected
    answer = await stores.http.get("/v1/stores/export?format=ndjson", headers=bearer("user", other))
    assert msgspec.json.decode(answer.content) == two
    refused(await stores.http.get("/v1/stores/export", headers=bearer("service")), 403)


async def test_importing_an_export_changes_nothing(
    stores: Resource, importer: Importer, client_uuid: UUID
) -> None:
    await fill(stores, client_uuid, CHUNK)
    await stores.make(name="-1", code="@x", address="=a\n'b", phone="+622150001234", latitude=1, longitude=-2)
    before = await stores.run("SELECT * FROM stores ORDER BY uuid")
    for media_type, name in ((CSV, "csv"), (NDJSON, "ndjson")):
        content = (await export(stores, format=name)).content
        done = await importer.send(content, media_type, mode="upsert")
        assert (done["unchanged"], done["failed"], done["rows"]) == (CHUNK + 1, 0, CHUNK + 1)
    assert await stores.run("SELECT * FROM stores ORDER BY uuid") == before


LINE = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["=1", "+1", "-1", "@a", "'=", "'", '"', "a,b", "ﬁ", "ＡＢ", "1e5", "true", "null"]
)
FIELDS = st.fixed_dictionaries(
    {"code": LINE, "name": LINE},
    optional={
        "address": LINE | st.just("a\nb") | st.none(),
        "city": LINE | st.none(),
        "province": LINE,
        "postal_code": LINE,
        "phone": st.just("+622150001234") | st.none(),
        "is_active": st.booleans(),
        "country": st.sampled_from(["ID", "SG"]),
    },
)
PLACES = st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180))


def is_valid(row: Json) -> bool:
    valid = not field_errors(row, CreateStore, strict=True)
    return valid and all(clean(value) for value in row.values() if isinstance(value, str))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(FIELDS, PLACES), min_size=1, max_size=8), name=st.sampled_from(["csv", "ndjson"])
)
async def test_a_round_trip_gives_the_same_rows(
    stores: Resource, importer: Importer, client_uuid: UUID, rows: list[tuple[Json, Any]], name: str
) -> None:
    """Import, export, empty, import the export, export: both exports show the same."""
    await stores.database.empty()
    filled = [{**fields, "client_uuid": str(client_uuid), **_place(place)} for fields, place in rows]
    valid = [row for row in filled if is_valid(row)]
    first = await importer.ndjson(valid or [{}])
    assert first["created"] == len({unique_key(clean(row["code"])) for row in valid})
    shown = await exported(stores)
    content = (await export(stores, format=name)).content
    await stores.database.empty()
    again = await importer.send(content, CSV if name == "csv" else NDJSON)
    assert (again["created"], again["failed"]) == (len(shown), 0)
    own = {"uuid", "created_at", "updated_at"}
    strip = [{k: v for k, v in row.items() if k not in own} for row in await exported(stores)]
    expected = [{k: v for k, v in row.items() if k not in own} for row in shown]
    assert sorted(strip, key=str) == sorted(expected, key=str)


def _place(place: tuple[float, float] | None) -> Json:
    return {} if place is None else {"latitude": place[0], "longitude": place[1]}


async def test_an_export_while_others_write(stores: Resource, client_uuid: UUID) -> None:
    await fill(stores, client_uuid, 3 * CHUNK)
    there = {row["uuid"] for row in await stores.run("SELECT uuid::text AS uuid FROM stores")}
    ending = asyncio.Event()

    async def write() -> None:
        while not ending.is_set():
            made = await stores.make()
            await stores.change(made, name="Changed")
            await stores.http.delete(stores.url(made))

    async def touch() -> None:
        for uuid in sorted(there)[::100]:
            await stores.http.patch(f"/v1/stores/{uuid}", json={"name": "Touched"})

    writing = asyncio.create_task(write())
    try:
        found, _ = await asyncio.gather(exported(stores), touch())
    finally:
        ending.set()
        await writing
    uuids = [row["uuid"] for row in found]
    assert len(uuids) == len(set(uuids))
    assert there <= set(uuids)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ({}, "stores_by_created_at"),
        ({"client_uuid": "own"}, "stores_of_client_by_created_at"),
        ({"city": "Rare"}, "stores_by_city"),
        ({"country": "SG"}, "stores_by_country"),
    ],
)
async def test_an_export_walks_an_index(
    stores: Resource, neighbours: FakeNeighbours, client_uuid: UUID, query: dict[str, str], index: str
) -> None:
    own = neighbours.add()
    await fill(stores, client_uuid, 20 * CHUNK)
    await fill(stores, own, 2 * CHUNK)
    await stores.run("ANALYZE stores")
    with recorded() as statements:
        await export(stores, **{name: value.replace("own", str(own)) for name, value in query.items()})
    connection = await connect(stores.database.owner)
    try:
        own = Statements(each for each in statements if "FROM stores" in each[0])
        found = await plans(connection, own)
    finally:
        await connection.close()
    assert found
    for plan in found:
        assert indexes(plan) == {index}
        assert "Seq Scan" not in kinds(plan)


async def test_head_tells_the_headers_and_reads_no_further(
    stores: Resource, neighbours: FakeNeighbours
) -> None:
    await fill(stores, neighbours.add(), 2 * CHUNK + 1)
    for query in ("", "?format=ndjson"):
        full = await stores.http.get(f"/v1/stores/export{query}")
        with recorded() as statements:
            head = await stores.http.head(f"/v1/stores/export{query}")
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "content-disposition"):
            assert head.headers[name] == full.headers[name]
        assert sum("FROM stores" in sql for sql, _ in statements) == 1
    refused = await stores.http.head("/v1/stores/export?format=xlsx")
    assert refused.status_code == 400
