"""HTTP in and out of the store service, for the service that deletes clients."""

from litestar.params import FromPath, JSONBody

from services.store.schema import FenceState, LiftQuery, SetFence
from services.store.usecase.fences import Fences
from shared.controller import Controller
from shared.conversion import to_uuid
from shared.request import JsonRequest
from shared.responses import Envelope


class FenceController(Controller):
    """Decodes a request, makes one call, wraps the answer."""

    def __init__(self, fences: Fences) -> None:
        self._fences = fences

    async def read(self, request: JsonRequest, uuid: FromPath[str]) -> Envelope[FenceState]:
        """Tell whether a client's fence is set, and how many stores of it live."""
        return Envelope(data=await self._fences.read(request.auth, to_uuid("uuid", uuid)))

    async def set(
        self, request: JsonRequest, uuid: FromPath[str], data: JSONBody[SetFence]
    ) -> Envelope[FenceState]:
        """Set a client's fence, if its stores allow it."""
        return Envelope(data=await self._fences.set(request.auth, to_uuid("uuid", uuid), data))

    async def lift(self, request: JsonRequest, uuid: FromPath[str]) -> None:
        """Lift a client's fence."""
        number = request.query(LiftQuery).number
        await self._fences.lift(request.auth, to_uuid("uuid", uuid), number)
