"""Stores for tests: samples, a configuration, and what use cases need, kept in memory."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from services.store.client_api import ClientDirectory
from services.store.config import StoreConfig
from services.store.errors import DuplicateStore
from services.store.repository.clients import ClientCopy, ClientRepository
from services.store.repository.stores import StoreRepository, StoreWriter
from services.store.schema import (
    ChangeStore,
    Client,
    ClientWithSchedule,
    CreateStore,
    Store,
    StoreQuery,
    StoreWithClient,
    Wanted,
)
from shared.cache.status import HIT, REQUESTED, Cached
from shared.config import DatabaseConfig, OAuthClientConfig, RedisConfig, Secret
from shared.conversion import set_fields
from shared.errors import GeraiError
from shared.identifiers import new_uuid
from shared.listing import Listing
from shared.preconditions import Condition
from shared.responses import Meta
from shared.schedules.known import Parts
from tests.support.caches import patient
from tests.support.serving import LOG, SERVICE, TRACING
from tests.support.tokens import CONFIG, IDEMPOTENCY

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def store(**fields: object) -> Store:
    """Return a store with these fields."""
    new = CreateStore(client_uuid=new_uuid(), code="JKT-01", name="Kopi Nusantara Menteng")
    row = {"uuid": new_uuid(), "version": 1, "created_at": THEN, "updated_at": THEN}
    members: dict[str, Any] = {**msgspec.structs.asdict(new), **row, **fields}
    return Store(**members)


def facts(uuid: UUID, *, is_active: bool = True) -> Client:
    """Return what stores know of a client."""
    return Client(
        uuid=uuid,
        name="Kopi Nusantara",
        email="halo@kopi-nusantara.example",
        phone=None,
        country="ID",
        timezone="Asia/Jakarta",
        is_active=is_active,
        version=1,
    )


def with_schedule(client: Client, schedule: Parts | None = None) -> ClientWithSchedule:
    """Return what stores know of a client for reads."""
    return ClientWithSchedule(**msgspec.structs.asdict(client), schedule=schedule or Parts())


def store_config(database: DatabaseConfig, redis: RedisConfig, neighbours: str) -> StoreConfig:
    """Return the configuration of a store service whose neighbours are at one URL."""
    return StoreConfig(
        service=SERVICE,
        log=LOG,
        tracing=TRACING,
        database=msgspec.structs.replace(database, pool_size=10),
        redis=patient(redis),
        token=CONFIG,
        idempotency=IDEMPOTENCY,
        oauth=OAuthClientConfig(client_id="store", client_secret=Secret("only-for-tests")),
        auth_url=neighbours,
        client_url=neighbours,
    )


class Journal(list[str]):
    """What happened, in order."""


class FakeDirectory(ClientDirectory):
    """Clients in memory; with `failure`, nobody can be asked."""

    def __init__(self, *clients: Client, journal: Journal | None = None) -> None:
        self.clients = {each.uuid: each for each in clients}
        self.journal = Journal() if journal is None else journal
        self.schedules: dict[UUID, Parts] = {}
        self.failure: GeraiError | None = None

    async def find(self, uuid: UUID) -> Client | None:
        self.journal.append("client asked for")
        if self.failure:
            raise self.failure
        return self.clients.get(uuid)

    async def find_with_schedule(self, uuid: UUID) -> ClientWithSchedule | None:
        client = await self.find(uuid)
        return with_schedule(client, self.schedules.get(uuid)) if client else None


class FakeCopies(ClientRepository):
    """Copies of clients in memory."""

    def __init__(self, **copies: Client | None) -> None:
        self.rows = {UUID(uuid): ClientCopy(client) for uuid, client in copies.items()}

    async def find(self, uuid: UUID) -> ClientCopy | None:
        return self.rows.get(uuid)

    async def keep(self, client: ClientWithSchedule) -> None:
        self.rows[client.uuid] = ClientCopy(client.facts())


class FakeStores(StoreRepository):
    """Stores in memory; a transaction that fails leaves no trace."""

    def __init__(self, *stores: Store, journal: Journal | None = None) -> None:
        self.rows = {each.uuid: each for each in stores}
        self.journal = Journal() if journal is None else journal
        self.listed: list[tuple[Wanted, UUID | None]] = []
        self.actors: list[str] = []

    async def find(self, uuid: UUID) -> Store | None:
        self.journal.append("latest store read")
        return self.rows.get(uuid)

    async def read(self, uuid: UUID, *, fresh: bool = False) -> Cached:
        self.journal.append("fresh store read" if fresh else "store read")
        found = self.rows.get(uuid)
        return Cached(msgspec.json.encode(found) if found else None, REQUESTED if fresh else HIT)

    async def read_with_client(
        self, store: Store, find_client: Callable[[UUID], Awaitable[Client | None]], *, fresh: bool = False
    ) -> Cached:
        client = await find_client(store.client_uuid)
        both = StoreWithClient(**msgspec.structs.asdict(store), client=client)
        return Cached(msgspec.json.encode(both), REQUESTED if fresh else HIT)

    async def list(
        self, query: StoreQuery, wanted: Wanted, tenant: UUID | None, *, fresh: bool = False
    ) -> Cached:
        self.listed.append((wanted, tenant))
        items = [each for each in self.rows.values() if tenant in {None, each.client_uuid}]
        meta = Meta(limit=query.limit, total=len(items), total_pages=1, next_cursor=None)
        return Cached(msgspec.json.encode(Listing(items, meta)), REQUESTED if fresh else HIT)

    @asynccontextmanager
    async def transaction(self, actor: str) -> AsyncGenerator["FakeStoreWriter"]:
        self.actors.append(actor)
        self.journal.append("transaction opened")
        writer = FakeStoreWriter(dict(self.rows))
        yield writer
        self.rows = writer.rows


class FakeStoreWriter(StoreWriter):
    """Changes a copy of the stores."""

    def __init__(self, rows: dict[UUID, Store]) -> None:
        self.rows = rows

    async def add(self, command: CreateStore) -> Store:
        taken = {(each.client_uuid, each.code) for each in self.rows.values()}
        if (command.client_uuid, command.code) in taken:
            raise DuplicateStore
        added = store(**msgspec.structs.asdict(command))
        self.rows[added.uuid] = added
        return added

    async def change(self, uuid: UUID, command: ChangeStore, condition: Condition) -> Store | None:
        if uuid not in self.rows:
            return None
        condition.require(self.rows[uuid].version)
        self.rows[uuid] = msgspec.structs.replace(self.rows[uuid], **set_fields(command))
        return self.rows[uuid]

    async def delete(self, uuid: UUID, tenant: UUID | None, condition: Condition) -> bool:
        found = self.rows.get(uuid)
        if found is None or tenant not in {None, found.client_uuid}:
            return False
        condition.require(found.version)
        del self.rows[uuid]
        return True
