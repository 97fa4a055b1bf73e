"""What deleting a client needs of the store service, asked over HTTP."""

from types import NoneType
from typing import Protocol
from uuid import UUID

import msgspec

from services.client.errors import DeletionUndone
from shared.errors import BadGateway
from shared.http import Rejected, ServiceClient

_OUTDATED = "FENCE_OUTDATED"


class FenceState(msgspec.Struct, frozen=True):
    """Whether stores of a client are kept from being created, and how many of them live."""

    is_set: bool
    living_stores: int


class StoreFences(Protocol):
    """Keeps stores of a client that is being deleted from being created.

    `number` is that of the attempt to delete it; attempts made later have higher ones.
    """

    async def set(self, client_uuid: UUID, number: int, *, cascade: bool) -> FenceState:
        """Set the fence; without `cascade`, only if no store of the client lives.

        Raises:
            DeletionUndone: when the attempt is known to have failed.
            ServiceUnavailable: when the stores cannot be asked for.
            GatewayTimeout: when the answer takes too long.
            BadGateway: when the answer cannot be used.
        """
        ...

    async def lift(self, client_uuid: UUID, number: int) -> None:
        """Lift the fence of this attempt, for good; raises as `set` does, but for DeletionUndone."""
        ...


class FenceAnswer(msgspec.Struct):
    """The part of the store service's envelope that is read."""

    data: FenceState


class StoreApi(StoreFences):
    """The store service."""

    def __init__(self, service: ServiceClient) -> None:
        self._service = service

    async def set(self, client_uuid: UUID, number: int, *, cascade: bool) -> FenceState:
        """Ask the store service to set the fence."""
        body = {"number": number, "cascade": cascade}
        try:
            return (await self._service.put(_path(client_uuid), FenceAnswer, body)).data
        except Rejected as refusal:
            if refusal.code == _OUTDATED:
                raise DeletionUndone from refusal
            raise BadGateway(service="store") from refusal

    async def lift(self, client_uuid: UUID, number: int) -> None:
        """Ask the store service to lift the fence."""
        try:
            await self._service.delete(f"{_path(client_uuid)}?number={number}", NoneType)
        except Rejected as refusal:
            raise BadGateway(service="store") from refusal


def _path(client_uuid: UUID) -> str:
    return f"/internal/clients/{client_uuid}/fence"
