"""Lists of more rows than are gathered, counted or reached by number: what they show, and what they say."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from sqlalchemy import Select, insert, select

import shared.listing
from services.store.model import stores
from services.store.repository.listing import SORTING
from services.store.repository.stores import stored_columns
from shared.counting import count_up_to
from shared.db import Database
from shared.errors import InvalidInput
from shared.identifiers import new_uuid
from shared.listing import Listing, ListQuery, Picked, fetch_page
from tests.support.databases import TestDatabase

ROWS = 60
ALL = select(stores)


def named(city: str) -> Select[Any]:
    return ALL.where(stores.c.city_key == city)


@pytest.fixture
async def database(store_database: TestDatabase) -> AsyncGenerator[Database]:
    """Sixty stores: 30 in Aceh, of the latter half by name, and 30 in Bogor, every other one by code."""
    database, client_uuid = Database(store_database.app, "tests"), new_uuid()
    rows = [
        {
            "uuid": new_uuid(),
            "client_uuid": client_uuid,
            "country": "ID",
            "timezone": "Asia/Jakarta",
            **stored_columns(
                {
                    "code": f"{number % 2}{number:02}",
                    "name": f"S{number:02}",
                    "city": "Bogor" if number < ROWS // 2 else "Aceh",
                }
            ),
        }
        for number in range(ROWS)
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(stores), rows)
    yield database
    await database.close()


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared.listing, "MOST_CANDIDATES", 20)
    monkeypatch.setattr(shared.listing, "DEEPEST_ROW", 20)


async def fetched(
    database: Database,
    statement: Select[Any],
    picked: Picked | None,
    **query: Any,  # noqa: ANN401 - a query's values
) -> Listing[Any]:
    async with database.reading() as connection:
        return await fetch_page(connection, statement, ListQuery(**query), SORTING, scope=None, picked=picked)


async def walked(database: Database, statement: Select[Any], picked: Picked | None, sort: str) -> list[str]:
    """Return the names on all pages, by cursor."""
    page, names = await fetched(database, statement, picked, sort=sort, limit=7), list[str]()
    while True:
        names += [row["name"] for row in page.items]
        cursor = page.meta.next_cursor
        if cursor is None:
            return names
        page = await fetched(database, statement, picked, sort=sort, limit=7, cursor=cursor)


@pytest.mark.parametrize("sort", ["name", "-name", "code", "-created_at,name"])
async def test_too_many_of_a_filter_are_all_listed(database: Database, sort: str) -> None:
    picked = Picked(ALL, is_search=False)
    names = await walked(database, named("aceh"), picked, sort)
    assert sorted(names) == [f"S{number:02}" for number in range(30, ROWS)]
    if sort.endswith("name"):
        assert names == sorted(names, reverse=sort == "-name")
    meta = (await fetched(database, named("aceh"), picked, sort=sort)).meta
    assert (meta.total, meta.total_is_estimate, meta.capped) == (30, False, False)


async def test_too_many_of_a_search_show_the_first_in_order(database: Database) -> None:
    picked = Picked(ALL, is_search=True)
    page = await fetched(database, named("bogor"), picked, sort="name", limit=5)
    assert [row["name"] for row in page.items] == [f"S{number:02}" for number in range(5)]
    assert (page.meta.total_is_estimate, page.meta.capped) == (True, True)
    assert page.meta.total > 20


async def test_a_search_whose_first_are_far_shows_those_it_gathered(database: Database) -> None:
    picked = Picked(ALL, is_search=True)
    page = await fetched(database, named("aceh"), picked, sort="name", limit=5)
    names = [row["name"] for row in page.items]
    assert len(names) == 5
    assert names == sorted(names)
    assert min(names) >= "S30"
    assert page.meta.capped
    walk = await walked(database, named("aceh"), picked, "name")
    assert walk == sorted(set(walk))
    assert len(walk) >= 20


async def test_few_of_a_filter_are_counted(database: Database) -> None:
    some = ALL.where(stores.c.code_key.in_(["000", "101", "002"]))
    page = await fetched(database, some, Picked(ALL, is_search=True), sort="-name", limit=2)
    assert [row["name"] for row in page.items] == ["S02", "S01"]
    assert (page.meta.total, page.meta.total_is_estimate, page.meta.capped) == (3, False, False)
    beyond = await fetched(database, some, Picked(ALL, is_search=True), limit=2, page=1_000_000_000)
    assert (beyond.items, beyond.meta.total) == ([], 3)


@pytest.mark.parametrize(
    "picked",
    [None, Picked(ALL, is_search=True), Picked(ALL, is_search=False)],
    ids=["all", "searched", "filtered"],
)
async def test_far_pages_are_reached_by_cursor_alone(database: Database, picked: Picked | None) -> None:
    assert len((await fetched(database, ALL, picked, sort="name", page=2)).items) == 10
    with pytest.raises(InvalidInput) as raised:
        await fetched(database, ALL, picked, sort="name", page=3)
    (problem,) = raised.value.details
    assert problem.field == "page"
    assert "cursor" in problem.message
    assert await walked(database, ALL, picked, "name") == [f"S{number:02}" for number in range(ROWS)]


async def test_what_is_surely_more_is_not_counted(database: Database, store_database: TestDatabase) -> None:
    del store_database
    async with database.reading() as connection:
        assert await count_up_to(connection, ALL, ROWS) == (ROWS, False)
        total, is_estimate = await count_up_to(connection, ALL, 5)
    assert is_estimate
    assert total >= 6
