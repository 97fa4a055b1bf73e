"""Every list of stores is found by index: seen in what the planner does with some thousands of rows."""

from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

import shared.listing
from infra.seed.cities import home_and_world
from infra.seed.companies import Demo
from infra.seed.load import Loader, connected
from services.store.model import stores
from services.store.repository.stores import StoreRepository, stored_columns
from services.store.schema import StoreQuery
from services.store.usecase.wanted import wanted
from shared.db import Database
from shared.listing import ListQuery
from tests.support.caches import meta_of, no_cache
from tests.support.databases import TestDatabase, connect
from tests.support.plans import Fields, Statements, indexes, kinds, plans, recorded, rows_read, with_all

_OPEN = """
INSERT INTO client_hours (uuid, client_uuid, kind, version, shown)
SELECT $1, $1, 'workhour', 1, jsonb_build_object(
    'uuid', $1::uuid, 'timezone', null, 'version', 1, 'created_at', now(), 'updated_at', now(),
    'hours', '[{"day": "monday", "opens": "00:00", "closes": "24:00"}]'::jsonb)
"""

ROWS = 6_000
NOW = datetime(2026, 1, 5, 3, tzinfo=UTC)
DEMO = Demo(*home_and_world(), 20)
TENANT, LARGE_TENANT = DEMO.client_uuids()[12], DEMO.client_uuids()[2]


@pytest.fixture(scope="module")
async def repository(databases: dict[str, TestDatabase]) -> AsyncGenerator[StoreRepository]:
    await databases["store"].empty()
    async with connected(databases["store"].owner) as connection:
        loader = Loader(connection, stores)
        await loader.prepare()
        assert await loader.add(_inheriting(number) for number in range(ROWS)) == ROWS
        await loader.settle()
        await connection.execute(_OPEN, TENANT)
    database = Database(databases["store"].app, "tests")
    yield StoreRepository(database, no_cache(database))
    await database.close()


def _inheriting(number: int) -> dict[str, Any]:
    """Return a demo store without the mark of hours of its own, which are in tables that stay empty here."""
    return {**stored_columns(DEMO.store(number)), "schedule_digest": None}


@pytest.fixture(scope="module")
async def planner(
    databases: dict[str, TestDatabase],
) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await connect(databases["store"].app)
    yield connection
    await connection.close()


ALL: UUID | None = None

# fmt: off
LISTS = [
    # query                                       whose   the index of the page
    (StoreQuery(),                                ALL,    "stores_by_created_at"),
    (StoreQuery(sort="created_at"),               ALL,    "stores_by_created_at"),
    (StoreQuery(sort="-updated_at"),              ALL,    "stores_by_updated_at"),
    (StoreQuery(sort="name"),                     ALL,    "stores_by_name"),
    (StoreQuery(sort="-name"),                    ALL,    "stores_by_name"),
    (StoreQuery(sort="code"),                     ALL,    "stores_by_code"),
    (StoreQuery(sort="name,-created_at"),         ALL,    "stores_by_name"),
    (StoreQuery(),                                TENANT, "stores_of_client_by_created_at"),
    (StoreQuery(sort="updated_at"),               TENANT, "stores_of_client_by_updated_at"),
    (StoreQuery(sort="-name"),                    TENANT, "stores_of_client_by_name"),
    (StoreQuery(sort="code"),                     TENANT, "stores_code_unique"),
    (StoreQuery(client_uuid=TENANT),              ALL,    "stores_of_client_by_created_at"),
    (StoreQuery(client_uuid=TENANT, sort="code"), ALL,    "stores_code_unique"),
    (StoreQuery(city="ambon"),                    ALL,    "stores_by_city"),
    (StoreQuery(city="ambon", sort="created_at"), ALL,    "stores_by_city"),
    (StoreQuery(country="SG"),                    ALL,    "stores_by_country"),
    (StoreQuery(country="ID"),                    ALL,    "stores_by_c"),
    (StoreQuery(is_active=False),                 ALL,    "stores_by_is_active"),
    (StoreQuery(is_active=True),                  ALL,    "stores_by_"),
    (StoreQuery(code="SUR-0001"),                 ALL,    "stores_by_code"),
    (StoreQuery(code="SUR-0001"),                 TENANT, "stores_"),
    (StoreQuery(q="ambo"),                        ALL,    "stores_search"),
    (StoreQuery(q="3217"),                        TENANT, "stores_search"),
    (StoreQuery(q="ambo", sort="name"),           ALL,    "stores_search"),
    (StoreQuery(near="-3.69,128.18", radius_m=5000),      ALL, "stores_by_place"),
    (StoreQuery(near="-17.8,180", radius_m=50000),        ALL, "stores_by_place"),
]
# fmt: on


async def asked(repository: StoreRepository, query: StoreQuery, tenant: UUID | None = None) -> Statements:
    with recorded() as statements:
        await repository.list(query, wanted(query, NOW), tenant)
    return statements


@pytest.mark.parametrize(("query", "tenant", "index"), LISTS, ids=str)
async def test_a_page_is_found_by_its_index(
    repository: StoreRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    query: StoreQuery,
    tenant: UUID | None,
    index: str,
) -> None:
    found = await plans(planner, await asked(repository, query, tenant))
    assert any(name.startswith(index) for name in indexes(found[-1])), found[-1]
    assert all("Seq Scan" not in kinds(plan) for plan in found), found


@pytest.mark.parametrize("sort", ["-created_at", "name", "-code", "updated_at"])
@pytest.mark.parametrize("tenant", [ALL, LARGE_TENANT], ids=["all", "tenant"])
async def test_a_later_page_begins_where_the_index_is(
    repository: StoreRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    sort: str,
    tenant: UUID | None,
) -> None:
    query = StoreQuery(sort=sort, limit=10)
    first = await repository.list(query, wanted(query, NOW), tenant)
    later = await asked(repository, replace(query, cursor=meta_of(first).next_cursor), tenant)
    page = (await plans(planner, later))[-1]
    assert kinds(page) <= {"Limit", "Index Scan", "Incremental Sort"}
    assert any("Index Cond" in node for node in page), page
    assert rows_read(page, "stores") <= (12 if tenant is ALL else FEW)


PARTS: dict[str, Fields] = {
    "words": {"q": "ambo"},
    "ids": {"uuids": ",".join(str(DEMO.store(number)["uuid"]) for number in range(3))},
    "client": {"client_uuid": TENANT},
    "code": {"code": "SUR-0001"},
    "city": {"city": "ambon"},
    "country": {"country": "SG"},
    "activity": {"is_active": False},
    "place": {"near": "-3.69,128.18", "radius_m": 5000.0},
    "instant": {"open_at": NOW},
}
"""Filters that each pick few of the stores."""

SORTS = (None, "name", "-code", "updated_at,-name")
FEW = ROWS // 6


def test_every_filter_has_a_part_here() -> None:
    filters = set(StoreQuery.__struct_fields__) - set(ListQuery.__struct_fields__)
    assert {name for part in PARTS.values() for name in part} == filters - {"open_now"}  # is open_at


@pytest.mark.parametrize("tenant", [ALL, LARGE_TENANT], ids=["all", "tenant"])
@pytest.mark.parametrize("fields", with_all(PARTS), ids=" ".join)
async def test_no_combination_of_filters_reads_the_table(
    repository: StoreRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    fields: Fields,
    tenant: UUID | None,
) -> None:
    for sort in (None,) if "near" in fields else SORTS:
        query = StoreQuery(**fields, sort=sort, limit=1)
        first = await repository.list(query, wanted(query, NOW), tenant)
        cursor = meta_of(first).next_cursor
        for each in (query, replace(query, cursor=cursor), replace(query, page=3)):
            found = await plans(planner, await asked(repository, each, tenant))
            assert all("Seq Scan" not in kinds(plan) for plan in found), found
            # What is open takes a look at the distinct schedules, before the page that comes last.
            counted = found[-1:] if "open_at" in fields else found
            assert sum(rows_read(plan, "stores") for plan in counted) <= FEW, found


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(
    "fields",
    [{"q": "0"}, {"country": "ID"}, {"is_active": True}, {"q": "0", "is_active": True}],
    ids=str,
)
async def test_what_picks_too_many_is_found_in_order(
    repository: StoreRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    monkeypatch: pytest.MonkeyPatch,
    fields: Fields,
    sort: str | None,
) -> None:
    monkeypatch.setattr(shared.listing, "MOST_CANDIDATES", 200)
    monkeypatch.setattr(shared.listing, "EXACT_TOTAL", 100)
    found = await plans(planner, await asked(repository, StoreQuery(**fields, sort=sort)))
    assert all("Seq Scan" not in kinds(plan) for plan in found), found
    assert rows_read(found[1], "stores") <= 200, found[1]
