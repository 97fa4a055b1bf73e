import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

import asyncpg
import pytest
from msgspec.structs import replace
from sqlalchemy import bindparam, column, select, table, text
from sqlalchemy.exc import DBAPIError

from shared.db import Database, Question
from shared.db_errors import constraint_errors, database_error
from shared.errors import Conflict, InvalidInput, ServiceUnavailable
from tests.support.databases import TestDatabase, connect

T = TypeVar("T")

things = table("things", column("id"), column("name"))


@pytest.fixture
async def database(client_database: TestDatabase) -> AsyncGenerator[Database]:
    owner = await connect(client_database.owner)
    await owner.execute(
        "CREATE TABLE things (id int PRIMARY KEY, name text CONSTRAINT things_name_unique UNIQUE)"
    )
    database = Database(replace(client_database.app, pool_size=2), "tests")
    yield database
    await database.close()
    await owner.execute("DROP TABLE things")
    await owner.close()


async def names(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(select(things.c.name).order_by(things.c.id))).scalars())


async def test_a_transaction_commits_at_its_end(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(things.insert().values(id=1, name="kopi"))
    assert await names(database) == ["kopi"]


async def test_an_error_rolls_it_back(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as connection:
            await connection.execute(things.insert().values(id=1, name="kopi"))
            raise RuntimeError
    assert await names(database) == []


async def test_a_question_takes_parameters_by_name(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(things.insert().values(id=1, name="kopi"))
    question = Question(select(things.c.name).where(things.c.id == bindparam("id")))
    row = await database.fetch_one(question, id=1)
    assert row is not None
    assert row["name"] == "kopi"
    assert await database.fetch_one(question, id=2) is None


class DuplicateThing(Conflict):
    code = "DUPLICATE_THING"


async def test_a_broken_constraint_becomes_its_error(database: Database) -> None:
    insert = things.insert()
    async with database.transaction() as connection:
        await connection.execute(insert.values(id=1, name="kopi"))
    with pytest.raises(DuplicateThing):
        async with database.transaction() as connection:
            with constraint_errors({"things_name_unique": DuplicateThing}):
                await connection.execute(insert.values(id=2, name="kopi"))


@pytest.mark.parametrize(
    "statement", ["SELECT E'\\\\000'::bytea::text::int", "SELECT 2147483647::int + 1", "SELECT 'x'::int"]
)
async def test_data_that_the_database_refuses_is_invalid_input(database: Database, statement: str) -> None:
    with pytest.raises(DBAPIError) as raised:
        async with database.reading() as connection:
            await connection.execute(text(statement))
    assert isinstance(database_error(raised.value), InvalidInput)


async def test_the_application_role_may_not_change_the_schema(database: Database) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        async with database.transaction() as connection:
            await connection.execute(text("CREATE TABLE others (id int)"))


async def test_an_exhausted_pool_is_said_to_be_unavailable(client_database: TestDatabase) -> None:
    database = Database(replace(client_database.app, pool_size=2, pool_wait_ms=50), "tests")
    async with database.reading(), database.reading():
        with pytest.raises(Exception) as raised:
            async with database.reading():
                pass
    await database.close()
    assert isinstance(database_error(raised.value), ServiceUnavailable)


async def test_connections_that_the_server_ended_are_replaced(
    database: Database, client_database: TestDatabase
) -> None:
    question = Question(select(things.c.name).where(things.c.id == bindparam("id")))
    async with database.reading(), database.reading():
        pass  # both connections of the pool are open now
    owner = await connect(replace(client_database.owner, user=client_database.app.user))
    await owner.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tests'"
    )
    async with asyncio.timeout(5):
        while await owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tests'"):
            await asyncio.sleep(0.01)
    await owner.close()
    assert await unless_unavailable(lambda: database.fetch_one(question, id=1)) is None
    assert await unless_unavailable(lambda: names(database)) == []
    async with database.reading(), database.reading():
        pass  # none of the pool's two places was lost


async def unless_unavailable(ask: Callable[[], Awaitable[T]]) -> T:
    """Ask until the end of a connection is known here: until then callers are told to come again."""
    async with asyncio.timeout(5):
        while True:
            try:
                return await ask()
            except Exception as error:
                if not isinstance(database_error(error), ServiceUnavailable):
                    raise


async def test_a_connection_whose_end_is_not_read_yet_is_unavailable() -> None:
    assert isinstance(database_error(asyncpg.InternalClientError()), ServiceUnavailable)


async def test_more_questions_than_connections_take_turns(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(things.insert().values(id=1, name="kopi"))
    question = Question(select(things.c.name).where(things.c.id == bindparam("id")))
    rows = await asyncio.gather(*(database.fetch_one(question, id=1) for _ in range(20)))
    assert [row["name"] for row in rows if row] == ["kopi"] * 20


async def test_a_server_that_is_away_is_said_to_be_unavailable(client_database: TestDatabase) -> None:
    database = Database(replace(client_database.app, port=1), "tests")
    with pytest.raises(OSError) as raised:
        async with database.reading():
            pass
    assert isinstance(database_error(raised.value), ServiceUnavailable)
    await database.close()
