"""Loading demo data into real databases, from the command line as people do."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.config import DatabaseConfig
from tests.support.databases import TestDatabase, connect

ROOT = Path(__file__).parents[3]


@pytest.fixture
def env_folder(tmp_path: Path, client_database: TestDatabase, store_database: TestDatabase) -> Path:
    for name, database in (("client", client_database), ("store", store_database)):
        write_env(tmp_path / f"{name}-owner.env", database.owner)
    return tmp_path


def write_env(file: Path, config: DatabaseConfig) -> None:
    values = {
        "DB_HOST": config.host,
        "DB_PORT": config.port,
        "DB_USER": config.user,
        "DB_PASSWORD": config.password.reveal(),
        "DB_NAME": config.name,
        "DB_SSLMODE": config.sslmode,
    }
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def seed(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "infra.seed", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


async def count(database: TestDatabase, question: str) -> int:
    connection = await connect(database.app)
    try:
        return await connection.fetchval(f"SELECT count(*) FROM {question}")  # noqa: S608 - our own
    finally:
        await connection.close()


async def test_demo_data(
    env_folder: Path, client_database: TestDatabase, store_database: TestDatabase
) -> None:
    first = seed("--env-folder", env_folder)
    assert first.returncode == 0, first.stderr
    assert "Stores: 500, of which 500 are new" in first.stdout
    assert await count(client_database, "clients WHERE deleted_at IS NULL") == 20
    assert await count(store_database, "stores WHERE search @@ '''surabaya'':*'::tsquery") > 5
    assert await count(client_database, "workhours") == 18
    assert await count(client_database, "workhour_exception_days") == 10 * 6
    assert await count(store_database, "client_hours") == 18 + 10 * 4
    own = await count(store_database, "workhours")
    assert 25 < own == await count(store_database, "stores WHERE schedule_digest IS NOT NULL")
    again = seed("--env-folder", env_folder)
    assert "Stores: 500, of which 0 are new" in again.stdout
    assert "Clients with a week: 20, of which 0 are new" in again.stdout
    more = seed("--env-folder", env_folder, "--clients", "25", "--stores", "12000")
    assert "Clients: 25, of which 5 are new" in more.stdout
    assert "Stores: 12,000, of which 11,500 are new" in more.stdout
    assert await count(store_database, "stores") == 12_000


async def test_hours_that_somebody_changed_stay_as_they_are(
    env_folder: Path, client_database: TestDatabase, store_database: TestDatabase
) -> None:
    seed("--env-folder", env_folder, "--stores", "100")
    connection = await connect(client_database.owner)
    await connection.execute(
        """
        WITH removed AS (DELETE FROM workhours RETURNING owner_uuid, uuid)
        INSERT INTO changes (event_id, aggregate_type, aggregate_id, part_of, version, type, schema_version,
                             actor, occurred_at)
        SELECT gen_random_uuid(), 'workhour', uuid, owner_uuid, 2, 'workhour.deleted', 1, 'x', now()
        FROM removed
        """
    )
    await connection.close()
    connection = await connect(store_database.owner)
    await connection.execute("DELETE FROM workhours")
    await connection.execute("UPDATE stores SET schedule_digest = NULL")
    await connection.close()
    again = seed("--env-folder", env_folder, "--stores", "100")
    assert again.returncode == 0, again.stderr
    assert await count(client_database, "workhours") == 0
    assert await count(store_database, "workhours") == 0


async def test_deleted_demo_data_stays_deleted(
    env_folder: Path, client_database: TestDatabase, store_database: TestDatabase
) -> None:
    seed("--env-folder", env_folder, "--stores", "100")
    for database, table in ((client_database, "clients"), (store_database, "stores")):
        connection = await connect(database.owner)
        await connection.execute(f"UPDATE {table} SET deleted_at = now()")  # noqa: S608 - our own
        await connection.close()
    again = seed("--env-folder", env_folder, "--stores", "200")
    assert again.returncode == 0, again.stderr
    assert await count(client_database, "clients WHERE deleted_at IS NULL") == 0
    assert await count(store_database, "stores WHERE deleted_at IS NULL") == 0


def test_a_platform_that_was_never_started(tmp_path: Path) -> None:
    result = seed("--env-folder", tmp_path)
    assert result.returncode == 1
    assert "Start it first: ./taskw up" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_platform_that_is_down(tmp_path: Path, client_database: TestDatabase) -> None:
    for name in ("client", "store"):
        write_env(tmp_path / f"{name}-owner.env", client_database.owner)
        file = tmp_path / f"{name}-owner.env"
        file.write_text(file.read_text() + "DB_PORT=9\n")
    result = seed("--env-folder", tmp_path)
    assert result.returncode == 1
    assert "./taskw up" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--stores", "-1"),
        ("--stores", "1000001"),
        ("--stores", "many"),
        ("--stores", "1e3"),
        ("--clients", "0"),
        ("--clients", "100001"),
        ("--clients", "9" * 5000),
        ("--colour", "red"),
    ],
    ids=lambda arguments: " ".join(arguments)[:30],
)
def test_numbers_out_of_range(arguments: tuple[str, str]) -> None:
    result = seed(*arguments)
    assert result.returncode == 2
    assert arguments[0] in result.stderr
    assert "Traceback" not in result.stderr
