"""Importing clients: what a row has to be, and who may have it."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from services.client import constants
from services.client.repository.clients import stored_columns
from services.client.repository.imports import TABLE, ImportedClientRepository
from services.client.schema import ChangeClient, CreateClient
from services.client.usecase.clients import require_real_place
from shared.bulk.intake import Intake, Upload
from shared.bulk.kind import Kind, Row, to_command
from shared.bulk.schema import Import, ImportQuery
from shared.errors import FieldError, Forbidden
from shared.security.principal import Principal


class ClientImports:
    """The use cases of importing clients."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    async def start(self, principal: Principal, query: ImportQuery, upload: Upload) -> Import:
        """Import a file of clients; for admins, and managers, who create none if they have a tenant."""
        principal.require("admin", "manager")
        if principal.client_uuid is not None and query.mode == "create":
            raise Forbidden
        return await self._intake.receive(principal, query, upload)

    async def read(self, principal: Principal, uuid: UUID) -> Import:
        """Return an import; for admins, and managers of the tenant of whoever started it."""
        principal.require("admin", "manager")
        return await self._intake.find(principal, uuid)


class ClientKind(Kind):
    """Clients, recognised by their e-mail address."""

    table = TABLE
    creation = CreateClient
    change = ChangeClient
    duplicate = FieldError("email", constants.DUPLICATE_CLIENT)

    def __init__(self, clients: ImportedClientRepository) -> None:
        self._clients = clients

    def read(self, principal: Principal, fields: Mapping[str, Any], *, strict: bool) -> Row:
        """Return a client; whether it is visible to the caller is seen when it is looked for."""
        del principal
        command = to_command(fields, CreateClient, strict=strict)
        require_real_place(command.country, command.timezone)
        columns = stored_columns(msgspec.structs.asdict(command))
        return Row(None, columns["email_key"], columns)

    def changed(self, columns: Mapping[str, Any], fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the columns of a client that gets these fields."""
        del columns
        return stored_columns(fields)

    def may_create(self, tenant: UUID | None) -> FieldError | None:
        """Return why a row that is not of the tenant itself is refused, whoever else has it."""
        return FieldError("email", constants.NOT_YOUR_CLIENT) if tenant else None

    async def announce(self, uuids: Sequence[UUID], parents: Sequence[UUID]) -> None:
        """Let no cached answer from before be used that shows these clients, or lists of all."""
        del parents
        await self._clients.invalidate(uuids)

    async def announce_all(self) -> None:
        """Let no cached answer from before be used."""
        await self._clients.invalidate_all()
