"""A streaming replica of the server that tests use, to be paused, ended and brought back."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
from msgspec.structs import replace

from infra.embedded import postgres
from infra.embedded.ports import free_port
from shared.config import DatabaseConfig
from tests.support.events import until


class Replica:
    """The replica, and both servers as their superuser sees them."""

    def __init__(self, cluster: postgres.Cluster, primary_url: str) -> None:
        self.port = free_port()
        self._cluster = cluster
        self._primary_url = primary_url
        self._url = urlsplit(primary_url)._replace(netloc=self._netloc(primary_url)).geturl()
        self._served = ExitStack()

    def start(self) -> None:
        """Serve it."""
        self._served.enter_context(postgres.serving(self._cluster, self.port))

    def end(self) -> None:
        """End it, with every connection to it."""
        self._served.close()

    def configured(self, config: DatabaseConfig, **fields: object) -> DatabaseConfig:
        """Return the configuration of a database that this is the replica of."""
        return replace(config, read_host="127.0.0.1", read_port=self.port, **fields)

    async def pause(self) -> None:
        """Let it receive what the primary does, and not replay it."""
        await self.run("SELECT pg_wal_replay_pause()")

        async def is_paused() -> bool:
            return await self.run("SELECT pg_get_wal_replay_pause_state()") == "paused"

        await until(is_paused)

    async def resume(self) -> None:
        """Let it replay again."""
        await self.run("SELECT pg_wal_replay_resume()")

    async def caught_up(self) -> None:
        """Wait until it has all that the primary has now."""
        # Flushed, unlike the insert position: a page that nobody's commit needs on disk is not sent at all.
        emit = "SELECT pg_logical_emit_message(false, 'tests', '', true)::text"
        position = await self._run(self._primary_url, emit)

        async def has_it() -> bool:
            return await self.run(f"SELECT pg_last_wal_replay_lsn() >= '{position}'")

        await until(has_it)

    async def run(self, question: str) -> Any:  # noqa: ANN401 - a column's value
        """Return the answer of the replica to a question of its superuser."""
        return await self._run(self._url, question)

    async def _run(self, url: str, question: str) -> Any:  # noqa: ANN401 - a column's value
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetchval(question)
        finally:
            await connection.close()

    def _netloc(self, url: str) -> str:
        server = urlsplit(url)
        return f"{server.username}:{server.password}@{server.hostname}:{self.port}"


@contextmanager
def replicating(primary_url: str, directory: Path) -> Generator[Replica]:
    """Yield a running replica of the server at `primary_url`."""
    with postgres.replica(directory, primary_url) as cluster:
        replica = Replica(cluster, primary_url)
        replica.start()
        try:
            yield replica
        finally:
            replica.end()
