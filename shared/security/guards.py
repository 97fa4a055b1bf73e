"""The guard in front of every handler."""

from collections.abc import Callable

from litestar.types import ASGIApp, Receive, Scope, Send

from shared.security.caller import enter_caller
from shared.security.tokens import TokenVerifier, bearer_token
from shared.telemetry.context import note_user

PUBLIC = "public"
"""Routes with this in `opt` need no token."""


def authenticated(verifier: TokenVerifier) -> Callable[[ASGIApp], ASGIApp]:
    """Return a middleware that admits callers with a valid access token; `request.auth` is who they are.

    It is not one of Litestar's own guards, which get a copy of the route handler at each request.
    """

    def guarded(app: ASGIApp) -> ASGIApp:
        async def guard(scope: Scope, receive: Receive, send: Send) -> None:
            if not scope["route_handler"].opt.get(PUBLIC):
                scope["auth"] = caller = await verifier.verify(bearer_token(_authorization(scope)))
                enter_caller(caller.subject)
                note_user(caller.subject, caller.client_uuid)
            await app(scope, receive, send)

        return guard

    return guarded


def _authorization(scope: Scope) -> str | None:
    # Litestar's own mapping of headers is built at first use, and most requests need no other header of it.
    return next(
        (value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"), None
    )
