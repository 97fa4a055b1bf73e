"""Every list of clients uses an index: seen in the planner's choice over some thousands of rows."""

from collections.abc import AsyncGenerator
from uuid import UUID

import asyncpg
import pytest
from msgspec.structs import replace

from infra.seed.cities import home_and_world
from infra.seed.companies import Demo
from infra.seed.load import Loader, connected
from services.client.model import clients
from services.client.repository.clients import ClientRepository, stored_columns
from services.client.schema import ClientQuery
from shared.db import Database
from tests.support.caches import meta_of, no_cache
from tests.support.databases import TestDatabase, connect
from tests.support.plans import indexes, kinds, nodes, recorded

ROWS = 6_000
DEMO = Demo(*home_and_world(), ROWS)
TENANT = DEMO.client_uuids()[12]
ALL: UUID | None = None


@pytest.fixture(scope="module")
async def repository(databases: dict[str, TestDatabase]) -> AsyncGenerator[ClientRepository]:
    await databases["client"].empty()
    async with connected(databases["client"].owner) as connection:
        loader = Loader(connection, clients)
        await loader.prepare()
        assert await loader.add(stored_columns(DEMO.client(number)) for number in range(ROWS)) == ROWS
        await loader.settle()
    database = Database(databases["client"].app, "tests")
    yield ClientRepository(database, no_cache(database))
    await database.close()


@pytest.fixture(scope="module")
async def planner(
    databases: dict[str, TestDatabase],
) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await connect(databases["client"].app)
    yield connection
    await connection.close()


# fmt: off
LISTS = [
    # query                                             whose   the index of the page
    (ClientQuery(),                                     ALL,    "clients_by_created_at"),
    (ClientQuery(sort="created_at"),                    ALL,    "clients_by_created_at"),
    (ClientQuery(sort="-updated_at"),                   ALL,    "clients_by_updated_at"),
    (ClientQuery(sort="name"),                          ALL,    "clients_by_name"),
    (ClientQuery(sort="-email"),                        ALL,    "clients_"),
    (ClientQuery(),                                     TENANT, "clients_pkey"),
    (ClientQuery(name="kopi jaya jakarta"),             ALL,    "clients_by_name"),
    (ClientQuery(email="halo@kopi-jaya-jakarta-1.example"), ALL, "clients_"),
    (ClientQuery(city="ambon"),                         ALL,    "clients_by_city"),
    (ClientQuery(q="ambo"),                             ALL,    "clients_search"),
    (ClientQuery(q="ambo", sort="name"),                ALL,    "clients_search"),
    (ClientQuery(is_active=True),                       ALL,    "clients_by_created_at"),
    (ClientQuery(is_active=False),                      ALL,    "clients_inactive"),
    (ClientQuery(country="SG"),                         ALL,    "clients_by_country"),
]
# fmt: on


@pytest.mark.parametrize(("query", "tenant", "index"), LISTS, ids=str)
async def test_a_page_is_found_by_its_index(
    repository: ClientRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    query: ClientQuery,
    tenant: UUID | None,
    index: str,
) -> None:
    with recorded() as statements:
        await repository.list(query, None, tenant)
    page = await nodes(planner, *statements[0])
    assert any(name.startswith(index) for name in indexes(page)), page
    assert "Seq Scan" not in kinds(page)


@pytest.mark.parametrize("sort", ["-created_at", "name", "-email", "updated_at"])
async def test_a_later_page_begins_where_the_index_is(
    repository: ClientRepository, planner: "asyncpg.Connection[asyncpg.Record]", sort: str
) -> None:
    query = ClientQuery(sort=sort)
    first = await repository.list(query, None, None)
    with recorded() as statements:
        await repository.list(replace(query, cursor=meta_of(first).next_cursor), None, None)
    page = await nodes(planner, *statements[0])
    assert kinds(page) <= {"Limit", "Index Scan", "Incremental Sort"}
    assert any("Index Cond" in node for node in page), page
