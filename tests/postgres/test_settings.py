"""That a real server takes the settings of the compose stack, and does what they are for."""

import asyncio
import json
import re
from typing import TypeAlias

import asyncpg

from infra.embedded.state import ROOT
from infra.postgres.provision import provision
from tests.postgres.conftest import CONFIGURATION, Server

GIVEN_ON_THE_COMMAND_LINE = {"listen_addresses", "max_connections"}  # by infra/embedded/postgres.py
NOT_ON_RDS = {"log_destination", "logging_collector", "log_timezone", "log_line_prefix"}
LIMIT_SECONDS = 20

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def named() -> set[str]:
    return set(re.findall(r"^([a-z_.]+) = ", CONFIGURATION.read_text(), re.MULTILINE))


async def lines_with(server: Server, text: str) -> list[str]:
    async with asyncio.timeout(LIMIT_SECONDS):
        while not (found := [line for line in server.log.read_text().splitlines() if text in line]):
            await asyncio.sleep(0.05)
    return found


async def test_every_setting_is_in_force(superuser: Connection, server: Server) -> None:
    rows = await superuser.fetch(
        "SELECT name FROM pg_settings WHERE sourcefile = $1", str(server.configuration)
    )
    assert {row["name"] for row in rows} == named() - GIVEN_ON_THE_COMMAND_LINE
    assert await superuser.fetchval("SELECT count(*) FROM pg_settings WHERE pending_restart") == 0


async def test_rds_is_given_the_same(superuser: Connection) -> None:
    parameters = json.loads((ROOT / "infra" / "postgres" / "rds-parameters.json").read_text())
    ours = {
        each["ParameterName"]: each for each in parameters if not each["ParameterName"].startswith("rds.")
    }
    rows = await superuser.fetch(
        "SELECT name, setting, context FROM pg_settings WHERE name = ANY($1)", list(ours)
    )
    assert set(ours) == named() - GIVEN_ON_THE_COMMAND_LINE - NOT_ON_RDS
    for row in rows:
        given = ours[row["name"]]
        assert given["ParameterValue"] == {"on": "1", "off": "0"}.get(row["setting"], row["setting"])
        assert given["ApplyMethod"] == ("pending-reboot" if row["context"] == "postmaster" else "immediate")


async def test_a_slow_statement_is_logged_in_logfmt_without_its_values(
    superuser: Connection, server: Server
) -> None:
    await superuser.fetchval("SELECT pg_sleep(0.3), $1::text AS slow_one", "a secret")
    [line] = await lines_with(server, "slow_one")
    fields = dict(re.findall(r'(\w+)=("[^"]*"|\S*) ', line.partition("LOG:")[0]))
    assert list(fields) == ["time", "pid", "session", "db", "user", "app", "client", "sqlstate"]
    assert (fields["db"], fields["user"], fields["client"]) == ("postgres", "postgres", "127.0.0.1")
    assert "a secret" not in server.log.read_text()


async def test_the_plan_of_a_very_slow_statement_is_logged(superuser: Connection, server: Server) -> None:
    await superuser.execute("SET auto_explain.sample_rate = 1")
    await superuser.fetchval("SELECT pg_sleep(0.6) AS very_slow_one")
    assert [line for line in await lines_with(server, "plan:") if "duration:" in line]
    text = server.log.read_text()
    assert "Query Text: SELECT pg_sleep(0.6) AS very_slow_one" in text
    assert "(actual rows=1" in text


async def test_a_long_wait_for_a_lock_is_logged_with_who_holds_it(
    superuser: Connection, server: Server
) -> None:
    waiting = await asyncpg.connect(server.url)
    holder = superuser.get_server_pid()
    async with superuser.transaction():
        await superuser.execute("SELECT pg_advisory_xact_lock(1)")
        wait = asyncio.create_task(waiting.execute("SELECT pg_advisory_lock(1)"))
        [line] = await lines_with(server, "still waiting for ExclusiveLock on advisory lock")
        assert f"process {waiting.get_server_pid()} " in line
        assert await lines_with(server, f"Process holding the lock: {holder}.")
    await wait
    await waiting.close()


async def test_statements_are_counted_without_their_values(superuser: Connection, server: Server) -> None:
    await provision(server.url, [])
    await superuser.fetch("SELECT 'a literal' AS counted_one")
    rows = await superuser.fetch(
        "SELECT query, calls FROM pg_stat_statements WHERE query LIKE '%counted_one'"
    )
    assert [(row["query"], row["calls"]) for row in rows] == [("SELECT $1 AS counted_one", 1)]
