"""The guard in front of every handler."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from shared.security.tokens import TokenVerifier, bearer_token

Guard = Callable[[ASGIConnection[Any, Any, Any, Any], BaseRouteHandler], Awaitable[None]]

PUBLIC = "public"
"""Routes with this in `opt` need no token."""


def authenticated(verifier: TokenVerifier) -> Guard:
    """Return a guard that admits callers with a valid access token and makes them known as `request.auth`."""

    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        if not handler.opt.get(PUBLIC):
            token = bearer_token(_authorization(connection))
            connection.scope["auth"] = await verifier.verify(token)

    return guard


def _authorization(connection: ASGIConnection[Any, Any, Any, Any]) -> str | None:
    # Litestar's own mapping of headers is built at first use, and most requests need no other header of it.
    headers = connection.scope["headers"]
    return next((value.decode("latin-1") for name, value in headers if name == b"authorization"), None)
