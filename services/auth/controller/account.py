"""HTTP in and out of the caller's own account."""

from litestar.params import JSONBody

from services.auth import constants
from services.auth.schema import ChangeMe, ChangePassword, User
from services.auth.usecase.account import OwnAccount
from shared.controller import Controller
from shared.request import JsonRequest
from shared.responses import Envelope


class AccountController(Controller):
    """Decodes a request, makes one call, wraps the answer."""

    def __init__(self, account: OwnAccount) -> None:
        self._account = account

    async def read(self, request: JsonRequest) -> Envelope[User]:
        """Return who is signed in."""
        return Envelope(data=await self._account.read(request.auth))

    async def change(self, request: JsonRequest, data: JSONBody[ChangeMe]) -> Envelope[User]:
        """Change one's own name by JSON Merge Patch (RFC 7396)."""
        user = await self._account.change(request.auth, data)
        return Envelope(message=constants.USER_CHANGED, data=user)

    async def change_password(self, request: JsonRequest, data: JSONBody[ChangePassword]) -> None:
        """Change one's own password. Every other session ends."""
        await self._account.change_password(request.auth, data)
