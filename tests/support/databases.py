"""The services' databases as tests use them: provisioned and migrated once, emptied before each test."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg

from infra.postgres.provision import ServiceDatabase, provision
from shared.config import DatabaseConfig, Secret
from shared.migrations import upgrade

SERVICES = ("auth", "client", "store")

PASSWORD = "only-for-tests"

PATIENT_MS = 10_000
"""Long enough for a busy machine, so that many requests at once take turns."""

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class TestDatabase:
    """One service's database, seen by the role that serves and by the one that owns."""

    __test__ = False

    app: DatabaseConfig
    owner: DatabaseConfig

    async def empty(self) -> None:
        """Remove every row."""
        connection = await connect(self.owner)
        try:
            tables = await connection.fetch(
                "SELECT quote_ident(tablename) AS name FROM pg_tables"
                " WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
                " ORDER BY tablename NOT IN ('import_rows', 'outbox')"  # what workers lock first, too
            )
            if tables:
                await _truncate(connection, [table["name"] for table in tables])
        finally:
            await connection.close()


async def _truncate(connection: "asyncpg.Connection[asyncpg.Record]", tables: list[str]) -> None:
    """Empty tables, giving way to workers that are about to lock them in another order."""
    await connection.execute("SET lock_timeout = '200ms'")  # below the second after which one would be ended
    async with asyncio.timeout(30):
        while True:
            try:
                await connection.execute(f"TRUNCATE {', '.join(tables)} CASCADE")
            except asyncpg.LockNotAvailableError:
                continue
            return


async def connect(config: DatabaseConfig) -> "asyncpg.Connection[asyncpg.Record]":
    """Return a connection of its own, for looking at what a service did."""
    return await asyncpg.connect(
        host=config.host,
        port=config.port,
        user=config.user,
        password=config.password.reveal(),
        database=config.name,
    )


def migrated(superuser_url: str) -> dict[str, TestDatabase]:
    """Provide and migrate every service's database on the server of `superuser_url`."""
    provided = {name: ServiceDatabase(f"gerai_{name}", PASSWORD, PASSWORD) for name in SERVICES}
    asyncio.run(provision(superuser_url, list(provided.values())))
    databases = {name: described(superuser_url, each) for name, each in provided.items()}
    for name, database in databases.items():
        upgrade(database.owner, _ROOT / "services" / name / "migrations")
    return databases


def described(superuser_url: str, provided: ServiceDatabase) -> TestDatabase:
    """Return how tests reach a database that was provided with PASSWORD."""
    server = urlsplit(superuser_url)

    def config(user: str) -> DatabaseConfig:
        return DatabaseConfig(
            host=server.hostname or "127.0.0.1",
            port=server.port or 5432,
            user=user,
            password=Secret(PASSWORD),
            name=provided.name,
            sslmode="disable",
            pool_size=5,
            pool_wait_ms=PATIENT_MS,
        )

    return TestDatabase(app=config(provided.app), owner=config(provided.owner))
