"""The two servers that the services need: ours, or those that the person named."""

import asyncio
from dataclasses import dataclass
from typing import Any

import asyncpg

from infra.embedded import redis
from infra.embedded.errors import StartError
from infra.embedded.postgres import Cluster, cluster
from infra.embedded.private import Secrets
from infra.embedded.settings import RedisAddress, Settings, redis_address
from infra.embedded.state import State

_CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Databases:
    """Where the servers are, and those that are ours to run."""

    superuser_url: str
    redis_address: RedisAddress
    own_postgres: Cluster | None
    own_redis: redis.Server | None
    notes: list[str]

    async def redis_answers(self) -> bool:
        """Tell whether Redis accepts commands."""
        return await asyncio.to_thread(redis.answers, self.redis_address)

    async def postgres_answers(self) -> bool:
        """Tell whether PostgreSQL accepts commands.

        Raises:
            StartError: it answers, and will never let us in.
        """
        if self.own_postgres and not self.own_postgres.is_ready():
            return False
        return await cluster_id(self.superuser_url) is not None


def databases(state: State, settings: Settings, secrets: Secrets) -> Databases:
    """Prepare the servers that are ours to run.

    Raises:
        StartError: one cannot be prepared.
    """
    own_postgres = None if settings.database_url else cluster(state.folder / "postgres")
    notes = own_postgres.prepare() if own_postgres else []
    named = settings.redis_url.reveal() if settings.redis_url else None
    address = (
        redis_address(named)
        if named
        else RedisAddress("127.0.0.1", settings.redis_port, secrets.get("redis"))
    )
    own_redis = None if named else redis.Server(state.folder / "redis")
    if own_redis:
        own_redis.prepare(address)
    return Databases(_superuser_url(settings, own_postgres), address, own_postgres, own_redis, notes)


async def cluster_id(superuser_url: str) -> str | None:
    """Return what tells this PostgreSQL cluster from every other, or None while it does not accept commands.

    Raises:
        StartError: it refuses the superuser.
    """
    connection: Any = None
    try:
        connection = await asyncpg.connect(superuser_url, timeout=_CONNECT_SECONDS)
        return str(await connection.fetchval("SELECT system_identifier FROM pg_control_system()"))
    except (OSError, TimeoutError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
        return None
    except (asyncpg.PostgresError, ValueError) as error:
        raise StartError(f"PostgreSQL does not let the superuser in: {error}. Check DATABASE_URL.") from None
    finally:
        if connection:
            await connection.close()


def _superuser_url(settings: Settings, own: Cluster | None) -> str:
    if settings.database_url:
        return settings.database_url.reveal()
    if own is None:
        raise ValueError
    return own.url(settings.postgres_port)
