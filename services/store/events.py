"""What the store service does when clients change: keep copies of them, end the stores of those that end.

Their schedules are kept as well, for the stores that inherit them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from services.store.schema import Client, ClientPart
from shared.db import WriteConnection
from shared.events.delivery import Subscriber
from shared.events.event import Event, UnreadableEvent
from shared.schedules.known import PART_TYPES, is_part_kind

CONSUMER = "store"
SOURCE = "client"

_DELETED = "client.deleted"
_KINDS = {"client.created", "client.changed", _DELETED}
_PART_VERBS = {"created", "changed", "deleted"}
_SCHEMA_VERSION = 1


class StoresOfClients(Protocol):
    """The stores, as far as their clients' changes concern them."""

    async def delete_of_client(self, client_uuid: UUID, actor: str) -> None:
        """Mark every store of a client deleted."""
        ...

    async def invalidate_clients(self, uuids: Sequence[UUID]) -> None:
        """Let no cached answer be used that shows these clients as they were."""
        ...


class KeepClient(Protocol):
    """Keeps a copy of a client unless a newer one is there; tells whether it was news."""

    async def __call__(
        self, connection: WriteConnection, client: Client, *, deleted_at: datetime | None = None
    ) -> bool:
        """Keep it."""
        ...


class KeepParts(Protocol):
    """Keeps copies of parts of clients' schedules unless newer ones are there; tells whether one was news."""

    async def __call__(self, connection: WriteConnection, parts: Sequence[ClientPart]) -> bool:
        """Keep them."""
        ...


class ClientEvents(Subscriber):
    """Follows the events of clients and of their schedules."""

    def __init__(self, stores: StoresOfClients, keep_client: KeepClient, keep_parts: KeepParts) -> None:
        self._stores = stores
        self._keep_client = keep_client
        self._keep_parts = keep_parts

    async def prepare(self, event: Event) -> None:
        """End the stores of a client that was deleted; its fence lets no new ones begin."""
        if event.kind == _DELETED:
            await self._stores.delete_of_client(event.subject, event.data.actor)

    async def apply(self, connection: WriteConnection, event: Event) -> bool:
        """Keep the client, or the part of its schedule, as the event shows it; an older one is no news.

        Raises:
            UnreadableEvent: for a schema that is not known here.
        """
        part = _part(event)
        if part:
            return await self._keep_parts(connection, [part])
        client = _client(event)
        if client is None:
            return False
        deleted_at = event.time if event.kind == _DELETED else None
        return await self._keep_client(connection, client, deleted_at=deleted_at)

    async def settled(self, events: Sequence[Event]) -> None:
        """Let no cached answer show the clients as they were."""
        clients = {event.data.part_of or event.subject for event in events}
        await self._stores.invalidate_clients(list(clients))


def _client(event: Event) -> Client | None:
    """Return the client as it is since the event, a deleted one as it was; None when it is not about one."""
    if event.kind not in _KINDS:
        return None
    _require_known_schema(event)
    shown = event.data.after or event.data.before or {}
    try:
        return msgspec.convert({**shown, "version": event.data.version}, Client)
    except msgspec.ValidationError as error:
        raise UnreadableEvent(f"{event.id} does not show a client: {error}") from error


def _part(event: Event) -> ClientPart | None:
    """Return the part of a client's schedule that an event is about; None when it is not about one."""
    kind, _, verb = event.kind.partition(".")
    if not is_part_kind(kind) or verb not in _PART_VERBS or event.data.part_of is None:
        return None
    _require_known_schema(event)
    try:
        if event.data.after:
            msgspec.convert(event.data.after, PART_TYPES[kind])
    except msgspec.ValidationError as error:
        raise UnreadableEvent(f"{event.id} does not show a part of a schedule: {error}") from error
    return ClientPart(
        uuid=event.subject,
        client_uuid=event.data.part_of,
        kind=kind,
        version=event.data.version,
        shown=event.data.after,
    )


def _require_known_schema(event: Event) -> None:
    if event.schema_version != _SCHEMA_VERSION:
        raise UnreadableEvent(f"{event.type} has a schema that is not known here")
