"""The drill: lose data, restore it to just before that, and run the platform on it."""

import asyncio
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from infra.backup.drill import Drill, keep
from infra.backup.server import Server
from infra.embedded import postgres, redis
from infra.embedded.ports import free_port
from infra.embedded.postgres import Cluster, serving
from infra.postgres import contrib
from infra.postgres.provision import ServiceDatabase
from shared.config import RedisConfig, Secret
from tests.restore.conftest import Original
from tests.support.databases import PASSWORD, SERVICES, described, migrated
from tests.support.platform import Platform, running

pytestmark = pytest.mark.restore

_STORES = 400
_AT_ONCE = 20


@contextmanager
def _redis(folder: Path) -> Generator[RedisConfig]:
    with redis.running(folder) as url:
        server = urlsplit(url)
        yield RedisConfig(host="127.0.0.1", port=server.port or 0, password=Secret(server.password or ""))


async def _connect(url: str, database: str) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(f"{url.rsplit('/', 1)[0]}/{database}")


async def _content(url: str) -> dict[str, tuple[int, str]]:
    """Return the count of rows and a checksum of each table of the three databases, alembic's too."""
    found: dict[str, tuple[int, str]] = {}
    for service in SERVICES:
        connection = await _connect(url, f"gerai_{service}")
        for (name,) in await connection.fetch(
            "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
        ):
            row = await connection.fetchrow(
                f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {name} AS t"  # noqa: S608
            )
            assert row is not None
            found[f"{service}.{name}"] = (row[0], row[1])
        await connection.close()
    return found


async def _asked(url: str, database: str, statement: str) -> object:
    connection = await _connect(url, database)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def _time(url: str) -> datetime:
    time_ = await _asked(url, "postgres", "SELECT clock_timestamp()")
    assert isinstance(time_, datetime)
    return time_.astimezone(UTC)


async def _create(platform: Platform, name: str, count: int) -> list[str]:
    """Create a client with stores through the gateway; return the stores."""
    body = {"name": name, "email": f"{name}@example.com"}
    client = await platform.http.post("/v1/master-client", json=body)
    assert client.status_code == 201, client.text
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> str:
        fields = {
            "client_uuid": client.json()["data"]["uuid"],
            "code": f"{name}-{number}",
            "name": f"Store {number}",
        }
        async with turns:
            answer = await platform.http.post("/v1/stores", json=fields)
        assert answer.status_code == 201, answer.text
        return answer.json()["data"]["uuid"]

    return await asyncio.gather(*(one(number) for number in range(count)))


async def test_following_begins_with_a_backup_that_can_be_restored(original: Original) -> None:
    await asyncio.to_thread(migrated, original.url)
    made = await asyncio.to_thread(original.command, "backup")
    assert "To restore to any moment: ./taskw backup -- --follow." in made.stdout
    for _ in range(2):  # what is reserved begins with the last checkpoint
        await _asked(original.url, "postgres", "SELECT pg_switch_wal()")
        await _asked(original.url, "postgres", "CHECKPOINT")
    with original.following():
        pass
    moment = original.archive.through()
    assert moment is not None
    listed = (await asyncio.to_thread(original.command, "backup", "--list")).stdout.splitlines()
    assert ["its dumps alone" in line for line in listed] == [True, False, False]
    folder = str(original.state / "restored")
    told = await asyncio.to_thread(original.command, "restore", "--to", moment.isoformat(), "--into", folder)
    assert told.returncode == 0, told.stdout


async def test_a_dump_brings_a_table_back(original: Original) -> None:
    await asyncio.to_thread(migrated, original.url)
    await _asked(
        original.url, "gerai_store", "CREATE TABLE lost AS SELECT generate_series(1, 1000) AS number"
    )
    assert (await asyncio.to_thread(original.command, "backup")).returncode == 0
    await _asked(original.url, "gerai_store", "DROP TABLE lost")
    file = original.state / "store.dump"
    command = ("dump", "gerai_store", "--into", str(file))
    told = await asyncio.to_thread(original.command, *command)
    assert told.returncode == 0, told.stdout
    assert file.stat().st_mode & 0o077 == 0
    server = Server(original.url, original.cluster.programs / "bin")
    server.run("pg_restore", "--table=lost", "--dbname=gerai_store", str(file))
    assert await _asked(original.url, "gerai_store", "SELECT sum(number) FROM lost") == 500_500
    assert "exists already" in (await asyncio.to_thread(original.command, *command)).stdout
    refused = await asyncio.to_thread(original.command, *command[:2], "--of", "never", "--into", f"{file}-2")
    assert "There is no backup never" in refused.stdout


async def test_restore_to_just_before_an_accident(original: Original, tmp_path: Path) -> None:
    databases = await asyncio.to_thread(migrated, original.url)
    with original.following():
        with _redis(tmp_path / "redis") as cache:
            async with running(databases, cache, tmp_path) as platform:
                platform.http.headers.update(await platform.sign_in())
                await _create(platform, "before", _STORES)
                made = await asyncio.to_thread(original.command, "backup")
                assert made.returncode == 0, made.stdout
                stores = await _create(platform, "after", _STORES)
        content = await _content(original.url)
        moment = await _time(original.url)
        await _asked(original.url, "gerai_store", "TRUNCATE stores CASCADE")
        await _asked(original.url, "gerai_auth", "DROP TABLE users CASCADE")
        through = original.archive.through()
        assert through is not None
        lost = (await _time(original.url) - through).total_seconds()
        await asyncio.to_thread(original.archived, moment)
    assert await _content(original.url) != content

    decided = time.monotonic()
    folder = original.state / "restored"
    told = await asyncio.to_thread(
        original.command, "restore", "--to", moment.isoformat(), "--into", str(folder)
    )
    assert told.returncode == 0, told.stdout
    copy, port = postgres.cluster(folder), free_port()
    with serving(copy, port, durable=True), _redis(tmp_path / "empty-redis") as cache:
        url = copy.url(port)
        restored = await _content(url)
        assert restored == content
        assert sum(rows for table, (rows, _) in content.items() if table.endswith(".stores")) == 2 * _STORES
        assert await _asked(url, "postgres", "SELECT pg_is_in_recovery()") is False
        assert await _asked(url, "postgres", "SHOW archive_mode") == "off"
        provided = {
            name: described(url, ServiceDatabase(f"gerai_{name}", PASSWORD, PASSWORD)) for name in SERVICES
        }
        async with running(provided, cache, tmp_path) as platform:
            platform.http.headers.update(await platform.sign_in())
            answer = await platform.http.get(f"/v1/stores/{stores[-1]}")
            took = time.monotonic() - decided
            assert answer.status_code == 200, answer.text
            await _create(platform, "restored", 1)
    await asyncio.to_thread(_check_indexes, copy, tmp_path)
    _tell(original, Drill(lost, took))


def _check_indexes(copy: Cluster, folder: Path) -> None:
    """Require that every index of what was restored agrees with its table: by a PostgreSQL with amcheck."""
    port, programs = free_port(), contrib.cluster(folder / "contrib").programs
    with serving(replace(copy, programs=programs), port):
        server = Server(copy.url(port), programs / "bin")
        server.run("pg_amcheck", "--all", "--install-missing", "--heapallindexed", "--parent-check")


def _tell(original: Original, found: Drill) -> None:
    keep(original.archive, found)
    for name in ("recovery_point", "recovery_time"):
        assert f"\nbackup_drill_{name}_seconds " in (original.archive.metrics / "drill.prom").read_text()
    for name in ("backup_last_success_timestamp_seconds", "backup_size_bytes", "backup_duration_seconds"):
        assert f"\n{name} " in (original.archive.metrics / "backup.prom").read_text()
    for name in ("backup_restore_last_success_timestamp_seconds", "backup_restore_duration_seconds"):
        assert f"\n{name} " in (original.archive.metrics / "restore.prom").read_text()
    print(f"\nRPO {found.recovery_point:.1f} s: what a loss of the server at the accident would have cost")
    print(f"RTO {found.recovery_time:.1f} s: from the decision to restore to the platform answering a read")
