"""Reading a store in the store service beside a plain handler with an ORM session."""

import asyncio
import os
from uuid import UUID

import msgspec

from benchmarks.errors import BenchmarkError
from benchmarks.load import target
from benchmarks.processes import Server, Stage, python
from benchmarks.report import Result, comparison
from benchmarks.rounds import Contender, Plan, alternate
from infra.embedded import postgres
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

_OURS, _PEER = "store read", "Litestar + ORM session"
_TOKENS = 16
_NOWHERE = "http://127.0.0.1:9"  # reading a store asks no neighbour


def measure(stage: Stage, plan: Plan) -> list[Result]:
    """Compare reading the same row from the same database."""
    with postgres.running(stage.folder / "store") as url:
        config = migrated(url)["store"].app
        uuid = asyncio.run(_add_store(config))
        contenders = _contenders([_service(stage, config), _peer(stage, config)], uuid)
        samples = alternate(contenders, plan)
    return [comparison(samples, _OURS, _PEER, ORM_RATIO)]


def _contenders(servers: list[Server], uuid: UUID) -> list[Contender]:
    """Return the servers with what is asked of them, having seen that they answer the same."""
    tokens = tuple(access_token() for _ in range(_TOKENS))
    contenders = [Contender(each, target(each.port, f"/v1/stores/{uuid}", tokens)) for each in servers]
    first, second = (msgspec.json.decode(each.target.body) for each in contenders)
    if first != second:
        raise BenchmarkError(f"The two answers differ, so they cannot be compared:\n{first}\n{second}")
    return contenders


def _service(stage: Stage, database: DatabaseConfig) -> Server:
    """Start the store service: what is not named here is as in production."""
    environment = {
        "ENV_FILE": os.devnull,
        "SERVICE_PORT": str(port := free_port()),
        "DB_HOST": database.host,
        "DB_PORT": str(database.port),
        "DB_USER": database.user,
        "DB_PASSWORD": database.password.reveal(),
        "DB_NAME": database.name,
        "JWT_ALGORITHM": "HS256",
        "JWT_SECRET": SECRET,
        "AUTH_URL": _NOWHERE,
        "CLIENT_URL": _NOWHERE,
        "OAUTH_CLIENT_ID": "store",
        "OAUTH_CLIENT_SECRET": "not-used-here",
    }
    return stage.measured(python(_OURS, port, "services.store", environment=environment))


def _peer(stage: Stage, database: DatabaseConfig) -> Server:
    account = f"{database.user}:{database.password.reveal()}"
    url = f"postgresql+asyncpg://{account}@{database.host}:{database.port}/{database.name}"
    port = free_port()
    return stage.measured(python(_PEER, port, "benchmarks.peers.orm_store", str(port), url))


async def _add_store(config: DatabaseConfig) -> UUID:
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
