"""A release under load: every process is replaced while the schema is expanded, and nobody notices."""

import asyncio
import shutil
import signal
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.rollout.conftest import STORES, Setting, load_stores
from tests.rollout.fleet import GATEWAYS, SERVICES
from tests.rollout.load import Load, asking
from tests.support.databases import TestDatabase, connect
from tests.support.migrating import ended, migrating
from tests.support.migrations import MIGRATIONS, numbers, write_revision

pytestmark = pytest.mark.rollout

_COLUMN = 'op.execute("ALTER TABLE stores ADD COLUMN nickname text")'
_CHECK = 'op.execute("ALTER TABLE stores ADD CONSTRAINT named CHECK (length(nickname) <= 40) NOT VALID")'
_INDEX = 'create_index("stores_nickname", "stores", ["nickname"])'
_WORDS = 'create_index("stores_words", "stores", ["search"], postgresql_using="gin")'
_EXPANDED = """
    SELECT (SELECT bool_and(indisvalid) FROM pg_index
            WHERE indexrelid IN ('stores_nickname'::regclass, 'stores_words'::regclass)) AS indexed,
           (SELECT NOT convalidated FROM pg_constraint WHERE conname = 'named') AS checked
"""


async def test_a_release_fails_no_request_and_loses_no_write(
    setting: Setting,
    databases: dict[str, TestDatabase],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fleet, database, headers, client = setting
    await load_stores(databases, tmp_path)
    async with asking(fleet.gateways, headers, client) as load:
        async with load.running():
            migration = asyncio.create_task(_expand(database, tmp_path / "migrations", load))
            for place in (*SERVICES, *GATEWAYS):
                await fleet.replace(place)
            expanded = await migration
        lost = await load.lost(await _stores(database))
    with capsys.disabled():
        print(f"\n{_told(load, expanded)}")  # noqa: T201 - the figures are what one runs this for
    assert expanded.status == 0
    assert expanded.requests > 10
    assert not load.failures, load.failures
    assert lost == []
    assert len(load.acknowledged) > 10
    assert await _row(database, _EXPANDED) == {"indexed": True, "checked": True}


async def test_a_process_that_is_killed_is_noticed(setting: Setting) -> None:
    """What the test above counts is there to be counted when nobody drains."""
    fleet, _, headers, client = setting
    async with asking(fleet.gateways, headers, client) as load, load.running():
        await fleet.replace("gateway", signal.SIGKILL)
    assert load.failures


class Expanded(NamedTuple):
    """How a migration ended, how long it took, and how many requests there were meanwhile."""

    status: int
    seconds: float
    requests: int


async def _expand(database: TestDatabase, folder: Path, load: Load) -> Expanded:
    """Run the store service's migrations with two more, as the Job of a release does."""
    shutil.copytree(MIGRATIONS["store"], folder)
    newest = int(numbers("store")[-1])
    for number, steps in enumerate(((_COLUMN, _CHECK), (_INDEX, _WORDS)), newest + 1):
        write_revision(folder, number, *steps)
    began, requests = time.monotonic(), load.requests
    async with migrating(database, folder) as process:
        status = await ended(process)
    return Expanded(status, time.monotonic() - began, load.requests - requests)


async def _stores(database: TestDatabase) -> dict[str, tuple[str, int]]:
    connection = await connect(database.owner)
    try:
        rows = await connection.fetch("SELECT uuid, name, version FROM stores WHERE deleted_at IS NULL")
    finally:
        await connection.close()
    return {str(row["uuid"]): (row["name"], row["version"]) for row in rows}


async def _row(database: TestDatabase, statement: str) -> dict[str, object]:
    connection = await connect(database.owner)
    try:
        row = await connection.fetchrow(statement)
    finally:
        await connection.close()
    assert row is not None
    return dict(row)


def _told(load: Load, expanded: Expanded) -> str:
    failures = sum(load.failures.values())
    return (
        f"{load.requests} requests, {failures} failures, {load.seconds:.0f} seconds. The migration of"
        f" {STORES:,} stores took {expanded.seconds:.1f} of these, during {expanded.requests} requests."
    )
