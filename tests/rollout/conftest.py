"""The fleet with servers of its own, a client that stores can belong to, and many stores of others."""

import random
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.seed.fill import fill
from shared.config import RedisConfig
from tests.rollout.fleet import Fleet, running_fleet
from tests.support.databases import TestDatabase

CLIENTS, STORES = 200, 100_000


class Setting(NamedTuple):
    """What a rollout takes place in: `headers` are those of an admin."""

    fleet: Fleet
    database: TestDatabase
    headers: dict[str, str]
    client: str


@pytest.fixture
async def setting(
    databases: dict[str, TestDatabase], redis_config: RedisConfig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Setting]:
    for database in databases.values():
        await database.empty()
    async with running_fleet(databases, redis_config, tmp_path_factory.mktemp("fleet")) as fleet:
        http = fleet.platform.http
        headers = await fleet.platform.sign_in()
        body = {"name": "Client", "email": f"client{random.getrandbits(40)}@example.com"}
        answer = await http.post("/v1/master-client", json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        yield Setting(fleet, databases["store"], headers, answer.json()["data"]["uuid"])


async def load_stores(databases: dict[str, TestDatabase], folder: Path) -> None:
    """Put so many stores into the table that building an index of it takes a while."""
    await fill(CLIENTS, STORES, _owners(databases, folder))


def _owners(databases: dict[str, TestDatabase], folder: Path) -> Path:
    """Write what demo data is loaded with: the connections of the databases' owners."""
    for service in ("client", "store"):
        owner = databases[service].owner
        values = {
            "DB_HOST": owner.host,
            "DB_PORT": owner.port,
            "DB_USER": owner.user,
            "DB_PASSWORD": owner.password.reveal(),
            "DB_NAME": owner.name,
            "DB_SSLMODE": owner.sslmode,
        }
        lines = "".join(f"{name}={value}\n" for name, value in values.items())
        (folder / f"{service}-owner.env").write_text(lines)
    return folder
