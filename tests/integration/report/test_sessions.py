import asyncio
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from infra.postgres.provision import ServiceDatabase, provide_monitor, provision
from infra.report.databases import Place, ReportError, of_platform, of_url
from infra.report.report import report
from infra.report.section import Answer
from tests.integration.report.conftest import SENSITIVE, Ask, Connection


async def named(url: str, application: str) -> Connection:
    return await asyncpg.connect(url, server_settings={"application_name": application})


async def test_who_waits_for_whom(planted: Connection, url: str, ask: Ask) -> None:
    await planted.execute("CREATE TABLE things (id int PRIMARY KEY, n int); INSERT INTO things VALUES (1, 0)")
    assert (await ask("Sessions that wait")).instead == "None."
    holder, waiter = await named(url, "holder"), await named(url, "waiter")
    async with holder.transaction():
        await holder.execute("UPDATE things SET n = 1")
        waiting = asyncio.create_task(waiter.execute("DELETE FROM things WHERE id = 1"))
        row = await blocked(ask)
        assert (row["pid"], row["application"]) == (waiter.get_server_pid(), "waiter")
        assert (row["blocked_by"], row["blocker"]) == (holder.get_server_pid(), "holder, idle in transaction")
        assert row["statements"] == "DELETE FROM things WHERE id = 1 ⟵ UPDATE things SET n = 1"
        assert row["lock"].startswith("ShareLock on transactionid")
    await waiting
    assert (await ask("Sessions that wait")).instead == "None."
    await holder.close()
    await waiter.close()


async def blocked(ask: Ask) -> Mapping[str, Any]:
    async with asyncio.timeout(20):
        while not (rows := (await ask("Sessions that wait")).rows):
            await asyncio.sleep(0.05)
    [row] = rows
    return row


async def test_a_transaction_that_is_open_for_long(url: str, ask: Ask) -> None:
    idler = await named(url, "idler")
    async with idler.transaction():
        await idler.fetchval("SELECT 'the last one'")
        [row] = (await ask("Transactions that are open")).rows
        assert (row["who"], row["application"]) == (str(idler.get_server_pid()), "idler")
        assert (row["state"], row["query"]) == ("idle in transaction", "SELECT 'the last one'")
    assert (await ask("Transactions that are open")).instead == "None."
    await idler.close()


async def test_connections_are_counted_by_application(url: str, ask: Ask) -> None:
    connections = [await named(url, "store") for _ in range(3)]
    found = {row["application"]: row["connections"] for row in (await ask("Connections")).rows}
    assert found["store"] == 3
    figures = {row["what"]: row["value"] for row in (await ask("Overview")).rows}
    assert figures["connections"].endswith("5 of them to this database")  # these, who plants, who asks
    for connection in connections:
        await connection.close()


SERVICE = ServiceDatabase("gerai_reported", "owner", "app")


@pytest.fixture
async def app_session(postgres_url: str) -> Connection:
    await provision(postgres_url, [SERVICE])
    await provide_monitor(postgres_url, "monitor", [SERVICE.name])
    return await asyncpg.connect(as_role(postgres_url, SERVICE.app, "app", SERVICE.name))


@pytest.fixture
async def stranger(postgres_url: str, app_session: Connection) -> AsyncGenerator[str]:
    """A role that may connect and see nothing of others."""
    del app_session  # which makes the database
    superuser = await asyncpg.connect(postgres_url)
    await superuser.execute("CREATE ROLE gerai_stranger LOGIN PASSWORD 'x'")
    await superuser.execute(f"GRANT CONNECT ON DATABASE {SERVICE.name} TO gerai_stranger")
    yield "gerai_stranger"
    await superuser.execute(f"REVOKE ALL ON DATABASE {SERVICE.name} FROM gerai_stranger")
    await superuser.execute("DROP ROLE gerai_stranger")
    await superuser.close()


async def state_of_app(url: str) -> tuple[str, set[str]]:
    """Return in which state the application's session seems to be, and which figures are told."""
    [place] = await of_url(url)
    answers = {each.title: each async for each in report(place, SENSITIVE)}
    states = {row["role"]: row["state"] for row in answers["Connections"].rows}
    return states[SERVICE.app], {row["what"] for row in answers["Overview"].rows}


@pytest.mark.parametrize(("role", "password"), [(SERVICE.owner, "owner"), ("gerai_monitor", "monitor")])
async def test_the_owner_and_the_monitor_see_every_session(
    postgres_url: str, app_session: Connection, role: str, password: str
) -> None:
    await app_session.fetchval("SELECT 1")
    state, figures = await state_of_app(as_role(postgres_url, role, password, SERVICE.name))
    assert state == "idle"
    assert "hidden sessions" not in figures
    await app_session.close()


async def test_what_a_role_may_not_see_is_said(
    postgres_url: str, app_session: Connection, stranger: str
) -> None:
    state, figures = await state_of_app(as_role(postgres_url, stranger, "x", SERVICE.name))
    assert state == "(hidden)"
    assert "hidden sessions" in figures
    await app_session.close()


def as_role(url: str, user: str, password: str, database: str) -> str:
    host = url.partition("@")[2].partition("/")[0]
    return f"postgresql://{user}:{password}@{host}/{database}"


async def test_a_report_changes_nothing(place: Place) -> None:
    async with place.connected() as connection:
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await connection.execute("CREATE TABLE things (id int)")


async def test_statements_are_not_known_where_the_server_does_not_count_them(ask: Ask) -> None:
    answer: Answer = await ask("Statements")
    assert answer.instead.startswith("Not known: this server counts no statements.")


async def test_the_maintenance_database_stands_for_all_of_ours(
    postgres_url: str, app_session: Connection
) -> None:
    await app_session.close()
    for url in (postgres_url, postgres_url.removesuffix("/postgres")):
        names = [place.name for place in await of_url(url)]
        assert SERVICE.name in names
        assert all(name.startswith("gerai_") for name in names)


async def test_without_a_platform_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="Start it first"):
        of_platform(tmp_path)
