"""Every list of clients is found by index: seen in what the planner does with some thousands of rows."""

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
from shared.conversion import to_uuids
from shared.db import Database
from shared.listing import ListQuery
from tests.support.caches import meta_of, no_cache
from tests.support.databases import TestDatabase, connect
from tests.support.plans import Fields, Statements, indexes, kinds, plans, recorded, rows_read, with_all

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
    (ClientQuery(is_active=True),                       ALL,    "clients_by_"),
    (ClientQuery(is_active=False),                      ALL,    "clients_by_is_active"),
    (ClientQuery(country="SG"),                         ALL,    "clients_by_country"),
]
# fmt: on


async def asked(repository: ClientRepository, query: ClientQuery, tenant: UUID | None = None) -> Statements:
    with recorded() as statements:
        await repository.list(query, to_uuids("uuids", query.uuids) if query.uuids else None, tenant)
    return statements


@pytest.mark.parametrize(("query", "tenant", "index"), LISTS, ids=str)
async def test_a_page_is_found_by_its_index(
    repository: ClientRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    query: ClientQuery,
    tenant: UUID | None,
    index: str,
) -> None:
    found = await plans(planner, await asked(repository, query, tenant))
    assert any(name.startswith(index) for name in indexes(found[-1])), found[-1]
    assert all("Seq Scan" not in kinds(plan) for plan in found), found


@pytest.mark.parametrize("sort", ["-created_at", "name", "-email", "updated_at"])
async def test_a_later_page_begins_where_the_index_is(
    repository: ClientRepository, planner: "asyncpg.Connection[asyncpg.Record]", sort: str
) -> None:
    query = ClientQuery(sort=sort)
    first = await repository.list(query, None, None)
    later = await asked(repository, replace(query, cursor=meta_of(first).next_cursor))
    page = (await plans(planner, later))[-1]
    assert kinds(page) <= {"Limit", "Index Scan", "Incremental Sort"}
    assert any("Index Cond" in node for node in page), page
    assert rows_read(page, "clients") <= 12


PARTS: dict[str, Fields] = {
    "words": {"q": "ambo"},
    "ids": {"uuids": ",".join(str(uuid) for uuid in DEMO.client_uuids()[:3])},
    "name": {"name": "kopi jaya jakarta"},
    "email": {"email": "halo@kopi-jaya-jakarta-1.example"},
    "city": {"city": "ambon"},
    "country": {"country": "SG"},
    "activity": {"is_active": False},
}
"""Filters that each pick few of the clients."""

SORTS = (None, "name", "-email", "updated_at,-name")
FEW = ROWS // 6


def test_every_filter_has_a_part_here() -> None:
    filters = set(ClientQuery.__struct_fields__) - set(ListQuery.__struct_fields__)
    assert {name for part in PARTS.values() for name in part} == filters


@pytest.mark.parametrize("tenant", [ALL, TENANT], ids=["all", "tenant"])
@pytest.mark.parametrize("fields", with_all(PARTS), ids=" ".join)
async def test_no_combination_of_filters_reads_the_table(
    repository: ClientRepository,
    planner: "asyncpg.Connection[asyncpg.Record]",
    fields: Fields,
    tenant: UUID | None,
) -> None:
    for sort in SORTS:
        query = ClientQuery(**fields, sort=sort, limit=1)
        for each in (query, replace(query, page=3)):
            found = await plans(planner, await asked(repository, each, tenant))
            assert all("Seq Scan" not in kinds(plan) for plan in found), found
            assert sum(rows_read(plan, "clients") for plan in found) <= FEW, found
