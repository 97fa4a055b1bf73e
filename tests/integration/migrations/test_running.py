"""Runs take turns, give way to whoever serves, and leave nothing that the next one cannot go on from."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.config import DatabaseConfig
from shared.migrations import MigrationFailed, Patience, upgrade
from tests.support.databases import TestDatabase, connect
from tests.support.migrating import ended, migrating
from tests.support.migrations import scratch, write_revision

IMPATIENT = Patience(attempts=2, pause_seconds=0.05, other_run_seconds=0.5)
PATIENT = Patience(attempts=100, pause_seconds=0.05)

THINGS = "op.execute('CREATE TABLE things (number int)')"
ADD = "op.execute('INSERT INTO things VALUES (1)')"
INDEX = "create_index('things_by_number', 'things', ['number'])"
IS_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('things_by_number')"
CANCEL = """
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity
    WHERE application_name = 'gerai-migrate' AND datname = current_database()
"""
RUNS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'gerai-migrate'"


@pytest.fixture
async def database(postgres_url: str, request: pytest.FixtureRequest) -> TestDatabase:
    return await scratch(postgres_url, f"runs_{abs(hash(request.node.name)) % 10**9}")


async def test_two_runs_at_once_apply_each_revision_once(database: TestDatabase, tmp_path: Path) -> None:
    write_revision(tmp_path, 1, THINGS)
    for number in (2, 3, 4):
        write_revision(tmp_path, number, ADD, "op.execute('SELECT pg_sleep(0.2)')")
    async with migrating(database, tmp_path) as one, migrating(database, tmp_path) as other:
        assert (await ended(one), await ended(other)) == (0, 0)
    assert await _value(database, "SELECT count(*) FROM things") == 3


async def test_a_run_that_waits_does_not_hold_up_a_concurrent_index(
    database: TestDatabase, tmp_path: Path
) -> None:
    """Both would wait for each other for ever, were the lock waited for inside PostgreSQL."""
    await _migrate(database, tmp_path, THINGS)
    write_revision(tmp_path, 2, INDEX)
    async with AsyncExitStack() as stack:
        async with _writing(database):
            one = await stack.enter_async_context(migrating(database, tmp_path))
            await _until(database, "SELECT to_regclass('things_by_number') IS NOT NULL")
            other = await stack.enter_async_context(migrating(database, tmp_path))
            await _until(database, f"SELECT ({RUNS} AND datname = current_database()) = 2")
        assert (await ended(one), await ended(other)) == (0, 0)
    assert await _value(database, IS_VALID)


async def test_a_run_does_not_wait_for_another_for_ever(database: TestDatabase, tmp_path: Path) -> None:
    write_revision(tmp_path, 1, "op.execute('SELECT pg_sleep(60)')")
    async with migrating(database, tmp_path):
        await _until(database, f"{RUNS} AND query LIKE '%pg_sleep%'")
        with pytest.raises(MigrationFailed, match="Another migration of this database has not ended"):
            await asyncio.to_thread(upgrade, database.owner, tmp_path, patience=IMPATIENT)


@pytest.mark.parametrize("step", ["op.execute('SELECT pg_sleep(600)')", INDEX])
async def test_after_a_killed_run_the_next_completes(
    database: TestDatabase, tmp_path: Path, step: str
) -> None:
    """It dies in a transaction, or while it builds an index: the lock is free a second later."""
    await _migrate(database, tmp_path, THINGS)
    write_revision(tmp_path, 2, ADD)
    write_revision(
        tmp_path, 3, "op.execute('CREATE TABLE half_made ()')" if "sleep" in step else "pass", step
    )
    async with _writing(database), migrating(database, tmp_path) as process:
        await _until(database, f"{RUNS} AND datname = current_database() AND state = 'active' AND {_BUSY}")
        process.kill()
        await ended(process)
        await _until(database, f"SELECT ({RUNS} AND datname = current_database()) = 0")
    assert await _value(database, "SELECT to_regclass('half_made')") is None
    assert await _value(database, "SELECT version_num FROM alembic_version") == "0002"
    write_revision(tmp_path, 3, INDEX)
    await asyncio.to_thread(upgrade, database.owner, tmp_path)
    assert await _value(database, "SELECT count(*) FROM things") == 1
    assert await _value(database, IS_VALID)


async def test_an_index_that_was_interrupted_is_built_anew(database: TestDatabase, tmp_path: Path) -> None:
    await _migrate(database, tmp_path, THINGS)
    write_revision(tmp_path, 2, INDEX)
    async with _writing(database):
        run = asyncio.create_task(asyncio.to_thread(upgrade, database.owner, tmp_path))
        await _until(database, f"{RUNS} AND datname = current_database() AND wait_event_type = 'Lock'")
        await _value(database, CANCEL)
        with pytest.raises(MigrationFailed, match="canceling statement due to user request"):
            await run
    assert await _value(database, IS_VALID) is False
    await asyncio.to_thread(upgrade, database.owner, tmp_path)
    assert await _value(database, IS_VALID) is True


async def test_without_its_lock_a_migration_leaves_nothing(database: TestDatabase, tmp_path: Path) -> None:
    await _migrate(database, tmp_path, THINGS)
    write_revision(tmp_path, 2, "op.execute('CREATE TABLE half_made ()')", _ADD_COLUMN)
    async with _writing(database):
        with pytest.raises(MigrationFailed, match=r"gave way 2 times.*lock timeout \(ALTER TABLE things ADD"):
            await asyncio.to_thread(upgrade, database.owner, tmp_path, patience=IMPATIENT)
    assert await _value(database, "SELECT to_regclass('half_made')") is None
    assert await _value(database, "SELECT version_num FROM alembic_version") == "0001"


async def test_it_is_tried_again_until_the_lock_is_free(database: TestDatabase, tmp_path: Path) -> None:
    await _migrate(database, tmp_path, THINGS)
    write_revision(tmp_path, 2, _ADD_COLUMN)
    async with _writing(database):
        run = asyncio.create_task(asyncio.to_thread(upgrade, database.owner, tmp_path, patience=PATIENT))
        waiting = f"{RUNS} AND datname = current_database() AND wait_event_type = 'Lock'"
        await _until(database, waiting)
        await _until(database, f"SELECT ({waiting}) = 0")
        assert not run.done()
    await run
    assert await _value(database, "SELECT version_num FROM alembic_version") == "0002"


async def test_statements_are_limited_but_for_those_that_lock_nobody_out(
    database: TestDatabase, tmp_path: Path
) -> None:
    note = (
        "op.execute(\"INSERT INTO noted VALUES (current_setting('lock_timeout') || ' ' ||"
        " current_setting('statement_timeout'))\")"
    )
    write_revision(
        tmp_path,
        1,
        "op.execute('CREATE TABLE noted (limits text)')",
        note,
        "with online():",
        f"    {note}",
        note,
    )
    write_revision(tmp_path, 2, note)
    await asyncio.to_thread(upgrade, database.owner, tmp_path)
    noted = await _value(database, "SELECT array_agg(limits) FROM noted")
    assert noted == ["500ms 30s", "0 0", "500ms 30s", "500ms 30s"]


async def test_what_a_newer_release_has_migrated_is_left_alone(
    database: TestDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await _migrate(database, tmp_path, THINGS)
    write_revision(tmp_path, 2, ADD)
    await asyncio.to_thread(upgrade, database.owner, tmp_path)
    (tmp_path / "0002_test.py").unlink()
    with caplog.at_level(logging.WARNING, "gerai.migrations"):
        await asyncio.to_thread(upgrade, database.owner, tmp_path)
    assert "The schema is at 0002, newer than 0001, the newest here" in caplog.text
    assert await _value(database, "SELECT version_num FROM alembic_version") == "0002"


async def test_it_says_where_the_schema_was_and_is(
    database: TestDatabase, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "gerai.migrations"):
        await _migrate(database, tmp_path, THINGS)
        write_revision(tmp_path, 2, ADD)
        for _ in range(2):
            await asyncio.to_thread(upgrade, database.owner, tmp_path)
    said = [message for message in caplog.messages if message.startswith("The schema")]
    assert said == [
        "The schema is at 0001, which was empty.",
        "The schema is at 0002, which was at 0001.",
        "The schema is at 0002, as before.",
    ]


async def test_a_server_that_is_away_is_told_in_a_sentence(database: TestDatabase, tmp_path: Path) -> None:
    away = DatabaseConfig(host="127.0.0.1", port=1, user="x", password=database.owner.password, name="x")
    with pytest.raises(MigrationFailed, match="The database cannot be reached"):
        await asyncio.to_thread(upgrade, away, tmp_path)


_BUSY = "(query LIKE '%pg_sleep%' OR wait_event_type = 'Lock')"
_ADD_COLUMN = "op.execute('ALTER TABLE things ADD name text')"


async def _migrate(database: TestDatabase, folder: Path, *steps: str) -> None:
    write_revision(folder, 1, *steps)
    await asyncio.to_thread(upgrade, database.owner, folder)


@asynccontextmanager
async def _writing(database: TestDatabase) -> AsyncGenerator[None]:
    """Have a transaction open that has written to the table, until the block ends."""
    connection = await connect(database.app)
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("INSERT INTO things VALUES (0)")
    try:
        yield
    finally:
        await transaction.rollback()
        await connection.close()


async def _value(database: TestDatabase, question: str) -> Any:  # noqa: ANN401 - a column's value
    connection = await connect(database.owner)
    value = await connection.fetchval(question)
    await connection.close()
    return value


async def _until(database: TestDatabase, condition: str) -> None:
    async with asyncio.timeout(30):
        while not await _value(database, condition):
            await asyncio.sleep(0.02)
