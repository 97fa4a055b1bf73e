"""What takes the most time, on a server that counts it."""

from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.postgres.provision import ServiceDatabase, provide_monitor, provision
from infra.report.databases import of_url
from infra.report.report import report
from infra.report.section import Answer
from tests.postgres.conftest import Server

DATABASE = ServiceDatabase("gerai_counted", "owner", "app")


async def slow(url: str) -> Answer:
    [place] = await of_url(url)
    [answer] = [each async for each in report(place) if each.title.startswith("Statements")]
    return answer


def as_role(server: Server, role: str, password: str) -> str:
    return f"postgresql://{role}:{password}@127.0.0.1:{urlsplit(server.url).port}/{DATABASE.name}"


async def test_the_view_has_to_be_made_first(server: Server) -> None:
    await provision(server.url, [DATABASE])
    connection = await asyncpg.connect(server.url)
    await connection.execute("DROP EXTENSION pg_stat_statements")
    await connection.close()
    assert "./taskw db:provision makes it" in (await slow(as_role(server, DATABASE.app, "app"))).instead


async def test_another_role_s_statement_is_hidden_and_said_to_be(server: Server) -> None:
    await provision(server.url, [DATABASE])
    app = await asyncpg.connect(as_role(server, DATABASE.app, "app"))
    await app.fetchval("SELECT pg_sleep(0.1)")
    await app.close()
    queries = [row["query"] for row in (await slow(as_role(server, DATABASE.owner, "owner"))).rows]
    assert "(hidden from this role: it takes pg_monitor)" in queries


@pytest.mark.parametrize(("role", "password"), [("gerai_monitor", "monitor"), (DATABASE.app, "app")])
async def test_the_statement_that_takes_the_most_time_comes_first(
    server: Server, role: str, password: str
) -> None:
    await provision(server.url, [DATABASE])
    await provide_monitor(server.url, "monitor", [DATABASE.name])
    app = await asyncpg.connect(as_role(server, DATABASE.app, "app"))
    await app.fetchval("SELECT pg_sleep(0.2)")
    for number in range(3):
        await app.fetchval(f"SELECT pg_sleep(0.01), {number}")
    await app.close()
    rows = (await slow(as_role(server, role, password))).rows
    assert rows[0]["query"] == "SELECT pg_sleep($1)"
    assert rows[0]["slowest"] >= 200
    assert rows[0]["part"] > 0.5
    [constants] = [row for row in rows if row["query"] == "SELECT pg_sleep($1), $2"]
    assert constants["calls"] >= 3
