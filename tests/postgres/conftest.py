"""A PostgreSQL with contrib modules that runs with infra/postgres/postgresql.conf."""

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import pytest

from infra.embedded.ports import free_port
from infra.embedded.postgres import passable, serving
from infra.embedded.state import ROOT
from infra.postgres.contrib import cluster

CONFIGURATION = ROOT / "infra" / "postgres" / "postgresql.conf"


@dataclass(frozen=True)
class Server:
    """A running server: the superuser's URL, its configuration and its log."""

    url: str
    configuration: Path
    log: Path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.contrib)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with passable(tmp_path_factory.mktemp("contrib")) as folder:
        server = cluster(folder / "postgres")
        server.prepare()
        configuration = server.data / "postgresql.conf"
        configuration.write_text(CONFIGURATION.read_text())
        port = free_port()
        with serving(server, port):
            yield Server(server.url(port), configuration, server.folder / "log")


@pytest.fixture
async def superuser(server: Server) -> AsyncGenerator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(server.url)
    yield connection
    await connection.close()
