import asyncio

import asyncpg

from tests.integration.report.conftest import Ask, Connection

ROWS = 20_000


async def make(planted: Connection, name: str) -> None:
    await planted.execute(
        f"CREATE TABLE {name} (id int PRIMARY KEY, text text) WITH (autovacuum_enabled = off)"
    )
    await planted.copy_records_to_table(name, records=[(n, "x" * 80) for n in range(ROWS)])


async def test_the_largest_tables_come_first(planted: Connection, ask: Ask) -> None:
    assert (await ask("Largest")).instead == "There are no tables yet."
    await planted.execute("CREATE TABLE small (id int PRIMARY KEY)")
    await make(planted, "large")
    answer = await ask("Largest")
    assert [row["table"] for row in answer.rows] == ["large", "small"]
    assert answer.rows[0]["rows"] == ROWS
    assert answer.rows[0]["table_bytes"] > ROWS * 80


async def test_dead_rows_are_told_until_vacuum_removes_them(planted: Connection, ask: Ask) -> None:
    await make(planted, "things")
    assert (await ask("Dead rows")).rows == []
    await planted.execute("UPDATE things SET text = 'y'")
    [row] = (await ask("Dead rows")).rows
    assert (row["table"], row["dead_rows"], row["dead_share"], row["vacuum"]) == ("things", ROWS, 0.5, None)
    await planted.execute("VACUUM things")
    assert (await ask("Dead rows")).rows == []


async def test_space_that_nothing_fills_is_estimated(planted: Connection, ask: Ask) -> None:
    for name in ("whole", "hollow"):
        await make(planted, name)
    await planted.execute("DELETE FROM hollow WHERE id % 5 <> 0")
    await planted.execute("VACUUM ANALYZE whole")
    await planted.execute("VACUUM ANALYZE hollow")
    found = {row["name"]: row for row in (await ask("Space")).rows}
    assert set(found) == {"hollow", "hollow_pkey"}
    assert (found["hollow"]["kind"], found["hollow_pkey"]["kind"]) == ("table", "index")
    assert 0.7 < found["hollow"]["part"] < 0.9  # 4 rows of 5 are gone
    await planted.execute("VACUUM FULL hollow")
    await planted.execute("ANALYZE hollow")
    assert (await ask("Space")).rows == []


async def test_a_topic_that_would_wait_for_a_lock_says_so_and_the_others_follow(
    planted: Connection, url: str, ask: Ask
) -> None:
    await make(planted, "things")
    async with asyncio.timeout(20):
        other = await asyncpg.connect(url)
        async with other.transaction():
            await other.execute("LOCK TABLE things")
            assert (await ask("Largest")).instead == "Not known: canceling statement due to lock timeout."
            assert [row["application"] for row in (await ask("Connections")).rows]
        await other.close()
