"""Publishing again and dead letters, from the command line as people use it."""

import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from shared.config import DatabaseConfig, RedisConfig
from shared.events import dead_letters
from shared.events.streams import Entry
from shared.identifiers import new_uuid
from tests.support.databases import TestDatabase
from tests.support.events import Events, Thing, events_of

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def events(store_database: TestDatabase, redis_config: RedisConfig) -> AsyncGenerator[Events]:
    async with events_of(store_database, redis_config) as events:
        yield events


@pytest.fixture
def env_folder(tmp_path: Path, databases: dict[str, TestDatabase]) -> Path:
    for name, database in databases.items():
        (tmp_path / f"{name}.env").write_text(dotenv(database.app))
    return tmp_path


def dotenv(config: DatabaseConfig) -> str:
    values = {
        "DB_HOST": config.host,
        "DB_PORT": config.port,
        "DB_USER": config.user,
        "DB_PASSWORD": config.password.reveal(),
        "DB_NAME": config.name,
        "DB_SSLMODE": config.sslmode,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def run(*arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "shared.events", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


async def test_replay(events: Events, env_folder: Path) -> None:
    await events.record(Thing(new_uuid()), Thing(new_uuid()))
    await events.value("DELETE FROM outbox")
    result = run("replay", "--since", "2h", "--service", "store", "--env-folder", env_folder)
    assert result.returncode == 0, result.stderr
    assert "store: 2 changes since" in result.stdout
    assert await events.waiting() == 2
    future = run("replay", "--since", "2126-01-01T00:00:00Z", "--env-folder", env_folder)
    assert "auth: 0 changes" in future.stdout
    assert "client: 0 changes" in future.stdout


async def test_dead_letters(events: Events, env_folder: Path) -> None:
    await dead_letters.add(events.database, "tests", "a stream", Entry("1-0", "{the event}"), "no\nluck", 5)
    listed = run("dead", "list", "--env-folder", env_folder)
    assert "1 dead letters" in listed.stdout
    name = next(word for word in listed.stdout.split() if word.startswith("store/"))
    shown = run("dead", "show", name, "--env-folder", env_folder)
    assert "{the event}" in shown.stdout
    assert "luck" in shown.stdout
    redriven = run("dead", "redrive", "all", "--env-folder", env_folder)
    assert "1 dead letters will be handled" in redriven.stdout
    assert (await dead_letters.list_all(events.database))[0].redrive_at


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("dead", "show", "store/999999999"), 1, "There is no dead letter store/999999999"),
        (("dead", "redrive", "store/999999999"), 1, "There is no dead letter store/999999999"),
        (("dead", "show", "9"), 1, "such as store/1"),
        (("replay", "--since", "yesterday"), 2, "neither a span"),
        (("replay", "--since", "2026-01-01T00:00:00"), 2, "neither a span"),
        (("replay",), 2, "--since"),
        (("replay", "--since", "1h", "--env-folder", "/nowhere"), 1, "./taskw up"),
    ],
)
def test_refusals(env_folder: Path, arguments: tuple[str, ...], status: int, said: str) -> None:
    folder = () if "--env-folder" in arguments else ("--env-folder", env_folder)
    result = run(*arguments, *folder)
    assert result.returncode == status
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_a_database_that_is_away(tmp_path: Path, databases: dict[str, TestDatabase]) -> None:
    (tmp_path / "store.env").write_text(dotenv(databases["store"].app) + "DB_PORT=9\n")
    for command in (("replay", "--since", "1h"), ("dead", "list")):
        result = run(*command, "--service", "store", "--env-folder", tmp_path)
        assert result.returncode == 1
        assert "Is the platform running?" in result.stderr
        assert "Traceback" not in result.stderr
