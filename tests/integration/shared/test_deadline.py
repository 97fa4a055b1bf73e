"""What a request's time limit does to the request, to its query and to the connection."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import httpx
import pytest
from litestar.types import Receive, Scope, Send
from msgspec.structs import replace
from sqlalchemy import func, select, text

from shared.db import Database, Question
from shared.deadline import HEADER, Deadlines, outlive_request, remaining
from tests.support.databases import TestDatabase, connect

Work = Callable[[], Awaitable[object]]


@asynccontextmanager
async def serving(work: Work, *, begins_first: bool = False) -> AsyncGenerator[httpx.AsyncClient]:
    """Serve requests by doing `work`, before the answer or after its beginning."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        if not begins_first:
            await work()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if begins_first:
            await work()
        await send({"type": "http.response.body", "body": b"done", "more_body": False})

    transport = httpx.ASGITransport(app=cast("Any", Deadlines(app)))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


async def sleep() -> None:
    await asyncio.sleep(0.2)


def limit(milliseconds: object) -> dict[str, str]:
    return {HEADER: str(milliseconds)}


async def test_without_the_header_there_is_no_limit() -> None:
    seen: list[float | None] = []

    async def look() -> None:
        seen.append(remaining())

    async with serving(look) as client:
        assert (await client.get("/")).text == "done"
    assert seen == [None]


async def test_what_is_left_is_known_while_the_request_is_served() -> None:
    seen: list[float | None] = []

    async def look() -> None:
        seen.append(remaining())
        outlive_request()
        seen.append(remaining())

    async with serving(look) as client:
        assert (await client.get("/", headers=limit(5000))).text == "done"
    left, forgotten = seen
    assert left is not None
    assert 4.5 < left <= 5
    assert forgotten is None


async def test_a_request_that_takes_too_long_is_answered_in_time() -> None:
    async with serving(asyncio.Event().wait) as client:
        started = time.monotonic()
        answer = await client.get("/", headers=limit(100))
    assert 0.09 < time.monotonic() - started < 1
    assert answer.status_code == answer.json()["status_code"] == 504
    assert answer.json()["error"]["code"] == "DEADLINE_EXCEEDED"
    assert int(answer.headers["retry-after"]) >= 1


async def test_an_answer_that_has_begun_is_not_cut_off() -> None:
    async with serving(sleep, begins_first=True) as client:
        assert (await client.get("/", headers=limit(50))).text == "done"


async def test_a_time_out_of_the_applications_own_is_no_deadline() -> None:
    async def fail() -> None:
        raise TimeoutError

    async with serving(fail) as client:
        with pytest.raises(TimeoutError):
            await client.get("/", headers=limit(5000))


@pytest.mark.parametrize("value", ["", "-1", "1.5", "1e3", "0x10", "+1", "1, 2", "9" * 10, "٣"])
async def test_a_limit_that_cannot_be_read_is_refused(value: str) -> None:
    async with serving(sleep) as client:
        answer = await client.get("/", headers=[(HEADER.encode(), value.encode())])
    assert answer.status_code == 400
    assert answer.json()["error"]["details"][0]["field"] == HEADER


@pytest.fixture
async def database(client_database: TestDatabase) -> AsyncGenerator[Database]:
    database = Database(replace(client_database.app, pool_size=2), "deadlines")
    yield database
    await database.close()


@pytest.fixture
async def observer(client_database: TestDatabase) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await connect(client_database.app)
    yield connection
    await connection.close()


SLEEPING = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()"
)


async def until_sleeping(observer: "asyncpg.Connection[asyncpg.Record]", count: int) -> None:
    async with asyncio.timeout(1):
        while await observer.fetchval(SLEEPING) != count:
            await asyncio.sleep(0.01)


async def in_transaction(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("SELECT pg_sleep(60)"))


async def as_question(database: Database) -> None:
    await database.fetch_one(Question(select(func.pg_sleep(60))))


@pytest.mark.parametrize("work", [in_transaction, as_question])
async def test_the_query_ends_with_the_request(
    database: Database,
    observer: "asyncpg.Connection[asyncpg.Record]",
    work: Callable[[Database], Awaitable[None]],
) -> None:
    async with serving(lambda: work(database)) as client:
        calls = [asyncio.create_task(client.get("/", headers=limit(500))) for _ in range(2)]
        await until_sleeping(observer, 2)
        assert [each.status_code for each in await asyncio.gather(*calls)] == [504, 504]
        await until_sleeping(observer, 0)
    question = Question(select(func.now()))
    assert all(await asyncio.gather(*(database.fetch_one(question) for _ in range(20))))


async def test_no_query_is_sent_when_no_time_is_left() -> None:
    begun: list[bool] = []

    async def begin() -> None:
        begun.append(True)

    async with serving(begin) as client:
        answer = await client.get("/", headers=limit(0))
    assert answer.status_code == 504
    assert begun == []


async def test_requests_that_end_early_cost_no_connection(
    database: Database, observer: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    short = Question(select(func.pg_sleep(0.005)))

    async def work() -> None:
        async with database.transaction() as connection:
            await connection.execute(text("SELECT pg_sleep(0.005)"))
        await database.fetch_one(short)

    async with serving(work) as client:
        for _ in range(20):
            calls = [client.get("/", headers=limit(1 + number % 25)) for number in range(25)]
            await asyncio.gather(*calls, return_exceptions=True)
    await until_sleeping(observer, 0)
    assert all(await asyncio.gather(*(database.fetch_one(Question(select(func.now()))) for _ in range(50))))
    open_connections = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'deadlines'"
    async with asyncio.timeout(2):
        while await observer.fetchval(open_connections) > 2:
            await asyncio.sleep(0.01)
