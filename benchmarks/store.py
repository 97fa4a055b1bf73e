"""Reading a store in the store service beside plain handlers: with an ORM session, and with a Redis GET."""

import asyncio
import os
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from benchmarks.errors import BenchmarkError
from benchmarks.load import target
from benchmarks.peers.redis_store import KEY
from benchmarks.processes import Server, Stage, python
from benchmarks.report import Result, comparison
from benchmarks.rounds import Contender, Plan, alternate
from infra.embedded import postgres, redis
from infra.embedded.ports import free_port
from services.store.repository.stores import StoreRepository
from services.store.schema import CreateStore
from shared.config import DatabaseConfig
from shared.db import Database
from shared.identifiers import new_uuid
from tests.support.caches import no_cache
from tests.support.databases import migrated
from tests.support.tokens import SECRET, access_token

ORM_RATIO = 2.5
CACHED_ORM_RATIO = 4.0
CACHED_REDIS_RATIO = 0.85

_DATABASE, _CACHE = "store read", "store read, cached"
_ORM, _REDIS = "Litestar + ORM session", "Litestar + redis.asyncio GET"
_TOKENS = 16
_NOWHERE = "http://127.0.0.1:9"  # reading a store asks no neighbour


def measure(stage: Stage, plan: Plan) -> list[Result]:
    """Compare reading the same row from the same database, and the same answer from the same Redis."""
    folder = stage.folder / "store"
    with postgres.running(folder) as url, redis.running(folder) as redis_url:
        config = migrated(url)["store"].app
        uuid = asyncio.run(add_store(config))
        contenders = _contenders(stage, config, redis_url, uuid)
        samples = alternate(contenders, plan)
    return [
        comparison(samples, _DATABASE, _ORM, ORM_RATIO),
        comparison(samples, _CACHE, _ORM, CACHED_ORM_RATIO),
        comparison(samples, _CACHE, _REDIS, CACHED_REDIS_RATIO),
    ]


def _contenders(stage: Stage, config: DatabaseConfig, redis_url: str, uuid: UUID) -> list[Contender]:
    """Return the servers with what is asked of them, having seen that they answer the same."""
    tokens = tuple(access_token() for _ in range(_TOKENS))
    service = _service(stage, config, redis_url)
    cached = target(service.port, f"/v1/stores/{uuid}", tokens)
    asyncio.run(_keep(redis_url, uuid, cached.body))
    contenders = [
        Contender(service, target(service.port, f"/v1/uncached/stores/{uuid}", tokens)),
        Contender(replace(service, name=_CACHE), cached),
    ]
    peers = (_orm_peer(stage, config), _redis_peer(stage, redis_url))
    contenders += [Contender(peer, target(peer.port, f"/v1/stores/{uuid}", tokens)) for peer in peers]
    answers = [msgspec.json.decode(each.target.body) for each in contenders]
    if any(answer != answers[0] for answer in answers):
        raise BenchmarkError(f"The answers differ, so they cannot be compared:\n{answers}")
    return contenders


def _service(stage: Stage, database: DatabaseConfig, redis_url: str) -> Server:
    settings = environment(database, redis_url)
    port = int(settings["SERVICE_PORT"])
    return stage.measured(python(_DATABASE, port, "services.store", environment=settings))


def environment(database: DatabaseConfig, redis_url: str) -> dict[str, str]:
    """Return the store service's environment: what is not named here is as in production.

    Like its peers it writes no line for each request, so that the same work is compared.
    """
    address = urlsplit(redis_url)
    return {
        "ENV_FILE": os.devnull,
        "LOG_LEVEL": "WARNING",
        "SERVICE_PORT": str(free_port()),
        "DB_HOST": database.host,
        "DB_PORT": str(database.port),
        "DB_USER": database.user,
        "DB_PASSWORD": database.password.reveal(),
        "DB_NAME": database.name,
        "REDIS_HOST": address.hostname or "",
        "REDIS_PORT": str(address.port),
        "REDIS_PASSWORD": address.password or "",
        "JWT_ALGORITHM": "HS256",
        "JWT_SECRET": SECRET,
        "AUTH_URL": _NOWHERE,
        "CLIENT_URL": _NOWHERE,
        "IDEMPOTENCY_SECRET": SECRET,
        "OAUTH_CLIENT_ID": "store",
        "OAUTH_CLIENT_SECRET": "not-used-here",
    }


async def _keep(redis_url: str, uuid: UUID, body: bytes) -> None:
    address = urlsplit(redis_url)
    port, password = address.port or 6379, address.password
    async with Redis(host=address.hostname or "", port=port, password=password) as server:
        await server.set(KEY.format(uuid=uuid), body)


def _redis_peer(stage: Stage, redis_url: str) -> Server:
    port = free_port()
    return stage.measured(python(_REDIS, port, "benchmarks.peers.redis_store", str(port), redis_url))


def _orm_peer(stage: Stage, database: DatabaseConfig) -> Server:
    account = f"{database.user}:{database.password.reveal()}"
    url = f"postgresql+asyncpg://{account}@{database.host}:{database.port}/{database.name}"
    port = free_port()
    return stage.measured(python(_ORM, port, "benchmarks.peers.orm_store", str(port), url))


async def add_store(config: DatabaseConfig) -> UUID:
    """Store one store, and return its uuid."""
    database = Database(config, "gerai-benchmarks")
    command = CreateStore(
        client_uuid=new_uuid(),
        code="JKT-01",
        name="Kopi Nusantara Menteng",
        phone="+622150001234",
        email="menteng@kopi-nusantara.example",
        address="Jalan Cikini Raya 73",
        city="Jakarta",
        latitude=-6.1903,
        longitude=106.8394,
    )
    try:
        async with StoreRepository(database, no_cache(database)).transaction("benchmark") as stores:
            return (await stores.add(command)).uuid
    finally:
        await database.close()
