"""What stores need of the client service, asked over HTTP."""

from typing import Protocol, TypeVar
from uuid import UUID

import msgspec

from services.store.schema import Client, ClientWithSchedule
from shared.errors import BadGateway
from shared.http import Rejected, ServiceClient

_NOT_FOUND = "CLIENT_NOT_FOUND"


class ClientDirectory(Protocol):
    """Knows which clients exist."""

    async def find(self, uuid: UUID) -> Client | None:
        """Return the client, or None when there is none of this id.

        Raises as `find_with_schedule` does.
        """
        ...

    async def find_with_schedule(self, uuid: UUID) -> ClientWithSchedule | None:
        """Return the client and what it has of a schedule, or None when there is none of this id.

        Raises:
            ServiceUnavailable: when the clients cannot be asked for.
            GatewayTimeout: when the answer takes too long.
            BadGateway: when the answer cannot be used.
        """
        ...


class ClientAnswer(msgspec.Struct):
    """The part of the client service's envelope that is read."""

    data: Client


class WholeAnswer(msgspec.Struct):
    """The same with the client's schedule."""

    data: ClientWithSchedule


A = TypeVar("A", ClientAnswer, WholeAnswer)


class ClientApi(ClientDirectory):
    """The client service."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def find(self, uuid: UUID) -> Client | None:
        """Ask the client service for the client of this id."""
        answer = await self._ask(f"/internal/clients/{uuid}", ClientAnswer)
        return answer and answer.data

    async def find_with_schedule(self, uuid: UUID) -> ClientWithSchedule | None:
        """Ask the client service for the client of this id and its schedule."""
        answer = await self._ask(f"/internal/clients/{uuid}?include=schedule", WholeAnswer)
        return answer and answer.data

    async def _ask(self, path: str, type_: type[A]) -> A | None:
        try:
            return await self._service.get(path, type_)
        except Rejected as refusal:
            if refusal.code == _NOT_FOUND:
                return None
            raise BadGateway(service="client") from refusal
