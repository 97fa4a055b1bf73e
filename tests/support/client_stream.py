"""Clients as the client service would tell of them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.store.events import SOURCE
from shared.events.changes import Change
from shared.events.event import encode_change
from shared.events.streams import stream_name
from shared.identifiers import new_uuid
from tests.support.resource import Json

STREAM = stream_name(SOURCE)


class Clients:
    """Tells of clients what the client service would."""

    def __init__(self, redis: Any) -> None:  # noqa: ANN401 - its annotations leave results open
        self.redis = redis

    async def tell(
        self,
        kind: str,
        shown: Json,
        version: int,
        schema_version: int = 1,
        part_of: UUID | None = None,
    ) -> None:
        before = shown if kind.endswith(".deleted") else None
        change = Change(
            event_id=new_uuid(),
            aggregate_type=kind.partition(".")[0],
            aggregate_id=UUID(shown["uuid"]),
            part_of=part_of,
            version=version,
            type=kind,
            schema_version=schema_version,
            actor="someone",
            before=before,
            after=None if before else shown,
            occurred_at=datetime.now(UTC),
        )
        await self.redis.xadd(STREAM, {"event": encode_change("client", change)})


def shown(uuid: UUID, **fields: object) -> Json:
    client = {"uuid": str(uuid), "name": "Kopi", "email": "halo@kopi.example", "phone": None}
    return {**client, "country": "ID", "timezone": "Asia/Jakarta", "is_active": True, "version": 1, **fields}
