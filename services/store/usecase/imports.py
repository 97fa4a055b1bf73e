"""Importing stores: what a row has to be, and who may have it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from services.store import constants
from services.store.client_api import ClientDirectory
from services.store.errors import ClientBeingDeleted, ClientInactive, ClientNotFound, IncompleteCoordinates
from services.store.repository.imports import TABLE, ImportedStoreRepository
from services.store.repository.stores import stored_columns
from services.store.schema import ChangeStore, CreateStore
from services.store.usecase.stores import require_valid
from shared.bulk.intake import Intake, Upload
from shared.bulk.kind import Kind, Row, to_command
from shared.bulk.schema import Import, ImportQuery
from shared.bulk.transactions import Statements
from shared.errors import FieldError, GeraiError
from shared.security.principal import Principal

_ASKED_AT_ONCE = 8


class StoreImports:
    """The use cases of importing stores."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def start(self, principal: Principal, query: ImportQuery, upload: Upload) -> Import:
        """Import a file of stores; for admins, and managers whom the clients of its rows are visible to."""
        principal.require("admin", "manager")
        return await self._intake.receive(principal, query, upload)

    async def read(self, principal: Principal, uuid: UUID) -> Import:
        """Return an import; for admins, and managers of the tenant of whoever started it."""
        principal.require("admin", "manager")
        return await self._intake.find(principal, uuid)


class StoreKind(Kind):
    """Stores, recognised by client and code."""

    table = TABLE
    creation = CreateStore
    change = ChangeStore
    duplicate = FieldError("code", constants.DUPLICATE_STORE)

    def __init__(self, stores: ImportedStoreRepository, clients: ClientDirectory) -> None:
        self._stores = stores
        self._clients = clients

    def read(self, principal: Principal, fields: Mapping[str, Any], *, strict: bool) -> Row:
        """Return a store of a client that is visible to the caller."""
        command = to_command(fields, CreateStore, strict=strict)
        require_valid(command)
        if not principal.sees(command.client_uuid):
            raise ClientNotFound(
                uuid=command.client_uuid, details=[_of_client(ClientNotFound, command.client_uuid)]
            )
        columns = stored_columns(msgspec.structs.asdict(command))
        return Row(command.client_uuid, columns["code_key"], columns)

    def changed(self, columns: Mapping[str, Any], fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the columns of a store that gets these fields."""
        if (fields["latitude"] is None) != (fields["longitude"] is None):
            raise IncompleteCoordinates
        return stored_columns({"client_uuid": columns["client_uuid"], **fields})

    async def refused(self, parents: Sequence[UUID]) -> Mapping[UUID, FieldError]:
        """Ask the client service which of these clients do not exist or are not active."""
        turn = asyncio.Semaphore(_ASKED_AT_ONCE)

        async def ask(uuid: UUID) -> FieldError | None:
            async with turn:
                client = await self._clients.find(uuid)
            if client is None:
                return _of_client(ClientNotFound, uuid)
            return None if client.is_active else _of_client(ClientInactive, uuid)

        answers = await asyncio.gather(*(ask(uuid) for uuid in parents))
        return {uuid: answer for uuid, answer in zip(parents, answers, strict=True) if answer}

    async def hold(self, statements: Statements, import_uuid: UUID) -> Mapping[UUID, FieldError]:
        """Keep clients from being fenced; return those that are."""
        fenced = await self._stores.fenced(statements, import_uuid)
        return {uuid: _of_client(ClientBeingDeleted, uuid) for uuid in fenced}

    async def announce(self, uuids: Sequence[UUID], parents: Sequence[UUID]) -> None:
        """Let no cached answer from before be used that shows these stores or lists of these clients'."""
        await self._stores.invalidate(uuids, parents)

    async def announce_all(self) -> None:
        """Let no cached answer from before be used."""
        await self._stores.invalidate_all()


def _of_client(error: type[GeraiError], uuid: UUID) -> FieldError:
    return FieldError("client_uuid", error(uuid=uuid).message)
