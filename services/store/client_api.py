"""What stores need of the client service, asked over HTTP."""

from typing import Protocol
from uuid import UUID

import msgspec

from services.store.schema import Client
from shared.errors import BadGateway
from shared.http import Rejected, ServiceClient

_NOT_FOUND = "CLIENT_NOT_FOUND"


class ClientDirectory(Protocol):
    """Knows which clients exist."""

    async def find(self, uuid: UUID) -> Client | None:
        """Return the client, or None when there is none of this id.

        Raises:
            ServiceUnavailable: when the clients cannot be asked for.
            GatewayTimeout: when the answer takes too long.
            BadGateway: when the answer cannot be used.
        """
        ...


class ClientAnswer(msgspec.Struct):
    """The part of the client service's envelope that is read."""

    data: Client


class ClientApi(ClientDirectory):
    """The client service."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def find(self, uuid: UUID) -> Client | None:
        """Ask the client service for the client of this id."""
        try:
            return (await self._service.get(f"/internal/clients/{uuid}", ClientAnswer)).data
        except Rejected as refusal:
            if refusal.code == _NOT_FOUND:
                return None
            raise BadGateway(service="client") from refusal
