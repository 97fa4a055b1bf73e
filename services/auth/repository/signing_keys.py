"""Which keys signed and verified tokens, as the audit tells it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from services.auth import constants
from services.auth.model import metadata
from services.auth.pseudonyms import Pseudonyms
from services.auth.schema import KeysInUse
from shared.db import Database, WriteConnection
from shared.events.changes import NOT_PUBLISHED, SCHEMA_VERSION, SYSTEM
from shared.identifiers import new_uuid

_CHANGES = metadata.tables["changes"]
_LOCK = 1_734_697_584  # any number of our own
_LAST = (
    select(_CHANGES.c.after)
    .where(_CHANGES.c.type == constants.SIGNING_KEYS_CHANGED)
    .order_by(_CHANGES.c.occurred_at.desc(), _CHANGES.c.id.desc())
    .limit(1)
)

_FIRST = select(func.min(_CHANGES.c.occurred_at)).where(_CHANGES.c.type == constants.SIGNING_KEYS_CHANGED)


class SigningKeyLog:
    """Keeps what the keys in use were, from change to change."""

    def __init__(self, database: Database, pseudonyms: Pseudonyms) -> None:
        self._database = database
        self._subject = pseudonyms.uuid("signing keys", "")

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator["SigningKeyWriter"]:
        """Open a transaction, one at a time among all processes."""
        async with self._database.transaction(SYSTEM) as connection:
            await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield SigningKeyWriter(connection, self._subject)


class SigningKeyWriter:
    """Reads what was told last, and tells what follows, inside one transaction."""

    def __init__(self, connection: WriteConnection, subject: UUID) -> None:
        self._connection = connection
        self._subject = subject

    async def last(self) -> KeysInUse | None:
        """Return the keys that were told last."""
        told = (await self._connection.execute(_LAST)).scalar_one_or_none()
        return None if told is None else msgspec.convert(told, KeysInUse)

    async def first_signed_with(self, key: str) -> datetime:
        """Return when it was first told that this key signs; it has been."""
        signing = _CHANGES.c.after["signing"].astext
        return (await self._connection.execute(_FIRST.where(signing == key))).scalar_one()

    async def add(self, before: KeysInUse | None, after: KeysInUse) -> None:
        """Tell that other keys are in use."""
        await self._connection.execute(
            _CHANGES.insert().values(
                event_id=new_uuid(),
                aggregate_type="signing_keys",
                aggregate_id=self._subject,
                version=NOT_PUBLISHED,
                type=constants.SIGNING_KEYS_CHANGED,
                schema_version=SCHEMA_VERSION,
                actor=SYSTEM,
                before=msgspec.to_builtins(before),
                after=msgspec.to_builtins(after),
                occurred_at=datetime.now(UTC),
            )
        )
