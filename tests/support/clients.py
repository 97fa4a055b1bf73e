"""Clients for tests: samples, and a repository that keeps them in memory."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from services.client.config import ClientConfig
from services.client.errors import DuplicateClient
from services.client.repository.clients import ClientRepository, ClientWriter
from services.client.schema import ChangeClient, Client, ClientQuery, CreateClient
from shared.cache.status import HIT, REQUESTED, Cached
from shared.config import DatabaseConfig, OAuthClientConfig, RedisConfig, Secret
from shared.conversion import set_fields
from shared.identifiers import new_uuid
from shared.listing import Listing
from shared.preconditions import Condition
from shared.responses import Meta
from tests.support.caches import patient
from tests.support.deletions import FakeDeletions, FakeDeletionWriter
from tests.support.serving import LOG, SERVICE, TRACING
from tests.support.tokens import CONFIG, IDEMPOTENCY

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def client(**fields: object) -> Client:
    """Return a client with these fields."""
    new = CreateClient(name="Kopi Nusantara", email="halo@kopi-nusantara.example")
    row = {"uuid": new_uuid(), "version": 1, "created_at": THEN, "updated_at": THEN}
    members: dict[str, Any] = {**msgspec.structs.asdict(new), **row, **fields}
    return Client(**members)


def client_config(database: DatabaseConfig, redis: RedisConfig, neighbours: str) -> ClientConfig:
    """Return the configuration of a client service whose neighbours are at one URL."""
    return ClientConfig(
        service=SERVICE,
        log=LOG,
        tracing=TRACING,
        database=msgspec.structs.replace(database, pool_size=10),
        redis=patient(redis),
        token=CONFIG,
        idempotency=IDEMPOTENCY,
        oauth=OAuthClientConfig(client_id="client", client_secret=Secret("only-for-tests")),
        auth_url=neighbours,
        store_url=neighbours,
    )


class FakeClients(ClientRepository):
    """Clients in memory; a transaction that fails leaves no trace."""

    def __init__(self, *clients: Client) -> None:
        self.rows = {each.uuid: each for each in clients}
        self.listed: list[tuple[list[UUID] | None, UUID | None]] = []
        self.actors: list[str] = []
        self.deletions = FakeDeletions()

    async def read(self, uuid: UUID, *, fresh: bool = False) -> Cached:
        found = self.rows.get(uuid)
        return Cached(msgspec.json.encode(found) if found else None, REQUESTED if fresh else HIT)

    async def list(
        self, query: ClientQuery, uuids: Sequence[UUID] | None, tenant: UUID | None, *, fresh: bool = False
    ) -> Cached:
        self.listed.append((None if uuids is None else list(uuids), tenant))
        items = [each for each in self.rows.values() if tenant in {None, each.uuid}]
        meta = Meta(limit=query.limit, total=len(items), total_pages=1, next_cursor=None)
        return Cached(msgspec.json.encode(Listing(items, meta)), REQUESTED if fresh else HIT)

    @asynccontextmanager
    async def transaction(self, actor: str) -> AsyncGenerator["FakeClientWriter"]:
        self.actors.append(actor)
        writer = FakeClientWriter(dict(self.rows), FakeDeletionWriter(self.deletions))
        yield writer
        self.rows, self.deletions.rows = writer.rows, writer.deletions.rows


class FakeClientWriter(ClientWriter):
    """Changes a copy of the clients."""

    def __init__(self, rows: dict[UUID, Client], deletions: FakeDeletionWriter) -> None:
        self.rows = rows
        self.deletions: FakeDeletionWriter = deletions

    async def lock(self, uuid: UUID) -> Client | None:
        return self.rows.get(uuid)

    async def add(self, command: CreateClient) -> Client:
        if any(each.email == command.email for each in self.rows.values()):
            raise DuplicateClient
        added = client(**msgspec.structs.asdict(command))
        self.rows[added.uuid] = added
        return added

    async def change(self, uuid: UUID, command: ChangeClient, condition: Condition) -> Client | None:
        if uuid not in self.rows:
            return None
        condition.require(self.rows[uuid].version)
        self.rows[uuid] = msgspec.structs.replace(self.rows[uuid], **set_fields(command))
        return self.rows[uuid]

    async def delete(self, uuid: UUID, condition: Condition) -> bool:
        if uuid in self.rows:
            condition.require(self.rows[uuid].version)
        return self.rows.pop(uuid, None) is not None
