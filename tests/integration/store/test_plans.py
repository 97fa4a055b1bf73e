"""Every list of stores uses an index: seen in the planner's choice over some thousands of rows."""

from collections.abc import AsyncGenerator
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from infra.seed.cities import home_and_world
from infra.seed.companies import Demo
from infra.seed.load import Loader, connected
from services.store.model import stores
from services.store.repository.stores import StoreRepository, stored_columns
from services.store.schema import StoreQuery
from shared.db import Database
from tests.support.caches import meta_of, no_cache
from tests.support.databases import TestDatabase, connect
from tests.support.plans import indexes, kinds, nodes, recorded

ROWS = 6_000
DEMO = Demo(*home_and_world(), 20)
TENANT, LARGE_TENANT = DEMO.client_uuids()[12], DEMO.client_uuids()[2]


@pytest.fixture(scope="module")
async def repository(databases: dict[str, TestDatabase]) -> AsyncGenerator[StoreRepository]:
    await databases["store"].empty()
    async with connected(databases["store"].owner) as connection:
        loader = Loader(connection, stores)
        await loader.prepare()
        assert await loader.add(stored_columns(DEMO.store(number)) for number in range(ROWS)) == ROWS
        await loader.settle()
    database = Database(databases["store"].app, "tests")
    yield StoreRepository(database, no_cache(database))
    await database.close()


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
    (StoreQuery(is_active=False),                 ALL,    "stores_inactive"),
    (StoreQuery(is_active=True),                  ALL,    "stores_by_created_at"),
    (StoreQuery(code="SUR-0001"),                 ALL,    "stores_by_code"),
    (StoreQuery(code="SUR-0001"),                 TENANT, "stores_"),
    (StoreQuery(q="ambo"),                        ALL,    "stores_search"),
    (StoreQuery(q="3217"),                        TENANT, "stores_search"),
    (StoreQuery(q="ambo", sort="name"),           ALL,    "stores_search"),
]
# fmt: on


@pytest.mark.parametrize(("query", "tenant", "index"), LISTS, ids=str)
async def test_a_page_is_found_by_its_index(
    repository: StoreRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    query: StoreQuery,
    tenant: UUID | None,
    index: str,
) -> None:
    with recorded() as statements:
        await repository.list(query, None, tenant)
    page = await nodes(planner, *statements[0])
    assert any(name.startswith(index) for name in indexes(page)), page
    assert "Seq Scan" not in kinds(page)


@pytest.mark.parametrize("sort", ["-created_at", "name", "-code", "updated_at"])
@pytest.mark.parametrize("tenant", [ALL, LARGE_TENANT], ids=["all", "tenant"])
async def test_a_later_page_begins_where_the_index_is(
    repository: StoreRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    sort: str,
    tenant: UUID | None,
) -> None:
    query = StoreQuery(sort=sort, limit=10)
    first = await repository.list(query, None, tenant)
    with recorded() as statements:
        await repository.list(replace(query, cursor=meta_of(first).next_cursor), None, tenant)
    page = await nodes(planner, *statements[0])
    assert kinds(page) <= {"Limit", "Index Scan", "Incremental Sort"}
    assert any("Index Cond" in node for node in page), page


PARTS = [
    (StoreQuery(), TENANT),
    (StoreQuery(client_uuid=TENANT), ALL),
    (StoreQuery(city="ambon"), ALL),
    (StoreQuery(country="SG"), ALL),
    (StoreQuery(is_active=False), ALL),
    (StoreQuery(code="SUR-0001"), ALL),
    (StoreQuery(q="ambo"), ALL),
]


@pytest.mark.parametrize(("query", "tenant"), PARTS, ids=str)
async def test_totals_of_a_part_do_not_read_the_whole(
    repository: StoreRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    query: StoreQuery,
    tenant: UUID | None,
) -> None:
    with recorded() as statements:
        await repository.list(query, None, tenant)
    count = await nodes(planner, *statements[1])
    assert "Seq Scan" not in kinds(count), count


async def test_stores_by_id(
    repository: StoreRepository, planner: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    uuids = [DEMO.store(number)["uuid"] for number in (1, 2, 3)]
    with recorded() as statements:
        listing = await repository.list(StoreQuery(), uuids, None)
    assert meta_of(listing).total == 3
    assert indexes(await nodes(planner, *statements[0])) == {"stores_pkey"}
