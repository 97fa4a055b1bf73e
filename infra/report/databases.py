"""The databases to report on, and connections to them that can change nothing."""

import ssl
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from dotenv import dotenv_values

from shared.config import ConfigurationError, DatabaseConfig, Fragment, load

SERVICES = ("auth", "client", "store")
MAINTENANCE = "postgres"

_STATEMENT_SECONDS = 10
_CONNECT_SECONDS = 5


class ReportError(Exception):
    """Why there is no report, as a sentence."""


class OwnerConfig(Fragment, frozen=True, kw_only=True):
    """The connection of a service's owner."""

    database: DatabaseConfig


@dataclass(frozen=True)
class Place:
    """A database, and what asyncpg needs to reach its server."""

    name: str
    server: Mapping[str, Any]

    @asynccontextmanager
    async def connected(self, database: str | None = None) -> AsyncGenerator[Any]:
        """Connect to it, or to another database of its server, for reading and not for long.

        Raises:
            OSError, asyncpg.PostgresError: that cannot be done.
        """
        connection = await asyncpg.connect(
            **self.server,
            database=database or self.name or None,
            timeout=_CONNECT_SECONDS,
            server_settings={
                "application_name": "gerai-report",
                "default_transaction_read_only": "on",
                "statement_timeout": f"{_STATEMENT_SECONDS}s",
                "lock_timeout": "1s",
            },
        )
        try:
            yield connection
        finally:
            await connection.close()


def of_platform(folder: Path, services: tuple[str, ...] = SERVICES) -> list[Place]:
    """Return the databases of the platform whose dotenv files are in `folder`, as their owners.

    Raises:
        ReportError: there is no such platform.
    """
    return [_place(folder / f"{service}-owner.env") for service in services]


async def of_url(url: str) -> list[Place]:
    """Return the database that `url` names, or all of ours on its server when that is `postgres` or none.

    Raises:
        OSError, asyncpg.PostgresError: the server cannot be asked for its databases.
    """
    place = Place("", {"dsn": url})
    async with place.connected(MAINTENANCE if _names_none(url) else None) as connection:
        named = await connection.fetchval("SELECT current_database()")
        rows = await connection.fetch("SELECT datname FROM pg_database WHERE datname ^@ 'gerai_' ORDER BY 1")
    ours = [row["datname"] for row in rows]
    return [Place(name, place.server) for name in (ours if named == MAINTENANCE and ours else [named])]


def _names_none(url: str) -> bool:
    return not url.partition("://")[2].partition("?")[0].partition("/")[2]


def _place(file: Path) -> Place:
    if not file.exists():
        raise ReportError(f"There is no {file}, so there is no platform here. Start it first: ./taskw up")
    values = {name: value for name, value in dotenv_values(file, interpolate=False).items() if value}
    try:
        config = load(OwnerConfig, values).database
    except ConfigurationError as error:
        raise ReportError(f"{file}: {error}") from None
    secure = ssl.create_default_context() if config.sslmode == "verify-full" else config.sslmode
    server = {
        "host": config.host,
        "port": config.port,
        "user": config.user,
        "password": config.password.reveal(),
        "ssl": secure,
    }
    return Place(config.name, server)
