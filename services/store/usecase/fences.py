"""What the client service does with fences while it deletes a client.

Attempts to delete a client are numbered in the order they are made, and a fence knows the latest number it
was told. So whatever arrives late or twice has no effect: a lower number than the known one is out of date,
and an attempt whose fence was lifted never sets it again.
"""

from uuid import UUID

from services.store.errors import FenceOutdated
from services.store.repository.fences import Fence, FenceRepository
from services.store.schema import FenceState, SetFence
from shared.security.principal import Principal


class Fences:
    """The use cases of fences, all for services alone."""

    def __init__(self, fences: FenceRepository) -> None:
        self._fences = fences

    async def read(self, principal: Principal, client_uuid: UUID) -> FenceState:
        """Tell whether the client's fence is set, and how many stores of it live."""
        principal.require("service")
        async with self._fences.transaction(client_uuid) as fences:
            fence = await fences.find()
            return FenceState(is_set=fence.is_set, living_stores=await fences.count_stores())

    async def set(self, principal: Principal, client_uuid: UUID, command: SetFence) -> FenceState:
        """Let no store of the client be created, unless it has stores that are not to end with it.

        Raises:
            FenceOutdated: when a later attempt is known, or this one's fence was lifted.
        """
        principal.require("service")
        async with self._fences.transaction(client_uuid) as fences:
            known = await fences.find()
            if command.number < known.number or known == Fence(command.number, is_set=False):
                raise FenceOutdated(number=command.number)
            living = await fences.count_stores()
            is_set = command.cascade or living == 0
            if is_set:
                await fences.put(Fence(command.number, is_set=True))
            return FenceState(is_set=is_set, living_stores=living)

    async def lift(self, principal: Principal, client_uuid: UUID, number: int) -> None:
        """Let stores be created again, and this attempt and earlier ones not set the fence any more."""
        principal.require("service")
        async with self._fences.transaction(client_uuid) as fences:
            if (await fences.find()).number <= number:
                await fences.put(Fence(number, is_set=False))
