"""Each revision can be applied, undone and applied again, alone and with all others, with rows there."""

import asyncio
from pathlib import Path

import pytest

from shared.migrations import downgrade, upgrade
from tests.integration.migrations.rows import KEPT, ROWS
from tests.support.databases import SERVICES, TestDatabase, connect
from tests.support.migrations import MIGRATIONS, dump, numbers, scratch

_LEFT = """
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname !~ '^alembic_version'
    UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    UNION ALL SELECT typname FROM pg_type
    WHERE typnamespace = 'public'::regnamespace AND typname !~ '^_?alembic_version$'
"""


@pytest.mark.parametrize("service", SERVICES)
async def test_all_the_way_down_and_up_again(service: str, postgres_url: str, tmp_path: Path) -> None:
    database = await scratch(postgres_url, f"{service}_whole")
    await _migrate(database, service, "head")
    made = dump(database, tmp_path)
    for rows in ROWS[service].values():
        await _run(database, rows)
    await asyncio.to_thread(downgrade, database.owner, MIGRATIONS[service])
    assert await _fetch(database, _LEFT) == []
    await _migrate(database, service, "head")
    assert dump(database, tmp_path) == made
    assert KEPT[service] in made


@pytest.mark.parametrize("service", SERVICES)
async def test_each_revision_down_and_up_again(service: str, postgres_url: str, tmp_path: Path) -> None:
    """Rows are made as soon as there are tables for them, so every later revision meets them."""
    database = await scratch(postgres_url, f"{service}_steps")
    kept = f"SELECT to_jsonb(kept) - 'schedule_digest' FROM {KEPT[service]} AS kept"  # noqa: S608 - a table of ours
    before, first = "base", dump(database, tmp_path)
    for number in numbers(service):
        await _migrate(database, service, number)
        made = dump(database, tmp_path)
        await _run(database, ROWS[service].get(number, "SELECT 1"))
        rows = await _fetch(database, kept)
        await asyncio.to_thread(downgrade, database.owner, MIGRATIONS[service], before)
        assert before == "base" or dump(database, tmp_path) == first
        await _migrate(database, service, number)
        assert dump(database, tmp_path) == made
        assert await _fetch(database, "SELECT version_num FROM alembic_version") == [number]
        await _run(database, ROWS[service].get(number, "SELECT 1"))
        assert number == "0001" or await _fetch(database, kept) == rows
        before, first = number, made


async def _migrate(database: TestDatabase, service: str, target: str) -> None:
    await asyncio.to_thread(upgrade, database.owner, MIGRATIONS[service], target)


async def _run(database: TestDatabase, statements: str) -> None:
    connection = await connect(database.owner)
    async with connection.transaction():
        await connection.execute(statements)
    await connection.close()


async def _fetch(database: TestDatabase, question: str) -> list[object]:
    connection = await connect(database.owner)
    rows = await connection.fetch(question)
    await connection.close()
    return [row[0] for row in rows]
