"""HTTP in and out of sessions."""

from litestar import Response
from litestar.params import JSONBody

from services.auth.schema import Login, Refresh, Tokens
from services.auth.usecase.sign_in import SignIn
from shared.controller import Controller
from shared.request import JsonRequest
from shared.responses import Envelope


class SignInController(Controller):
    """Decodes a request, makes one call, wraps the answer."""

    def __init__(self, sign_in: SignIn) -> None:
        self._sign_in = sign_in

    async def login(self, data: JSONBody[Login]) -> Response[Envelope[Tokens]]:
        """Sign in with e-mail address and password."""
        return _unstored(await self._sign_in.login(data))

    async def refresh(self, data: JSONBody[Refresh]) -> Response[Envelope[Tokens]]:
        """Exchange the newest refresh token for new tokens. Each works once."""
        return _unstored(await self._sign_in.refresh(data.refresh_token))

    async def logout(self, request: JsonRequest) -> None:
        """End the session: its refresh tokens do not work any more."""
        await self._sign_in.logout(request.auth)


def _unstored(tokens: Tokens) -> Response[Envelope[Tokens]]:
    return Response(Envelope(data=tokens), headers={"Cache-Control": "no-store"})
