"""Clients for tests: samples, and a repository that keeps them in memory."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from services.client.errors import DuplicateClient
from services.client.repository.clients import ClientRepository, ClientWriter
from services.client.schema import ChangeClient, Client, ClientQuery, CreateClient
from shared.conversion import set_fields
from shared.identifiers import new_uuid
from shared.listing import Listing
from shared.responses import Meta

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def client(**fields: object) -> Client:
    """Return a client with these fields."""
    new = CreateClient(name="Kopi Nusantara", email="halo@kopi-nusantara.example")
    row = {"uuid": new_uuid(), "version": 1, "created_at": THEN, "updated_at": THEN}
    members: dict[str, Any] = {**msgspec.structs.asdict(new), **row, **fields}
    return Client(**members)


class FakeClients(ClientRepository):
    """Clients in memory; a transaction that fails leaves no trace."""

    def __init__(self, *clients: Client) -> None:
        self.rows = {each.uuid: each for each in clients}
        self.listed: list[tuple[list[UUID] | None, UUID | None]] = []
        self.actors: list[str] = []

    async def find(self, uuid: UUID) -> Client | None:
        return self.rows.get(uuid)

    async def list(
        self, query: ClientQuery, uuids: list[UUID] | None, tenant: UUID | None
    ) -> Listing[Client]:
        self.listed.append((uuids, tenant))
        items = [each for each in self.rows.values() if tenant in {None, each.uuid}]
        return Listing(items, Meta(limit=query.limit, total=len(items), total_pages=1, next_cursor=None))

    @asynccontextmanager
    async def transaction(self, actor: str) -> AsyncGenerator["FakeClientWriter"]:
        self.actors.append(actor)
        writer = FakeClientWriter(dict(self.rows))
        yield writer
        self.rows = writer.rows


class FakeClientWriter(ClientWriter):
    """Changes a copy of the clients."""

    def __init__(self, rows: dict[UUID, Client]) -> None:
        self.rows = rows

    async def add(self, command: CreateClient) -> Client:
        if any(each.email == command.email for each in self.rows.values()):
            raise DuplicateClient
        added = client(**msgspec.structs.asdict(command))
        self.rows[added.uuid] = added
        return added

    async def change(self, uuid: UUID, command: ChangeClient) -> Client | None:
        if uuid not in self.rows:
            return None
        self.rows[uuid] = msgspec.structs.replace(self.rows[uuid], **set_fields(command))
        return self.rows[uuid]

    async def delete(self, uuid: UUID) -> bool:
        return self.rows.pop(uuid, None) is not None
